/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Stage PARSE: Ethernet, IPv4 (RFC 791) or IPv6, and the transport header; nothing that lies about its length passes.
 */
#pragma once

#include "fragment.h"
#include "ipv6.h"
#include "transport.h"

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

static __always_inline int np_parse_ipv4(struct __sk_buff *skb, struct np_packet *p)
{
	void *data, *end, *transport;
	__u32 header, length;
	struct iphdr *ip;
	__u16 fragment;

	np_pull_headers(skb);
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
		p->id = bpf_ntohs(ip->id);
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

/* Segments are judged as they will be, not as the one packet that they are now. */
static __always_inline void np_measure(struct __sk_buff *skb, struct np_packet *p)
{
	__u32 size = skb->gso_size ? p->headers + skb->gso_size : p->length;

	p->size = (size < p->length ? size : p->length) - ETH_HLEN;
}

static __always_inline int np_is_too_long(const struct np_packet *p, __u32 mtu)
{
	return mtu && p->size > mtu;
}

/* Not static, so that the verifier judges what follows it once and not anew for each sort of packet. */
__noinline int np_parse(struct __sk_buff *skb, struct np_packet *p)
{
	int decision;

	if (!p)
		return NP_DROP(MALFORMED);
	if (p->ethertype == ETH_P_IP)
		decision = np_parse_ipv4(skb, p);
	else
		decision = p->ethertype == ETH_P_IPV6 ? np_parse_ipv6(skb, p) : NP_DROP(UNSUPPORTED);
	np_count_segments(skb, p);
	np_measure(skb, p);
	np_step(p, NP_STAGE_PARSE, decision == NP_CONTINUE ? 0 : decision >> 8, p->ethertype, p->protocol,
		(__u32)bpf_ntohs(p->source.port) << 16 | bpf_ntohs(p->target.port));
	return decision;
}
