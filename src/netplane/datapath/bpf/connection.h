/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stage CONNECTION: packets of a connection that was allowed pass without asking the rules again, until the rules or
 * the identities they were asked under change (the stamp tells). One entry a connection; its key is the same for both
 * directions because the smaller side always stands first. For a stateless side nothing is kept: each packet is judged.
 */
#pragma once

#include "budget.h"
#include "project.h"
#include "programs.h"
#include "related.h"

#define NP_ALONE 4 /* what the step says of a packet that no connection is kept for */

#define NP_TCP_FIN 1
#define NP_TCP_SYN 2
#define NP_TCP_RST 4
#define NP_TCP_ACK 16

/* Whether a packet may begin a connection; a later fragment is of one that has begun. */
static __always_inline int np_is_start(const struct np_packet *p)
{
	if (p->offset)
		return 0;
	if (p->protocol == IPPROTO_TCP)
		return (p->tcp_flags & (NP_TCP_FIN | NP_TCP_SYN | NP_TCP_RST | NP_TCP_ACK)) == NP_TCP_SYN;
	return p->icmp == NP_ICMP_NONE || p->icmp == NP_ICMP_ASKS;
}

/* Bytes as they would be on a wire: every segment repeats the headers. */
static __always_inline __u64 np_bytes(const struct np_packet *p)
{
	return p->length + (p->segments - 1) * p->headers;
}

static __always_inline void np_connection_count(struct np_packet *p, struct np_connection_value *c, int from_low)
{
	if (from_low) {
		__sync_fetch_and_add(&c->packets_low, p->segments);
		__sync_fetch_and_add(&c->bytes_low, np_bytes(p));
	} else {
		__sync_fetch_and_add(&c->packets_high, p->segments);
		__sync_fetch_and_add(&c->bytes_high, np_bytes(p));
	}
}

static __always_inline void np_connection_advance(struct np_packet *p, struct np_connection_value *c, int from_low,
						  int from_initiator, __u64 now)
{
	__u16 state = c->state, flags = c->flags;
	const __u16 both = NP_CONNECTION_FLAG_FIN_LOW | NP_CONNECTION_FLAG_FIN_HIGH;

	if (state == NP_CONNECTION_STATE_NEW && !from_initiator)
		state = NP_CONNECTION_STATE_ESTABLISHED;
	if (p->protocol == IPPROTO_TCP && (p->tcp_flags & NP_TCP_FIN)) {
		flags |= from_low ? NP_CONNECTION_FLAG_FIN_LOW : NP_CONNECTION_FLAG_FIN_HIGH;
		/* A connection that was reset stays so. */
		if (state != NP_CONNECTION_STATE_CLOSED)
			state = (flags & both) == both ? NP_CONNECTION_STATE_CLOSED : NP_CONNECTION_STATE_CLOSING;
	}
	if (p->protocol == IPPROTO_TCP && (p->tcp_flags & NP_TCP_RST))
		state = NP_CONNECTION_STATE_CLOSED;
	np_connection_count(p, c, from_low);
	/* The entry is shared by CPUs: leave its line alone unless there is something to say. */
	if (flags != c->flags)
		c->flags = flags;
	if (state != c->state || now - c->seen >= NP_NSEC_PER_SEC) {
		c->state = state;
		c->seen = now;
	}
}

/* A connection that is not known, or known to be over: asks the rules and remembers. */
static __always_inline int np_connection_begin(struct np_packet *p, const struct np_connection_key *key, int has_entry,
					       int from_low, __u64 now)
{
	struct np_connection_value c = {};
	int decision;

	if (!np_is_start(p))
		return NP_DROP(NO_CONNECTION);
	decision = np_judge_all(p, &p->source, &p->target, p->policy_port);
	if (decision == NP_CONTINUE && !has_entry) {
		if (np_share_is_used_up(p))
			decision = NP_DROP(SHARE_USED_UP);
		else if (np_projects_are_used_up(p))
			decision = NP_DROP(PROJECT_SHARE_USED_UP);
	}
	if (decision != NP_CONTINUE || p->dry)
		return decision;
	p->opened = 1;
	c.stamp = np_stamp(p, &p->source, &p->target);
	c.seen = now;
	c.flags = from_low ? 0 : NP_CONNECTION_FLAG_INITIATOR_HIGH;
	if (from_low) {
		c.packets_low = p->segments;
		c.bytes_low = np_bytes(p);
	} else {
		c.packets_high = p->segments;
		c.bytes_high = np_bytes(p);
	}
	if (bpf_map_update_elem(&connection, key, &c, BPF_ANY))
		return NP_DROP(CONNECTIONS_FULL);
	if (!has_entry) {
		np_take_place(p);
		np_projects_take(p);
	}
	return NP_CONTINUE;
}

/* A connection whose permission must be asked for again, in the direction in which it began. */
static __always_inline int np_connection_renew(struct np_packet *p, struct np_connection_value *c, __u64 stamp,
					       const struct np_side *initiator, const struct np_side *responder)
{
	int decision = np_judge_all(p, initiator, responder, np_service(p, responder));

	if (p->dry)
		return decision == NP_CONTINUE ? NP_CONTINUE : NP_DROP(REVOKED);
	if (decision != NP_CONTINUE) {
		c->state = NP_CONNECTION_STATE_REVOKED;
		return NP_DROP(REVOKED);
	}
	c->stamp = stamp;
	return NP_CONTINUE;
}

