/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Frames turned into answers to the machine that sent them: ARP replies (RFC 826), echo replies and ICMP errors
 * (RFC 792, RFC 1812 section 4.3.2).
 */
#pragma once

#include "trace.h"

#define NP_QUOTE 20 /* bytes of the offender's payload: a whole TCP header; 8 would do (RFC 792) */
#define NP_SLACK 76 /* more than lies before the transport header in any frame */
#define NP_ICMP_TTL 64
#define NP_ICMP_TOS 0xc0

/* Fragments are answered one by one: together they are the answer to the whole. */
static __always_inline int np_answer_echo(struct __sk_buff *skb, struct np_packet *p)
{
	__be32 from = np_ipv4(&p->target.address), to = np_ipv4(&p->source.address);
	__u8 macs[12], ttl = NP_ICMP_TTL, type = NP_ICMP_ECHO_REPLY;

	np_copy_mac(macs, p->eth_source);
	np_copy_mac(macs + 6, p->eth_target);
	if (!p->offset) {
		bpf_l4_csum_replace(skb, p->payload + 2, bpf_htons(NP_ICMP_ECHO << 8),
				    bpf_htons(NP_ICMP_ECHO_REPLY << 8), 2);
		bpf_skb_store_bytes(skb, p->payload, &type, sizeof(type), 0);
	}
	bpf_l3_csum_replace(skb, ETH_HLEN + 10, bpf_htons(p->ttl << 8), bpf_htons(NP_ICMP_TTL << 8), 2);
	bpf_skb_store_bytes(skb, ETH_HLEN + 8, &ttl, sizeof(ttl), 0);
	bpf_skb_store_bytes(skb, ETH_HLEN + 12, &from, 4, 0);
	bpf_skb_store_bytes(skb, ETH_HLEN + 16, &to, 4, 0);
	bpf_skb_store_bytes(skb, 0, macs, sizeof(macs), 0);
	return NP_DECIDE(ANSWER, 0);
}

static __always_inline __u16 np_fold(__s64 sum)
{
	__u32 folded = (__u32)sum;

	folded = (folded & 0xffff) + (folded >> 16);
	folded = (folded & 0xffff) + (folded >> 16);
	return ~folded;
}

/*
 * Makes the frame so long, all but its Ethernet header to be written anew. A transport checksum that was left to a
 * device must not be filled in any more, or it would end up in the quotation: the kernel forgets about it once the
 * place where it begins to sum is cut off, so the frame is made too long first and cut in front.
 */
static __always_inline int np_resize(struct __sk_buff *skb, __u32 length)
{
	if (bpf_skb_change_tail(skb, length + NP_SLACK, 0))
		return -1;
	return bpf_skb_adjust_room(skb, -NP_SLACK, BPF_ADJ_ROOM_MAC, 0);
}

/* Whether an address is of a group or of nobody (RFC 1112, RFC 919): about packets to it no errors are sent. */
static __always_inline int np_is_of_many(__be32 address)
{
	return bpf_ntohl(address) >= 0xe0000000;
}

struct np_error {
	struct iphdr ip;
	struct np_icmp icmp;
};

/* Turns the packet into an ICMP error from an address of the router; drops it if none may be sent about it. */
static __noinline int np_answer_error(struct __sk_buff *skb, struct np_packet *p, __u32 type_code, __be32 from,
				      __u32 reason)
{
	__u32 quoted, header;
	struct np_error error = {};
	__u8 quote[60 + NP_QUOTE] NP_ALIGNED = {};
	__u8 macs[12];

	/* About later fragments none is sent either (RFC 1122 section 3.2.2). */
	if (p->from_tunnel || p->offset || np_is_of_many(np_ipv4(&p->target.address)))
		return NP_DECIDE(DROP, reason);
	if (p->protocol == IPPROTO_ICMP && p->icmp_type != NP_ICMP_ECHO && p->icmp_type != NP_ICMP_ECHO_REPLY &&
	    p->icmp_type != NP_ICMP_TIMESTAMP && p->icmp_type != NP_ICMP_TIMESTAMP_REPLY)
		return NP_DECIDE(DROP, reason);
	header = p->payload - ETH_HLEN;
	quoted = p->ip_length - header;
	if (quoted > NP_QUOTE)
		quoted = NP_QUOTE;
	quoted += header;
	/* Bounds that the verifier can follow. */
	if (quoted < sizeof(struct iphdr) || quoted > sizeof(quote))
		return NP_DECIDE(DROP, reason);
	if (bpf_skb_load_bytes(skb, ETH_HLEN, quote, quoted))
		return NP_DECIDE(DROP, reason);
	if (np_resize(skb, ETH_HLEN + sizeof(error) + quoted))
		return NP_DECIDE(DROP, reason);
	error.ip.version = 4;
	error.ip.ihl = 5;
	error.ip.tos = NP_ICMP_TOS;
	error.ip.tot_len = bpf_htons(sizeof(error) + quoted);
	error.ip.ttl = NP_ICMP_TTL;
	error.ip.protocol = IPPROTO_ICMP;
	error.ip.saddr = from;
	error.ip.daddr = np_ipv4(&p->source.address);
	error.ip.check = np_fold(bpf_csum_diff(NULL, 0, (__be32 *)&error.ip, sizeof(error.ip), 0));
	error.icmp.type = type_code >> 8;
	error.icmp.code = type_code & 0xff;
	error.icmp.checksum =
	    np_fold(bpf_csum_diff(NULL, 0, (__be32 *)quote, sizeof(quote),
				  bpf_csum_diff(NULL, 0, (__be32 *)&error.icmp, sizeof(error.icmp), 0)));
	np_copy_mac(macs, p->eth_source);
	np_copy_mac(macs + 6, p->eth_target);
	bpf_skb_store_bytes(skb, 0, macs, sizeof(macs), 0);
	bpf_skb_store_bytes(skb, ETH_HLEN, &error, sizeof(error), 0);
	bpf_skb_store_bytes(skb, ETH_HLEN + sizeof(error), quote, quoted, 0);
	return NP_DECIDE(ANSWER, reason);
}
