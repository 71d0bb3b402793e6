/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stages POLICY_OUT and POLICY_IN: may one identity start talking to the other? At most three look-ups and one for the
 * remote address's prefix, however many rules there are.
 */
#pragma once

#include "trace.h"
#include "wall.h"

#define NP_POLICY_BITS 224 /* a whole key: one port of one protocol */
#define NP_PREFIX_BITS 192
#define NP_MAPPED_BITS 96 /* what an IPv4 address begins with */

struct np_question {
	__u32 direction;
	__u32 profile;
	__u32 remote;
	__u32 protocol;
	__be16 port;
	__u8 ipv6;
	struct np_address address;
};

static __always_inline struct np_policy_value *np_rule(const struct np_question *q, __u8 kind, __u8 length,
						       const void *remote)
{
	struct np_policy_key key;

	key.bits = NP_POLICY_BITS;
	key.profile = q->profile;
	key.direction = q->direction;
	key.kind = kind;
	key.length = length;
	key.pad = 0;
	__builtin_memcpy(key.remote, remote, sizeof(key.remote));
	key.protocol = q->protocol;
	key.port = q->port;
	return bpf_map_lookup_elem(&policy, &key);
}

/* Whether a rule allows it; the rule's number goes to rule. A profile of 0 has no rules: everything is denied. */
static __noinline int np_allowed(const struct np_question *q, __u32 *rule)
{
	struct np_policy_value *found;
	struct np_prefix_value *prefix_found;
	struct np_prefix_key key;
	__u32 remote[4] = {};

	*rule = 0;
	if (!q->profile)
		return 0;
	found = np_rule(q, q->ipv6 ? NP_REMOTE_ANY_IPV6 : NP_REMOTE_ANY, 0, remote);
	if (!found && q->remote) {
		remote[0] = bpf_htonl(q->remote);
		found = np_rule(q, q->ipv6 ? NP_REMOTE_IDENTITY_IPV6 : NP_REMOTE_IDENTITY, 0, remote);
	}
	if (!found) {
		key.bits = NP_PREFIX_BITS;
		key.profile = q->profile;
		key.direction = q->direction;
		__builtin_memcpy(key.address, &q->address, sizeof(key.address));
		prefix_found = bpf_map_lookup_elem(&prefix, &key);
		/* Every IPv4 address lies in some prefixes of IPv6, of which rules about IPv6 alone may speak. */
		if (prefix_found && (q->ipv6 || prefix_found->length >= NP_MAPPED_BITS))
			found = np_rule(q, NP_REMOTE_PREFIX, prefix_found->length, prefix_found->address);
	}
	if (!found)
		return 0;
	*rule = found->rule;
	return 1;
}

/*
 * Judges one side's rules about the other, for a connection that the packet's target began if it is turned. Not static,
 * so that the verifier judges it once and not anew for each way there.
 */
__noinline int np_judge(struct np_packet *p, __u32 direction, __u32 turned, __u32 port)
{
	__u32 stage = direction == NP_DIRECTION_EGRESS ? NP_STAGE_POLICY_OUT : NP_STAGE_POLICY_IN;
	__u32 refused = direction == NP_DIRECTION_EGRESS ? NP_REASON_POLICY_OUT : NP_REASON_POLICY_IN;
	const struct np_side *own, *other;
	struct np_question question = {};
	__u32 rule;
	int allowed;

	if (!p)
		return 0;
	own = (direction == NP_DIRECTION_EGRESS) == !turned ? &p->source : &p->target;
	other = own == &p->source ? &p->target : &p->source;
	question.direction = direction;
	question.profile = own->identity;
	question.remote = other->known;
	question.protocol = p->protocol;
	question.port = port;
	question.ipv6 = p->ipv6;
	question.address = other->address;
	allowed = np_allowed(&question, &rule);
	p->rules[direction & 1] = rule;
	np_step(p, stage, allowed ? 0 : refused, rule, own->identity, other->known);
	return allowed;
}

/* NP_CONTINUE if the sides that have no connections here allow this very packet, whichever way it goes. */
static __always_inline int np_judge_alone(struct np_packet *p)
{
	if (p->source.alone && !np_judge(p, NP_DIRECTION_EGRESS, 0, p->policy_port))
		return NP_DROP(POLICY_OUT);
	if (p->target.alone && !np_judge(p, NP_DIRECTION_INGRESS, 0, p->policy_port))
		return NP_DROP(POLICY_IN);
	return NP_CONTINUE;
}

/* NP_CONTINUE if all sides that this host keeps connections for allow the connection, and all firewalls. */
static __always_inline int np_judge_all(struct np_packet *p, const struct np_side *initiator,
					const struct np_side *responder, __be16 port)
{
	__u32 turned = initiator != &p->source;

	if (initiator->keeps && !np_judge(p, NP_DIRECTION_EGRESS, turned, port))
		return NP_DROP(POLICY_OUT);
	if (responder->keeps && !np_judge(p, NP_DIRECTION_INGRESS, turned, port))
		return NP_DROP(POLICY_IN);
	return p->walls.count ? np_walls_judge(p, turned, port) : NP_CONTINUE;
}
