/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which of several equal ways a packet takes: the same for all packets of a flow, on every host. Each way has a score
 * for each flow, and the highest wins (rendezvous hashing): when ways come or go, only their own flows move.
 */
#pragma once

#include "packet.h"

/* The finalizer of MurmurHash3: each bit depends on all that came in. */
static __always_inline __u64 np_mixed(__u64 number)
{
	number = (number ^ number >> 33) * 0xFF51AFD7ED558CCDULL;
	number = (number ^ number >> 33) * 0xC4CEB9FE1A85EC53ULL;
	return number ^ number >> 33;
}

static __always_inline __u64 np_stir(__u64 state, const struct np_address *address)
{
	state = np_mixed(state ^ bpf_be64_to_cpu(address->high));
	return np_mixed(state ^ bpf_be64_to_cpu(address->low));
}

/* Fragments go by addresses and protocol alone, so that those of one packet take one way. */
static __always_inline __u64 np_flow(const struct np_packet *p)
{
	__u64 ends = (__u64)p->protocol << 32;

	if (!p->more && !p->offset)
		ends |= (__u32)bpf_ntohs(p->source.port) << 16 | bpf_ntohs(p->target.port);
	return np_mixed(np_stir(np_stir(0, &p->source.address), &p->target.address) ^ ends);
}
