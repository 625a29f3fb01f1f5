/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * hit: packets of known flows, in random order over all of them, bursts from the clients and
 * bursts from the targets in turn. TCP is established, UDP answered.
 *
 * Timed: the worker's turns. Not timed: frames, rings, management between laps.
 */

#include "world.h"

#define LAPS_PER_TICK 32u

struct opening {
	uint64_t serial; /* of clients */
	uint32_t first;  /* flow of the lap's first packet */
	enum frame_kind kind;
	unsigned side;
};

/* ---- flows are opened by packets, as anybody's ----------------------------------------------- */

/* What a first packet shows when it comes out. */
void
hit_learn(struct bench_flow *flow, struct rte_mbuf *m)
{
	const lath_be16_t *ports = frame_ports(m);
	const struct lath_ipv4_hdr *ip = (const void *)((const uint8_t *)ports - sizeof(*ip));

	flow->nat_be = ip->src_be;
	flow->target_be = ip->dst_be;
	flow->nat_port_be = ports[0];
}

static void
fill_opening(struct rig *rig, unsigned count, void *ctx)
{
	struct opening *o = ctx;

	for (unsigned i = 0; i < count; i++) {
		struct bench_flow *flow = &rig->flows[o->first + i];

		if (o->kind == FRAME_OPEN)
			*flow = frame_next_client(rig, &o->serial);
		rig->burst_side[i / rig->burst] = (uint8_t)o->side;
		frame_write(rig, rig->buffers[i], flow, o->first + i, o->kind, o->side);
	}
}

static void
see_opening(struct rig *rig, struct rte_mbuf *m, unsigned side, void *ctx)
{
	const struct opening *o = ctx;

	(void)frame_check(rig, m);
	if (side == o->side)
		rig_die("a packet came out where it went in");
	if (o->kind == FRAME_OPEN)
		hit_learn(&rig->flows[frame_number(rig, m)], m);
}

/* All timers were set for half-open or unanswered flows, within a moment. Lazy expiry sets them anew
 * when they are due: here and not in the middle of a test.
 */
static void
let_timers_pass(struct rig *rig)
{
	rig->now += lath_ticks_from_seconds(rig->timeout_s + 2);
	for (uint32_t i = 0; i < rig->flow_count / 16; i++)
		(void)rig_turn(rig);
	rig_settle(rig);
}

void
hit_open_flows(struct rig *rig)
{
	static const struct opening steps[] = {
			{.kind = FRAME_OPEN, .side = 0},
			{.kind = FRAME_ANSWER, .side = 1},
			{.kind = FRAME_DATA, .side = 0},
	};
	struct opening o = {0};
	struct work work = {.turn = rig_turn,
			.fill = fill_opening,
			.see = see_opening,
			.turn_ctx = rig,
			.ctx = &o};

	for (uint32_t first = 0; first < rig->flow_count; first += BUFFERS)
		for (unsigned i = 0; i < LATH_ARRAY_SIZE(steps); i++) {
			o.kind = steps[i].kind;
			o.side = steps[i].side;
			o.first = first;
			measure_lap(rig, &work, lath_min_u32(BUFFERS, rig->flow_count - first));
		}
	let_timers_pass(rig);
	rig_check(rig, "opening flows");
}

void
hit_invent_flows(struct rig *rig)
{
	uint64_t serial = 0;

	for (uint32_t i = 0; i < rig->flow_count; i++) {
		struct bench_flow *flow = &rig->flows[i];

		*flow = frame_next_client(rig, &serial);
		flow->nat_be = flow->client_be;
		flow->nat_port_be = flow->client_port_be;
		flow->target_be = lath_to_be32(TARGET_BASE + i % TARGET_COUNT);
	}
}

/* ---- then they are visited --------------------------------------------------------------------- */

void
hit_fill(struct rig *rig, unsigned count, void *ctx)
{
	const unsigned burst = rig->burst;

	(void)ctx;
	for (unsigned i = 0; i < count; i++) {
		unsigned side = i / burst % SIDES;
		uint32_t number = lath_random_below(&rig->random, rig->flow_count);

		rig->burst_side[i / burst] = (uint8_t)side;
		frame_write(rig, rig->buffers[i], &rig->flows[number], number, FRAME_DATA, side);
	}
}

/* Out on side 1: a client's packet as its target sees it; on side 0 the other way round. */
static void
see(struct rig *rig, struct rte_mbuf *m, unsigned side, void *ctx)
{
	const struct bench_flow *flow;
	const struct lath_ipv4_hdr *ip;
	const lath_be16_t *ports;
	bool right;

	(void)ctx;
	if (lath_random_below(&rig->random, BENCH_SAMPLE) != 0)
		return;
	flow = &rig->flows[frame_number(rig, m)];
	ip = frame_check(rig, m);
	ports = frame_ports(m);
	if (side == 1)
		right = ip->src_be == flow->nat_be && ip->dst_be == flow->target_be &&
				ports[0] == flow->nat_port_be &&
				ports[1] == world_target_port(flow->service);
	else
		right = ip->src_be == world_service(flow->service) &&
				ip->dst_be == flow->client_be &&
				ports[0] == lath_to_be16(SERVICE_PORT) &&
				ports[1] == flow->client_port_be;
	if (!right)
		rig_die("a packet of flow %u was translated wrongly", frame_number(rig, m));
}

/* Time goes on, as it would: timers are looked at, routers are asked again. */
static void
between(struct rig *rig, void *ctx)
{
	(void)ctx;
	if (lath_random_below(&rig->random, LAPS_PER_TICK) != 0)
		return;
	rig->now++;
	rig_rest(rig);
}

struct work
hit_work(struct rig *rig)
{
	return (struct work){
			.turn = rig_turn,
			.fill = hit_fill,
			.see = see,
			.between = between,
			.turn_ctx = rig,
	};
}

static void
prepare(struct rig *rig, struct bench *bench)
{
	hit_open_flows(rig);
	run_add_row(bench, "hit", hit_work(rig));
}

const struct mode hit_mode = {
		.name = "hit",
		.help = "known flows in random order, both directions in turn",
		.by_default = true,
		.prepare = prepare,
};
