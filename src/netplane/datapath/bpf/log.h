/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What is written down of decisions, for the agent to read: who was let pass by which rule, who was not, and why. Each
 * machine of this host that a decision is about has its port's flags and a rate of its own (a generic cell rate
 * algorithm, ITU-T I.371): a flood is counted, not written.
 */
#pragma once

#include "packet.h"

static __always_inline struct np_logging_value *np_logging(const struct np_side *own)
{
	struct np_logging_key key = {.vni = own->vni};
	struct np_logging_value *found, none = {};

	np_copy_mac(key.mac, own->mac);
	found = bpf_map_lookup_elem(&logging, &key);
	if (found)
		return found;
	bpf_map_update_elem(&logging, &key, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&logging, &key);
}

static __always_inline void np_log_fill(struct np_decision *event, const struct np_packet *p, __u32 direction,
					__u32 reason)
{
	const struct np_side *own = direction == NP_DIRECTION_EGRESS ? &p->source : &p->target;
	const struct np_side *other = direction == NP_DIRECTION_EGRESS ? &p->target : &p->source;

	__builtin_memcpy(event->source, &p->source.address, sizeof(event->source));
	__builtin_memcpy(event->destination, &p->target.address, sizeof(event->destination));
	event->vni = own->vni;
	np_copy_mac(event->mac, own->mac);
	event->reason = reason;
	event->rule = reason ? 0 : p->rules[direction & 1];
	event->identity = own->identity;
	event->remote = other->identity;
	event->source_port = p->source.port;
	event->service = p->policy_port;
	event->protocol = p->protocol;
	event->direction = direction;
	event->pad = 0;
}

/*
 * Writes down what was decided about one machine, if its port wants it and has not used up its rate. Not static, so that
 * the verifier judges it once for both.
 */
__noinline int np_log_about(struct np_packet *p, __u32 direction, __u32 reason)
{
	struct np_device_key key = {};
	const struct np_side *own;
	struct np_logging_value *written;
	struct np_decision *event;
	struct np_device_value *found;
	__u64 now, until;

	if (!p)
		return 0;
	own = direction == NP_DIRECTION_EGRESS ? &p->source : &p->target;
	key.vni = own->vni;
	np_copy_mac(key.mac, own->mac);
	found = bpf_map_lookup_elem(&device, &key);
	if (!found || !(found->flags & (reason ? NP_DEVICE_FLAG_LOG_DROPS : NP_DEVICE_FLAG_LOG_ACCEPTS)))
		return 0;
	written = np_logging(own);
	if (!written)
		return 0;
	now = np_now(p);
	until = written->paid;
	event = NULL;
	if (until <= now + NP_LIMIT_LOG_BURST - NP_LIMIT_LOG_PAUSE)
		event = bpf_ringbuf_reserve(&decision, sizeof(*event), 0);
	if (!event) {
		__sync_fetch_and_add(&written->unlogged, 1);
		return 0;
	}
	written->paid = (until > now ? until : now) + NP_LIMIT_LOG_PAUSE;
	event->time = now;
	event->unlogged = written->unlogged;
	np_log_fill(event, p, direction, reason);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

/*
 * To be called with what became of each packet. What the rules of one end refuse does not concern the other; packets
 * of connections that are known concern nobody.
 */
static __always_inline void np_log(struct np_packet *p, int decision)
{
	int dropped = (decision & 0xff) == NP_VERDICT_DROP || decision >> 8 == NP_REASON_FIREWALL_REJECTED;
	__u32 reason = dropped ? decision >> 8 : 0;

	if (p->dry || !(dropped || p->opened))
		return;
	if (p->source.local && reason != NP_REASON_POLICY_IN)
		np_log_about(p, NP_DIRECTION_EGRESS, reason);
	if (p->target.local && reason != NP_REASON_POLICY_OUT)
		np_log_about(p, NP_DIRECTION_INGRESS, reason);
}
