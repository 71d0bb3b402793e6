/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The datapath: the programs, each the order of its stages; a stage is a header of its own.
 *
 *   from_machine   PORT, PARSE, ANTI_SPOOF -+- forwarding   ROUTING, CONNECTION -+- delivering   DELIVERY
 *   from_tunnel    PARSE, SOURCE -----------+                                    +- judging      CONNECTION, POLICY_*
 *                                           |                                    +- explaining   the same, ICMP errors
 *                                           +- flooding   POLICY_*, FLOOD: what goes to a group, or to all
 *
 *   from_service   PARSE --- serving   SERVICE, both ways: from_machine hands it what is for the host's services
 *
 *   relaying       ROUTING by next hops, through routers in series
 *   answering      LOCAL_ANSWER (ARP, neighbour discovery, DHCP, reports), and what is said to a router: what ends here
 *   erring         the packet turned into an ICMP error about it
 *
 * Packets enter by the three that begin with `from`: of machines, of the tunnel, of the host's services. These are
 * joined to the others by tail calls (programs.h). What one program has learnt of a packet the next finds in `in_hand`
 * (packet.h), and every program ends with np_leave() (finish.h). A packet of an established connection takes three
 * programs: entry, forwarding, delivering. What such a packet does not need belongs elsewhere: what a machine asks the host itself, into
 * `answering`; what is only due when a connection begins, or its rules have changed, into `judging`; what comes about a
 * connection and not in it, into `explaining`; another way to complain of a packet, into `erring`. A kind of work that has
 * a beginning and an end of its own gets a program.
 *
 * A packet crosses the underlay under its source's VNI and unmodified, also when it will be routed: the receiving host
 * finds the very endpoint that sent it, and routes it itself.
 */
