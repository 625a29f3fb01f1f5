/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * lath-bench: TSC cycles a packet of the real gateway, and in the same run of what nobody can do
 * without (baseline.c). One thread, simulated time, ports that are rings in memory. Everything
 * from receive to transmit is inside of the timed window, the generator (frames, rings) is not.
 */
#pragma once

#include <stdio.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "gateway.h"

#define SIDES 2u      /* ports: 0 the clients' VPC, 1 the targets' */
#define BUFFERS 2048u /* in turn: 512 KiB of mbuf, private and header lines, more than L1 */
#define FLOW_SIZES_MAX 16u
#define REPEATS_MAX 101u
#define BENCH_SAMPLE 16u /* one packet of so many is looked at closely */
#define FRAME_CRC 4u     /* of the named packet size, not in the buffer */

enum bench_test {
	BENCH_IO,
	BENCH_MAC_SWAP,
	BENCH_TOUCH,
	BENCH_HIT,
	BENCH_NEW,
	BENCH_TEST_COUNT,
};

struct options {
	uint32_t flows[FLOW_SIZES_MAX];
	unsigned flows_count;
	bool tests[BENCH_TEST_COUNT];
	bool tcp;
	bool udp;
	uint32_t packet_bytes; /* with CRC, as speeds are named */
	uint32_t burst;
	uint32_t repeats;
	uint32_t window_ms; /* of wall time, a repeat of a row */
	uint32_t cpu;
	uint64_t seed;
	bool hugepages;
	const char *json; /* file for JSON lines, "-": stdout; NULL: none */
};

/* What the generator must know of an open flow. */
struct bench_flow {
	lath_be32_t client_be;
	lath_be32_t target_be;
	lath_be32_t nat_be;
	lath_be16_t client_port_be;
	lath_be16_t nat_port_be;
};

enum frame_kind {
	FRAME_OPEN,   /* client: SYN, first UDP packet */
	FRAME_ANSWER, /* target: SYN-ACK, UDP */
	FRAME_DATA,   /* from either */
	FRAME_KIND_COUNT,
};

struct rig {
	const struct options *options;
	struct rte_mempool *pool;
	struct rte_ring *rx[SIDES];
	struct rte_ring *tx[SIDES];
	uint16_t port_ids[SIDES];
	struct rte_mbuf *buffers[BUFFERS];
	uint8_t burst_side[BUFFERS]; /* where each burst of the lap comes in */
	uint64_t random;
	/* Of one gateway: */
	struct gateway gateway;
	uint8_t proto;
	uint32_t flow_count;
	uint32_t capacity;
	uint32_t timeout_s; /* of flows that only `new` leaves behind */
	lath_tick_t now;
	struct bench_flow *flows;
};

/* One turn of what is measured: takes a burst in and sends it on. */
typedef unsigned (*bench_turn_t)(void *ctx);

/* Writes the frames of a lap and says by burst_side[] where they come in. */
typedef void (*bench_fill_t)(struct rig *rig, unsigned count, void *ctx);

/* Looks at one packet that came out on a side. */
typedef void (*bench_see_t)(struct rig *rig, struct rte_mbuf *m, unsigned side, void *ctx);

struct work {
	bench_turn_t turn;
	bench_fill_t fill;
	bench_see_t see;
	void (*before)(struct rig *rig, unsigned count, void *ctx); /* each turn; NULL: nothing */
	void (*between)(struct rig *rig, void *ctx);                /* laps; NULL: nothing */
	void *turn_ctx;
	void *ctx;
};

struct repeat {
	uint64_t cycles;
	uint64_t packets;
	uint64_t disturbed; /* laps thrown out: the kernel took the CPU away */
};

/* A row of the report. */
struct row {
	enum bench_test test;
	unsigned count;
	double cycles[REPEATS_MAX]; /* a packet, of each repeat */
	uint64_t packets;
	uint64_t disturbed;
	uint64_t created; /* `new`: flows in all windows */
	uint64_t ended;
	uint64_t standing; /* at the end */
};

/* Tables for *touch*, as large as the flow table's own. */
struct touch {
	struct rig *rig;
	uint8_t *buckets;
	uint8_t *entries;
	uint64_t bucket_bytes;
	uint64_t entry_bytes;
	uint64_t bucket_mask;
	uint64_t sum; /* so that reads are not optimised away */
};

/* options.c: exits on --help and on nonsense. */
void options_read(struct options *options, int argc, char **argv);

/* rig.c: ports and buffers once; then a gateway for each size and protocol. */
void rig_init(struct rig *rig, const struct options *options);
void rig_start(struct rig *rig, uint8_t proto, uint32_t flows);
void rig_stop(struct rig *rig);
/* Management and ARP until nothing moves any more. */
void rig_settle(struct rig *rig);
/* Ends the run when a packet was lost or the worker's sums do not come out. */
void rig_check(const struct rig *rig, const char *when);
const struct lath_worker_counters *rig_counters(const struct rig *rig);
void rig_die(const char *fmt, ...) LATH_PRINTF(1, 2) __attribute__((noreturn));

/* frame.c */
struct bench_flow frame_client(uint64_t serial);
void frame_write(const struct rig *rig, struct rte_mbuf *m, const struct bench_flow *flow,
		uint32_t number, enum frame_kind kind, unsigned side);
uint32_t frame_number(const struct rig *rig, struct rte_mbuf *m);
/* Checksums, lengths and TTL of a translated packet; ends the run when one is wrong. */
const struct lath_ipv4_hdr *frame_check(const struct rig *rig, struct rte_mbuf *m);
const lath_be16_t *frame_ports(struct rte_mbuf *m);
struct lath_mac frame_router_mac(unsigned side);

/* measure.c */
uint64_t measure_lap(struct rig *rig, const struct work *work, unsigned count);
struct repeat measure_repeat(struct rig *rig, const struct work *work);

/* baseline.c */
void touch_init(struct touch *touch, struct rig *rig);
void touch_fini(struct touch *touch);
struct work baseline_work(enum bench_test test, struct rig *rig, struct touch *touch);

/* hit.c */
void hit_open_flows(struct rig *rig);
void hit_fill(struct rig *rig, unsigned count, void *ctx);
struct work hit_work(struct rig *rig);

/* new.c */
struct new_state {
	uint64_t arrived; /* flows so far */
	lath_tick_t start;
};

struct work new_work(struct rig *rig, struct new_state *state);
void new_fill_table(struct rig *rig, struct new_state *state);

/* report.c */
struct report;
struct report *report_open(const struct options *options);
void report_size(struct report *report, const struct rig *rig, const struct row *rows,
		unsigned count);
void report_close(struct report *report);
const char *report_test_name(enum bench_test test);
