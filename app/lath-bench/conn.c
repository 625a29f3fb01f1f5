/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * conn: whole TCP connections of eight packets: SYN, SYN-ACK, ACK, request, response, FIN, FIN of
 * the other side, the ACK of that. The client closes first in every other connection, the target
 * in those between.
 *
 * Cohorts of connections move through the eight stages, many laps apart: half of --flows are open
 * at any time and a connection's lines are cold again when its next packet comes. The other half
 * are closed and wait for their timer: the clock is simulated so that one timeout passes while that
 * many connections arrive. Source ports rest as configured (world.c), 2 s and a quarter of the
 * timeout.
 *
 * Timed: the worker's turns, and in them the end of closed flows and the return of ports. Not
 * timed: frames, rings, the clock, management between laps.
 */

#include "world.h"

#define STAGES 8u
#define COHORT_MAX (SHORT_LAP / STAGES)

/* What each stage sends: by whom it is closed, and the client's (0) or the target's (1) packet. */
static const struct stage {
	enum frame_kind kind;
	unsigned side[2];
} stages[STAGES] = {
		{FRAME_OPEN, {0, 0}},
		{FRAME_ANSWER, {1, 1}},
		{FRAME_DATA, {0, 0}},
		{FRAME_DATA, {0, 0}},
		{FRAME_DATA, {1, 1}},
		{FRAME_FIN, {0, 1}},
		{FRAME_FIN, {1, 0}},
		{FRAME_DATA, {0, 1}},
};

static struct conn {
	struct new_state arrivals;
	uint64_t lap;
	uint32_t distance; /* laps from stage to stage */
	unsigned cohort;   /* connections */
	unsigned active;   /* stages that have a cohort already */
	unsigned burst;    /* of this lap */
} conn;

static unsigned
lap_packets(void)
{
	conn.active = lath_min_u32(STAGES, (uint32_t)(conn.lap / conn.distance) + 1);
	return conn.active * conn.cohort;
}

/* Bursts of the stages take turns. */
static void
fill(struct rig *rig, unsigned count, void *ctx)
{
	(void)ctx;
	for (unsigned i = 0; i < count; i++) {
		unsigned burst = i / rig->burst;
		unsigned stage = burst % conn.active;
		uint64_t cohort = conn.lap - (uint64_t)stage * conn.distance;
		unsigned place = burst / conn.active * rig->burst + i % rig->burst;
		uint32_t number = (uint32_t)((cohort * conn.cohort + place) % rig->flow_count);
		unsigned side = stages[stage].side[cohort % 2];

		if (stage == 0)
			rig->flows[number] = frame_next_client(rig, &conn.arrivals.serial);
		rig->burst_side[burst] = (uint8_t)side;
		frame_write(rig, rig->buffers[i], &rig->flows[number], number, stages[stage].kind,
				side);
	}
	conn.lap++;
	conn.burst = 0;
}

static void
before(struct rig *rig, unsigned count, void *ctx)
{
	(void)ctx;
	if (conn.burst++ % conn.active == 0)
		new_arrive(rig, &conn.arrivals, count);
}

/* A flow that the generator has not learnt yet: this is its first packet. */
static void
see(struct rig *rig, struct rte_mbuf *m, unsigned side, void *ctx)
{
	struct bench_flow *flow = &rig->flows[frame_number(rig, m)];

	(void)ctx;
	if (flow->target_be == 0) {
		new_check_packet(rig, m, side);
		hit_learn(flow, m);
	} else if (lath_random_below(&rig->random, BENCH_SAMPLE) == 0) {
		const struct lath_ipv4_hdr *ip = frame_check(rig, m);

		if (ip->dst_be != (side == 1 ? flow->target_be : flow->client_be))
			rig_die("a connection's packet was translated wrongly");
	}
}

static void
between(struct rig *rig, void *ctx)
{
	(void)ctx;
	rig_rest(rig);
}

static void
prepare(struct rig *rig, struct bench *bench)
{
	unsigned cohort = lath_min_u32(COHORT_MAX, rig->flow_count / 2 / STAGES);
	uint32_t half = rig->flow_count / 2;
	struct work work = {
			.turn = rig_turn,
			.fill = fill,
			.see = see,
			.before = before,
			.between = between,
			.turn_ctx = rig,
	};
	struct row *row;

	hit_invent_flows(rig);
	conn = (struct conn){.cohort = lath_max_u32(cohort / rig->burst, 1) * rig->burst};
	conn.distance = lath_max_u32(1, half / (STAGES * conn.cohort));
	if (STAGES * conn.cohort > rig->flow_count)
		rig_die("conn: bursts of %u want %u flows at least", rig->burst,
				STAGES * conn.cohort);
	new_begin(rig, &conn.arrivals, half);
	/* Half are open, then half are closed, then a quarter of these has ended. */
	while (conn.arrivals.arrived < half + half + half / 4) {
		measure_lap(rig, &work, lap_packets());
		rig_rest(rig);
	}
	rig_check(rig, "opening connections");
	work.count = lap_packets();
	work.flows_min = new_period(rig, &conn.arrivals);
	row = run_add_row(bench, "conn", work);
	row->flows = ROW_FLOWS_STEADY;
}

static void
finish(struct rig *rig, struct bench *bench)
{
	struct row *row = run_row(bench, "conn");
	const struct lath_worker_counters *counters = &lath_worker_counters(rig_worker(rig))
								       ->worker;

	if (row->inside.created * STAGES != row->units)
		rig_die("conn: %llu packets made %llu flows", (unsigned long long)row->units,
				(unsigned long long)row->inside.created);
	row->unit = "connection";
	row->units /= STAGES;
	for (unsigned i = 0; i < row->count; i++)
		row->cycles[i] *= STAGES;
	run_add_figure(row, "portsResting", (double)counters->snat_ports_resting);
	run_add_figure(row, "portsReusedEarly", (double)counters->snat_port_reused_early);
}

const struct mode conn_mode = {
		.name = "conn",
		.help = "whole TCP connections of eight packets; figures are a connection's",
		.tcp_only = true,
		.prepare = prepare,
		.finish = finish,
};
