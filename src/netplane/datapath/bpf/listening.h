/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stage LOCAL_ANSWER, IGMP (RFC 1112, RFC 2236, RFC 3376) and MLD (RFC 2710, RFC 3810): which groups a machine listens
 * to, the agent hears and nobody else has to know; and nobody but the agent asks. From whichever address: a machine may
 * tell before it has one.
 */
#pragma once

#include "punt.h"
#include "transport.h"

#define NP_IGMP_REPORT_V1 0x12
#define NP_IGMP_REPORT_V2 0x16
#define NP_IGMP_LEAVE 0x17
#define NP_IGMP_REPORT_V3 0x22
#define NP_MLD_QUERY 130
#define NP_MLD_REPORT_V1 131
#define NP_MLD_DONE 132
#define NP_MLD_REPORT_V2 143
#define NP_REPORT_LENGTH 8 /* of any of these, at least */

/* Whether a frame goes to a group, or to all. */
static __always_inline int np_is_to_many(const struct np_packet *p)
{
	return p->eth_target[0] & 1;
}

/* Whether a packet to many is IGMP, or MLD. */
static __always_inline int np_speaks_of_groups(const struct np_packet *p)
{
	if (!np_is_to_many(p))
		return 0;
	if (!p->ipv6)
		return p->protocol == IPPROTO_IGMP;
	return p->protocol == NP_PROTOCOL_ICMPV6 &&
	       ((p->icmp_type >= NP_MLD_QUERY && p->icmp_type <= NP_MLD_DONE) || p->icmp_type == NP_MLD_REPORT_V2);
}

static __always_inline int np_is_report(const struct np_packet *p, __u8 type)
{
	if (p->ipv6)
		return type == NP_MLD_REPORT_V1 || type == NP_MLD_DONE || type == NP_MLD_REPORT_V2;
	return type == NP_IGMP_REPORT_V1 || type == NP_IGMP_REPORT_V2 || type == NP_IGMP_LEAVE ||
	       type == NP_IGMP_REPORT_V3;
}

static __always_inline int np_report_judge(struct __sk_buff *skb, struct np_packet *p)
{
	__u8 type;

	if (p->more || p->offset)
		return NP_DROP(FRAGMENT);
	if (p->ip_length + ETH_HLEN - p->payload < NP_REPORT_LENGTH ||
	    bpf_skb_load_bytes(skb, p->payload, &type, sizeof(type)))
		return NP_DROP(MALFORMED);
	if (!np_is_report(p, type))
		return NP_DROP(ROGUE_QUERIER);
	return np_punt(skb, p, NP_PUNT_REPORT);
}

/* What becomes of a packet that np_speaks_of_groups(). */
static __always_inline int np_report_groups(struct __sk_buff *skb, struct np_packet *p)
{
	int decision = np_report_judge(skb, p);

	np_step(p, NP_STAGE_LOCAL_ANSWER, decision >> 8, p->ethertype, NP_PUNT_REPORT, 0);
	return decision;
}
