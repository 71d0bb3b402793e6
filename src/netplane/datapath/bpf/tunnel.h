/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the tunnel device must know of a packet to another host. */
#pragma once

#include "packet.h"

/* Addresses a packet to p->exit.remote, under its source's VNI; negative if it cannot be. */
static __always_inline int np_wrap(struct __sk_buff *skb, const struct np_packet *p)
{
	struct bpf_tunnel_key key = {
	    .tunnel_id = p->source.vni,
	    .remote_ipv4 = p->exit.remote,
	    .tunnel_ttl = 64,
	};

	return bpf_skb_set_tunnel_key(skb, &key, sizeof(key), BPF_F_ZERO_CSUM_TX);
}
