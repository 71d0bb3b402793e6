/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The programs that a packet goes on to, by tail calls: the verifier judges each by itself, and each has the stack for
 * itself. A call is never returned from. The places are constants, so that the kernel makes plain jumps of the calls
 * (Linux 5.5). The array belongs to the programs that it came with: others bring their own.
 */
#pragma once

#include "packet.h"

enum np_program {
	NP_PROGRAM_ANSWERING,
	NP_PROGRAM_ERRING,
	NP_PROGRAM_FORWARDING,
	NP_PROGRAM_RELAYING,
	NP_PROGRAM_JUDGING,
	NP_PROGRAM_EXPLAINING,
	NP_PROGRAM_DELIVERING,
	NP_PROGRAM_FLOODING,
	NP_PROGRAM_SERVING,
	NP_PROGRAMS,
};

int answering(struct __sk_buff *skb);
int erring(struct __sk_buff *skb);
int forwarding(struct __sk_buff *skb);
int relaying(struct __sk_buff *skb);
int judging(struct __sk_buff *skb);
int explaining(struct __sk_buff *skb);
int delivering(struct __sk_buff *skb);
int flooding(struct __sk_buff *skb);
int serving(struct __sk_buff *skb);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, NP_PROGRAMS);
	__uint(key_size, sizeof(__u32));
	__array(values, int(struct __sk_buff *));
} onward SEC(".maps") = {
    .values =
	{
	    [NP_PROGRAM_ANSWERING] = (void *)&answering,
	    [NP_PROGRAM_ERRING] = (void *)&erring,
	    [NP_PROGRAM_FORWARDING] = (void *)&forwarding,
	    [NP_PROGRAM_RELAYING] = (void *)&relaying,
	    [NP_PROGRAM_JUDGING] = (void *)&judging,
	    [NP_PROGRAM_EXPLAINING] = (void *)&explaining,
	    [NP_PROGRAM_DELIVERING] = (void *)&delivering,
	    [NP_PROGRAM_FLOODING] = (void *)&flooding,
	    [NP_PROGRAM_SERVING] = (void *)&serving,
	},
};

/* A decision that is none yet: another program goes on with the packet. np_leave() takes it there. */
#define NP_ON_FLAG 0x80
#define NP_ON(program) (NP_ON_FLAG | NP_PROGRAM_##program)
