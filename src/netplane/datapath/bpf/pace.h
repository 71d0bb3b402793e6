/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Rates: what costs others, a machine may do so often and no more (a generic cell rate algorithm, ITU-T I.371). Each
 * kind has a rate of its own. A race of CPUs may let a machine have a little more than its share.
 */
#pragma once

#include "packet.h"

/* Until when the sender has used up its rate of a kind; NULL if there is nothing, and no room to note it. */
static __noinline struct np_pace_value *np_pace_open(const struct np_packet *p, __u32 kind)
{
	struct np_pace_value *found, none = {};
	struct np_pace_key key = {.vni = p->source.vni, .kind = kind};

	np_copy_mac(key.mac, p->source.mac);
	found = bpf_map_lookup_elem(&pace, &key);
	if (found || p->dry)
		return found;
	bpf_map_update_elem(&pace, &key, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&pace, &key);
}

/* Whether the sender may go on with a kind. */
static __always_inline int np_may(const struct np_packet *p, __u32 kind)
{
	struct np_pace_value *taken = np_pace_open(p, kind);

	if (!taken)
		return p->dry;
	return taken->until <= np_now(p) + np_pace_burst(kind) - np_pace_pause(kind);
}

/* Counts so many of a kind for the sender. */
static __always_inline void np_take(const struct np_packet *p, __u32 kind, __u32 times)
{
	struct np_pace_value *taken = np_pace_open(p, kind);
	__u64 now = np_now(p), until;

	if (!taken || p->dry)
		return;
	until = taken->until;
	taken->until = (until > now ? until : now) + times * np_pace_pause(kind);
}
