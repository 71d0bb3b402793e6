/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ICMPv6 errors (RFC 4443) to the machine that sent a packet, which they are made of: they have as much of it as fits
 * into the smallest MTU, so it is copied by way of a map.
 */
#pragma once

#include "error.h"
#include "ipv6.h"

#define NP_ERROR6_QUOTE (1280 - sizeof(struct np_error6))
#define NP_SUM_AT_ONCE 512 /* bpf_csum_diff() takes no more before Linux 6.13 */
#define NP_ICMPV6_REDIRECT 137

struct np_error6 {
	struct np_ipv6 ip;
	struct np_icmp icmp;
};

struct np_copy {
	__u8 data[NP_ERROR6_QUOTE + 4];
};

/* As `in_hand` has: one for real packets, one for made ones. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct np_copy);
} copy SEC(".maps");

/* Whether an error may be sent about a packet: about no error, and nothing that goes to many (RFC 4443, 2.4 e). */
static __always_inline int np_may_tell6(const struct np_packet *p)
{
	if (p->from_tunnel || p->offset || *(const __u8 *)&p->target.address == 0xff)
		return 0;
	return p->icmp != NP_ICMP_SINGLE || (p->icmp_type >= NP_ICMPV6_ECHO && p->icmp_type != NP_ICMPV6_REDIRECT);
}

/* The sum of a copy, of which as much counts as is quoted; what follows up to a whole word is zero. */
static __always_inline __s64 np_sum_copy(struct np_copy *copied, __u32 quoted, __u32 sum)
{
	__s64 total = sum;
	__u32 start, part, i;

	quoted = (quoted + 3) & ~3U;
	for (i = 0; i < (NP_ERROR6_QUOTE + NP_SUM_AT_ONCE - 1) / NP_SUM_AT_ONCE; i++) {
		start = i * NP_SUM_AT_ONCE;
		if (quoted <= start)
			break;
		part = quoted - start;
		if (part > NP_SUM_AT_ONCE)
			part = NP_SUM_AT_ONCE;
		if (start + part > NP_ERROR6_QUOTE)
			part = NP_ERROR6_QUOTE - start;
		total = bpf_csum_diff(NULL, 0, (__be32 *)&copied->data[start], part, total);
	}
	return total;
}

static __always_inline int np_send_error6(struct __sk_buff *skb, struct np_packet *p)
{
	__u32 quoted = p->ip_length, reason = p->error.reason, place = p->synthetic;
	struct np_error6 error = {};
	struct np_copy *copied;
	__u8 macs[12];

	copied = bpf_map_lookup_elem(&copy, &place);
	if (!copied || !np_may_tell6(p))
		return NP_DECIDE(DROP, reason);
	if (quoted > NP_ERROR6_QUOTE)
		quoted = NP_ERROR6_QUOTE;
	/* A bound that the verifier can follow. */
	if (quoted < sizeof(struct np_ipv6))
		return NP_DECIDE(DROP, reason);
	if (bpf_skb_load_bytes(skb, ETH_HLEN, copied->data, quoted))
		return NP_DECIDE(DROP, reason);
	copied->data[quoted] = 0;
	copied->data[quoted + 1] = 0;
	copied->data[quoted + 2] = 0;
	if (np_resize(skb, p, ETH_HLEN + sizeof(error) + quoted))
		return NP_DECIDE(DROP, reason);
	error.ip.version = bpf_htonl(6U << 28);
	error.ip.payload_length = bpf_htons(sizeof(error.icmp) + quoted);
	error.ip.next = NP_PROTOCOL_ICMPV6;
	error.ip.hop_limit = NP_ICMP_TTL;
	error.ip.source = p->error.speaker;
	error.ip.target = p->source.address;
	error.icmp.type = p->error.type_code >> 8;
	error.icmp.code = p->error.type_code & 0xff;
	error.icmp.sequence = bpf_htons(p->error.mtu); /* RFC 4443 section 3.2; the rest of it is 0 */
	/* The pseudo header (RFC 8200 section 8.1): the addresses, which stand before the message, length and protocol.
	 */
	error.icmp.checksum =
	    np_fold(np_sum_copy(copied, quoted,
				bpf_csum_diff(NULL, 0, (__be32 *)&error.ip.source,
					      sizeof(error) - __builtin_offsetof(struct np_error6, ip.source),
					      bpf_htonl(sizeof(error.icmp) + quoted + NP_PROTOCOL_ICMPV6))));
	np_copy_mac(macs, p->eth_source);
	np_copy_mac(macs + 6, p->eth_target);
	bpf_skb_store_bytes(skb, 0, macs, sizeof(macs), 0);
	bpf_skb_store_bytes(skb, ETH_HLEN, &error, sizeof(error), 0);
	bpf_skb_store_bytes(skb, ETH_HLEN + sizeof(error), copied->data, quoted, 0);
	return NP_DECIDE(ANSWER, reason);
}
