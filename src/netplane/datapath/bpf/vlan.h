/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * VLAN tags (IEEE 802.1Q) of machines that are trunks. The kernel has taken the outer tag out of a frame before any
 * program sees it, and puts one in, or leaves it to the device, after all of them. Made packets come and go without.
 */
#pragma once

#include "packet.h"

#define NP_VLAN_ID 0xfff

/* A tag that says 0 says nothing of a VLAN; a second tag, or one of another protocol, stays and is not carried. */
static __always_inline int np_take_tag(struct __sk_buff *skb, struct np_packet *p)
{
	if (!skb->vlan_present || skb->vlan_proto != bpf_htons(ETH_P_8021Q))
		return 0;
	p->vlan = skb->vlan_tci & NP_VLAN_ID;
	return bpf_skb_vlan_pop(skb);
}

/* What the machine's device is to see. */
static __always_inline int np_put_tag(struct __sk_buff *skb, const struct np_packet *p)
{
	return p->exit.vlan ? bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), p->exit.vlan) : 0;
}
