/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stage ROUTING: where a packet goes, decided alike on the host that sends it and on the host that receives it: on the
 * same network to the owner of the address, else through the router whose MAC address it was sent to.
 */
#pragma once

#include "endpoint.h"
#include "error.h"
#include "pair.h"
#include "parse.h"
#include "walls.h"

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

static __always_inline struct np_route_value *np_route(const struct np_packet *p)
{
	struct np_route_key key = {.bits = NP_ROUTE_BITS, .router = p->router};

	__builtin_memcpy(key.address, &p->target.address, sizeof(key.address));
	return bpf_map_lookup_elem(&route, &key);
}

/* A router is reached, by one of its addresses: it speaks from that. */
static __always_inline void np_enter_router(struct np_packet *p, const struct np_gateway_value *at)
{
	p->router = at->router;
	__builtin_memcpy(&p->error.speaker, at->address, sizeof(p->error.speaker));
	np_wall_crossed(p, at->firewall, 0);
}

/* NP_CONTINUE if a router may send the packet on: it is of more than its own link, has time to live, and fits. */
static __always_inline int np_may_go_on(struct np_packet *p, __u32 mtu)
{
	if (p->ipv6 && np_is_link_local(&p->source.address))
		return np_tell(p, NP_TELL_BEYOND_SCOPE, &p->error.speaker, NP_REASON_LINK_LOCAL);
	if (p->ttl <= p->routers + 1)
		return np_tell(p, NP_TELL_TTL_EXCEEDED, &p->error.speaker, NP_REASON_TTL_EXCEEDED);
	if (np_is_too_long(p, mtu)) {
		p->error.mtu = mtu;
		return np_tell(p, NP_TELL_TOO_LONG, &p->error.speaker, NP_REASON_FRAGMENTATION_NEEDED);
	}
	return NP_CONTINUE;
}

/* From a router to the owner of the destination, which lies on a network that it is connected to. */
static __always_inline int np_to_connected(struct np_packet *p, const struct np_route_value *out)
{
	struct np_endpoint_value *owner = np_holder(out->vni, &p->target.address);
	int decision;

	p->target.vni = out->vni;
	if (owner && (owner->flags & NP_ENDPOINT_FLAG_ROUTER) && np_same_mac(owner->mac, out->mac))
		return NP_ON(ANSWERING);
	decision = np_may_go_on(p, out->mtu);
	if (decision != NP_CONTINUE)
		return decision;
	if (owner) {
		np_copy_mac(p->next_mac, owner->mac);
		owner = np_unmasked(out->vni, &p->target.address, owner);
	}
	if (!owner)
		return np_tell(p, NP_TELL_NO_ENDPOINT, &p->error.speaker, NP_REASON_NO_ENDPOINT);
	if (owner->flags & NP_ENDPOINT_FLAG_ROUTER)
		return NP_ON(ANSWERING);
	p->routers++;
	np_copy_mac(p->hop_mac, out->mac);
	np_wall_crossed(p, out->firewall, 1);
	return np_to_owner(p, owner);
}

static __always_inline int np_through_router(struct np_packet *p, const struct np_gateway_value *way)
{
	struct np_route_value *out;

	np_enter_router(p, way);
	if (p->ipv6 && np_stays(&p->target.address))
		return np_tell(p, NP_TELL_NO_ROUTE, &p->error.speaker, NP_REASON_NO_ROUTE);
	out = np_route(p);
	if (!out)
		return np_tell(p, NP_TELL_NO_ROUTE, &p->error.speaker, NP_REASON_NO_ROUTE);
	return out->hops ? NP_ON(RELAYING) : np_to_connected(p, out);
}

static __always_inline struct np_gateway_value *np_router_at(const struct np_packet *p, __u32 vni, const __u8 *mac)
{
	struct np_gateway_key key = {.vni = vni, .family = p->ipv6};

	np_copy_mac(key.mac, mac);
	return bpf_map_lookup_elem(&gateway, &key);
}

static __always_inline int np_find_way(struct np_packet *p)
{
	struct np_endpoint_value *owner;
	struct np_gateway_value *way;

	p->target.vni = p->source.vni;
	owner = np_endpoint(p->source.vni, &p->target.address);
	if (owner && np_same_mac(owner->mac, p->eth_target) && !(owner->flags & NP_ENDPOINT_FLAG_VIRTUAL))
		return owner->flags & NP_ENDPOINT_FLAG_ROUTER ? NP_ON(ANSWERING) : np_to_owner(p, owner);
	way = np_router_at(p, p->source.vni, p->eth_target);
	if (way)
		return np_through_router(p, way);
	owner = np_paired(p->source.vni, &p->target.address, p->eth_target, owner);
	return owner ? np_to_owner(p, owner) : NP_DROP(UNKNOWN_DESTINATION);
}

/* What has been found: noted, unless it is for another program to note. */
static __always_inline int np_found_way(struct np_packet *p, int decision)
{
	if (decision == NP_ON(ANSWERING))
		p->to_router = 1;
	else if (decision != NP_ON(RELAYING))
		np_routing_step(p, decision);
	return decision;
}

static __always_inline int np_routing(struct np_packet *p)
{
	return np_found_way(p, np_find_way(p));
}
