/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Six bytes a fragment: flags, name, offset, length (16 bits each), time. A small table, so that
 * every bound is met. Each handle comes back once, what passes of one datagram never overlaps, and
 * at the end nothing is left.
 */

#include <lath_frag.h>

#include "fuzz.h"

#define STEP 6u
#define NAMES 32u
#define UNITS 8192u
#define STEPS_MAX 240u /* lives are counted in a byte */

enum fate {
	FATE_NEVER_CAME,
	FATE_WAITS,
	FATE_GONE,
};

struct world {
	struct lath_frag_table *table;
	enum fate fates[STEPS_MAX + 1];
	struct lath_frag_piece pieces[STEPS_MAX + 1];
	uint8_t passed[NAMES][UNITS]; /* which life of the datagram a unit passed in */
	uint8_t lives[NAMES];
};

static void
pass(struct world *w, const struct lath_frag_piece *piece)
{
	uint8_t *units = w->passed[piece->id];

	for (uint32_t i = piece->offset / 8; i < (piece->offset + piece->len + 7u) / 8; i++) {
		must(units[i] != w->lives[piece->id]);
		units[i] = w->lives[piece->id];
	}
}

static void
drain(struct world *w, struct lath_frag_list *list, bool passes)
{
	enum lath_drop drop;
	void *handle;

	while ((handle = lath_frag_pop(w->table, list, &drop)) != NULL) {
		uintptr_t step = (uintptr_t)handle;

		must(step <= STEPS_MAX && w->fates[step] == FATE_WAITS);
		must((drop == LATH_DROP_NONE) == passes);
		w->fates[step] = FATE_GONE;
		if (passes)
			pass(w, &w->pieces[step]);
	}
}

/* A datagram whose time is over, that was whole or that had to go may come again from the start:
 * its next life begins when its first fragment passes.
 */
static void
one_step(struct world *w, const uint8_t *data, uintptr_t step, lath_tick_t now)
{
	struct lath_frag_piece *piece = &w->pieces[step];
	struct lath_frag_outcome outcome;

	*piece = (struct lath_frag_piece){
			.src = {10},
			.dst = {11},
			.id = data[1] % NAMES,
			.vpc = data[1] % 4,
			.offset = (uint16_t)((data[2] << 8 | data[3]) &
					(data[0] & 1 ? 0xffff : 0x7f)),
			.len = (uint16_t)((data[4] & (data[0] & 2 ? 7 : 0)) << 8 | data[5]),
			.family = data[1] & 8 ? LATH_FAMILY_IPV6 : LATH_FAMILY_IPV4,
			.proto = data[0] & 4 ? LATH_PROTO_TCP : LATH_PROTO_UDP,
			.more = (data[0] & 8) != 0,
	};
	/* What passes must be of one key: IPv4's has the protocol. */
	if (piece->family == LATH_FAMILY_IPV4)
		piece->proto = LATH_PROTO_UDP;
	lath_frag_add(w->table, piece, (void *)step, now, &outcome);
	must((outcome.drop != LATH_DROP_NONE) == (outcome.action == LATH_FRAG_DROP));
	w->fates[step] = outcome.action == LATH_FRAG_HOLD ? FATE_WAITS : FATE_GONE;
	if (outcome.action == LATH_FRAG_PASS && (piece->offset != 0 || piece->more)) {
		if (piece->offset == 0)
			w->lives[piece->id]++;
		must(w->lives[piece->id] != 0);
		pass(w, piece);
	}
	drain(w, &outcome.released, true);
	drain(w, &outcome.dropped, false);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct lath_frag_limits limits = {4, 8, 6, 12, 9, 5, 2000};
	static const struct lath_siphash_key key = {5, 6};
	struct lath_frag_list dropped;
	struct world *w;
	lath_tick_t now = 0;
	uintptr_t step = 0;

	if (size > STEP * STEPS_MAX)
		return 0;
	w = calloc(1, sizeof(*w));
	must(w != NULL);
	w->table = lath_frag_create(&limits, &key, &lath_heap);
	must(w->table != NULL);
	for (; size >= STEP; data += STEP, size -= STEP) {
		one_step(w, data, ++step, now);
		must(lath_frag_datagrams(w->table) <= limits.datagrams);
		must(lath_frag_held(w->table) <= limits.held);
		now += data[0] & 0x80 ? 1u << (data[0] >> 4 & 7) : 0;
		if ((data[0] & 0x40) != 0 && lath_frag_expire(w->table, now, &dropped))
			drain(w, &dropped, false);
	}
	while (lath_frag_end_oldest(w->table, &dropped))
		drain(w, &dropped, false);
	for (uintptr_t i = 1; i <= step; i++)
		must(w->fates[i] == FATE_GONE);
	must(lath_frag_held(w->table) == 0);
	lath_frag_free(w->table);
	free(w);
	return 0;
}
