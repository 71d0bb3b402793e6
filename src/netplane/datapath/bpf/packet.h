/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The packet in hand: what the stages have learnt of it so far. Stages fill it in order and end a packet's way by
 * returning a decision. It lives in a per-CPU map: the stack has no room for it (512 bytes over all calls), and it must
 * outlive the programs that hand it on to each other. They run to the end of the last one with softirqs off, so that a
 * CPU has one packet in hand at a time. A made packet has a place of its own: before Linux 6.3 a test run leaves
 * softirqs on, and a real packet may come between.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "tables.h"

/* RFC 792; <linux/icmp.h> would drag the C library in. */
struct np_icmp {
	__u8 type;
	__u8 code;
	__sum16 checksum;
	__be16 id; /* of echo messages */
	__be16 sequence;
};

#define NP_ICMP_ECHO_REPLY 0
#define NP_ICMP_UNREACHABLE 3
#define NP_ICMP_ECHO 8
#define NP_ICMP_TIME_EXCEEDED 11
#define NP_ICMP_PARAMETER_PROBLEM 12
#define NP_ICMP_TIMESTAMP 13
#define NP_ICMP_TIMESTAMP_REPLY 14
#define NP_ICMP_TTL 64

/* RFC 4443; IPPROTO_ICMPV6 is not in the kernel's headers without the C library's. */
#define NP_PROTOCOL_ICMPV6 58
#define NP_ICMPV6_UNREACHABLE 1
#define NP_ICMPV6_PARAMETER_PROBLEM 4
#define NP_ICMPV6_ECHO 128
#define NP_ICMPV6_ECHO_REPLY 129

/* What a message of ICMP or ICMPv6 is to a connection. */
enum np_icmp_kind {
	NP_ICMP_NONE, /* another protocol */
	NP_ICMP_SINGLE,
	NP_ICMP_ASKS, /* an echo request */
	NP_ICMP_ANSWERS,
};

/* A test run leaves skb->ifindex at the loopback device, where the programs are never attached: the packet is made. */
#define NP_SYNTHETIC_IFINDEX 1
#define NP_SYNTHETIC_DRY 1

#define NP_NSEC_PER_SEC 1000000000ULL

/* A stage's answer: go on, or the verdict with the reason in the second byte. NP_DROP tells a drop without naming it.
 */
#define NP_CONTINUE (-1)
#define NP_DROP(reason) (NP_VERDICT_DROP | (NP_REASON_##reason << 8))
#define NP_DECIDE(verdict, reason) (NP_VERDICT_##verdict | ((reason) << 8))

/* MAC addresses on the stack are compared as words, which the verifier wants aligned. */
#define NP_ALIGNED __attribute__((aligned(4)))

struct np_address {
	__u64 high;
	__u64 low;
};

/* One side of a packet or connection. */
struct np_side {
	__u32 vni;
	__u32 identity;
	__u32 known; /* the identity that others know its address by: 0 if that lies behind it */
	__u32 host;
	__be16 port;
	__u8 local; /* whether this host carries it */
	__u8 keeps; /* whether this host keeps connections for it */
	__u8 alone; /* whether this host asks its rules about each packet by itself */
	__u8 open; /* whether it has no port security, wherever it is */
	struct np_address address;
	__u8 mac[6] NP_ALIGNED;
};

/* Where a packet leaves this host. */
struct np_exit {
	__u32 ifindex;
	__u16 flags; /* of the device */
	__u16 vlan;  /* the tag that frames have there; 0 for none */
	__u32 host;
	__u32 remote; /* the tunnel's other end, IPv4 in host order */
};

/* What a router says to the sender of a packet that it drops. */
struct np_complaint {
	__u16 type_code; /* ICMP type and code, as the packet's family has them */
	__u16 reason;
	__u16 mtu;		   /* what would pass, if the complaint is about that */
	struct np_address speaker; /* the address it speaks from */
};

#define NP_WALLS (2 * NP_LIMIT_ROUTERS) /* that a packet crosses: one where it comes to a router, one where it leaves */

/* Firewalls on routers' ports that a packet crosses, in order. */
struct np_walls {
	__u64 in;   /* those where it comes to a router, added up */
	__u64 out;  /* those where it leaves one */
	__u32 left; /* a bit for each of the second kind */
	__u32 count;
	__u64 firewall[NP_WALLS]; /* as many as there are */
};

