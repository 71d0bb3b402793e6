/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The two sides of a connection: which stands first in its key, what its permission depends on, and how long it lasts.
 */
#pragma once

#include "packet.h"
#include "walls.h"

#define NP_STAMP_FACTOR 0x9E3779B97F4A7C15ULL
/* Added to the protocol in the key: echo requests of both sides may share an identifier. */
#define NP_ICMP_HIGH_ASKS 256

static __always_inline int np_is_low(const struct np_side *a, const struct np_side *b)
{
	if (a->vni != b->vni)
		return a->vni < b->vni;
	if (a->address.high != b->address.high)
		return bpf_be64_to_cpu(a->address.high) < bpf_be64_to_cpu(b->address.high);
	if (a->address.low != b->address.low)
		return bpf_be64_to_cpu(a->address.low) < bpf_be64_to_cpu(b->address.low);
	return bpf_ntohs(a->port) <= bpf_ntohs(b->port);
}

static __always_inline void np_connection_key(struct np_connection_key *key, const struct np_side *low,
					      const struct np_side *high, __u32 protocol)
{
	key->vni_low = low->vni;
	key->vni_high = high->vni;
	__builtin_memcpy(key->address_low, &low->address, sizeof(key->address_low));
	__builtin_memcpy(key->address_high, &high->address, sizeof(key->address_high));
	key->port_low = low->port;
	key->port_high = high->port;
	key->protocol = protocol;
}

static __always_inline __u64 np_profile_stamp(const struct np_side *side)
{
	struct np_profile_key key = {.profile = side->identity};
	struct np_profile_value *found;

	if (!side->keeps)
		return 0;
	found = bpf_map_lookup_elem(&profile, &key);
	return found ? found->stamp : 0;
}

static __always_inline __u64 np_stamp(const struct np_packet *p, const struct np_side *initiator,
				      const struct np_side *responder)
{
	__u64 in = np_profile_stamp(responder);
	__u64 identities = (__u64)initiator->known << 32 | responder->known;

	return np_profile_stamp(initiator) ^ (in << 1 | in >> 63) ^ identities * NP_STAMP_FACTOR ^
	       np_walls_stamp(p, initiator);
}

/* What rules are asked about for a connection: the responder's port, or an echo request. */
static __always_inline __be16 np_service(const struct np_packet *p, const struct np_side *responder)
{
	return p->icmp ? bpf_htons(np_echo(p) << 8) : responder->port;
}

static __always_inline int np_is_expired(const struct np_packet *p, const struct np_connection_value *c, __u64 now)
{
	return c->seen + np_timeout(p->protocol, c->state) * NP_NSEC_PER_SEC <= now;
}
