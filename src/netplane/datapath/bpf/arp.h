/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Stage LOCAL_ANSWER, ARP (RFC 826): answered here from the endpoints; what crosses is what machines announce. */
#pragma once

#include "announce.h"
#include "programs.h"
#include "service.h"

#define NP_ARP_REQUEST 1
#define NP_ARP_REPLY 2

struct np_arp {
	__be16 hardware;
	__be16 protocol;
	__u8 hardware_length;
	__u8 protocol_length;
	__be16 operation;
	__u8 sender_mac[6];
	__be32 sender;
	__u8 target_mac[6];
	__be32 target;
} __attribute__((packed));

static __always_inline int np_is_arp(const struct np_arp *arp)
{
	return arp->hardware == bpf_htons(1) && arp->protocol == bpf_htons(ETH_P_IP) && arp->hardware_length == 6 &&
	       arp->protocol_length == 4;
}

/* Whether it tells everybody its sender's own address (RFC 5227 section 3). */
static __always_inline int np_announces(const struct np_packet *p, const struct np_arp *arp)
{
	const __u8 all[6] NP_ALIGNED = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	return (arp->operation == bpf_htons(NP_ARP_REQUEST) || arp->operation == bpf_htons(NP_ARP_REPLY)) &&
	       arp->sender == arp->target && arp->sender && np_same_mac(arp->sender_mac, p->eth_source) &&
	       np_same_mac(all, p->eth_target);
}

/* An announcement of a machine, for all others on its network. */
static __always_inline int np_announce(struct np_packet *p, const struct np_arp *arp)
{
	struct np_endpoint_value *owner;

	np_map_ipv4(&p->source.address, arp->sender);
	owner = np_own(p, &p->source.address);
	if (!owner)
		return NP_DROP(SPOOFED_ARP);
	p->source.identity = owner->identity;
	return NP_ON(FLOODING);
}

/* The same from another host; whether the sender exists, and lives there, has still to be found out. */
static __always_inline int np_announced(struct __sk_buff *skb, struct np_packet *p)
{
	int decision = NP_DROP(UNSUPPORTED);
	struct np_arp arp NP_ALIGNED;

	if (!bpf_skb_load_bytes(skb, ETH_HLEN, &arp, sizeof(arp)) && np_is_arp(&arp) && np_announces(p, &arp)) {
		np_map_ipv4(&p->source.address, arp.sender);
		decision = NP_CONTINUE;
	}
	np_step(p, NP_STAGE_PARSE, decision == NP_CONTINUE ? 0 : decision >> 8, p->ethertype, 0, 0);
	return decision;
}

static __always_inline int np_arp_answer(struct __sk_buff *skb, struct np_packet *p)
{
	struct np_endpoint_value *target;
	struct np_address address;
	struct {
		__u8 macs[12];
		__be16 type;
		struct np_arp arp;
	} __attribute__((packed)) answer NP_ALIGNED;
	struct np_arp arp NP_ALIGNED;
	__u8 mac[6] NP_ALIGNED;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &arp, sizeof(arp)))
		return NP_DROP(MALFORMED);
	if (!np_is_arp(&arp))
		return NP_DROP(MALFORMED);
	if (np_announces(p, &arp)) {
		np_map_ipv4(&address, arp.sender);
		return np_is_news(p, &address) ? np_punt(skb, p, NP_PUNT_ANNOUNCEMENT) : np_announce(p, &arp);
	}
	if (arp.operation != bpf_htons(NP_ARP_REQUEST))
		return NP_DROP(ARP_NOT_ASKED);
	if (!np_same_mac(arp.sender_mac, p->eth_source))
		return NP_DROP(SPOOFED_ARP);
	/* A probe (RFC 5227) has no sender address yet. */
	np_map_ipv4(&address, arp.sender);
	if (arp.sender && !np_own(p, &address))
		return NP_DROP(SPOOFED_ARP);
	np_map_ipv4(&address, arp.target);
	if (p->service && np_is_service_address(&address, 0) && !np_endpoint(p->source.vni, &address)) {
		np_service_mac(mac);
	} else {
		target = np_sought(p, &address, !arp.sender);
		if (!target)
			return NP_DROP(ARP_UNKNOWN);
		np_copy_mac(mac, target->mac);
	}
	np_copy_mac(answer.macs, p->eth_source);
	np_copy_mac(answer.macs + 6, mac);
	answer.type = bpf_htons(ETH_P_ARP);
	answer.arp = arp;
	answer.arp.operation = bpf_htons(NP_ARP_REPLY);
	np_copy_mac(answer.arp.sender_mac, mac);
	answer.arp.sender = arp.target;
	np_copy_mac(answer.arp.target_mac, p->eth_source);
	answer.arp.target = arp.sender;
	bpf_skb_store_bytes(skb, 0, &answer, sizeof(answer), 0);
	return NP_DECIDE(ANSWER, 0);
}

static __always_inline int np_arp(struct __sk_buff *skb, struct np_packet *p)
{
	int decision = np_arp_answer(skb, p);

	if (decision != NP_ON(FLOODING))
		np_step(p, NP_STAGE_LOCAL_ANSWER, decision >> 8, p->ethertype,
		(decision & 0xff) == NP_VERDICT_PUNT ? NP_PUNT_ANNOUNCEMENT : 0, 0);
	return decision;
}
