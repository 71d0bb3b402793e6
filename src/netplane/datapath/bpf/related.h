/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ICMP errors about packets of a connection (RFC 792, RFC 4443) pass as part of it, so that a machine hears why it gets
 * no answer whatever its rules say of ICMP. The error must come from the very machine that the quoted packet went to:
 * the routers on its way are ours, and speak on the sender's own host. Nothing is written: an error keeps no connection
 * alive.
 */
#pragma once

#include "fragment.h"
#include "ipv6.h"
#include "policy.h"
#include "sides.h"

#define NP_QUOTED 8  /* bytes of the quoted payload that every error must have */
#define NP_RELATED 3 /* what the CONNECTION step says */

/* The beginning of a quoted packet's payload. */
union np_quote {
	struct {
		__be16 source;
		__be16 dest;
	} ports;
	struct np_icmp icmp;
};

static __always_inline int np_is_error(const struct np_packet *p)
{
	if (p->ipv6)
		return p->icmp_type >= NP_ICMPV6_UNREACHABLE && p->icmp_type <= NP_ICMPV6_PARAMETER_PROBLEM;
	return p->icmp_type == NP_ICMP_UNREACHABLE || p->icmp_type == NP_ICMP_TIME_EXCEEDED ||
	       p->icmp_type == NP_ICMP_PARAMETER_PROBLEM;
}

/*
 * The protocol of the packet that an error is about, if it is one that the error's receiver may have sent to the
 * error's sender; -1 otherwise. at: where the packet starts in the frame, and then where its payload does; end: of the
 * error.
 */
static __always_inline int np_quoted_ipv4(struct __sk_buff *skb, const struct np_packet *p, __u32 *at, __u32 end)
{
	struct iphdr ip;
	__u32 header;

	if (*at + sizeof(ip) > end || bpf_skb_load_bytes(skb, *at, &ip, sizeof(ip)))
		return -1;
	header = ip.ihl * 4;
	if (ip.version != 4 || header < sizeof(ip))
		return -1;
	if (ip.saddr != np_ipv4(&p->target.address) || ip.daddr != np_ipv4(&p->source.address))
		return -1;
	if (ip.frag_off & bpf_htons(NP_IP_OFFSET))
		return -1;
	*at += header;
	return ip.protocol;
}

static __always_inline int np_quoted_ipv6(struct __sk_buff *skb, const struct np_packet *p, __u32 *at, __u32 end)
{
	struct np_chain chain = {.at = *at + sizeof(struct np_ipv6)};
	struct np_ipv6 ip;

	if (chain.at > end || bpf_skb_load_bytes(skb, *at, &ip, sizeof(ip)) || bpf_ntohl(ip.version) >> 28 != 6)
		return -1;
	if (!np_same_address(&ip.source, &p->target.address) || !np_same_address(&ip.target, &p->source.address))
		return -1;
	chain.protocol = ip.next;
	if (np_chain_follow(skb, &chain, end) != NP_CONTINUE || chain.place >> 3)
		return -1;
	*at = chain.at;
	return chain.protocol;
}

static __noinline int np_read_quote(struct __sk_buff *skb, const struct np_packet *p, union np_quote *quote)
{
	__u32 at = p->payload + sizeof(struct np_icmp), end = ETH_HLEN + p->ip_length;
	int protocol;

	if (p->more || p->offset)
		return -1;
	protocol = p->ipv6 ? np_quoted_ipv6(skb, p, &at, end) : np_quoted_ipv4(skb, p, &at, end);
	if (protocol < 0 || at + NP_QUOTED > end || bpf_skb_load_bytes(skb, at, quote, NP_QUOTED))
		return -1;
	return protocol;
}

/* Puts the quoted packet's ports in place of the error's, which has none; returns the protocol in the key, or -1. */
static __always_inline int np_take_quote(struct np_packet *p, int protocol, const union np_quote *quote)
{
	p->protocol = protocol;
	p->icmp = NP_ICMP_NONE;
	if (np_is_icmp(p, protocol)) {
		np_icmp_is(p, quote->icmp.type);
		if (p->icmp == NP_ICMP_SINGLE)
			return -1;
		p->target.port = quote->icmp.id;
		p->source.port = quote->icmp.id;
		if (np_is_low(&p->target, &p->source) == (p->icmp == NP_ICMP_ANSWERS))
			return protocol + NP_ICMP_HIGH_ASKS;
		return protocol;
	}
	switch (protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
	case IPPROTO_UDPLITE:
		p->target.port = quote->ports.source;
		p->source.port = quote->ports.dest;
	}
	return protocol;
}

/*
 * The connection of the quoted packet, which went from the error's target to its source; NULL if there is none. The
 * packet in hand is given its protocol and ports.
 */
static __noinline struct np_connection_value *np_quoted_connection(struct np_packet *p, int protocol,
								   const union np_quote *quote)
{
	struct np_connection_key key;

	protocol = np_take_quote(p, protocol, quote);
	if (protocol < 0)
		return NULL;
	if (np_is_low(&p->target, &p->source))
		np_connection_key(&key, &p->target, &p->source, protocol);
	else
		np_connection_key(&key, &p->source, &p->target, protocol);
	return bpf_map_lookup_elem(&connection, &key);
}

/* Whether what an error quotes is of a connection in which it was sent, and which may go on. */
static __always_inline int np_explains(struct np_packet *p, const struct np_connection_value *c)
{
	const struct np_side *initiator = &p->target, *responder = &p->source;
	int from_low = np_is_low(&p->target, &p->source);

	if (c->state == NP_CONNECTION_STATE_REVOKED || !(from_low ? c->packets_low : c->packets_high) ||
	    np_is_expired(p, c, np_now(p)))
		return 0;
	if (from_low == !!(c->flags & NP_CONNECTION_FLAG_INITIATOR_HIGH)) {
		initiator = &p->source;
		responder = &p->target;
	}
	return c->stamp == np_stamp(p, initiator, responder) ||
	       np_judge_all(p, initiator, responder, np_service(p, responder)) == NP_CONTINUE;
}

static __noinline int np_is_related(struct __sk_buff *skb, struct np_packet *p)
{
	__u8 type = p->icmp_type, protocol = p->protocol;
	const struct np_connection_value *c;
	union np_quote quote;
	int related, quoted;

	quoted = np_read_quote(skb, p, &quote);
	if (quoted < 0)
		return 0;
	c = np_quoted_connection(p, quoted, &quote);
	related = c && np_explains(p, c);
	if (related)
		np_step(p, NP_STAGE_CONNECTION, 0, NP_RELATED, c->state, 0);
	p->protocol = protocol;
	np_icmp_is(p, type);
	p->source.port = 0;
	p->target.port = 0;
	return related;
}
