/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ICMP errors about packets of a connection (RFC 792) pass as part of it, so that a machine hears why it gets no answer
 * whatever its rules say of ICMP. The error must come from the very machine that the quoted packet went to: the routers
 * on its way are ours, and speak on the sender's own host. Nothing is written: an error keeps no connection alive.
 */
#pragma once

#include "fragment.h"
#include "policy.h"
#include "sides.h"

#define NP_QUOTED 8  /* bytes of the quoted payload that every error must have */
#define NP_RELATED 3 /* what the CONNECTION step says */

struct np_quote {
	struct iphdr ip;
	union {
		struct {
			__be16 source;
			__be16 dest;
		} ports;
		struct np_icmp icmp;
	};
};

static __always_inline int np_is_error(const struct np_packet *p)
{
	return p->icmp_type == NP_ICMP_UNREACHABLE || p->icmp_type == NP_ICMP_TIME_EXCEEDED ||
	       p->icmp_type == NP_ICMP_PARAMETER_PROBLEM;
}

/* The packet that an error is about, if it is one that the error's receiver may have sent to the error's sender. */
static __always_inline int np_read_quote(struct __sk_buff *skb, const struct np_packet *p, struct np_quote *quote)
{
	__u32 start = p->payload + sizeof(struct np_icmp), end = ETH_HLEN + p->ip_length, header;

	if (p->more || p->offset || start + sizeof(quote->ip) > end)
		return -1;
	if (bpf_skb_load_bytes(skb, start, &quote->ip, sizeof(quote->ip)))
		return -1;
	header = quote->ip.ihl * 4;
	if (quote->ip.version != 4 || header < sizeof(quote->ip) || start + header + NP_QUOTED > end)
		return -1;
	if (quote->ip.saddr != np_ipv4(&p->target.address) || quote->ip.daddr != np_ipv4(&p->source.address))
		return -1;
	if (quote->ip.frag_off & bpf_htons(NP_IP_OFFSET))
		return -1;
	return bpf_skb_load_bytes(skb, start + header, &quote->icmp, NP_QUOTED);
}

/* Puts the quoted packet's ports in place of the error's, which has none; returns the protocol in the key, or -1. */
static __always_inline int np_take_quote(struct np_packet *p, const struct np_quote *quote)
{
	p->protocol = quote->ip.protocol;
	switch (quote->ip.protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
	case IPPROTO_UDPLITE:
		p->target.port = quote->ports.source;
		p->source.port = quote->ports.dest;
		break;
	case IPPROTO_ICMP:
		if (quote->icmp.type != NP_ICMP_ECHO && quote->icmp.type != NP_ICMP_ECHO_REPLY)
			return -1;
		p->target.port = quote->icmp.id;
		p->source.port = quote->icmp.id;
		if (np_is_low(&p->target, &p->source) == (quote->icmp.type == NP_ICMP_ECHO_REPLY))
			return IPPROTO_ICMP + NP_ICMP_HIGH_ASKS;
		break;
	}
	return quote->ip.protocol;
}

/*
 * The connection of the quoted packet, which went from the error's target to its source; NULL if there is none. The
 * packet in hand is given its protocol and ports.
 */
static __noinline struct np_connection_value *np_quoted_connection(struct __sk_buff *skb, struct np_packet *p)
{
	struct np_connection_key key;
	struct np_quote quote;
	int protocol;

	if (np_read_quote(skb, p, &quote))
		return NULL;
	protocol = np_take_quote(p, &quote);
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
	return c->stamp == np_stamp(initiator, responder) ||
	       np_judge_all(p, initiator, responder, np_service(p, responder)) == NP_CONTINUE;
}

static __noinline int np_is_related(struct __sk_buff *skb, struct np_packet *p)
{
	const struct np_connection_value *c = np_quoted_connection(skb, p);
	int related = c && np_explains(p, c);

	if (related)
		np_step(p, NP_STAGE_CONNECTION, 0, NP_RELATED, c->state, 0);
	p->protocol = IPPROTO_ICMP;
	p->source.port = 0;
	p->target.port = 0;
	return related;
}
