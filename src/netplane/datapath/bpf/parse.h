/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Stage PARSE: Ethernet, IPv4 (RFC 791) and the transport header; nothing that lies about its length passes. */
#pragma once

#include "fragment.h"

#define NP_HEADERS (ETH_HLEN + 60 + 20) /* as long as Ethernet, IPv4 and TCP without options may get */

static __always_inline int np_parse_ethernet(struct __sk_buff *skb, struct np_packet *p)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	struct ethhdr *eth = data;

	if (data + sizeof(*eth) > end)
		return NP_DROP(MALFORMED);
	np_copy_mac(p->eth_target, eth->h_dest);
	np_copy_mac(p->eth_source, eth->h_source);
	/* The kernel has taken a VLAN tag out of the frame by now; it would put it back on the way out. */
	p->ethertype = skb->vlan_present ? ETH_P_8021Q : bpf_ntohs(eth->h_proto);
	return NP_CONTINUE;
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

static __always_inline int np_parse_transport(struct np_packet *p, void *header, void *end, __u32 length)
{
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
	case IPPROTO_ICMP: {
		struct np_icmp *icmp = header;

		if (length < sizeof(*icmp) || header + sizeof(*icmp) > end)
			return NP_DROP(MALFORMED);
		p->icmp_type = icmp->type;
		p->policy_port = bpf_htons(icmp->type << 8 | icmp->code);
		if (icmp->type == NP_ICMP_ECHO || icmp->type == NP_ICMP_ECHO_REPLY) {
			p->source.port = icmp->id;
			p->target.port = icmp->id;
		}
		return NP_CONTINUE;
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

static __always_inline int np_parse_ipv4(struct __sk_buff *skb, struct np_packet *p)
{
	void *data, *end, *transport;
	__u32 header, length;
	struct iphdr *ip;
	__u16 fragment;

	data = (void *)(long)skb->data;
	end = (void *)(long)skb->data_end;
	/* Headers must lie in the linear part to be read in place; pulling would copy a frame that others hold too. */
	if (data + NP_HEADERS > end && (__u64)(end - data) < skb->len)
		bpf_skb_pull_data(skb, skb->len < NP_HEADERS ? skb->len : NP_HEADERS);
	data = (void *)(long)skb->data;
	end = (void *)(long)skb->data_end;
	ip = data + ETH_HLEN;
	if ((void *)(ip + 1) > end)
		return NP_DROP(MALFORMED);
	header = ip->ihl * 4;
	p->ip_length = bpf_ntohs(ip->tot_len);
	if (ip->version != 4 || header < sizeof(*ip) || p->ip_length < header || p->ip_length > skb->len - ETH_HLEN)
		return NP_DROP(MALFORMED);
	np_map_ipv4(&p->source.address, ip->saddr);
	np_map_ipv4(&p->target.address, ip->daddr);
	p->protocol = ip->protocol;
	p->ttl = ip->ttl;
	p->payload = ETH_HLEN + header;
	p->headers = p->payload;
	transport = (void *)ip + header;
	length = p->ip_length - header;
	fragment = bpf_ntohs(ip->frag_off) & (NP_IP_MORE | NP_IP_OFFSET);
	if (fragment) {
		p->offset = fragment & NP_IP_OFFSET;
		p->more = !!(fragment & NP_IP_MORE);
		p->id = ip->id;
		if (np_fragment_check(p, length) != NP_CONTINUE)
			return NP_DROP(MALFORMED);
		if (p->offset)
			return np_fragment_follow(p);
	}
	return np_parse_transport(p, transport, end, length);
}

/* What a guest hands over in one piece comes with the size of its segments, but uncounted. */
static __always_inline void np_count_segments(struct __sk_buff *skb, struct np_packet *p)
{
	__u32 size = skb->gso_size;

	if (!skb->gso_segs && size && p->length > p->headers)
		p->segments = (p->length - p->headers + size - 1) / size;
}

static __always_inline int np_parse(struct __sk_buff *skb, struct np_packet *p)
{
	int decision;

	decision = p->ethertype == ETH_P_IP ? np_parse_ipv4(skb, p) : NP_DROP(UNSUPPORTED);
	np_count_segments(skb, p);
	np_step(p, NP_STAGE_PARSE, decision == NP_CONTINUE ? 0 : decision >> 8, p->ethertype, p->protocol,
		(__u32)bpf_ntohs(p->source.port) << 16 | bpf_ntohs(p->target.port));
	return decision;
}
