/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stage ROUTING, what is said to a router itself: it answers pings (RFC 792) and says that all its ports are closed.
 */
#pragma once

#include "error.h"
#include "policy.h"
#include "routing.h"

/* Sends the packet back to where it came from; addresses may change places under a checksum. */
static __always_inline void np_turn_ipv4(struct __sk_buff *skb, struct np_packet *p)
{
	__be32 from = np_ipv4(&p->target.address), to = np_ipv4(&p->source.address);
	__u8 ttl = NP_ICMP_TTL;

	bpf_l3_csum_replace(skb, ETH_HLEN + 10, bpf_htons(p->ttl << 8), bpf_htons(NP_ICMP_TTL << 8), 2);
	bpf_skb_store_bytes(skb, ETH_HLEN + 8, &ttl, sizeof(ttl), 0);
	bpf_skb_store_bytes(skb, ETH_HLEN + 12, &from, 4, 0);
	bpf_skb_store_bytes(skb, ETH_HLEN + 16, &to, 4, 0);
}

static __always_inline void np_turn_ipv6(struct __sk_buff *skb, struct np_packet *p)
{
	__u8 ttl = NP_ICMP_TTL;

	bpf_skb_store_bytes(skb, ETH_HLEN + 7, &ttl, sizeof(ttl), 0);
	bpf_skb_store_bytes(skb, ETH_HLEN + 8, &p->target.address, sizeof(p->target.address), 0);
	bpf_skb_store_bytes(skb, ETH_HLEN + 24, &p->source.address, sizeof(p->source.address), 0);
}

/* Fragments are answered one by one: together they are the answer to the whole. */
static __always_inline int np_answer_echo(struct __sk_buff *skb, struct np_packet *p)
{
	__u8 macs[12], asked = np_echo(p), type = p->ipv6 ? NP_ICMPV6_ECHO_REPLY : NP_ICMP_ECHO_REPLY;

	np_copy_mac(macs, p->eth_source);
	np_copy_mac(macs + 6, p->eth_target);
	if (!p->offset) {
		bpf_l4_csum_replace(skb, p->payload + 2, bpf_htons(asked << 8), bpf_htons(type << 8), 2);
		bpf_skb_store_bytes(skb, p->payload, &type, sizeof(type), 0);
	}
	if (p->ipv6)
		np_turn_ipv6(skb, p);
	else
		np_turn_ipv4(skb, p);
	bpf_skb_store_bytes(skb, 0, macs, sizeof(macs), 0);
	return NP_DECIDE(ANSWER, 0);
}

static __always_inline int np_router_judge(struct __sk_buff *skb, struct np_packet *p)
{
	if (p->from_tunnel)
		return NP_DROP(FROM_TUNNEL);
	if ((p->source.keeps || p->source.alone) &&
	    !np_judge(p, NP_DIRECTION_EGRESS, 0, p->policy_port))
		return NP_DROP(POLICY_OUT);
	if (p->icmp == NP_ICMP_ASKS && p->policy_port == bpf_htons(np_echo(p) << 8))
		return np_answer_echo(skb, p);
	if (p->protocol == IPPROTO_UDP)
		return np_tell(p, NP_TELL_PORT_CLOSED, &p->target.address, NP_REASON_ROUTER_CLOSED);
	return NP_DROP(ROUTER_CLOSED);
}

static __always_inline int np_router(struct __sk_buff *skb, struct np_packet *p)
{
	int decision = np_router_judge(skb, p);

	np_routing_step(p, decision);
	return decision;
}
