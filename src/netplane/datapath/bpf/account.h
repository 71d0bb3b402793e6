/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Accounting: every packet is counted once for the port it left and once for the port it reached, exactly. */
#pragma once

#include "connection.h"

static __always_inline void np_count(struct np_packet *p, __u32 vni, const __u8 *mac, __u8 direction, __u8 class)
{
	struct np_counter_value *counted, none = {};
	struct np_counter_key key;

	if (p->dry)
		return;
	key.vni = vni;
	np_copy_mac(key.mac, mac);
	key.direction = direction;
	key.class = class;
	counted = bpf_map_lookup_elem(&counter, &key);
	if (!counted) {
		bpf_map_update_elem(&counter, &key, &none, BPF_NOEXIST);
		counted = bpf_map_lookup_elem(&counter, &key);
		if (!counted)
			return;
	}
	counted->packets += p->segments;
	counted->bytes += np_bytes(p);
}
