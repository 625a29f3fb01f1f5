/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * new: nothing but first packets. Time is simulated so that one timeout passes while the standing
 * number of flows arrives: from then on as many flows expire as arrive. A flow's figure holds its
 * whole life: admit, target, source port, both halves in the index, timer, and the end of all.
 */

#include "bench.h"
#include "world.h"

static unsigned
turn(void *ctx)
{
	struct rig *rig = ctx;

	return lath_worker_run(rig->gateway.workers[0], rig->now);
}

/* Not timed: the clock of the burst that is about to arrive. */
static void
before(struct rig *rig, unsigned count, void *ctx)
{
	struct new_state *state = ctx;

	state->arrived += count;
	rig->now = state->start +
			(lath_tick_t)(state->arrived * lath_ticks_from_seconds(rig->timeout_s) /
					rig->flow_count);
}

static void
fill(struct rig *rig, unsigned count, void *ctx)
{
	struct new_state *state = ctx;

	for (unsigned i = 0; i < count; i++) {
		struct bench_flow flow = frame_client(state->arrived + i);

		rig->burst_side[i / rig->options->burst] = 0;
		frame_write(rig, rig->buffers[i], &flow, 0, FRAME_OPEN, 0);
	}
}

static void
see(struct rig *rig, struct rte_mbuf *m, unsigned side, void *ctx)
{
	const struct lath_ipv4_hdr *ip = frame_check(rig, m);

	(void)ctx;
	if (side != 1 || lath_from_be32(ip->dst_be) - TARGET_BASE >= TARGET_COUNT ||
			(lath_from_be32(ip->src_be) ^ NAT_BASE) >> 16 != 0 ||
			frame_ports(m)[1] != lath_to_be16(TARGET_PORT))
		rig_die("a first packet was translated wrongly");
}

/* Routers are asked again; flows that were due in this lap and not looked at yet end here. */
static void
between(struct rig *rig, void *ctx)
{
	(void)ctx;
	rig_settle(rig);
}

/* The baselines visit flows as in `hit`; here they need not exist. */
static void
invent_flows(struct rig *rig)
{
	for (uint32_t i = 0; i < rig->flow_count; i++) {
		rig->flows[i] = frame_client(i);
		rig->flows[i].nat_be = rig->flows[i].client_be;
		rig->flows[i].nat_port_be = rig->flows[i].client_port_be;
		rig->flows[i].target_be = lath_to_be32(TARGET_BASE + i % TARGET_COUNT);
	}
}

/* Until flows begin to expire, and a quarter of a timeout more. */
void
new_fill_table(struct rig *rig, struct new_state *state)
{
	struct work work = new_work(rig, state);
	uint64_t arrivals = (uint64_t)rig->flow_count + rig->flow_count / 4;

	invent_flows(rig);
	state->start = rig->now;
	state->arrived = 0;
	while (state->arrived < arrivals) {
		measure_lap(rig, &work, BUFFERS / rig->options->burst * rig->options->burst);
		rig_settle(rig);
	}
	rig_check(rig, "filling the table");
}

struct work
new_work(struct rig *rig, struct new_state *state)
{
	return (struct work){
			.turn = turn,
			.fill = fill,
			.see = see,
			.before = before,
			.between = between,
			.turn_ctx = rig,
			.ctx = state,
	};
}
