/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stage ROUTING: where a packet goes, decided alike on the host that sends it and on the host that receives it: on the
 * same network to the owner of the address, else through the router whose MAC address it was sent to.
 */
#pragma once

#include "answer.h"
#include "endpoint.h"
#include "policy.h"

#define NP_ROUTE_BITS 160
#define NP_ICMP_NET_UNREACHABLE (NP_ICMP_UNREACHABLE << 8 | 0)
#define NP_ICMP_HOST_UNREACHABLE (NP_ICMP_UNREACHABLE << 8 | 1)
#define NP_ICMP_PORT_UNREACHABLE (NP_ICMP_UNREACHABLE << 8 | 3)
#define NP_ICMP_TTL_EXCEEDED (NP_ICMP_TIME_EXCEEDED << 8 | 0)

/* What is said to a router itself: it answers pings and says that all its ports are closed. */
static __always_inline int np_to_router(struct __sk_buff *skb, struct np_packet *p)
{
	if (p->from_tunnel)
		return NP_DROP(FROM_TUNNEL);
	if (!np_judge(p, NP_DIRECTION_EGRESS, &p->source, &p->target, p->policy_port))
		return NP_DROP(POLICY_OUT);
	if (p->protocol == IPPROTO_ICMP && p->policy_port == bpf_htons(NP_ICMP_ECHO << 8))
		return np_answer_echo(skb, p);
	if (p->protocol == IPPROTO_UDP)
		return np_answer_error(skb, p, NP_ICMP_PORT_UNREACHABLE, np_ipv4(&p->target.address),
				       NP_REASON_ROUTER_CLOSED);
	return NP_DROP(ROUTER_CLOSED);
}

static __always_inline int np_to_owner(struct np_packet *p, struct np_endpoint_value *owner)
{
	np_copy_mac(p->target.mac, owner->mac);
	p->target.identity = owner->identity;
	p->target.host = owner->host;
	p->target.local = owner->host == p->host;
	return NP_CONTINUE;
}

static __always_inline int np_through_router(struct __sk_buff *skb, struct np_packet *p, struct np_gateway_value *way)
{
	struct np_endpoint_value *owner;
	struct np_address address;
	struct np_route_value *out;
	struct np_route_key key;
	__be32 speaker;

	__builtin_memcpy(&address, way->address, sizeof(address));
	speaker = np_ipv4(&address);
	key.bits = NP_ROUTE_BITS;
	key.router = way->router;
	__builtin_memcpy(key.address, &p->target.address, sizeof(key.address));
	out = bpf_map_lookup_elem(&route, &key);
	if (!out)
		return np_answer_error(skb, p, NP_ICMP_NET_UNREACHABLE, speaker, NP_REASON_NO_ROUTE);
	p->target.vni = out->vni;
	owner = np_endpoint(out->vni, &p->target.address);
	if (owner && (owner->flags & NP_ENDPOINT_FLAG_ROUTER))
		return np_to_router(skb, p);
	if (p->ttl <= 1)
		return np_answer_error(skb, p, NP_ICMP_TTL_EXCEEDED, speaker, NP_REASON_TTL_EXCEEDED);
	if (!owner)
		return np_answer_error(skb, p, NP_ICMP_HOST_UNREACHABLE, speaker, NP_REASON_NO_ENDPOINT);
	p->routed = 1;
	np_copy_mac(p->hop_mac, out->mac);
	return np_to_owner(p, owner);
}

static __always_inline int np_routing(struct __sk_buff *skb, struct np_packet *p)
{
	struct np_endpoint_value *owner;
	struct np_gateway_value *way;
	struct np_gateway_key key = {};
	__u32 router = 0;
	int decision;

	p->target.vni = p->source.vni;
	owner = np_endpoint(p->source.vni, &p->target.address);
	if (owner && np_same_mac(owner->mac, p->eth_target)) {
		if (owner->flags & NP_ENDPOINT_FLAG_ROUTER)
			decision = np_to_router(skb, p);
		else
			decision = np_to_owner(p, owner);
	} else {
		key.vni = p->source.vni;
		np_copy_mac(key.mac, p->eth_target);
		way = bpf_map_lookup_elem(&gateway, &key);
		if (way) {
			router = way->router;
			decision = np_through_router(skb, p, way);
		} else {
			decision = NP_DROP(UNKNOWN_DESTINATION);
		}
	}
	np_step(p, NP_STAGE_ROUTING, decision == NP_CONTINUE ? 0 : decision >> 8, p->target.vni, router,
		p->target.identity);
	return decision;
}