#include "arp.h"
#include "asking.h"
#include "delivery.h"
#include "dhcp.h"
#include "discovery.h"
#include "error.h"
#include "error6.h"
#include "finish.h"
#include "flood.h"
#include "listening.h"
#include "parse.h"
#include "relay.h"
#include "router.h"
#include "routing.h"
#include "service.h"
#include "source.h"
#include "vlan.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The packet in hand, empty but for what the kernel and the settings say of it. */
static __always_inline struct np_packet *np_open(struct __sk_buff *skb)
{
	struct np_packet *p = np_in_hand(skb);
	struct np_settings_value *own;
	__u32 zero = 0;

	own = bpf_map_lookup_elem(&settings, &zero);
	if (!own || !p)
		return NULL;
	__builtin_memset(p, 0, __builtin_offsetof(struct np_packet, walls.firewall));
	p->host = own->host;
	p->tunnel = own->tunnel;
	p->punt = own->punt;
	p->service = own->service;
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

/* Whether the frame's MAC address is one that its port may use besides its own. */
static __always_inline int np_is_station(const struct np_packet *p)
{
	struct np_station_key key = {.ifindex = p->ifindex, .vlan = p->vlan};

	if (!(p->port_flags & NP_PORT_FLAG_STATIONS))
		return 0;
	np_copy_mac(key.mac, p->eth_source);
	return !!bpf_map_lookup_elem(&station, &key);
}

static __always_inline int np_machine_stages(struct __sk_buff *skb, struct np_packet *p)
{
	struct np_port_key key = {.ifindex = p->ifindex, .vlan = p->vlan};
	struct np_port_value *plug;
	int decision;

	plug = bpf_map_lookup_elem(&port, &key);
	if (!plug) {
		np_step(p, NP_STAGE_PORT, NP_REASON_NO_PORT, p->ifindex, 0, 0);
		return NP_DROP(NO_PORT);
	}
	p->source.vni = plug->vni;
	p->port_flags = plug->flags;
	p->mtu = plug->mtu;
	np_copy_mac(p->source.mac, plug->mac);
	decision = np_parse_ethernet(skb, p);
	if (decision == NP_CONTINUE && !np_same_mac(p->eth_source, plug->mac) && !np_is_station(p))
		decision = NP_DROP(SPOOFED_MAC);
	np_step(p, NP_STAGE_PORT, decision == NP_CONTINUE ? 0 : decision >> 8, p->ifindex, plug->vni, plug->flags);
	if (decision != NP_CONTINUE)
		return decision;
	if (p->ethertype == ETH_P_ARP)
		return NP_ON(ANSWERING);
	decision = np_parse(skb, p);
	if (decision != NP_CONTINUE)
		return decision;
	if (np_is_discovery(p) || np_is_dhcp(p) || np_speaks_of_groups(p))
		return NP_ON(ANSWERING);
	decision = np_source_of_machine(p);
	if (decision != NP_CONTINUE)
		return decision;
	if (np_is_to_many(p))
		return NP_ON(FLOODING);
	return np_is_for_service(p) ? NP_ON(SERVING) : NP_ON(FORWARDING);
}

SEC("tc")
int from_machine(struct __sk_buff *skb)
{
	struct np_packet *p = np_open(skb);

	if (!p)
		return TC_ACT_SHOT;
	if (p->synthetic) {
		p->ifindex = skb->cb[0];
		p->vlan = skb->cb[2];
	} else if (np_take_tag(skb, p)) {
		return TC_ACT_SHOT;
	}
	p->exit.ifindex = p->ifindex;
	p->exit.vlan = p->vlan;
	return np_leave(skb, p, np_machine_stages(skb, p));
}

static __always_inline int np_tunnel_stages(struct __sk_buff *skb, struct np_packet *p, const struct np_address *outer)
{
	int decision;

	decision = np_parse_ethernet(skb, p);
	if (decision != NP_CONTINUE)
		return decision;
	decision = p->ethertype == ETH_P_ARP ? np_announced(skb, p) : np_parse(skb, p);
	if (decision != NP_CONTINUE)
		return decision;
	/* Every host answers for itself. */
	if (np_is_discovery(p)) {
		np_step(p, NP_STAGE_LOCAL_ANSWER, NP_REASON_ND_NOT_ASKED, 0, 0, 0);
		return NP_DROP(ND_NOT_ASKED);
	}
	decision = np_source_of_tunnel(p, outer);
	if (decision != NP_CONTINUE)
		return decision;
	return np_is_to_many(p) ? NP_ON(FLOODING) : NP_ON(FORWARDING);
}

SEC("tc")
int from_tunnel(struct __sk_buff *skb)
{
	struct np_packet *p = np_open(skb);
	struct np_address outer = {};

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
	return np_leave(skb, p, np_tunnel_stages(skb, p, &outer));
}

static __always_inline int np_service_stages(struct __sk_buff *skb, struct np_packet *p)
{
	int decision;

	decision = np_parse_ethernet(skb, p);
	if (decision != NP_CONTINUE)
		return decision;
	decision = np_parse(skb, p);
	return decision == NP_CONTINUE ? NP_ON(SERVING) : decision;
}

SEC("tc")
int from_service(struct __sk_buff *skb)
{
	struct np_packet *p = np_open(skb);

	if (!p)
		return TC_ACT_SHOT;
	p->from_service = 1;
	return np_leave(skb, p, np_service_stages(skb, p));
}

static __always_inline int np_answering_stages(struct __sk_buff *skb, struct np_packet *p)
{
	if (p->ethertype == ETH_P_ARP)
		return np_arp(skb, p);
	if (p->to_router)
		return np_router(skb, p);
	if (np_is_discovery(p))
		return np_discovery(skb, p);
	return np_speaks_of_groups(p) ? np_report_groups(skb, p) : np_dhcp(skb, p);
}

SEC("tc")
int answering(struct __sk_buff *skb)
{
	struct np_packet *p = np_in_hand(skb);

	return p ? np_leave(skb, p, np_answering_stages(skb, p)) : TC_ACT_SHOT;
}

SEC("tc")
int erring(struct __sk_buff *skb)
{
	struct np_packet *p = np_in_hand(skb);

	return p ? np_leave(skb, p, p->ipv6 ? np_send_error6(skb, p) : np_send_error(skb, p)) : TC_ACT_SHOT;
}

/* Onward with a packet that has been routed. */
static __always_inline int np_routed(struct np_packet *p, int decision)
{
	if (decision != NP_CONTINUE)
		return decision;
	/* What the tunnel brought for somebody who is not here is refused there. */
	if (p->from_tunnel && !p->target.local)
		return NP_ON(DELIVERING);
	if (!p->routers && np_is_told(p)) {
		np_step(p, NP_STAGE_CONNECTION, 0, NP_TOLD, 0, 0);
		return NP_ON(DELIVERING);
	}
	if (np_connection_goes_on(p))
		return NP_ON(DELIVERING);
	return np_is_single(p) ? NP_ON(EXPLAINING) : NP_ON(JUDGING);
}

SEC("tc")
int forwarding(struct __sk_buff *skb)
{
	struct np_packet *p = np_in_hand(skb);

	return p ? np_leave(skb, p, np_routed(p, np_routing(p))) : TC_ACT_SHOT;
}

SEC("tc")
int relaying(struct __sk_buff *skb)
{
	struct np_packet *p = np_in_hand(skb);

	return p ? np_leave(skb, p, np_routed(p, np_relaying(p))) : TC_ACT_SHOT;
}

/* The sender of what a firewall rejects is told so by the router. */
static __always_inline int np_or_told(struct np_packet *p, int decision)
{
	if (decision == NP_DROP(FIREWALL_REJECTED))
		return np_tell(p, NP_TELL_PROHIBITED, &p->error.speaker, NP_REASON_FIREWALL_REJECTED);
	return decision;
}

static __always_inline int np_judging_stages(struct np_packet *p)
{
	int decision = np_connection(p);

	return decision == NP_CONTINUE ? NP_ON(DELIVERING) : np_or_told(p, decision);
}

SEC("tc")
int judging(struct __sk_buff *skb)
{
	struct np_packet *p = np_in_hand(skb);

	return p ? np_leave(skb, p, np_judging_stages(p)) : TC_ACT_SHOT;
}

SEC("tc")
int explaining(struct __sk_buff *skb)
{
	struct np_packet *p = np_in_hand(skb);

	return p ? np_leave(skb, p, np_or_told(p, np_connection_single(skb, p))) : TC_ACT_SHOT;
}

SEC("tc")
int flooding(struct __sk_buff *skb)
{
	struct np_packet *p = np_in_hand(skb);

	return p ? np_leave(skb, p, np_flood(skb, p)) : TC_ACT_SHOT;
}

SEC("tc")
int delivering(struct __sk_buff *skb)
{
	struct np_packet *p = np_in_hand(skb);

	return p ? np_leave(skb, p, np_deliver(skb, p)) : TC_ACT_SHOT;
}

SEC("tc")
int serving(struct __sk_buff *skb)
{
	struct np_packet *p = np_in_hand(skb);

	if (!p)
		return TC_ACT_SHOT;
	return np_leave(skb, p, p->from_service ? np_from_service(skb, p) : np_to_service(skb, p));
}
