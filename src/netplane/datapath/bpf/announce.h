/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stage LOCAL_ANSWER, announcements: a machine says that it has an address that others may have too, by gratuitous ARP
 * or an unsolicited neighbour advertisement (RFC 4861 section 7.2.6). The agent hears what is not known yet.
 */
#pragma once

#include "pair.h"
#include "punt.h"

/* Whether the agent has to hear that the sender has this address. */
static __always_inline int np_is_news(const struct np_packet *p, const struct np_address *address)
{
	struct np_endpoint_value *known = np_endpoint(p->source.vni, address), *owner;

	if (!(p->port_flags & NP_PORT_FLAG_ANNOUNCES))
		return 0;
	if (!known)
		return 1;
	if (!(known->flags & NP_ENDPOINT_FLAG_SHARED))
		return 0;
	if (!(known->flags & NP_ENDPOINT_FLAG_ANNOUNCED) || !np_same_mac(known->mac, p->eth_source))
		return 1;
	owner = np_unmasked(p->source.vni, address, known);
	return !owner || !np_same_mac(owner->mac, p->source.mac);
}
