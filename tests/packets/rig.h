/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Between the .c files of lath-packets: the gateway under test and the ports that it stands on.
 */
#pragma once

#include <jansson.h>

#include "fence.h"
#include "gateway.h"

#define RIG_MEMBERS_MAX 2u /* ports of rings behind a bond */
#define RIG_START_TICK 100u

struct rte_ring;

/* Rings by member and queue; a port that is no bond is its own only member. */
struct rig_port {
	struct rte_ring *rx[RIG_MEMBERS_MAX][LATH_WORKERS_MAX];
	struct rte_ring *tx[RIG_MEMBERS_MAX][LATH_WORKERS_MAX];
	unsigned members;
	bool bond;
	bool rss; /* spreads frames over its queues as a NIC does */
};

struct rig {
	struct gateway gateway;
	struct rig_port ports[LATH_MODEL_PORTS_MAX];
	struct fence fences[LATH_WORKERS_MAX]; /* what workers have, when loaded with `fences` */
	struct lath_allocator allocators[LATH_WORKERS_MAX];
	bool fenced; /* at the moment */
	struct lath_admin *admin;
	lath_tick_t start;
	lath_tick_t now;
	uint64_t random;
	uint64_t segments; /* where frames are cut; 0: nowhere unless told */
	bool loaded;
	json_t *out; /* packets sent since the last command */
};

/* {"error": text} */
json_t *rig_refuse(const char *text);

/* Buffers and ports as the configuration and `wishes` (the member `rig` of `load`) want them. */
void rig_make_ports(struct rig *rig, const struct lath_config *cfg, json_t *wishes);

/* Bonds look after their members by an alarm of EAL's: before EAL goes they must have ended. */
void rig_close_bonds(struct rig *rig);

/* Which queue a NIC with our key and table gives the frame `hex`. */
json_t *rig_queue_of(struct rig *rig, json_t *command);

/* A frame as the gateway's port receives it, cut at `cuts` or at random; NULL: no buffers. */
struct rte_mbuf *rig_packet(struct rig *rig, json_t *cuts, const uint8_t *frame, size_t len);

json_t *rig_inject(struct rig *rig, json_t *command);

/* Takes what the gateway sent into `out`; how many frames. */
unsigned rig_drain(struct rig *rig);
