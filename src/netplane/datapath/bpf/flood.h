/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stage FLOOD: what goes to a group, or to all of a network. A copy to each machine of it here whose rules let it in,
 * and, if a machine of this host has sent it, one to each other host that carries machines of the network. The members
 * of a group are known where they live only: a host without any drops its copy. What the tunnel brought is never sent
 * on.
 *
 * Nothing here is a connection: rules are asked for each packet and each receiver, and only what they refuse is logged.
 */
#pragma once

#include "account.h"
#include "asking.h"
#include "listening.h"
#include "log.h"
#include "policy.h"
#include "tunnel.h"
#include "vlan.h"

#define NP_GROUP_MAC 0x01005e
#define NP_SPREAD_HOSTS (sizeof(((struct np_spread_value *)0)->host) / sizeof(__u32))
#define NP_SCOPE_LINK 2 /* what is of less is on no wire (RFC 4291 section 2.7) */

/* RFC 2464 section 7. */
static __always_inline int np_is_for_group6(const struct np_packet *p)
{
	const __u8 *group = (const __u8 *)&p->target.address, *mac = p->eth_target;

	return group[0] == 0xff && (group[1] & 15) >= NP_SCOPE_LINK && mac[0] == 0x33 && mac[1] == 0x33 &&
	       mac[2] == group[12] && mac[3] == group[13] && mac[4] == group[14] && mac[5] == group[15];
}

/* Whether frame and packet are addressed to the same group (RFC 1112 section 6.4), or both to all (RFC 1122). */
static __always_inline int np_is_for_many(const struct np_packet *p)
{
	const __u8 all[6] NP_ALIGNED = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	__u32 to = bpf_ntohl(np_ipv4(&p->target.address)), low;
	struct np_broadcast_key key = {.vni = p->source.vni};
	const __u8 *mac = p->eth_target;

	if (p->ipv6)
		return np_is_for_group6(p);
	if (np_same_mac(mac, all)) {
		__builtin_memcpy(key.address, &p->target.address, sizeof(key.address));
		return to == 0xffffffff || bpf_map_lookup_elem(&broadcast, &key);
	}
	low = (__u32)mac[3] << 16 | (__u32)mac[4] << 8 | mac[5];
	return to >> 28 == 0xe && ((__u32)mac[0] << 16 | (__u32)mac[1] << 8 | mac[2]) == NP_GROUP_MAC &&
	       low == (to & 0x7fffff);
}

/* Whether only those get it who have said that they listen; some groups are for all (RFC 4541 sections 2.1.2, 3). */
static __always_inline int np_is_snooped(const struct np_packet *p)
{
	__u32 to = bpf_ntohl(np_ipv4(&p->target.address));

	if (p->ethertype == ETH_P_ARP)
		return 0;
	if (p->ipv6)
		return p->target.address.high != bpf_cpu_to_be64(0xff02000000000000ULL) ||
		       p->target.address.low != bpf_cpu_to_be64(1);
	return to >> 28 == 0xe && to >> 8 != 0xe00000;
}

static __always_inline void np_drop_copies(struct np_packet *p, __u8 reason)
{
	const __u8 nobody[6] NP_ALIGNED = {};

	if (p->from_tunnel)
		np_count(p, 0, nobody, NP_DIRECTION_INGRESS, NP_CLASS_DROPPED + reason);
	else
		np_count(p, p->source.vni, p->source.mac, NP_DIRECTION_EGRESS, NP_CLASS_DROPPED + reason);
}

/* Whether a list ends here: where it has to, whatever follows. */
static __always_inline int np_is_too_many(struct np_packet *p, __u32 index)
{
	if (index < NP_LIMIT_COPIES)
		return 0;
	np_step(p, NP_STAGE_DELIVERY, NP_REASON_TOO_MANY, 0, 0, 0);
	np_drop_copies(p, NP_REASON_TOO_MANY);
	return 1;
}

/* The place of one of the machines here that it is for; NULL behind the last. */
static __always_inline const __u8 *np_listener(const struct np_packet *p, __u32 index)
{
	struct np_member_value *member_found;
	struct np_crowd_value *found;

	if (np_is_snooped(p)) {
		struct np_member_key key = {.vni = p->source.vni, .index = index};

		__builtin_memcpy(key.address, &p->target.address, sizeof(key.address));
		member_found = bpf_map_lookup_elem(&member, &key);
		return member_found ? member_found->mac : NULL;
	} else {
		struct np_crowd_key key = {.vni = p->source.vni, .index = index};

		found = bpf_map_lookup_elem(&crowd, &key);
		return found ? found->mac : NULL;
	}
}

struct np_copying {
	struct __sk_buff *skb;
};

