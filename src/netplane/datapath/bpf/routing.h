/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stage ROUTING: where a packet goes, decided alike on the host that sends it and on the host that receives it: on the
 * same network to the owner of the address, else through the router whose MAC address it was sent to.
 */
#pragma once

#include "endpoint.h"
#include "error.h"
#include "parse.h"

#define NP_ROUTE_BITS 160

/* To be called once for a packet: by np_routing(), or by whoever answers for a router. */
static __always_inline void np_routing_step(struct np_packet *p, int decision)
{
	np_step(p, NP_STAGE_ROUTING, decision == NP_CONTINUE ? 0 : decision >> 8, p->target.vni, p->router,
		p->target.identity);
}

static __always_inline int np_to_owner(struct np_packet *p, struct np_endpoint_value *owner)
{
	np_copy_mac(p->target.mac, owner->mac);
	p->target.local = owner->host == p->host;
	np_judge_as(&p->target, owner);
	return NP_CONTINUE;
}

static __always_inline int np_is_link_local(const struct np_address *address)
{
	return (address->high & bpf_cpu_to_be64(0xffcULL << 52)) == bpf_cpu_to_be64(0xfe8ULL << 52);
}

/* Whether an IPv6 address is known on one link only (RFC 4291 section 2.5.6), or of a group. */
static __always_inline int np_stays(const struct np_address *address)
{
	return np_is_link_local(address) || *(const __u8 *)address == 0xff;
}

static __always_inline int np_through_router(struct np_packet *p, struct np_gateway_value *way)
{
	struct np_endpoint_value *owner;
	struct np_address speaker;
	struct np_route_value *out;
	struct np_route_key key;

	p->router = way->router;
	__builtin_memcpy(&speaker, way->address, sizeof(speaker));
	if (p->ipv6 && np_stays(&p->target.address))
		return np_tell(p, NP_TELL_NO_ROUTE, &speaker, NP_REASON_NO_ROUTE);
	key.bits = NP_ROUTE_BITS;
	key.router = way->router;
	__builtin_memcpy(key.address, &p->target.address, sizeof(key.address));
	out = bpf_map_lookup_elem(&route, &key);
	if (!out)
		return np_tell(p, NP_TELL_NO_ROUTE, &speaker, NP_REASON_NO_ROUTE);
	p->target.vni = out->vni;
	owner = np_endpoint(out->vni, &p->target.address);
	if (owner && (owner->flags & NP_ENDPOINT_FLAG_ROUTER))
		return NP_ON(ANSWERING);
	if (p->ipv6 && np_is_link_local(&p->source.address))
		return np_tell(p, NP_TELL_BEYOND_SCOPE, &speaker, NP_REASON_LINK_LOCAL);
	if (p->ttl <= 1)
		return np_tell(p, NP_TELL_TTL_EXCEEDED, &speaker, NP_REASON_TTL_EXCEEDED);
	if (np_is_too_long(p, out->mtu)) {
		p->error.mtu = out->mtu;
		return np_tell(p, NP_TELL_TOO_LONG, &speaker, NP_REASON_FRAGMENTATION_NEEDED);
	}
	if (!owner)
		return np_tell(p, NP_TELL_NO_ENDPOINT, &speaker, NP_REASON_NO_ENDPOINT);
	p->routed = 1;
	np_copy_mac(p->hop_mac, out->mac);
	return np_to_owner(p, owner);
}

static __always_inline int np_find_way(struct np_packet *p)
{
	struct np_endpoint_value *owner;
	struct np_gateway_value *way;
	struct np_gateway_key key = {.family = p->ipv6};

	p->target.vni = p->source.vni;
	owner = np_endpoint(p->source.vni, &p->target.address);
	if (owner && np_same_mac(owner->mac, p->eth_target))
		return owner->flags & NP_ENDPOINT_FLAG_ROUTER ? NP_ON(ANSWERING) : np_to_owner(p, owner);
	key.vni = p->source.vni;
	np_copy_mac(key.mac, p->eth_target);
	way = bpf_map_lookup_elem(&gateway, &key);
	return way ? np_through_router(p, way) : NP_DROP(UNKNOWN_DESTINATION);
}

static __always_inline int np_routing(struct np_packet *p)
{
	int decision = np_find_way(p);

	if (decision == NP_ON(ANSWERING))
		p->to_router = 1;
	else
		np_routing_step(p, decision);
	return decision;
}
