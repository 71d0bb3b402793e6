/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stage LOCAL_ANSWER, neighbour discovery (RFC 4861): solicitations are answered here from the endpoints; what machines
 * ask of routers goes to the agent; none of it crosses the overlay. Who asks from the unspecified address wants to know
 * whether an address is free (RFC 4862): silence says that it is.
 */
#pragma once

#include "service.h"
#include "dhcp.h"
#include "error.h"
#include "ipv6.h"
#include "announce.h"

#define NP_ND_ROUTER_SOLICITATION 133
#define NP_ND_ROUTER_ADVERTISEMENT 134
#define NP_ND_SOLICITATION 135
#define NP_ND_ADVERTISEMENT 136
#define NP_ND_REDIRECT 137
#define NP_ND_HOPS 255 /* every message still has them, since no router forwards one */
#define NP_ND_ROUTER 0x80000000U
#define NP_ND_SOLICITED 0x40000000U
#define NP_ND_OVERRIDE 0x20000000U
#define NP_ND_TARGET_LINK_LAYER 2

struct np_solicitation {
	struct np_icmp icmp;
	struct np_address target;
};

struct np_advertisement {
	struct np_ipv6 ip;
	__u8 type;
	__u8 code;
	__sum16 checksum;
	__be32 flags;
	struct np_address target;
	__u8 option;
	__u8 option_length; /* in units of 8 bytes */
	__u8 mac[6];
};

static __always_inline int np_is_discovery(const struct np_packet *p)
{
	return p->ipv6 && p->icmp == NP_ICMP_SINGLE && p->icmp_type >= NP_ND_ROUTER_SOLICITATION &&
	       p->icmp_type <= NP_ND_REDIRECT;
}

/* Tells the asker where an address is; all on the link, if it has no address yet. */
static __always_inline int np_advertise(struct __sk_buff *skb, struct np_packet *p, const struct np_address *address,
					const __u8 *mac, int is_router)
{
	__u8 macs[12], all_nodes[6] = {0x33, 0x33, 0, 0, 0, 1};
	__u32 flags = NP_ND_OVERRIDE;
	struct np_advertisement told = {
	    .ip.version = bpf_htonl(6U << 28),
	    .ip.payload_length = bpf_htons(sizeof(told) - sizeof(told.ip)),
	    .ip.next = NP_PROTOCOL_ICMPV6,
	    .ip.hop_limit = NP_ND_HOPS,
	    .ip.source = *address,
	    .type = NP_ND_ADVERTISEMENT,
	    .target = *address,
	    .option = NP_ND_TARGET_LINK_LAYER,
	    .option_length = 1,
	};

	np_copy_mac(macs + 6, mac);
	np_copy_mac(told.mac, mac);
	if (is_router)
		flags |= NP_ND_ROUTER;
	if (p->source.address.high || p->source.address.low) {
		flags |= NP_ND_SOLICITED;
		told.ip.target = p->source.address;
		np_copy_mac(macs, p->eth_source);
	} else {
		told.ip.target.high = bpf_cpu_to_be64(0xff02ULL << 48);
		told.ip.target.low = bpf_cpu_to_be64(1);
		np_copy_mac(macs, all_nodes);
	}
	told.flags = bpf_htonl(flags);
	told.checksum = np_fold(bpf_csum_diff(NULL, 0, (__be32 *)&told.ip.source,
					      sizeof(told) - __builtin_offsetof(struct np_ipv6, source),
					      bpf_htonl(sizeof(told) - sizeof(told.ip) + NP_PROTOCOL_ICMPV6)));
	if (np_resize(skb, p, ETH_HLEN + sizeof(told)))
		return NP_DROP(MALFORMED);
	bpf_skb_store_bytes(skb, 0, macs, sizeof(macs), 0);
	bpf_skb_store_bytes(skb, ETH_HLEN, &told, sizeof(told), 0);
	return NP_DECIDE(ANSWER, 0);
}