static __always_inline int np_connection_is_over(struct np_packet *p, const struct np_connection_value *c,
						 int from_initiator, __u64 now)
{
	if (np_is_expired(p, c, now))
		return 1;
	if (c->state == NP_CONNECTION_STATE_REVOKED)
		return from_initiator && np_is_start(p);
	return p->protocol == IPPROTO_TCP && c->state >= NP_CONNECTION_STATE_CLOSING && np_is_start(p);
}

static __always_inline int np_connection_known(struct np_packet *p, struct np_connection_value *c, int from_low,
					       int from_initiator, __u64 now)
{
	const struct np_side *initiator = from_initiator ? &p->source : &p->target;
	const struct np_side *responder = from_initiator ? &p->target : &p->source;
	__u32 how = 1;
	__u64 stamp;
	int decision;

	if (c->state == NP_CONNECTION_STATE_REVOKED) {
		np_step(p, NP_STAGE_CONNECTION, NP_REASON_REVOKED, 1, c->state, 0);
		return NP_DROP(REVOKED);
	}
	stamp = np_stamp(p, initiator, responder);
	if (c->stamp != stamp) {
		how = 2;
		decision = np_connection_renew(p, c, stamp, initiator, responder);
		if (decision != NP_CONTINUE) {
			np_step(p, NP_STAGE_CONNECTION, NP_REASON_REVOKED, how, c->state, 0);
			return decision;
		}
	}
	np_step(p, NP_STAGE_CONNECTION, 0, how, c->state, 0);
	if (!p->dry)
		np_connection_advance(p, c, from_low, from_initiator, now);
	return NP_CONTINUE;
}

/* The key of a packet's connection. */
static __always_inline void np_connection_of(const struct np_packet *p, int from_low, struct np_connection_key *key)
{
	__u32 protocol = p->protocol;

	if (p->icmp && from_low == (p->icmp == NP_ICMP_ANSWERS))
		protocol += NP_ICMP_HIGH_ASKS;
	if (from_low)
		np_connection_key(key, &p->source, &p->target, protocol);
	else
		np_connection_key(key, &p->target, &p->source, protocol);
}

/* Messages other than echo are of no connection of their own. */
static __always_inline int np_is_single(const struct np_packet *p)
{
	return p->icmp == NP_ICMP_SINGLE;
}

/* Lets a packet pass whose connection was allowed under the rules as they are; the rest is for np_connection(). */
static __always_inline int np_connection_goes_on(struct np_packet *p)
{
	int from_low = np_is_low(&p->source, &p->target), from_initiator;
	struct np_connection_value *c;
	struct np_connection_key key;
	__u64 now, stamp;

	if (np_is_single(p) || p->source.alone || p->target.alone || !(p->source.keeps | p->target.keeps))
		return 0;
	np_connection_of(p, from_low, &key);
	c = bpf_map_lookup_elem(&connection, &key);
	if (!c || c->state == NP_CONNECTION_STATE_REVOKED)
		return 0;
	now = np_now(p);
	from_initiator = from_low == !(c->flags & NP_CONNECTION_FLAG_INITIATOR_HIGH);
	if (np_connection_is_over(p, c, from_initiator, now))
		return 0;
	stamp = from_initiator ? np_stamp(p, &p->source, &p->target) : np_stamp(p, &p->target, &p->source);
	if (c->stamp != stamp)
		return 0;
	np_step(p, NP_STAGE_CONNECTION, 0, 1, c->state, 0);
	if (!p->dry)
		np_connection_advance(p, c, from_low, from_initiator, now);
	return 1;
}

/* Asks the sides that keep no connections. NP_CONTINUE if others do; the packet may go on if none does. */
static __always_inline int np_connection_alone(struct np_packet *p)
{
	int decision;

	if (p->source.alone || p->target.alone) {
		decision = np_judge_alone(p);
		if (decision != NP_CONTINUE)
			return decision;
	}
	if (p->source.keeps || p->target.keeps || p->walls.count)
		return NP_CONTINUE;
	np_step(p, NP_STAGE_CONNECTION, 0, NP_ALONE, 0, 0);
	p->opened = np_is_start(p);
	return NP_ON(DELIVERING);
}

/* A packet that np_is_single(): judged by itself, unless a connection explains it. */
static __always_inline int np_connection_single(struct __sk_buff *skb, struct np_packet *p)
{
	int decision = np_connection_alone(p);

	if (decision != NP_CONTINUE)
		return decision;
	if (np_is_error(p) && np_is_related(skb, p))
		return NP_ON(DELIVERING);
	decision = np_judge_all(p, &p->source, &p->target, p->policy_port);
	p->opened = decision == NP_CONTINUE;
	return decision == NP_CONTINUE ? NP_ON(DELIVERING) : decision;
}

/* Any other packet, if it did not go on as it was. */
static __always_inline int np_connection(struct np_packet *p)
{
	int from_low = np_is_low(&p->source, &p->target), from_initiator, decision;
	struct np_connection_value *c;
	struct np_connection_key key;
	__u64 now;

	decision = np_connection_alone(p);
	if (decision != NP_CONTINUE)
		return decision;
	np_connection_of(p, from_low, &key);
	now = np_now(p);
	c = bpf_map_lookup_elem(&connection, &key);
	if (c) {
		from_initiator = from_low == !(c->flags & NP_CONNECTION_FLAG_INITIATOR_HIGH);
		if (!np_connection_is_over(p, c, from_initiator, now))
			return np_connection_known(p, c, from_low, from_initiator, now);
	}
	decision = np_connection_begin(p, &key, c != NULL, from_low, now);
	np_step(p, NP_STAGE_CONNECTION, decision == NP_CONTINUE ? 0 : decision >> 8, 0, 0, 0);
	return decision;
}
