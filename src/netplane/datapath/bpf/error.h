/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ICMP errors (RFC 792, RFC 1812 section 4.3.2) to the machine that sent a packet, which they are made of; error6.h has
 * those of IPv6.
 */
#pragma once

#include "programs.h"
#include "trace.h"

#define NP_QUOTE 20 /* bytes of the offender's payload: a whole TCP header; 8 would do (RFC 792) */
#define NP_ICMP_TOS 0xc0

/* ICMP and ICMPv6 type and code of what is told. */
#define NP_TELL(type, code, type6, code6) ((type) << 8 | (code) | ((type6) << 8 | (code6)) << 16)
#define NP_TELL_NO_ROUTE NP_TELL(NP_ICMP_UNREACHABLE, 0, 1, 0)
#define NP_TELL_NO_ENDPOINT NP_TELL(NP_ICMP_UNREACHABLE, 1, 1, 3)
#define NP_TELL_PORT_CLOSED NP_TELL(NP_ICMP_UNREACHABLE, 3, 1, 4)
#define NP_TELL_PROHIBITED NP_TELL(NP_ICMP_UNREACHABLE, 13, 1, 1)
#define NP_TELL_TOO_LONG NP_TELL(NP_ICMP_UNREACHABLE, 4, 2, 0)
#define NP_TELL_TTL_EXCEEDED NP_TELL(NP_ICMP_TIME_EXCEEDED, 0, 3, 0)
#define NP_TELL_BEYOND_SCOPE NP_TELL(NP_ICMP_UNREACHABLE, 0, 1, 2)

/* The decision to drop a packet for a reason, and to tell its sender so from an address of a router. */
static __always_inline int np_tell(struct np_packet *p, __u32 what, const struct np_address *speaker, __u32 reason)
{
	p->error.type_code = p->ipv6 ? what >> 16 : what;
	p->error.reason = reason;
	p->error.speaker = *speaker;
	return NP_ON(ERRING) | reason << 8;
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
static __always_inline int np_resize(struct __sk_buff *skb, const struct np_packet *p, __u32 length)
{
	__u32 slack = p->payload + 2;

	if (bpf_skb_change_tail(skb, length + slack, 0))
		return -1;
	return bpf_skb_adjust_room(skb, -(__s32)slack, BPF_ADJ_ROOM_MAC, 0);
}

/* Whether an address is of a group or of nobody (RFC 1112, RFC 919): about packets to it no errors are sent. */
static __always_inline int np_is_of_many(__be32 address)
{
	return bpf_ntohl(address) >= 0xe0000000;
}

/* Whether an error may be sent about a packet: not about later fragments, nor about errors (RFC 1122 section 3.2.2). */
static __always_inline int np_may_tell(const struct np_packet *p)
{
	if (p->from_tunnel || p->offset || np_is_of_many(np_ipv4(&p->target.address)))
		return 0;
	return p->icmp != NP_ICMP_SINGLE || p->icmp_type == NP_ICMP_TIMESTAMP ||
	       p->icmp_type == NP_ICMP_TIMESTAMP_REPLY;
}

struct np_error {
	struct iphdr ip;
	struct np_icmp icmp;
};

/* Turns the packet into what np_tell() said; drops it if that may not be sent. */
static __always_inline int np_send_error(struct __sk_buff *skb, struct np_packet *p)
{
	__u32 quoted, header, reason = p->error.reason;
	struct np_error error = {};
	__u8 quote[60 + NP_QUOTE] NP_ALIGNED = {};
	__u8 macs[12];

	if (!np_may_tell(p))
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
	if (np_resize(skb, p, ETH_HLEN + sizeof(error) + quoted))
		return NP_DECIDE(DROP, reason);
	error.ip.version = 4;
	error.ip.ihl = 5;
	error.ip.tos = NP_ICMP_TOS;
	error.ip.tot_len = bpf_htons(sizeof(error) + quoted);
	error.ip.ttl = NP_ICMP_TTL;
	error.ip.protocol = IPPROTO_ICMP;
	error.ip.saddr = np_ipv4(&p->error.speaker);
	error.ip.daddr = np_ipv4(&p->source.address);
	error.ip.check = np_fold(bpf_csum_diff(NULL, 0, (__be32 *)&error.ip, sizeof(error.ip), 0));
	error.icmp.type = p->error.type_code >> 8;
	error.icmp.code = p->error.type_code & 0xff;
	error.icmp.sequence = bpf_htons(p->error.mtu); /* RFC 1191 section 4 */
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
