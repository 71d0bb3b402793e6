/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Limits: what all machines of a host share, none of them may use up. A race of CPUs may let a machine have a little
 * more than its share; the agent counts anew as it sweeps.
 */
#pragma once

#include "packet.h"

/* What the machine that sent the packet has taken; NULL if nothing. */
static __always_inline struct np_budget_value *np_budget(const struct np_packet *p)
{
	struct np_budget_key key = {.vni = p->source.vni};

	np_copy_mac(key.mac, p->source.mac);
	return bpf_map_lookup_elem(&budget, &key);
}

/* The same, with an entry to write to; NULL if there is no room for one. */
static __noinline struct np_budget_value *np_budget_open(const struct np_packet *p)
{
	struct np_budget_value *found = np_budget(p), none = {};
	struct np_budget_key key = {.vni = p->source.vni};

	if (found)
		return found;
	np_copy_mac(key.mac, p->source.mac);
	bpf_map_update_elem(&budget, &key, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&budget, &key);
}

static __always_inline int np_share_is_used_up(const struct np_packet *p)
{
	struct np_budget_value *taken = np_budget(p);

	return taken && taken->connections >= NP_LIMIT_CONNECTIONS;
}

static __always_inline void np_take_place(const struct np_packet *p)
{
	struct np_budget_value *taken = np_budget_open(p);

	if (taken)
		__sync_fetch_and_add(&taken->connections, 1);
}
