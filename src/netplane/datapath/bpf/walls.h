/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The firewalls that a packet crosses, as routing finds them, and what of a connection's permission depends on them. */
#pragma once

#include "packet.h"

/* A firewall at an interface that the packet comes in by, or leaves by; 0 is none. */
static __always_inline void np_wall_crossed(struct np_packet *p, __u64 firewall, int is_left)
{
	__u32 place = p->walls.count;

	if (!firewall || place >= NP_WALLS)
		return;
	p->walls.firewall[place] = firewall;
	if (is_left) {
		p->walls.left |= 1 << place;
		p->walls.out += firewall;
	} else {
		p->walls.in += firewall;
	}
	p->walls.count++;
}

/* What a connection between the packet's sides is allowed under; 0 where there is no firewall. */
static __always_inline __u64 np_walls_stamp(const struct np_packet *p, const struct np_side *initiator)
{
	__u64 from = p->walls.in, into = p->walls.out;

	if (initiator != &p->source) {
		from = p->walls.out;
		into = p->walls.in;
	}
	return from + (into << 1 | into >> 63);
}
