/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stage SERVICE: packets to the host's services for its machines (names, metadata) and what those answer. The services
 * know a machine by its peer, an address that no other machine of the host has: it stands in the packet instead of the
 * machine's own; the address that was asked stays as it is, but for that of IPv6.
 */
#pragma once

#include "account.h"
#include "pace.h"

#define NP_IPV4_SOURCE (ETH_HLEN + 12)
#define NP_IPV4_TARGET (ETH_HLEN + 16)
#define NP_IPV6_SOURCE (ETH_HLEN + 8)
#define NP_IPV6_TARGET (ETH_HLEN + 24)

static __always_inline void np_service_mac(__u8 *mac)
{
	mac[0] = NP_SERVICE_MAC >> 40 & 0xff;
	mac[1] = NP_SERVICE_MAC >> 32 & 0xff;
	mac[2] = NP_SERVICE_MAC >> 24 & 0xff;
	mac[3] = NP_SERVICE_MAC >> 16 & 0xff;
	mac[4] = NP_SERVICE_MAC >> 8 & 0xff;
	mac[5] = NP_SERVICE_MAC & 0xff;
}

/* fe80::a9fe:a9fe */
static __always_inline void np_service_ipv6(struct np_address *address)
{
	address->high = bpf_cpu_to_be64(0xfe80ULL << 48);
	address->low = bpf_cpu_to_be64(NP_SERVICE_ADDRESS);
}

/* 100::a9fe:a9fe, as which the services know themselves: a link-local address would be of one device only. */
static __always_inline void np_service_inside(struct np_address *address)
{
	address->high = bpf_cpu_to_be64(0x100ULL << 48);
	address->low = bpf_cpu_to_be64(NP_SERVICE_ADDRESS);
}

static __always_inline int np_is_service_address(const struct np_address *address, int ipv6)
{
	struct np_address service;

	if (ipv6)
		np_service_ipv6(&service);
	else
		np_map_ipv4(&service, bpf_htonl(NP_SERVICE_ADDRESS));
	return address->high == service.high && address->low == service.low;
}

/* Whether a machine's packet is for the services: at their own address, or at the resolvers of its network. */
static __always_inline int np_is_for_service(const struct np_packet *p)
{
	struct np_resolver_key key;

	if (p->target.port != bpf_htons(NP_SERVICE_DNS) && p->target.port != bpf_htons(NP_SERVICE_METADATA))
		return 0;
	if (p->protocol != IPPROTO_TCP && p->protocol != IPPROTO_UDP)
		return 0;
	if (p->target.port == bpf_htons(NP_SERVICE_METADATA))
		return p->protocol == IPPROTO_TCP && np_is_service_address(&p->target.address, p->ipv6);
	if (np_is_service_address(&p->target.address, p->ipv6))
		return 1;
	if (p->ipv6)
		return 0;
	key.vni = p->source.vni;
	__builtin_memcpy(key.address, &p->target.address, sizeof(key.address));
	return bpf_map_lookup_elem(&resolver, &key) != NULL;
}

/* Puts another address in the place of one; the checksums stay as right as they were. */
static __always_inline void np_readdress(struct __sk_buff *skb, const struct np_packet *p, __u32 at, __be32 from,
					 __be32 to)
{
	bpf_l3_csum_replace(skb, ETH_HLEN + 10, from, to, 4);
	/* Only the first fragment has a transport header. */
	if (!p->offset && p->protocol == IPPROTO_TCP)
		bpf_l4_csum_replace(skb, p->payload + 16, from, to, BPF_F_PSEUDO_HDR | 4);
	if (!p->offset && p->protocol == IPPROTO_UDP)
		bpf_l4_csum_replace(skb, p->payload + 6, from, to, BPF_F_PSEUDO_HDR | BPF_F_MARK_MANGLED_0 | 4);
	bpf_skb_store_bytes(skb, at, &to, sizeof(to), 0);
}

static __always_inline void np_readdress_ipv6(struct __sk_buff *skb, const struct np_packet *p, __u32 at,
					      const struct np_address *from, const struct np_address *to)
{
	__s64 changed = bpf_csum_diff((__be32 *)from, sizeof(*from), (__be32 *)to, sizeof(*to), 0);

	if (!p->offset && p->protocol == IPPROTO_TCP)
		bpf_l4_csum_replace(skb, p->payload + 16, 0, changed, BPF_F_PSEUDO_HDR);
	if (!p->offset && p->protocol == IPPROTO_UDP)
		bpf_l4_csum_replace(skb, p->payload + 6, 0, changed, BPF_F_PSEUDO_HDR | BPF_F_MARK_MANGLED_0);
	bpf_skb_store_bytes(skb, at, to, sizeof(*to), 0);
}