struct np_packet {
	__u32 ifindex;
	__u32 host;   /* this host's number */
	__u32 tunnel; /* the devices of the settings */
	__u32 punt;
	__u32 service;
	struct np_side source;
	struct np_side target;
	struct np_exit exit;
	struct np_complaint error;
	__u32 source_project; /* of a machine here that begins a connection, or is asked for one; 0 for none */
	__u32 target_project;
	__u32 router; /* that it is sent to or through, the last one; 0 if none */
	__u32 copies; /* that have been made of what goes to many */
	/* Where in the list of hosts it is. Not on the stack: before Linux 6.8 the verifier looks at one round of a loop
	   alone, and removes what only a later one would do. */
	__u32 spread_entry;
	__u32 spread_place;
	__u8 eth_target[6] NP_ALIGNED;
	__u8 eth_source[6] NP_ALIGNED;
	__u8 hop_mac[6] NP_ALIGNED; /* the last router's interface on the way out, when routed */
	__u8 next_mac[6] NP_ALIGNED; /* what it is then sent to; the target's own, or that of a pair */
	__u16 ethertype;
	__u16 payload; /* where the transport header starts in the frame */
	__u32 ip_length;
	__u32 length;	    /* of the frame, in bytes */
	__u32 size;	    /* of the longest IP packet that it will be on a wire, padding included */
	__u32 segments;	    /* frames that it will be on a wire */
	__u16 headers;	    /* bytes of a frame that every segment of it repeats */
	__u16 offset;	    /* of a fragment in its packet, in units of 8 bytes */
	__u16 fragment_end; /* where a first fragment of IPv6 ends, in units of 8 bytes */
	__u32 id;	    /* of the packet that a fragment belongs to */
	__u8 ipv6;	    /* Family */
	__u8 more;	    /* whether fragments follow this one */
	__u8 protocol;
	__u8 ttl;
	__u8 tcp_flags; /* as in the TCP header: FIN 1, SYN 2, RST 4, ACK 16 */
	__u8 icmp;	/* enum np_icmp_kind */
	__u8 icmp_type;
	__be16 policy_port; /* the destination port, or ICMP type and code */
	__u16 port_flags;   /* of the port that sent it */
	__u16 vlan;	    /* the tag that it came with; 0 for none */
	__u16 mtu;	    /* of its network; 0 for none */
	__u16 hop_mtu;	    /* of the network of the next hop */
	__u64 hop_firewall; /* what guards the interface towards it; 0 if nothing does */
	__u8 hop_is_target; /* the next hop is where it goes anyway */
	__u8 routers;	    /* that it has passed */
	__u8 to_router; /* its destination is a router itself */
	__u8 from_tunnel;
	__u8 from_service;
	__u8 synthetic;
	__u8 dry;
	__u8 steps;
	__u8 opened;	    /* whether rules were asked about the first packet of a connection, and let it pass */
	__u32 rules[2];	    /* which ones, by direction */
	__u32 clock_offset; /* seconds, synthetic packets only */
	struct np_walls walls; /* last: what is above it, and its own head, is cleared for each packet */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct np_packet);
} in_hand SEC(".maps");

static __always_inline struct np_packet *np_in_hand(const struct __sk_buff *skb)
{
	__u32 place = skb->ifindex == NP_SYNTHETIC_IFINDEX;

	return bpf_map_lookup_elem(&in_hand, &place);
}

static __always_inline void np_map_ipv4(struct np_address *address, __be32 ipv4)
{
	__u32 *words = (__u32 *)address;

	words[0] = 0;
	words[1] = 0;
	words[2] = bpf_htonl(0xffff);
	words[3] = ipv4;
}

static __always_inline __be32 np_ipv4(const struct np_address *address)
{
	return ((const __u32 *)address)[3];
}

static __always_inline int np_is_ipv4(const struct np_address *address)
{
	return !address->high && ((const __u32 *)address)[2] == bpf_htonl(0xffff);
}

static __always_inline int np_same_address(const struct np_address *a, const struct np_address *b)
{
	return a->high == b->high && a->low == b->low;
}

/* Whether a protocol is ICMP as the packet's family has it. */
static __always_inline int np_is_icmp(const struct np_packet *p, __u8 protocol)
{
	return protocol == (p->ipv6 ? NP_PROTOCOL_ICMPV6 : IPPROTO_ICMP);
}

/* The type of an echo request. */
static __always_inline __u8 np_echo(const struct np_packet *p)
{
	return p->ipv6 ? NP_ICMPV6_ECHO : NP_ICMP_ECHO;
}

static __always_inline void np_icmp_is(struct np_packet *p, __u8 type)
{
	p->icmp_type = type;
	if (type == np_echo(p))
		p->icmp = NP_ICMP_ASKS;
	else
		p->icmp =
		    type == (p->ipv6 ? NP_ICMPV6_ECHO_REPLY : NP_ICMP_ECHO_REPLY) ? NP_ICMP_ANSWERS : NP_ICMP_SINGLE;
}

static __always_inline int np_same_mac(const __u8 *a, const __u8 *b)
{
	return *(__u32 *)a == *(__u32 *)b && *(__u16 *)(a + 4) == *(__u16 *)(b + 4);
}

static __always_inline void np_copy_mac(__u8 *to, const __u8 *from)
{
	__builtin_memcpy(to, from, 6);
}

static __always_inline __u64 np_now(const struct np_packet *p)
{
	return bpf_ktime_get_ns() + p->clock_offset * NP_NSEC_PER_SEC;
}
