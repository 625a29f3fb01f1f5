/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * One worker's counters. The worker alone writes them, with plain stores; anybody may read them at
 * any time and sees each number whole (64-bit stores are single on this machine), numbers of one
 * instant only when the worker rests.
 *
 * Conservation, per worker and in total, whenever read at rest:
 *     received + generated + handed_in = sent + consumed + drops + handed_out + held
 */
#pragma once

#include <lath_model.h>
#include <lath_verdict.h>

/** Why a packet went to another worker. */
enum lath_handover {
	LATH_HANDOVER_UNSTEERED, /* port steered in software */
	LATH_HANDOVER_ICMP,      /* no NIC hashes the identifier */
	LATH_HANDOVER_TUNNEL,    /* no NIC is trusted to look inside */
	LATH_HANDOVER_WRONG,     /* a NIC that should have known */
	LATH_HANDOVER_TRANSMIT,  /* the port has fewer TX queues than there are workers */
	LATH_HANDOVER_COUNT,
};

/** Why a flow ended. */
enum lath_flow_end {
	LATH_FLOW_END_IDLE,                /* its timeout */
	LATH_FLOW_END_RECLAIMED_CLOSED,    /* early, table above 80 % */
	LATH_FLOW_END_RECLAIMED_UDP,       /* early: UDP never answered */
	LATH_FLOW_END_RECLAIMED_HALF_OPEN, /* early: TCP half-open */
	LATH_FLOW_END_REVOKED,             /* lost its right */
	LATH_FLOW_END_TERMINATED,          /* its target is gone, connectionTermination */
	LATH_FLOW_END_REPICKED,            /* UDP: another target is chosen with the next packet */
	LATH_FLOW_END_REOPENED,            /* a SYN on a closed flow */
	LATH_FLOW_END_COUNT,
};

/** All monotonic but for `held` and `flows`. */
struct lath_worker_counters {
	uint64_t received;
	uint64_t received_bytes;
	uint64_t sent;
	uint64_t sent_bytes;
	uint64_t consumed;
	uint64_t handed_in;
	uint64_t handed_out;
	uint64_t held; /* gauge: packets that wait for a neighbour */
	uint64_t generated[LATH_GENERATED_COUNT];
	uint64_t handover[LATH_HANDOVER_COUNT]; /* sums to handed_out */
	uint64_t rx_wrong_lcore;
	uint64_t flows_created;
	uint64_t flows_ended[LATH_FLOW_END_COUNT];
	uint64_t flows[2];           /* gauge: IPv4, mixed */
	uint64_t flow_capacity[2];   /* gauge */
	uint64_t snat_pools;         /* gauge */
	uint64_t snat_ports_resting; /* gauge */
	uint64_t snat_port_reused_early;
	uint64_t snat_small_pool; /* bitmap slab was full, the pool went on without */
	uint64_t punts;
	uint64_t punts_lost; /* the ring to management was full */
	uint64_t revalidated;
	uint64_t loops;
	uint64_t loops_busy;
	uint64_t cycles_busy;
	uint64_t heartbeat_tick; /* gauge: when the worker last ran its loop */
};

/** One row of per-object counters; flows is what registry's in_use asks for. */
struct lath_object_counters {
	uint64_t flows; /* gauge */
	uint64_t flows_total;
	uint64_t packets_total[2]; /* towards the target, back; added when a flow ends */
	uint64_t bytes_total[2];
};

/** Source ports that a worker uses in a target's VPC. */
struct lath_nat_counters {
	uint64_t ports;                 /* gauge: in use */
	uint64_t ports_high;            /* most at once */
	uint64_t fullest_permille_high; /* most of its share that one pool had in use */
	uint64_t nearly_full;           /* times that a pool passed LATH_NAT_NEARLY_FULL_PERMILLE */
};

#define LATH_NAT_NEARLY_FULL_PERMILLE 800u

struct lath_counters {
	struct lath_worker_counters worker LATH_ALIGNED(LATH_CACHE_LINE);
	uint64_t *drops; /* [vpc][reason]; frames of no VPC count in row 0, the host port's VPC */
	struct lath_object_counters *objects[LATH_OBJECT_KIND_COUNT];
	struct lath_nat_counters *nat; /* by VPC */
	uint32_t rows[LATH_OBJECT_KIND_COUNT];
};

/** Rows as many as the registry has indexes. NULL and errno ENOMEM. @thread init */
struct lath_counters *lath_counters_create(const struct lath_registry_limits *limits,
		const struct lath_allocator *allocator);

/** Accepts NULL. @thread init */
void lath_counters_free(struct lath_counters *counters, const struct lath_allocator *allocator);

/** One dropped packet of a VPC. @thread dp */
static inline void
lath_counters_drop(struct lath_counters *counters, uint32_t vpc, enum lath_drop drop)
{
	counters->drops[(size_t)vpc * LATH_DROP_COUNT + drop]++;
}

/** Packets dropped for one reason, over all VPCs. @thread any */
uint64_t lath_counters_drops(const struct lath_counters *counters, enum lath_drop drop);

/** What conservation is missing: (received + generated + handed_in) - (everything else). 0 at
 *  rest. @thread any
 */
int64_t lath_counters_imbalance(const struct lath_counters *counters);

/** "idle", "reclaimed_closed", ... @thread any */
const char *lath_flow_end_name(enum lath_flow_end end);

/** "unsteered", "icmp", ... @thread any */
const char *lath_handover_name(enum lath_handover why);