static __always_inline void np_to_peer(struct __sk_buff *skb, struct np_packet *p, const struct np_address *peer)
{
	struct np_address from = p->source.address, asked = p->target.address, to, inside;

	to = *peer;
	if (!p->ipv6) {
		np_readdress(skb, p, NP_IPV4_SOURCE, np_ipv4(&from), np_ipv4(&to));
		return;
	}
	np_service_inside(&inside);
	np_readdress_ipv6(skb, p, NP_IPV6_SOURCE, &from, &to);
	np_readdress_ipv6(skb, p, NP_IPV6_TARGET, &asked, &inside);
}

static __always_inline void np_from_peer(struct __sk_buff *skb, struct np_packet *p, const struct np_address *own)
{
	struct np_address from = p->target.address, inside = p->source.address, to, service;

	to = *own;
	if (!p->ipv6) {
		np_readdress(skb, p, NP_IPV4_TARGET, np_ipv4(&from), np_ipv4(&to));
		return;
	}
	np_service_ipv6(&service);
	np_readdress_ipv6(skb, p, NP_IPV6_TARGET, &from, &to);
	np_readdress_ipv6(skb, p, NP_IPV6_SOURCE, &inside, &service);
}

static __always_inline int np_to_service_judge(struct __sk_buff *skb, struct np_packet *p)
{
	struct np_client_key key = {.ifindex = p->ifindex, .vlan = p->vlan};
	struct np_client_value *known;
	struct np_address peer;
	__u8 mac[6] NP_ALIGNED;

	if ((p->source.keeps || p->source.alone) &&
	    !np_judge(p, NP_DIRECTION_EGRESS, 0, p->policy_port))
		return NP_DROP(POLICY_OUT);
	if (!p->service)
		return NP_DROP(SERVICE_OFF);
	__builtin_memcpy(key.address, &p->source.address, sizeof(key.address));
	known = bpf_map_lookup_elem(&client, &key);
	if (!known)
		return NP_DROP(NO_CLIENT);
	if (!np_may(p, NP_PUNT_SERVICE))
		return NP_DROP(PUNT_LIMIT);
	np_take(p, NP_PUNT_SERVICE, 1);
	__builtin_memcpy(&peer, known->peer, sizeof(peer));
	np_to_peer(skb, p, &peer);
	np_service_mac(mac);
	bpf_skb_store_bytes(skb, 0, mac, sizeof(mac), 0);
	p->exit.ifindex = p->service;
	return NP_DECIDE(SERVE, 0);
}

/* What the machine may ask by its rules goes to the services, which answer whoever has asked. */
static __always_inline int np_to_service(struct __sk_buff *skb, struct np_packet *p)
{
	int decision = np_to_service_judge(skb, p);

	np_step(p, NP_STAGE_SERVICE, decision >> 8, p->ifindex, bpf_ntohs(p->target.port), 0);
	return decision;
}

static __always_inline int np_from_service_judge(struct __sk_buff *skb, struct np_packet *p)
{
	struct np_peer_value *known;
	struct np_address own;
	struct np_peer_key key;
	__u8 macs[12];

	if (p->protocol != IPPROTO_TCP && p->protocol != IPPROTO_UDP)
		return NP_DROP(UNSUPPORTED);
	__builtin_memcpy(key.peer, &p->target.address, sizeof(key.peer));
	known = bpf_map_lookup_elem(&peer, &key);
	if (!known)
		return NP_DROP(NO_CLIENT);
	p->target.vni = known->vni;
	np_copy_mac(p->target.mac, known->mac);
	p->exit.ifindex = known->ifindex;
	p->exit.flags = known->flags;
	p->exit.vlan = known->vlan;
	__builtin_memcpy(&own, known->address, sizeof(own));
	np_copy_mac(macs, p->target.mac);
	np_service_mac(macs + 6);
	np_count(p, p->target.vni, p->target.mac, NP_DIRECTION_INGRESS, NP_CLASS_SERVICE);
	np_from_peer(skb, p, &own);
	bpf_skb_store_bytes(skb, 0, macs, sizeof(macs), 0);
	return NP_DECIDE(DELIVER, 0);
}

/* What the services say goes to the machine that their peer stands for. */
static __always_inline int np_from_service(struct __sk_buff *skb, struct np_packet *p)
{
	int decision = np_from_service_judge(skb, p);

	np_step(p, NP_STAGE_SERVICE, decision >> 8, p->exit.ifindex, bpf_ntohs(p->source.port), 0);
	return decision;
}
