/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The steps of synthetic packets, written down for the one who asked. Real packets leave none. */
#pragma once

#include "packet.h"

static __always_inline void np_step(struct np_packet *p, __u16 stage, __u16 reason, __u32 a, __u32 b, __u32 c)
{
	struct np_trace_value *step;
	struct np_trace_key key;

	if (!p->synthetic)
		return;
	key.index = p->steps;
	step = bpf_map_lookup_elem(&trace, &key);
	if (!step)
		return;
	step->stage = stage;
	step->reason = reason;
	step->a = a;
	step->b = b;
	step->c = c;
	p->steps++;
}

/* Marks the end of the steps. */
static __always_inline void np_step_end(struct np_packet *p)
{
	np_step(p, 0, 0, 0, 0, 0);
}
