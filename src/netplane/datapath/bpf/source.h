/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stages ANTI_SPOOF and SOURCE: who sent it, and may they? A machine speaks from its own addresses only, and a host in
 * the name of its own machines only.
 */
#pragma once

#include "asking.h"
#include "pair.h"
#include "parse.h"

static __always_inline int np_source_of_machine(struct np_packet *p)
{
	struct np_endpoint_value *owner = np_own(p, &p->source.address);
	int decision = NP_CONTINUE;

	if (owner && np_is_nobody(p, owner))
		owner = NULL;
	if (!owner)
		decision = NP_DROP(SPOOFED_ADDRESS);
	else if (np_is_too_long(p, p->mtu))
		decision = NP_DROP(TOO_LONG);
	p->source.local = 1;
	if (owner)
		np_judge_as(&p->source, owner);
	np_step(p, NP_STAGE_ANTI_SPOOF, decision == NP_CONTINUE ? 0 : decision >> 8, p->source.identity, p->source.host,
		0);
	return decision;
}

/* outer: the address that the tunnel packet came from. */
static __always_inline int np_source_of_tunnel(struct np_packet *p, const struct np_address *outer)
{
	struct np_endpoint_value *owner = np_speaker(p->source.vni, &p->source.address, p->eth_source);
	int decision = NP_CONTINUE;

	if (owner && np_is_nobody(p, owner))
		owner = NULL;
	if (!owner) {
		decision = NP_DROP(FORGED_SOURCE);
	} else {
		struct np_host_key key = {.number = owner->host};
		struct np_host_value *right = bpf_map_lookup_elem(&host, &key);
		struct np_address address;

		np_copy_mac(p->source.mac, owner->mac);
		np_judge_as(&p->source, owner);
		if (right)
			__builtin_memcpy(&address, right->address, sizeof(address));
		if (!right || owner->host == p->host || address.high != outer->high || address.low != outer->low)
			decision = NP_DROP(FORGED_HOST);
	}
	np_step(p, NP_STAGE_SOURCE, decision == NP_CONTINUE ? 0 : decision >> 8, p->source.identity, p->source.host, 0);
	return decision;
}
