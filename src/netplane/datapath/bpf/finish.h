/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How a packet leaves a program: for another one, or for good. What became of it is counted and done here alone. */
#pragma once

#include "account.h"
#include "fragment.h"
#include "log.h"
#include "programs.h"
#include "tunnel.h"
#include "vlan.h"

/* Writes the verdict down for whoever made the packet. */
static __always_inline int np_report(struct __sk_buff *skb, struct np_packet *p, int decision)
{
	np_step_end(p);
	skb->cb[0] = decision;
	switch (decision & 0xff) {
	case NP_VERDICT_TUNNEL:
		skb->cb[1] = p->exit.host;
		break;
	case NP_VERDICT_FLOOD:
		skb->cb[1] = p->copies;
		break;
	default:
		skb->cb[1] = p->exit.ifindex;
	}
	skb->cb[2] = p->source.vni;
	skb->cb[3] = p->exit.vlan;
	return TC_ACT_OK;
}

static __always_inline int np_send_into_tunnel(struct __sk_buff *skb, const struct np_packet *p)
{
	return np_wrap(skb, p) ? TC_ACT_SHOT : bpf_redirect(p->tunnel, 0);
}

static __always_inline int np_hand_over(struct __sk_buff *skb, const struct np_packet *p)
{
	if (!(p->exit.flags & NP_DEVICE_FLAG_PEER))
		return bpf_redirect(p->exit.ifindex, 0);
	/* It was classified against the device it came in by; the machine must see it as its own. */
	if (skb->pkt_type != 0)
		bpf_skb_change_type(skb, 0);
	return bpf_redirect_peer(p->exit.ifindex, 0);
}

static __always_inline int np_act(struct __sk_buff *skb, struct np_packet *p, int decision)
{
	if (p->synthetic)
		return np_report(skb, p, decision);
	switch (decision & 0xff) {
	case NP_VERDICT_DELIVER:
		return np_put_tag(skb, p) ? TC_ACT_SHOT : np_hand_over(skb, p);
	case NP_VERDICT_TUNNEL:
		return np_send_into_tunnel(skb, p);
	case NP_VERDICT_ANSWER:
	case NP_VERDICT_PUNT:
		return np_put_tag(skb, p) ? TC_ACT_SHOT : bpf_redirect(p->exit.ifindex, 0);
	case NP_VERDICT_SERVE:
		return bpf_redirect(p->exit.ifindex, 0);
	}
	return TC_ACT_SHOT;
}

static __always_inline __u8 np_class(const struct np_packet *p, int decision)
{
	switch (decision & 0xff) {
	case NP_VERDICT_DROP:
		return NP_CLASS_DROPPED + (decision >> 8);
	case NP_VERDICT_DELIVER:
	case NP_VERDICT_TUNNEL:
		return p->routers ? NP_CLASS_ROUTED : NP_CLASS_SAME_NETWORK;
	case NP_VERDICT_FLOOD:
		return NP_CLASS_GROUP;
	}
	return NP_CLASS_SERVICE;
}

/* What has left its port is counted for it; what came from elsewhere, for nobody, and only if it is dropped. */
static __always_inline void np_count_sent(struct np_packet *p, int decision)
{
	const __u8 nobody[6] NP_ALIGNED = {};

	if (!p->from_tunnel && !p->from_service)
		np_count(p, p->source.vni, p->source.mac, NP_DIRECTION_EGRESS, np_class(p, decision));
	else if ((decision & 0xff) == NP_VERDICT_DROP)
		np_count(p, 0, nobody, NP_DIRECTION_INGRESS, np_class(p, decision));
}

/*
 * Writes down all that is remembered of a packet whose way ends. Not static, so that the verifier judges it once and not
 * anew for each way to the end.
 */
__noinline int np_settle(struct np_packet *p, int decision)
{
	if (!p)
		return 0;
	np_fragment_note(p, decision);
	np_count_sent(p, decision);
	np_log(p, decision);
	return 0;
}

static __always_inline int np_finish(struct __sk_buff *skb, struct np_packet *p, int decision)
{
	np_settle(p, decision);
	return np_act(skb, p, decision);
}

/* The end of every program. */
static __always_inline int np_leave(struct __sk_buff *skb, struct np_packet *p, int decision)
{
	switch (decision & 0xff) {
	case NP_ON(ANSWERING):
		bpf_tail_call_static(skb, &onward, NP_PROGRAM_ANSWERING);
		break;
	case NP_ON(ERRING):
		bpf_tail_call_static(skb, &onward, NP_PROGRAM_ERRING);
		break;
	case NP_ON(FORWARDING):
		bpf_tail_call_static(skb, &onward, NP_PROGRAM_FORWARDING);
		break;
	case NP_ON(RELAYING):
		bpf_tail_call_static(skb, &onward, NP_PROGRAM_RELAYING);
		break;
	case NP_ON(JUDGING):
		bpf_tail_call_static(skb, &onward, NP_PROGRAM_JUDGING);
		break;
	case NP_ON(EXPLAINING):
		bpf_tail_call_static(skb, &onward, NP_PROGRAM_EXPLAINING);
		break;
	case NP_ON(DELIVERING):
		bpf_tail_call_static(skb, &onward, NP_PROGRAM_DELIVERING);
		break;
	case NP_ON(FLOODING):
		bpf_tail_call_static(skb, &onward, NP_PROGRAM_FLOODING);
		break;
	case NP_ON(SERVING):
		bpf_tail_call_static(skb, &onward, NP_PROGRAM_SERVING);
		break;
	}
	/* Nobody was there to go on with it. */
	if (decision & NP_ON_FLAG)
		decision = NP_DROP(NO_PROGRAM);
	return np_finish(skb, p, decision);
}
