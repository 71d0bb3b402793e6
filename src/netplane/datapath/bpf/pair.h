/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who speaks from an address, and who is reached at it: a port by its own address, or by one of its address pairs. A
 * port's own address is nobody else's, whatever pairs others have, and whether or not they have port security.
 */
#pragma once

#include "endpoint.h"

#define NP_PAIR_BITS 224 /* a whole key: one address */
#define NP_RANGE_BITS 192

/* Entries of `pair` and `range` are read as those of `endpoint`. */
_Static_assert(sizeof(struct np_pair_value) == sizeof(struct np_endpoint_value), "pair");
_Static_assert(sizeof(struct np_range_value) == sizeof(struct np_endpoint_value), "range");

/* The port that has a MAC address and an address by a pair; the entry's MAC address is the port's own. */
static __noinline struct np_endpoint_value *np_pair(__u32 vni, const struct np_address *address, const __u8 *mac)
{
	struct np_pair_key key = {.bits = NP_PAIR_BITS, .vni = vni, .family = !np_is_ipv4(address)};

	np_copy_mac(key.mac, mac);
	__builtin_memcpy(key.address, address, sizeof(key.address));
	return bpf_map_lookup_elem(&pair, &key);
}

/* The same, if the address is no other port's own; exact: its entry in `endpoint`, if it has one. */
static __always_inline struct np_endpoint_value *np_paired(__u32 vni, const struct np_address *address,
							   const __u8 *mac, const struct np_endpoint_value *exact)
{
	struct np_endpoint_value *found = np_pair(vni, address, mac);

	if (!found || !exact || (exact->flags & NP_ENDPOINT_FLAG_SHARED) || np_same_mac(exact->mac, found->mac))
		return found;
	return NULL;
}

/* Who may send from these two addresses; the entry's MAC address is the port's own. */
static __always_inline struct np_endpoint_value *np_speaker(__u32 vni, const struct np_address *address,
							    const __u8 *mac)
{
	struct np_endpoint_value *exact = np_endpoint(vni, address);

	if (exact && np_same_mac(exact->mac, mac) &&
	    !(exact->flags & (NP_ENDPOINT_FLAG_ROUTER | NP_ENDPOINT_FLAG_VIRTUAL)))
		return exact;
	return np_paired(vni, address, mac, exact);
}

/* The same, for the machine that sent the packet: NULL if it is another. */
static __always_inline struct np_endpoint_value *np_own(const struct np_packet *p, const struct np_address *address)
{
	struct np_endpoint_value *found = np_speaker(p->source.vni, address, p->eth_source);

	return found && np_same_mac(found->mac, p->source.mac) ? found : NULL;
}

/* Where an address is found; the entry's MAC address is what frames to it are sent to. */
static __always_inline struct np_endpoint_value *np_holder(__u32 vni, const struct np_address *address)
{
	struct np_endpoint_value *exact = np_endpoint(vni, address);
	struct np_range_key key = {.bits = NP_RANGE_BITS, .vni = vni, .family = !np_is_ipv4(address)};

	if (exact)
		return exact;
	__builtin_memcpy(key.address, address, sizeof(key.address));
	return bpf_map_lookup_elem(&range, &key);
}

/* The same with the owner's own MAC address; NULL if no pair tells it. */
static __always_inline struct np_endpoint_value *np_unmasked(__u32 vni, const struct np_address *address,
							     struct np_endpoint_value *found)
{
	return found->flags & NP_ENDPOINT_FLAG_VIRTUAL ? np_pair(vni, address, found->mac) : found;
}

/*
 * What a machine is told of where an address is found; NULL for its own. A probe asks whether an address is free: what
 * several may have is, for whoever takes it over.
 */
static __always_inline struct np_endpoint_value *np_sought(const struct np_packet *p, const struct np_address *address,
							   int is_probe)
{
	struct np_endpoint_value *found = np_holder(p->source.vni, address), *owner;

	if (!found || (is_probe && (found->flags & NP_ENDPOINT_FLAG_SHARED)))
		return NULL;
	owner = np_unmasked(p->source.vni, address, found);
	return owner && !np_same_mac(owner->mac, p->source.mac) ? found : NULL;
}
