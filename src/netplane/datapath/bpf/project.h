/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Limits of projects: however many machines a project has, and whoever floods them, its connections leave room for
 * others'. What counts is whose machines of this host are at the ends, so that every connection counts for somebody.
 */
#pragma once

#include "packet.h"

/* The number of a machine's project if the machine is here; 0 if it is not. */
static __always_inline __u32 np_project_of(__u32 vni, const __u8 *mac)
{
	struct np_device_key key = {.vni = vni};
	struct np_device_value *found;

	np_copy_mac(key.mac, mac);
	found = bpf_map_lookup_elem(&device, &key);
	return found ? found->project : 0;
}

/* Whose connection it would be; the same project counts once. */
static __always_inline void np_find_projects(struct np_packet *p)
{
	__u32 source = p->source.local ? np_project_of(p->source.vni, p->source.mac) : 0;
	__u32 target = p->target.local ? np_project_of(p->target.vni, p->target.mac) : 0;

	p->source_project = source;
	p->target_project = target == source ? 0 : target;
}

static __noinline int np_project_is_used_up(const struct np_packet *p, __u32 number)
{
	struct np_project_key key = {.project = number};
	struct np_project_value *taken;

	if (!number)
		return 0;
	taken = bpf_map_lookup_elem(&project, &key);
	if (!taken || taken->connections < NP_LIMIT_PROJECT_CONNECTIONS)
		return 0;
	if (!p->dry)
		__sync_fetch_and_add(&taken->refused, 1);
	return 1;
}

static __always_inline int np_projects_are_used_up(struct np_packet *p)
{
	np_find_projects(p);
	return np_project_is_used_up(p, p->source_project) || np_project_is_used_up(p, p->target_project);
}

static __noinline void np_project_take(__u32 number)
{
	struct np_project_value *taken, none = {};
	struct np_project_key key = {.project = number};

	if (!number)
		return;
	taken = bpf_map_lookup_elem(&project, &key);
	if (!taken) {
		bpf_map_update_elem(&project, &key, &none, BPF_NOEXIST);
		taken = bpf_map_lookup_elem(&project, &key);
	}
	if (taken)
		__sync_fetch_and_add(&taken->connections, 1);
}

/* To be called after np_projects_are_used_up(). */
static __always_inline void np_projects_take(const struct np_packet *p)
{
	np_project_take(p->source_project);
	np_project_take(p->target_project);
}
