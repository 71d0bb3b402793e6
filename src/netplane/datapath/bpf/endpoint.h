/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One look-up resolves any address of a domain to its owner's MAC, host and identity. */
#pragma once

#include "trace.h"

static __always_inline struct np_endpoint_value *np_endpoint(__u32 vni, const struct np_address *address)
{
	struct np_endpoint_key key;

	key.vni = vni;
	__builtin_memcpy(key.address, address, sizeof(key.address));
	return bpf_map_lookup_elem(&endpoint, &key);
}

/* How this host judges the packets of a side whose address has this owner; whether it is local must be known. */
static __always_inline void np_judge_as(struct np_side *side, const struct np_endpoint_value *owner)
{
	side->identity = owner->identity;
	side->known = owner->identity;
	side->host = owner->host;
	side->open = !!(owner->flags & NP_ENDPOINT_FLAG_OPEN);
	side->alone = side->local && (owner->flags & NP_ENDPOINT_FLAG_STATELESS);
	side->keeps = side->local && !(owner->flags & (NP_ENDPOINT_FLAG_STATELESS | NP_ENDPOINT_FLAG_OPEN));
}
