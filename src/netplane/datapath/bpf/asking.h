/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * DHCP that is not ours: a machine that the platform tells no address may ask all others of its network, and hear what
 * a machine without port security tells it, whatever its rules say (as OpenStack Networking has it). Nothing of this is
 * a connection.
 */
#pragma once

#include "dhcp.h"
#include "listening.h"

/* What the step CONNECTION says of an answer to such a question. */
#define NP_TOLD 5

static __always_inline int np_is_of_dhcp(const struct np_packet *p, __u16 source, __u16 target, __u16 source6,
					 __u16 target6)
{
	return p->protocol == IPPROTO_UDP && p->source.port == bpf_htons(p->ipv6 ? source6 : source) &&
	       p->target.port == bpf_htons(p->ipv6 ? target6 : target);
}

/* Whether a client asks all. */
static __always_inline int np_asks_all(const struct np_packet *p)
{
	return np_is_to_many(p) &&
	       np_is_of_dhcp(p, NP_DHCP_CLIENT, NP_DHCP_SERVER, NP_DHCP6_CLIENT, NP_DHCP6_SERVER);
}

/* Whether it is an answer of a machine that may be a server; the sender must be known. */
static __always_inline int np_is_told(const struct np_packet *p)
{
	return p->source.open && np_is_of_dhcp(p, NP_DHCP_SERVER, NP_DHCP_CLIENT, NP_DHCP6_SERVER, NP_DHCP6_CLIENT);
}

/* Whether a machine speaks from no address, and not to ask for one; owner: who may speak from it. */
static __always_inline int np_is_nobody(const struct np_packet *p, const struct np_endpoint_value *owner)
{
	struct np_address nobody;

	if (owner->flags & NP_ENDPOINT_FLAG_OPEN)
		return 0;
	np_map_ipv4(&nobody, 0);
	if (p->source.address.high != nobody.high || p->source.address.low != nobody.low)
		return 0;
	return !np_asks_all(p) || np_ipv4(&p->target.address) != 0xffffffff;
}
