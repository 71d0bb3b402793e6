/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The datapath: two programs, one where machines' packets enter and one where the tunnel's do. Each is the order of
 * its stages; a stage is a header of its own.
 *
 *   from_machine: PORT, PARSE, LOCAL_ANSWER (ARP, DHCP), ANTI_SPOOF, ROUTING, CONNECTION (POLICY_*), DELIVERY
 *   from_tunnel:  PARSE, SOURCE, ROUTING, CONNECTION (POLICY_IN), DELIVERY
 *
 * A packet crosses the underlay under its source's VNI and unmodified, also when it will be routed: the receiving host
 * finds the very endpoint that sent it, and routes it itself.
 */
#include "arp.h"
#include "delivery.h"
#include "dhcp.h"
#include "parse.h"
#include "routing.h"
#include "source.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Writes the verdict down for whoever made the packet. */
static __always_inline int np_report(struct __sk_buff *skb, struct np_packet *p, int decision)
{
	np_step_end(p);
	skb->cb[0] = decision;
	skb->cb[1] = (decision & 0xff) == NP_VERDICT_TUNNEL ? p->exit.host : p->exit.ifindex;
	skb->cb[2] = p->source.vni;
	return TC_ACT_OK;
}

static __always_inline int np_send_into_tunnel(struct __sk_buff *skb, const struct np_packet *p)
{
	struct bpf_tunnel_key key = {
	    .tunnel_id = p->source.vni,
	    .remote_ipv4 = p->exit.remote,
	    .tunnel_ttl = 64,
	};

	if (bpf_skb_set_tunnel_key(skb, &key, sizeof(key), BPF_F_ZERO_CSUM_TX))
		return TC_ACT_SHOT;
	return bpf_redirect(p->tunnel, 0);
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
		return np_hand_over(skb, p);
	case NP_VERDICT_TUNNEL:
		return np_send_into_tunnel(skb, p);
	case NP_VERDICT_ANSWER:
	case NP_VERDICT_PUNT:
		return bpf_redirect(p->exit.ifindex, 0);
	}
	return TC_ACT_SHOT;
}

/* The packet in hand, empty but for what the kernel and the settings say of it. */
static __always_inline struct np_packet *np_open(struct __sk_buff *skb)
{
	struct np_settings_value *own;
	struct np_packet *p;
	__u32 zero = 0, place = skb->ifindex == NP_SYNTHETIC_IFINDEX;

	own = bpf_map_lookup_elem(&settings, &zero);
	p = bpf_map_lookup_elem(&in_hand, &place);
	if (!own || !p)
		return NULL;
	__builtin_memset(p, 0, sizeof(*p));
	p->host = own->host;
	p->tunnel = own->tunnel;
	p->punt = own->punt;
	p->length = skb->len;
	p->segments = skb->gso_segs ? skb->gso_segs : 1;
	p->ifindex = skb->ifindex;
	if (skb->ifindex == NP_SYNTHETIC_IFINDEX) {
		p->synthetic = 1;
		p->dry = skb->cb[1] & NP_SYNTHETIC_DRY;
		p->clock_offset = skb->cb[3];
	}
	return p;
}

static __always_inline __u8 np_class(const struct np_packet *p, int decision)
{
	switch (decision & 0xff) {
	case NP_VERDICT_DROP:
		return NP_CLASS_DROPPED + (decision >> 8);
	case NP_VERDICT_DELIVER:
	case NP_VERDICT_TUNNEL:
		return p->routed ? NP_CLASS_ROUTED : NP_CLASS_SAME_NETWORK;
	}
	return NP_CLASS_SERVICE;
}

static __always_inline int np_machine_stages(struct __sk_buff *skb, struct np_packet *p)
{
	struct np_port_key key = {.ifindex = p->ifindex};
	struct np_port_value *plug;
	int decision;

	plug = bpf_map_lookup_elem(&port, &key);
	if (!plug) {
		np_step(p, NP_STAGE_PORT, NP_REASON_NO_PORT, p->ifindex, 0, 0);
		return NP_DROP(NO_PORT);
	}
	p->source.vni = plug->vni;
	np_copy_mac(p->source.mac, plug->mac);
	decision = np_parse_ethernet(skb, p);
	if (decision == NP_CONTINUE && !np_same_mac(p->eth_source, plug->mac))
		decision = NP_DROP(SPOOFED_MAC);
	np_step(p, NP_STAGE_PORT, decision == NP_CONTINUE ? 0 : decision >> 8, p->ifindex, plug->vni, plug->flags);
	if (decision != NP_CONTINUE)
		return decision;
	if (p->ethertype == ETH_P_ARP)
		return np_arp(skb, p);
	decision = np_parse(skb, p);
	if (decision != NP_CONTINUE)
		return decision;
	decision = np_dhcp(skb, p, plug->flags);
	if (decision != NP_CONTINUE)
		return decision;
	decision = np_source_of_machine(p);
	if (decision != NP_CONTINUE)
		return decision;
	decision = np_routing(skb, p);
	if (decision != NP_CONTINUE)
		return decision;
	decision = np_connection(skb, p);
	if (decision != NP_CONTINUE)
		return decision;
	return np_deliver(skb, p);
}

SEC("tc")
int from_machine(struct __sk_buff *skb)
{
	struct np_packet *p = np_open(skb);
	int decision;

	if (!p)
		return TC_ACT_SHOT;
	if (p->synthetic)
		p->ifindex = skb->cb[0];
	p->exit.ifindex = p->ifindex;
	decision = np_machine_stages(skb, p);
	np_fragment_note(p, decision);
	np_count(p, p->source.vni, p->source.mac, NP_DIRECTION_EGRESS, np_class(p, decision));
	return np_act(skb, p, decision);
}

static __always_inline int np_tunnel_stages(struct __sk_buff *skb, struct np_packet *p, const struct np_address *outer)
{
	int decision;

	decision = np_parse_ethernet(skb, p);
	if (decision != NP_CONTINUE)
		return decision;
	decision = np_parse(skb, p);
	if (decision != NP_CONTINUE)
		return decision;
	decision = np_source_of_tunnel(p, outer);
	if (decision != NP_CONTINUE)
		return decision;
	decision = np_routing(skb, p);
	if (decision != NP_CONTINUE)
		return decision;
	if (!p->target.local)
		return np_deliver(skb, p);
	decision = np_connection(skb, p);
	if (decision != NP_CONTINUE)
		return decision;
	return np_deliver(skb, p);
}

SEC("tc")
int from_tunnel(struct __sk_buff *skb)
{
	struct np_packet *p = np_open(skb);
	const __u8 nobody[6] NP_ALIGNED = {};
	struct np_address outer = {};
	int decision;

	if (!p)
		return TC_ACT_SHOT;
	p->from_tunnel = 1;
	/* The one place that reads the tunnel key, which a made packet cannot have. */
	if (p->synthetic) {
		p->source.vni = skb->cb[0];
		np_map_ipv4(&outer, skb->cb[2]);
	} else {
		struct bpf_tunnel_key key = {};

		if (bpf_skb_get_tunnel_key(skb, &key, sizeof(key), 0))
			return TC_ACT_SHOT;
		p->source.vni = key.tunnel_id;
		np_map_ipv4(&outer, bpf_htonl(key.remote_ipv4));
	}
	decision = np_tunnel_stages(skb, p, &outer);
	np_fragment_note(p, decision);
	if ((decision & 0xff) == NP_VERDICT_DROP)
		np_count(p, 0, nobody, NP_DIRECTION_INGRESS, np_class(p, decision));
	return np_act(skb, p, decision);
}