static long np_copy_here(__u32 index, struct np_copying *work)
{
	struct np_packet *p = np_in_hand(work->skb);
	struct np_device_key key = {};
	struct np_device_value *found;
	const __u8 *mac;

	if (!p)
		return 1;
	mac = np_listener(p, index);
	if (!mac || np_is_too_many(p, index))
		return 1;
	key.vni = p->source.vni;
	np_copy_mac(key.mac, mac);
	if (np_same_mac(mac, p->source.mac))
		return 0;
	found = bpf_map_lookup_elem(&device, &key);
	if (!found) {
		np_step(p, NP_STAGE_DELIVERY, NP_REASON_NO_DEVICE, 0, 0, 0);
		return 0;
	}
	p->target.identity = found->identity;
	if (p->ethertype != ETH_P_ARP && !(found->flags & NP_DEVICE_FLAG_OPEN) && !np_is_told(p) &&
	    !np_judge(p, NP_DIRECTION_INGRESS, 0, p->policy_port)) {
		np_count(p, key.vni, key.mac, NP_DIRECTION_INGRESS, NP_CLASS_DROPPED + NP_REASON_POLICY_IN);
		p->target.vni = key.vni;
		np_copy_mac(p->target.mac, key.mac);
		if (!p->dry)
			np_log_about(p, NP_DIRECTION_INGRESS, NP_REASON_POLICY_IN);
		return 0;
	}
	np_count(p, key.vni, key.mac, NP_DIRECTION_INGRESS, NP_CLASS_GROUP);
	np_step(p, NP_STAGE_DELIVERY, 0, NP_VERDICT_DELIVER | (__u32)found->vlan << 16, found->ifindex, key.vni);
	p->copies++;
	if (p->synthetic)
		return 0;
	p->exit.ifindex = found->ifindex;
	p->exit.vlan = found->vlan;
	if (np_put_tag(work->skb, p))
		return 0;
	bpf_clone_redirect(work->skb, p->exit.ifindex, 0);
	if (p->exit.vlan)
		bpf_skb_vlan_pop(work->skb);
	return 0;
}

static long np_copy_there(__u32 index, struct np_copying *work)
{
	struct np_packet *p = np_in_hand(work->skb);
	struct np_spread_key key = {};
	struct np_spread_value *listed;
	struct np_host_value *found;
	struct np_address address;
	struct np_host_key name;

	if (!p)
		return 1;
	key.vni = p->source.vni;
	key.index = p->spread_entry;
	listed = bpf_map_lookup_elem(&spread, &key);
	if (!listed || np_is_too_many(p, index))
		return 1;
	name.number = listed->host[p->spread_place % NP_SPREAD_HOSTS];
	if (!name.number || ++p->spread_place == NP_SPREAD_HOSTS) {
		p->spread_entry++;
		p->spread_place = 0;
	}
	if (!name.number || name.number == p->host)
		return 0;
	found = bpf_map_lookup_elem(&host, &name);
	if (!found) {
		np_step(p, NP_STAGE_DELIVERY, NP_REASON_NO_HOST, 0, 0, 0);
		return 0;
	}
	__builtin_memcpy(&address, found->address, sizeof(address));
	p->exit.remote = bpf_ntohl(np_ipv4(&address));
	np_step(p, NP_STAGE_DELIVERY, 0, NP_VERDICT_TUNNEL, name.number, key.vni);
	p->copies++;
	if (!p->synthetic && !np_wrap(work->skb, p))
		bpf_clone_redirect(work->skb, p->tunnel, 0);
	return 0;
}

/* What must be true of it before any copy is made. */
static __always_inline int np_flood_judge(struct np_packet *p)
{
	if (p->ethertype != ETH_P_ARP) {
		if (p->from_tunnel && np_speaks_of_groups(p))
			return NP_DROP(FROM_TUNNEL);
		if (!np_is_for_many(p))
			return NP_DROP(MULTICAST);
		if ((p->source.keeps || p->source.alone) && !np_asks_all(p) &&
		    !np_judge(p, NP_DIRECTION_EGRESS, 0, p->policy_port))
			return NP_DROP(POLICY_OUT);
	}
	if (!p->host)
		return NP_DROP(NO_HOST);
	if (!np_may(p, NP_COST_COPIES))
		return NP_DROP(STORM);
	return NP_CONTINUE;
}

static __always_inline int np_flood(struct __sk_buff *skb, struct np_packet *p)
{
	struct np_copying work = {.skb = skb};
	int decision = np_flood_judge(p);

	if (decision != NP_CONTINUE) {
		np_step(p, NP_STAGE_FLOOD, decision >> 8, 0, 0, 0);
		return decision;
	}
	bpf_loop(NP_LIMIT_COPIES + 1, np_copy_here, &work, 0);
	p->spread_entry = p->spread_place = 0;
	if (!p->from_tunnel)
		bpf_loop(NP_LIMIT_COPIES + 1, np_copy_there, &work, 0);
	np_step(p, NP_STAGE_FLOOD, 0, p->copies, 0, 0);
	np_take(p, NP_COST_COPIES, p->copies);
	return NP_DECIDE(FLOOD, 0);
}
