/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Stage PARSE, the transport header: its length must agree with what there is, and its ports are what rules speak of.
 */
#pragma once

#include "packet.h"

#define NP_HEADERS (ETH_HLEN + 60 + 20) /* as long as Ethernet, IPv4 and TCP without options may get */

/* Headers must lie in the linear part to be read in place; pulling would copy a frame that others hold too. */
static __always_inline void np_pull_headers(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;

	if (data + NP_HEADERS > end && (__u64)(end - data) < skb->len)
		bpf_skb_pull_data(skb, skb->len < NP_HEADERS ? skb->len : NP_HEADERS);
}

/* Protocols that are carried whole, whatever they say, but for their ports. */
static __always_inline int np_parse_ports(struct np_packet *p, void *header, void *end, __u32 length, __u32 least)
{
	struct {
		__be16 source;
		__be16 dest;
	} *ports = header;

	if (length < least || (void *)(ports + 1) > end)
		return NP_DROP(MALFORMED);
	p->source.port = ports->source;
	p->target.port = ports->dest;
	p->policy_port = ports->dest;
	return NP_CONTINUE;
}

static __always_inline int np_parse_icmp(struct np_packet *p, void *header, void *end, __u32 length)
{
	struct np_icmp *icmp = header;

	if (length < sizeof(*icmp) || header + sizeof(*icmp) > end)
		return NP_DROP(MALFORMED);
	np_icmp_is(p, icmp->type);
	p->policy_port = bpf_htons(icmp->type << 8 | icmp->code);
	if (p->icmp != NP_ICMP_SINGLE) {
		p->source.port = icmp->id;
		p->target.port = icmp->id;
	}
	return NP_CONTINUE;
}

static __always_inline int np_parse_transport(struct np_packet *p, void *header, void *end, __u32 length)
{
	if (np_is_icmp(p, p->protocol))
		return np_parse_icmp(p, header, end, length);
	switch (p->protocol) {
	case IPPROTO_TCP: {
		struct tcphdr *tcp = header;

		if (length < sizeof(*tcp) || header + sizeof(*tcp) > end)
			return NP_DROP(MALFORMED);
		if (tcp->doff < 5 || tcp->doff * 4 > length)
			return NP_DROP(MALFORMED);
		p->source.port = tcp->source;
		p->target.port = tcp->dest;
		p->tcp_flags = ((__u8 *)header)[13];
		p->headers += tcp->doff * 4;
		break;
	}
	case IPPROTO_UDP: {
		struct udphdr *udp = header;

		if (length < sizeof(*udp) || header + sizeof(*udp) > end)
			return NP_DROP(MALFORMED);
		if (bpf_ntohs(udp->len) < sizeof(*udp))
			return NP_DROP(MALFORMED);
		/* One UDP datagram of many segments says the length of all of them; a first fragment that of the whole.
		 */
		if (bpf_ntohs(udp->len) > length && !p->more)
			return NP_DROP(MALFORMED);
		p->source.port = udp->source;
		p->target.port = udp->dest;
		p->headers += sizeof(*udp);
		break;
	}
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		return np_parse_ports(p, header, end, length, 12);
	case IPPROTO_UDPLITE:
		return np_parse_ports(p, header, end, length, 8);
	}
	p->policy_port = p->target.port;
	return NP_CONTINUE;
}
