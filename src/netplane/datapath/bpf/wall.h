/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stage FIREWALL: what firewalls on routers' ports say of a connection whose packets cross them. A firewall guards the
 * networks behind an interface: its egress rules are asked where a connection leaves them, which is where it comes to
 * the router, its ingress rules where it goes into them. Routing notes which firewalls a packet crosses (walls.h); their
 * rules are asked when a connection begins and when any of them has changed, which the connection's stamp tells.
 */
#pragma once

#include "trace.h"
#include "walls.h"

/* What a firewall is asked about a connection, and its answer. */
struct np_wall_question {
	struct np_address source;
	struct np_address target;
	struct np_firewall_key key;
	__u16 source_port;
	__u16 target_port; /* or ICMP type and code */
	__u8 protocol;
	__u8 family;
	__u8 action;
	__u32 rule;
};

static __always_inline int np_lies_in(const struct np_address *address, const __u8 *range, const __u8 *mask)
{
	const __u64 *start = (const __u64 *)range, *bits = (const __u64 *)mask;

	return !((address->high ^ start[0]) & bits[0]) && !((address->low ^ start[1]) & bits[1]);
}

/* Tries the next rule; 1 ends the search. */
static long np_wall_try(__u32 index, struct np_wall_question *q)
{
	struct np_firewall_value *rule;

	q->key.index = index;
	rule = bpf_map_lookup_elem(&firewall, &q->key);
	if (!rule)
		return 1;
	if (rule->family != q->family || (rule->protocol && rule->protocol != q->protocol))
		return 0;
	if (q->source_port < rule->source_first || q->source_port > rule->source_last ||
	    q->target_port < rule->destination_first || q->target_port > rule->destination_last)
		return 0;
	if (!np_lies_in(&q->source, rule->source, rule->source_mask) ||
	    !np_lies_in(&q->target, rule->destination, rule->destination_mask))
		return 0;
	q->action = rule->action;
	q->rule = rule->rule;
	return 1;
}

/* Why one firewall of the packet's, by its place, does not allow it; 0 if it does. Not static, as np_walls_judge(). */
__noinline int np_wall_judge(struct np_packet *p, __u32 place, __u32 turned, __u32 port)
{
	struct np_wall_question q = {.action = NP_ACTION_DENY};
	const struct np_side *initiator, *responder;
	__u32 reason = 0;

	if (!p || place >= NP_WALLS)
		return NP_REASON_FIREWALL;
	initiator = turned ? &p->target : &p->source;
	responder = turned ? &p->source : &p->target;
	q.source = initiator->address;
	q.target = responder->address;
	q.source_port = bpf_ntohs(initiator->port);
	q.target_port = bpf_ntohs(port);
	q.protocol = p->protocol;
	q.family = p->ipv6;
	q.key.firewall = p->walls.firewall[place];
	q.key.direction = (p->walls.left >> place & 1) != turned ? NP_DIRECTION_INGRESS : NP_DIRECTION_EGRESS;
	bpf_loop(NP_LIMIT_FIREWALL_RULES, np_wall_try, &q, 0);
	if (q.action == NP_ACTION_DENY)
		reason = NP_REASON_FIREWALL;
	else if (q.action == NP_ACTION_REJECT)
		reason = NP_REASON_FIREWALL_REJECTED;
	np_step(p, NP_STAGE_FIREWALL, reason, q.rule, q.key.direction, 0);
	return reason;
}

/*
 * NP_CONTINUE if all firewalls that the packet crosses allow a connection between its sides, which its target began if it
 * is turned. Not static, so that the verifier judges it once and not anew for each call.
 */
__noinline int np_walls_judge(struct np_packet *p, __u32 turned, __u32 port)
{
	int reason;
	__u32 i;

	if (!p)
		return NP_DROP(FIREWALL);
	for (i = 0; i < NP_WALLS; i++) {
		if (i >= p->walls.count)
			break;
		reason = np_wall_judge(p, i, turned, port);
		if (reason)
			return NP_VERDICT_DROP | reason << 8;
	}
	return NP_CONTINUE;
}
