/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stage LOCAL_ANSWER, DHCP (of IPv4, and of IPv6): requests go to the agent, marked with the device they came from;
 * servers are ours only, whether or not the port is served: a neighbour's may be.
 *
 * From whichever address: one that renews an address which has changed speaks from its former one, and must hear so.
 * The packet goes no further than the agent, and the answer only to the device.
 */
#pragma once

#include "punt.h"

#define NP_DHCP_SERVER 67
#define NP_DHCP_CLIENT 68
#define NP_DHCP6_SERVER 547
#define NP_DHCP6_CLIENT 546

/* Whether a machine's packet is a server's, or of a client whose port is served, by its family's DHCP. */
static __always_inline int np_is_dhcp(const struct np_packet *p)
{
	__be16 client = p->ipv6 ? bpf_htons(NP_DHCP6_CLIENT) : bpf_htons(NP_DHCP_CLIENT);
	__be16 server = p->ipv6 ? bpf_htons(NP_DHCP6_SERVER) : bpf_htons(NP_DHCP_SERVER);
	int served = p->port_flags & (p->ipv6 ? NP_PORT_FLAG_DHCP6 : NP_PORT_FLAG_DHCP);

	if (p->protocol != IPPROTO_UDP || (p->source.port == client && !served))
		return 0;
	if (p->source.port == client)
		return p->target.port == server;
	/* Without port security a machine may be a server itself. */
	return p->source.port == server && p->target.port == client && !(p->port_flags & NP_PORT_FLAG_OPEN);
}

static __always_inline int np_dhcp_judge(struct __sk_buff *skb, struct np_packet *p)
{
	if (p->source.port == (p->ipv6 ? bpf_htons(NP_DHCP6_SERVER) : bpf_htons(NP_DHCP_SERVER)))
		return NP_DROP(ROGUE_DHCP);
	/* The agent puts nothing together. */
	if (p->more || p->offset)
		return NP_DROP(FRAGMENT);
	return np_punt(skb, p, p->ipv6 ? NP_PUNT_DHCP6 : NP_PUNT_DHCP);
}

/* What becomes of a packet that np_is_dhcp(). */
static __always_inline int np_dhcp(struct __sk_buff *skb, struct np_packet *p)
{
	int decision = np_dhcp_judge(skb, p);

	np_step(p, NP_STAGE_LOCAL_ANSWER, decision >> 8, p->ethertype, p->ipv6 ? NP_PUNT_DHCP6 : NP_PUNT_DHCP, 0);
	return decision;
}
