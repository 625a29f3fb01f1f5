/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * new: nothing but first packets. Time is simulated so that one timeout passes while the standing
 * number of flows arrives: from then on as many flows expire as arrive. A flow's figure holds its
 * whole life: admit, target, source port, both halves in the index, timer, and the end of all.
 *
 * Timed: the worker's turns, and in them the end of what is due. Not timed: frames, rings, the
 * clock, management between laps. Workers have no turn between laps (rig_rest()), so nothing ends
 * there that should have ended in time; what does, when an ARP reply is due, is counted apart.
 * * More than 63 s ahead the timer wheel sorts in lists of 64 s, which come down entry by entry.
 * Meanwhile nothing ends, afterwards more than arrive. So where timeouts are that long, a repeat
 * ends when a whole number of lists has arrived.
 */

#include "world.h"

static struct new_state state;

uint64_t
new_period(const struct rig *rig, const struct new_state *new)
{
	if (rig->timeout_s < WHEEL_LIST_SECONDS)
		return 0;
	return (uint64_t) new->standing *WHEEL_LIST_SECONDS / rig->timeout_s;
}

void
new_begin(const struct rig *rig, struct new_state *new, uint32_t standing)
{
	*new = (struct new_state){
			/* Clients that `hit` never opens. */
			.serial = (uint64_t)rig->flow_count * rig->plan.workers * 4,
			.standing = standing,
			.start = rig->now,
	};
}

void
new_arrive(struct rig *rig, struct new_state *new, unsigned count)
{
	new->arrived += count;
	rig->now = new->start +
			(lath_tick_t)(new->arrived *lath_ticks_from_seconds(rig->timeout_s) /
					new->standing);
}

void
new_check_packet(struct rig *rig, struct rte_mbuf *m, unsigned side)
{
	const struct lath_ipv4_hdr *ip = frame_check(rig, m);

	if (side != 1 || lath_from_be32(ip->dst_be) - TARGET_BASE >= TARGET_COUNT ||
			(lath_from_be32(ip->src_be) ^ NAT_BASE) >> 20 != 0 ||
			lath_from_be16(frame_ports(m)[1]) - TARGET_PORT_BASE >= SERVICES_MAX)
		rig_die("a first packet was translated wrongly");
}

/* Not timed: the clock of the burst that is about to arrive. */
static void
before(struct rig *rig, unsigned count, void *ctx)
{
	new_arrive(rig, ctx, count);
}

static void
fill(struct rig *rig, unsigned count, void *ctx)
{
	struct new_state *new = ctx;

	for (unsigned i = 0; i < count; i++) {
		struct bench_flow flow = frame_next_client(rig, &new->serial);

		rig->burst_side[i / rig->burst] = 0;
		frame_write(rig, rig->buffers[i], &flow, i, FRAME_OPEN, 0);
	}
}

static void
see(struct rig *rig, struct rte_mbuf *m, unsigned side, void *ctx)
{
	(void)ctx;
	new_check_packet(rig, m, side);
}

static void
between(struct rig *rig, void *ctx)
{
	(void)ctx;
	rig_rest(rig);
}

/* Until flows begin to expire, and a quarter of a timeout more. */
void
new_fill_table(struct rig *rig, struct new_state *new)
{
	struct work work = new_work(rig, new);
	uint64_t arrivals = (uint64_t) new->standing + new->standing / 4;

	while (new->arrived < arrivals) {
		measure_lap(rig, &work, measure_whole_bursts(rig, SHORT_LAP));
		rig_rest(rig);
	}
	rig_check(rig, "filling the table");
}

struct work
new_work(struct rig *rig, struct new_state *new)
{
	return (struct work){
			.turn = rig_turn,
			.fill = fill,
			.see = see,
			.before = before,
			.between = between,
			.count = measure_whole_bursts(rig, SHORT_LAP),
			.flows_min = new_period(rig, new),
			.turn_ctx = rig,
			.ctx = new,
	};
}

static void
prepare(struct rig *rig, struct bench *bench)
{
	hit_invent_flows(rig);
	new_begin(rig, &state, rig->flow_count);
	new_fill_table(rig, &state);
	run_add_row(bench, "new", new_work(rig, &state))->flows = ROW_FLOWS_STEADY;
}

const struct mode new_mode = {
		.name = "new",
		.help = "first packets; as many flows expire as arrive, at a standing number",
		.by_default = true,
		.prepare = prepare,
};
