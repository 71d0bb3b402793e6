/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stage PARSE, IPv6 (RFC 8200): the extension headers, as far as the transport header, which a first fragment must have
 * whole (RFC 7112). AH and ESP are protocols of their own to rules.
 */
#pragma once

#include "fragment.h"
#include "transport.h"

#define NP_IPV6_HOP_BY_HOP 0
#define NP_IPV6_ROUTING 43
#define NP_IPV6_FRAGMENT 44
#define NP_IPV6_DESTINATION 60
#define NP_IPV6_BACK_AND_FORTH 0 /* the type of routing header that RFC 5095 forbids */

/* <linux/ipv6.h> would drag the C library in. */
struct np_ipv6 {
	__be32 version; /* 4 bits of it */
	__be16 payload_length;
	__u8 next;
	__u8 hop_limit;
	struct np_address source;
	struct np_address target;
};

/* What extension headers say: the protocol after them, where it starts in the frame, and of a fragment. */
struct np_chain {
	__u32 at;
	__u32 fragment; /* where the fragmented part starts; 0 for a whole packet */
	__u32 number;
	__u16 place; /* offset and flags, as in the header */
	__u8 protocol;
};

static __always_inline int np_is_extension(__u8 protocol)
{
	return protocol == NP_IPV6_HOP_BY_HOP || protocol == NP_IPV6_ROUTING || protocol == NP_IPV6_FRAGMENT ||
	       protocol == NP_IPV6_DESTINATION;
}

static __always_inline int np_chain_ends(const struct np_chain *chain)
{
	return !np_is_extension(chain->protocol) || chain->place >> 3;
}

/* One extension header further; start: where the first one is. */
static __always_inline int np_chain_next(struct __sk_buff *skb, struct np_chain *chain, __u32 start, __u32 end)
{
	struct {
		__u8 next;
		__u8 length;
		__be16 place; /* of a routing header, the type comes first */
		__be32 number;
	} header;

	if (end > start + NP_LIMIT_HEADER - sizeof(struct np_ipv6))
		end = start + NP_LIMIT_HEADER - sizeof(struct np_ipv6);
	if (chain->at + sizeof(header) > end || bpf_skb_load_bytes(skb, chain->at, &header, sizeof(header)))
		return NP_DROP(MALFORMED);
	if (chain->protocol == NP_IPV6_HOP_BY_HOP && chain->at != start)
		return NP_DROP(MALFORMED);
	if (chain->protocol == NP_IPV6_FRAGMENT) {
		if (chain->fragment)
			return NP_DROP(MALFORMED);
		chain->at += sizeof(header);
		chain->fragment = chain->at;
		chain->place = bpf_ntohs(header.place);
		chain->number = bpf_ntohl(header.number);
	} else {
		if (chain->protocol == NP_IPV6_ROUTING && bpf_ntohs(header.place) >> 8 == NP_IPV6_BACK_AND_FORTH)
			return NP_DROP(ROUTING_HEADER);
		chain->at += (header.length + 1) * 8;
		if (chain->at > end)
			return NP_DROP(MALFORMED);
	}
	chain->protocol = header.next;
	return NP_CONTINUE;
}

/* Follows the extension headers to their end, or to a later fragment's data; end: of the packet in the frame. */
static __noinline int np_chain_follow(struct __sk_buff *skb, struct np_chain *chain, __u32 end)
{
	__u32 start = chain->at;
	int decision, i;

	for (i = 0; i < NP_LIMIT_EXTENSIONS; i++) {
		if (np_chain_ends(chain))
			return NP_CONTINUE;
		decision = np_chain_next(skb, chain, start, end);
		if (decision != NP_CONTINUE)
			return decision;
	}
	return np_chain_ends(chain) ? NP_CONTINUE : NP_DROP(MALFORMED);
}

/* The transport header, copied: extension headers may have pushed it out of what is read in place. */
static __always_inline int np_parse_transport6(struct __sk_buff *skb, struct np_packet *p, __u32 length)
{
	__u8 header[sizeof(struct tcphdr)] NP_ALIGNED = {};
	int failed = 0;

	/* As much as TCP has, or as all others need. */
	if (length >= sizeof(header))
		failed = bpf_skb_load_bytes(skb, p->payload, header, sizeof(header));
	else if (length >= sizeof(struct udphdr))
		failed = bpf_skb_load_bytes(skb, p->payload, header, sizeof(struct udphdr));
	if (failed)
		return NP_DROP(MALFORMED);
	return np_parse_transport(p, header, header + sizeof(header), length);
}

static __always_inline int np_parse_fragment6(struct np_packet *p, const struct np_chain *chain)
{
	__u32 size = ETH_HLEN + p->ip_length - chain->fragment;
	__u32 before = chain->fragment - sizeof(struct np_ipv6) - ETH_HLEN - 8;

	p->offset = chain->place >> 3;
	p->more = chain->place & 1;
	p->id = chain->number;
	if (!size || (p->more && size % 8) || before + p->offset * 8 + size > NP_IP_LONGEST)
		return NP_DROP(MALFORMED);
	if (p->offset)
		return np_fragment_follow(p);
	p->fragment_end = size / 8;
	return NP_CONTINUE;
}

/*
 * A packet whose first header, after the fixed one, is an extension header. Not static, so that the verifier judges it
 * once and not anew for each way there.
 */
__noinline int np_parse_extensions(struct __sk_buff *skb, struct np_packet *p, __u8 first)
{
	struct np_chain chain = {.at = ETH_HLEN + sizeof(struct np_ipv6), .protocol = first};
	int decision;

	if (!p)
		return NP_DROP(MALFORMED);
	decision = np_chain_follow(skb, &chain, ETH_HLEN + p->ip_length);
	if (decision != NP_CONTINUE)
		return decision;
	p->protocol = chain.protocol;
	p->payload = chain.at;
	p->headers = chain.at;
	if (chain.place >> 3 || chain.place & 1) {
		decision = np_parse_fragment6(p, &chain);
		if (decision != NP_CONTINUE || p->offset)
			return decision;
	}
	return np_parse_transport6(skb, p, ETH_HLEN + p->ip_length - chain.at);
}

static __always_inline int np_parse_ipv6(struct __sk_buff *skb, struct np_packet *p)
{
	void *data, *end;
	struct np_ipv6 *ip;

	np_pull_headers(skb);
	data = (void *)(long)skb->data;
	end = (void *)(long)skb->data_end;
	ip = data + ETH_HLEN;
	if ((void *)(ip + 1) > end)
		return NP_DROP(MALFORMED);
	p->ip_length = sizeof(*ip) + bpf_ntohs(ip->payload_length);
	if (bpf_ntohl(ip->version) >> 28 != 6 || p->ip_length > skb->len - ETH_HLEN)
		return NP_DROP(MALFORMED);
	p->ipv6 = 1;
	p->source.address = ip->source;
	p->target.address = ip->target;
	p->ttl = ip->hop_limit;
	/* IPv4 addresses in their mapped form are on no wire (RFC 4291 section 2.5.5.2): here they are IPv4's own. */
	if (np_is_ipv4(&p->source.address) || np_is_ipv4(&p->target.address))
		return NP_DROP(MALFORMED);
	if (np_is_extension(ip->next))
		return np_parse_extensions(skb, p, ip->next);
	p->protocol = ip->next;
	p->payload = ETH_HLEN + sizeof(*ip);
	p->headers = p->payload;
	return np_parse_transport(p, ip + 1, end, p->ip_length - sizeof(*ip));
}