static __always_inline int np_solicited(struct __sk_buff *skb, struct np_packet *p)
{
	int anonymous = !p->source.address.high && !p->source.address.low;
	struct np_endpoint_value *owner;
	struct np_address address;
	__u8 mac[6] NP_ALIGNED;

	if (bpf_skb_load_bytes(skb, p->payload + sizeof(struct np_icmp), &address, sizeof(address)))
		return NP_DROP(MALFORMED);
	if (*(__u8 *)&address == 0xff || np_is_ipv4(&address))
		return NP_DROP(MALFORMED);
	if (!anonymous && !np_own(p, &p->source.address))
		return NP_DROP(SPOOFED_ADDRESS);
	if (p->service && np_is_service_address(&address, 1) && !np_endpoint(p->source.vni, &address)) {
		np_service_mac(mac);
		return np_advertise(skb, p, &address, mac, 0);
	}
	owner = np_sought(p, &address, anonymous);
	if (!owner)
		return NP_DROP(ND_UNKNOWN);
	np_copy_mac(mac, owner->mac);
	return np_advertise(skb, p, &address, mac, owner->flags & NP_ENDPOINT_FLAG_ROUTER);
}

/* Nobody has asked: the sender tells that an address is here now. It stands where it stands in a solicitation. */
static __always_inline int np_advertised(struct __sk_buff *skb, struct np_packet *p)
{
	struct np_address address;

	if (bpf_skb_load_bytes(skb, p->payload + sizeof(struct np_icmp), &address, sizeof(address)))
		return NP_DROP(MALFORMED);
	if (*(__u8 *)&address == 0xff || np_is_ipv4(&address) || (!address.high && !address.low))
		return NP_DROP(MALFORMED);
	return np_is_news(p, &address) ? np_punt(skb, p, NP_PUNT_ANNOUNCEMENT) : NP_DROP(ND_NOT_ASKED);
}

static __always_inline int np_discovery_judge(struct __sk_buff *skb, struct np_packet *p)
{
	__u32 length = ETH_HLEN + p->ip_length - p->payload;

	if (p->icmp_type == NP_ND_ROUTER_ADVERTISEMENT)
		return NP_DROP(ROGUE_ROUTER);
	if (p->icmp_type == NP_ND_REDIRECT ||
	    (p->icmp_type == NP_ND_ADVERTISEMENT && !(p->port_flags & NP_PORT_FLAG_ANNOUNCES)))
		return NP_DROP(ND_NOT_ASKED);
	/* RFC 6980 */
	if (p->more || p->offset)
		return NP_DROP(FRAGMENT);
	if (p->ttl != NP_ND_HOPS || bpf_ntohs(p->policy_port) & 0xff)
		return NP_DROP(MALFORMED);
	if (p->icmp_type == NP_ND_ADVERTISEMENT)
		return length < sizeof(struct np_solicitation) ? NP_DROP(MALFORMED) : np_advertised(skb, p);
	if (p->icmp_type == NP_ND_SOLICITATION)
		return length < sizeof(struct np_solicitation) ? NP_DROP(MALFORMED) : np_solicited(skb, p);
	if (!(p->port_flags & NP_PORT_FLAG_DHCP6))
		return NP_DROP(ND_UNKNOWN);
	return np_punt(skb, p, NP_PUNT_ROUTER_SOLICITATION);
}

/* What becomes of a machine's packet that np_is_discovery(). */
static __always_inline int np_discovery(struct __sk_buff *skb, struct np_packet *p)
{
	int decision = np_discovery_judge(skb, p);

	np_step(p, NP_STAGE_LOCAL_ANSWER, decision >> 8, p->ethertype,
		(decision & 0xff) != NP_VERDICT_PUNT		? 0
		: p->icmp_type == NP_ND_ADVERTISEMENT	? NP_PUNT_ANNOUNCEMENT
							: NP_PUNT_ROUTER_SOLICITATION,
		0);
	return decision;
}
