/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Packets handed to the agent: the frame's destination says what it is and which device it came in by. */
#pragma once

#include "pace.h"

static __always_inline int np_punt(struct __sk_buff *skb, struct np_packet *p, __u8 kind)
{
	__u8 mark[6] = {0x02, kind, p->ifindex >> 24, p->ifindex >> 16, p->ifindex >> 8, p->ifindex};

	if (!p->punt)
		return NP_DROP(PUNT_OFF);
	if (!np_may(p, kind))
		return NP_DROP(PUNT_LIMIT);
	np_take(p, kind, 1);
	p->exit.ifindex = p->punt;
	bpf_skb_store_bytes(skb, 0, mark, sizeof(mark), 0);
	return NP_DECIDE(PUNT, 0);
}
