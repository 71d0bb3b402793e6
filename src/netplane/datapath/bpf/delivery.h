/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Stage DELIVERY: to a device of this host, or into the tunnel to another. */
#pragma once

#include "account.h"

/*
 * No checksum covers a hop limit but the one that a device may have summed over the whole frame, in words: so the whole
 * word is written, and the kernel told.
 */
static __always_inline void np_hop(struct __sk_buff *skb, __u8 limit)
{
	__u8 word[2] = {};

	bpf_skb_load_bytes(skb, ETH_HLEN + 6, word, sizeof(word));
	word[1] = limit;
	bpf_skb_store_bytes(skb, ETH_HLEN + 6, word, sizeof(word), BPF_F_RECOMPUTE_CSUM);
}

/* What routers do to a packet (RFC 1812 section 5.3.1): as many hops less to live, from the last one, to the next. */
static __always_inline void np_forward(struct __sk_buff *skb, struct np_packet *p)
{
	__u8 macs[12], ttl = p->ttl - p->routers;

	np_copy_mac(macs, p->next_mac);
	np_copy_mac(macs + 6, p->hop_mac);
	if (p->ipv6) {
		np_hop(skb, ttl);
	} else {
		bpf_l3_csum_replace(skb, ETH_HLEN + 10, bpf_htons(p->ttl << 8), bpf_htons(ttl << 8), 2);
		bpf_skb_store_bytes(skb, ETH_HLEN + 8, &ttl, sizeof(ttl), 0);
	}
	bpf_skb_store_bytes(skb, 0, macs, sizeof(macs), 0);
}

static __always_inline int np_deliver_here(struct __sk_buff *skb, struct np_packet *p)
{
	struct np_device_key key = {.vni = p->target.vni};
	struct np_device_value *found;

	np_copy_mac(key.mac, p->target.mac);
	found = bpf_map_lookup_elem(&device, &key);
	if (!found)
		return NP_DROP(NO_DEVICE);
	p->exit.ifindex = found->ifindex;
	p->exit.flags = found->flags;
	p->exit.vlan = found->vlan;
	np_count(p, p->target.vni, p->target.mac, NP_DIRECTION_INGRESS,
		 p->routers ? NP_CLASS_ROUTED : NP_CLASS_SAME_NETWORK);
	if (p->routers)
		np_forward(skb, p);
	return NP_DECIDE(DELIVER, 0);
}

static __always_inline int np_deliver_there(struct np_packet *p)
{
	struct np_host_key key = {.number = p->target.host};
	struct np_host_value *found;
	struct np_address address;

	if (p->from_tunnel)
		return NP_DROP(NOT_HERE);
	found = bpf_map_lookup_elem(&host, &key);
	if (!found)
		return NP_DROP(NO_HOST);
	__builtin_memcpy(&address, found->address, sizeof(address));
	p->exit.host = key.number;
	p->exit.remote = bpf_ntohl(np_ipv4(&address));
	return NP_DECIDE(TUNNEL, 0);
}

static __always_inline int np_deliver(struct __sk_buff *skb, struct np_packet *p)
{
	int decision;

	if (!p->host)
		decision = NP_DROP(NO_HOST);
	else
		decision = p->target.local ? np_deliver_here(skb, p) : np_deliver_there(p);
	np_step(p, NP_STAGE_DELIVERY, decision >> 8, decision & 0xff, p->exit.host ? p->exit.host : p->exit.ifindex,
		p->target.vni);
	return decision;
}
