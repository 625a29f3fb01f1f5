/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * guard: `hit`, and a reference that carries a figure from machine to machine. Row `reference` does
 * for each packet a fixed amount of work that has nothing to do with Lath's own code, so nobody
 * makes it faster or slower by a change of the gateway: for each burst, four chains of additions,
 * rotations and exclusive ors at once (as much as hashing the packets four at a time), and a walk
 * of dependent loads through 8 KiB (as parsing and tables that are in L1 are). It touches no packet
 * and no other memory. Its cycles grow and shrink with a machine's clock, width and L1 as the
 * gateway's own instructions do.
 *
 * The figure `referenceRatio` of `hit` is (hit - macswap) / reference, the median over repeats;
 * tests/perf/guard.json holds the recorded one.
 */

#include "world.h"

#define CHAINS 4u
#define ROUNDS 8u /* a packet, all chains */
#define STEPS 6u  /* loads a packet */
#define TABLE 1024u

static struct reference {
	struct rig *rig;
	uint64_t chain[CHAINS][4];
	uint16_t next[TABLE * 4]; /* a permutation in one cycle */
	uint16_t at;
	bench_turn_t swap;
} reference;

static inline uint64_t
rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static void
round_of(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32) + v[3];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

/* MAC swap's turn takes the packets through, the work is beside it. */
static unsigned
turn(void *ctx)
{
	struct reference *r = ctx;
	unsigned took = r->swap(r->rig);

	for (unsigned packet = 0; packet < took; packet++) {
		for (unsigned round = 0; round < ROUNDS; round++)
			for (unsigned chain = 0; chain < CHAINS; chain++)
				round_of(r->chain[chain]);
		for (unsigned step = 0; step < STEPS; step++)
			r->at = r->next[r->at];
	}
	return took;
}

/* Sattolo's shuffle: one cycle through all. */
static void
fill_table(struct reference *r)
{
	uint64_t random = 1;

	for (unsigned i = 0; i < LATH_ARRAY_SIZE(r->next); i++)
		r->next[i] = (uint16_t)i;
	for (unsigned i = LATH_ARRAY_SIZE(r->next) - 1; i > 0; i--) {
		unsigned j = (unsigned)lath_random_below(&random, i);
		uint16_t other = r->next[j];

		r->next[j] = r->next[i];
		r->next[i] = other;
	}
}

static void
prepare(struct rig *rig, struct bench *bench)
{
	struct work work = run_row(bench, "macswap")->work;

	hit_open_flows(rig);
	reference = (struct reference){.rig = rig, .swap = work.turn};
	for (unsigned i = 0; i < CHAINS * 4; i++)
		reference.chain[i / 4][i % 4] = UINT64_C(0x9e3779b97f4a7c15) * (i + 1);
	fill_table(&reference);
	work.turn = turn;
	work.turn_ctx = &reference;
	run_add_row(bench, "reference", work);
	run_add_row(bench, "hit", hit_work(rig));
}

static void
finish(struct rig *rig, struct bench *bench)
{
	const struct row *swap = run_row(bench, "macswap");
	const struct row *work = run_row(bench, "reference");
	struct row *hit = run_row(bench, "hit");
	double ratios[REPEATS_MAX];

	(void)rig;
	for (unsigned i = 0; i < hit->count; i++)
		ratios[i] = (hit->cycles[i] - swap->cycles[i]) /
				(work->cycles[i] - swap->cycles[i]);
	run_add_figure(hit, "referenceRatio", run_median(ratios, hit->count));
}

const struct mode guard_mode = {
		.name = "guard",
		.help = "hit, in units of fixed work: what tests/perf/guard.json bounds",
		.prepare = prepare,
		.finish = finish,
};
