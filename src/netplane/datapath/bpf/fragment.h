/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fragments (RFC 791 section 3.2). Only the first one has the transport header: it is judged like a whole packet, and
 * what it says is remembered when it passes; the others pass as part of it. A later fragment that comes before its
 * first is dropped: to keep it would be to keep packets. No fragment may write over what was judged (RFC 1858, RFC
 * 3128): the transport header is whole in the first, and what a later one could change of it no rule and no connection
 * has asked for. In IPv6 (RFC 8200 section 4.5) none may overlap the first at all (RFC 5722), and the first alone says
 * of which protocol they are.
 */
#pragma once

#include "trace.h"

#define NP_IP_MORE 0x2000 /* fragments follow */
#define NP_IP_OFFSET 0x1fff
#define NP_IP_LONGEST 65535

static __always_inline void np_fragment_key(struct np_fragment_key *key, const struct np_packet *p)
{
	key->vni = p->source.vni;
	np_copy_mac(key->mac, p->eth_source);
	key->place = p->id % NP_LIMIT_FRAGMENTS;
}

/* Gives a later fragment the ports of its first. Not static, so that the verifier judges it once for both families. */
__noinline int np_fragment_follow(struct np_packet *p)
{
	struct np_address source, target;
	struct np_fragment_value *first;
	struct np_fragment_key key;

	if (!p)
		return NP_DROP(FRAGMENT);
	np_fragment_key(&key, p);
	first = bpf_map_lookup_elem(&fragment, &key);
	if (!first || first->number != p->id || p->offset < first->end ||
	    first->seen + NP_LIMIT_FRAGMENT_SECONDS * NP_NSEC_PER_SEC <= np_now(p))
		return NP_DROP(FRAGMENT);
	__builtin_memcpy(&source, first->source, sizeof(source));
	__builtin_memcpy(&target, first->destination, sizeof(target));
	if (source.high != p->source.address.high || source.low != p->source.address.low ||
	    target.high != p->target.address.high || target.low != p->target.address.low)
		return NP_DROP(FRAGMENT);
	if (!p->ipv6 && first->protocol != p->protocol)
		return NP_DROP(FRAGMENT);
	p->protocol = first->protocol;
	p->source.port = first->source_port;
	p->target.port = first->destination_port;
	p->policy_port = first->service;
	if (np_is_icmp(p, p->protocol))
		np_icmp_is(p, bpf_ntohs(first->service) >> 8);
	return NP_CONTINUE;
}

static __noinline void np_fragment_remember(struct np_packet *p)
{
	struct np_fragment_value first = {};
	struct np_fragment_key key;

	np_fragment_key(&key, p);
	__builtin_memcpy(first.source, &p->source.address, sizeof(first.source));
	__builtin_memcpy(first.destination, &p->target.address, sizeof(first.destination));
	first.seen = np_now(p);
	first.number = p->id;
	first.end = p->fragment_end;
	first.protocol = p->protocol;
	first.source_port = p->source.port;
	first.destination_port = p->target.port;
	first.service = p->policy_port;
	bpf_map_update_elem(&fragment, &key, &first, BPF_ANY);
}

/* To be called with what became of each packet: the rest of it may follow a first fragment that met no obstacle. */
static __always_inline void np_fragment_note(struct np_packet *p, int decision)
{
	if (p->more && !p->offset && !p->dry && !(decision >> 8))
		np_fragment_remember(p);
}

/* What must be true of a fragment, whatever it carries. */
static __always_inline int np_fragment_check(const struct np_packet *p, __u32 length)
{
	if (!length || (p->more && length % 8) || p->offset * 8 + p->ip_length > NP_IP_LONGEST)
		return NP_DROP(MALFORMED);
	/* It would write over the flags. */
	if (p->offset == 1 && p->protocol == IPPROTO_TCP)
		return NP_DROP(MALFORMED);
	return NP_CONTINUE;
}
