/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stage ROUTING, by next hops: a router hands the packet to a machine, whatever its destination, or to another router,
 * which does the same, and so on. Whoever is connected to the destination's network ends it; so do time to live, and
 * NP_LIMIT_ROUTERS where routes go round in circles.
 */
#pragma once

#include "balance.h"
#include "routing.h"

/* The first length bits of an address. */
static __always_inline void np_mask(struct np_address *address, __u32 length)
{
	__u64 high = length >= 64 ? ~0ULL : ~(~0ULL >> (length & 63));
	__u64 low = length <= 64 ? 0 : length >= 128 ? ~0ULL : ~(~0ULL >> (length & 63));

	address->high &= bpf_cpu_to_be64(high);
	address->low &= bpf_cpu_to_be64(low);
}

/* Whether somebody is there to take a packet: a machine, or a router that is up. */
static __always_inline int np_takes(const struct np_packet *p, __u32 vni, const struct np_endpoint_value *owner)
{
	return !(owner->flags & NP_ENDPOINT_FLAG_ROUTER) || np_router_at(p, vni, owner->mac);
}

/* The owner of the next hop that the packet takes of a route's; NULL if none is there. */
static __noinline struct np_endpoint_value *np_next_hop(struct np_packet *p, const struct np_route_value *out)
{
	struct np_hop_key key = {.router = p->router, .length = out->length};
	struct np_endpoint_value *owner, *best = NULL;
	__u64 flow = np_flow(p), fit, most = 0;
	__u32 hops = out->hops;
	struct np_hop_value *next;
	struct np_address via;

	p->hop_mtu = 0;
	via = p->target.address;
	np_mask(&via, out->length);
	__builtin_memcpy(key.address, &via, sizeof(key.address));
	for (__u32 i = 0; i < NP_LIMIT_NEXT_HOPS; i++) {
		if (i >= hops)
			break;
		key.index = i;
		next = bpf_map_lookup_elem(&hop, &key);
		if (!next)
			continue;
		__builtin_memcpy(&via, next->via, sizeof(via));
		fit = np_stir(flow, &via);
		if (best && fit <= most)
			continue;
		owner = np_endpoint(next->vni, &via);
		if (!owner || (owner->flags & NP_ENDPOINT_FLAG_SHARED) || !np_takes(p, next->vni, owner))
			continue;
		best = owner;
		most = fit;
		p->target.vni = next->vni;
		p->hop_mtu = next->mtu;
		p->hop_firewall = next->firewall;
		np_copy_mac(p->hop_mac, next->mac);
		p->hop_is_target = via.high == p->target.address.high && via.low == p->target.address.low;
	}
	return best;
}

/* What others know of a machine that a packet was handed to: nothing, if its destination is somebody behind it. */
static __always_inline void np_look_behind(struct np_packet *p)
{
	struct np_endpoint_value *owner;

	if (p->hop_is_target)
		return;
	owner = np_speaker(p->target.vni, &p->target.address, p->target.mac);
	if (!owner || !np_same_mac(owner->mac, p->target.mac))
		p->target.known = 0;
}

/*
 * From one router to whoever is next; NP_ON(RELAYING) if that is another router. Not static, so that the verifier judges
 * it once and not anew for each router on the way.
 */
__noinline int np_relay(struct np_packet *p)
{
	struct np_endpoint_value *owner;
	struct np_gateway_value *at;
	struct np_route_value *out;
	int decision;

	if (!p)
		return NP_DROP(TOO_MANY_ROUTERS);
	out = np_route(p);
	if (!out || out->hops == NP_LIMIT_NOWHERE)
		return np_tell(p, NP_TELL_NO_ROUTE, &p->error.speaker, NP_REASON_NO_ROUTE);
	if (!out->hops)
		return np_to_connected(p, out);
	owner = np_next_hop(p, out);
	decision = np_may_go_on(p, p->hop_mtu);
	if (decision != NP_CONTINUE)
		return decision;
	if (!owner)
		return np_tell(p, NP_TELL_NO_ENDPOINT, &p->error.speaker, NP_REASON_NO_ENDPOINT);
	if (!(owner->flags & NP_ENDPOINT_FLAG_ROUTER)) {
		p->routers++;
		np_wall_crossed(p, p->hop_firewall, 1);
		np_copy_mac(p->next_mac, owner->mac);
		decision = np_to_owner(p, owner);
		np_look_behind(p);
		return decision;
	}
	if (p->hop_is_target)
		return NP_ON(ANSWERING);
	at = np_router_at(p, p->target.vni, owner->mac);
	if (!at || p->routers + 1 >= NP_LIMIT_ROUTERS)
		return NP_DROP(TOO_MANY_ROUTERS);
	np_step(p, NP_STAGE_ROUTING, 0, p->target.vni, p->router, 0);
	p->routers++;
	np_wall_crossed(p, p->hop_firewall, 1);
	np_enter_router(p, at);
	return NP_ON(RELAYING);
}

static __always_inline int np_relaying(struct np_packet *p)
{
	int decision = NP_ON(RELAYING);

	for (__u32 i = 0; i < NP_LIMIT_ROUTERS; i++) {
		decision = np_relay(p);
		if (decision != NP_ON(RELAYING))
			break;
	}
	return np_found_way(p, decision == NP_ON(RELAYING) ? NP_DROP(TOO_MANY_ROUTERS) : decision);
}
