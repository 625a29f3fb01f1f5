/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Finding known keys in bursts of 32, in random order, in tables of the sizes of --flows: the flow
 * table as the pipeline asks it, and DPDK's rte_hash with the same keys, two a flow, in the same
 * run.
 *
 * The flow table's answer has touched the entry's line already, since the key lies in it. rte_hash
 * keeps keys for itself and answers with a pointer; the rows with "entry" read one line behind it,
 * fetched for the whole burst, which is what a gateway on rte_hash would have to do.
 */

#include <string.h>

#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_prefetch.h>

#include "micro.h"

#define BURST 32u
#define BURSTS 128u
#define LOOKUPS (BURSTS * BURST)

struct entry {
	uint64_t words[8];
} LATH_ALIGNED(LATH_CACHE_LINE);

struct tables {
	struct micro *micro;
	uint32_t flow_count;
	struct lath_flow_table flows;
	struct rte_hash *crc; /* NULL: it does not fit */
	struct rte_hash *sip;
	struct entry *entries; /* of rte_hash, by the key's number */
	struct lath_packet *packets;
	uint64_t sum; /* so that nothing is optimised away */
};

/* Two for each flow, client's and target's side; an odd factor keeps them different. */
static struct lath_key4
key_of(uint32_t number)
{
	uint64_t noise = number;

	return (struct lath_key4){
			.src_be = lath_to_be32(number * 0x9e3779b1u),
			.dst_be = lath_to_be32((uint32_t)lath_random_next(&noise)),
			.src_port_be = lath_to_be16((uint16_t)lath_random_next(&noise)),
			.dst_port_be = lath_to_be16((uint16_t)lath_random_next(&noise)),
			.proto_vpc = lath_key_proto_vpc(LATH_PROTO_TCP, number & 1),
	};
}

/* The packets of a lap: their keys were just parsed, tables are as the laps before left them. */
static void
prepare(void *ctx)
{
	struct tables *tables = ctx;

	for (unsigned i = 0; i < LOOKUPS; i++)
		tables->packets[i].key4 = key_of(lath_random_below(&tables->micro->random,
				2 * tables->flow_count));
}

/* ---- the flow table --------------------------------------------------------------------------- */

/* As in lib/pipeline/path.c. */
static uint64_t
lap_find(void *ctx)
{
	struct tables *tables = ctx;
	unsigned missing = 0;

	for (unsigned first = 0; first < LOOKUPS; first += BURST) {
		const struct lath_packet *packets = &tables->packets[first];
		uint64_t hashes[BURST];

		for (unsigned i = 0; i < BURST; i++) {
			hashes[i] = lath_flow_hash4(&tables->flows, &packets[i].key4);
			rte_prefetch0(lath_flow_bucket_of(&tables->flows, hashes[i]));
		}
		for (unsigned i = 0; i < BURST; i++)
			lath_flow_prefetch(&tables->flows, hashes[i]);
		for (unsigned i = 0; i < BURST; i++)
			missing += lath_flow_find4(&tables->flows, &packets[i].key4, hashes[i]) ==
					LATH_FLOW_NONE;
	}
	if (missing > 0)
		rig_die("flow-find: %u keys were not found", missing);
	return LOOKUPS;
}

/* As in lib/pipeline/hit.c: the first slot that could be it, and the search only for the others. */
static uint64_t
lap_guess(void *ctx)
{
	struct tables *tables = ctx;
	unsigned missing = 0;

	for (unsigned first = 0; first < LOOKUPS; first += BURST) {
		const struct lath_packet *packets = &tables->packets[first];
		const struct lath_half4 *halves[BURST];
		uint64_t hashes[BURST];

		for (unsigned i = 0; i < BURST; i++) {
			hashes[i] = lath_flow_hash4(&tables->flows, &packets[i].key4);
			rte_prefetch0(lath_flow_bucket_of(&tables->flows, hashes[i]));
		}
		for (unsigned i = 0; i < BURST; i++) {
			halves[i] = lath_flow_guess4(&tables->flows, hashes[i]);
			__builtin_prefetch(halves[i], 1);
		}
		for (unsigned i = 0; i < BURST; i++) {
			const struct lath_key4 *key = &packets[i].key4;

			if (halves[i] == NULL || memcmp(&halves[i]->key, key, sizeof(*key)) != 0)
				missing += lath_flow_find4(&tables->flows, key, hashes[i]) ==
						LATH_FLOW_NONE;
		}
	}
	if (missing > 0)
		rig_die("flow-find: %u keys were not found", missing);
	return LOOKUPS;
}

/* ---- rte_hash --------------------------------------------------------------------------------- */

static void
find_burst(const struct rte_hash *hash, const struct lath_packet *packets, void *data[BURST])
{
	const void *keys[BURST];
	uint64_t found = 0;

	for (unsigned i = 0; i < BURST; i++)
		keys[i] = &packets[i].key4;
	if (rte_hash_lookup_bulk_data(hash, keys, BURST, &found, data) != BURST)
		rig_die("flow-find: rte_hash did not find all keys");
}

static uint64_t
lap_rte(struct tables *tables, const struct rte_hash *hash, bool reads)
{
	for (unsigned first = 0; first < LOOKUPS; first += BURST) {
		void *data[BURST];

		find_burst(hash, &tables->packets[first], data);
		if (!reads) {
			tables->sum += (uintptr_t)data[0];
			continue;
		}
		for (unsigned i = 0; i < BURST; i++)
			rte_prefetch0(data[i]);
		for (unsigned i = 0; i < BURST; i++)
			tables->sum += ((const struct entry *)data[i])->words[0];
	}
	return LOOKUPS;
}

static uint64_t
lap_crc(void *ctx)
{
	struct tables *tables = ctx;

	return lap_rte(tables, tables->crc, false);
}

static uint64_t
lap_crc_entry(void *ctx)
{
	struct tables *tables = ctx;

	return lap_rte(tables, tables->crc, true);
}

static uint64_t
lap_sip(void *ctx)
{
	struct tables *tables = ctx;

	return lap_rte(tables, tables->sip, false);
}

static uint64_t
lap_sip_entry(void *ctx)
{
	struct tables *tables = ctx;

	return lap_rte(tables, tables->sip, true);
}

/* Any secret: it only has to cost what a real one costs. */
static uint32_t
siphash(const void *key, uint32_t len, uint32_t unused)
{
	static const struct lath_siphash_key secret = {
			UINT64_C(0x243f6a8885a308d3), UINT64_C(0x13198a2e03707344)};
	uint64_t words[2];

	(void)len;
	(void)unused;
	memcpy(words, key, sizeof(words));
	return (uint32_t)lath_siphash13_2w(&secret, words[0], words[1]);
}

static struct rte_hash *
make_rte(const struct tables *tables, const char *name, rte_hash_function function)
{
	const struct rte_hash_parameters parameters = {
			.name = name,
			.entries = 2 * tables->flow_count,
			.key_len = sizeof(struct lath_key4),
			.hash_func = function,
			.socket_id = SOCKET_ID_ANY,
			/* Else a key may find its buckets full before the table is. */
			.extra_flag = RTE_HASH_EXTRA_FLAGS_EXT_TABLE,
	};
	struct rte_hash *hash = rte_hash_create(&parameters);

	for (uint32_t i = 0; hash != NULL && i < parameters.entries; i++) {
		struct lath_key4 key = key_of(i);

		if (rte_hash_add_key_data(hash, &key, &tables->entries[i]) != 0)
			rig_die("flow-find: rte_hash took %u keys of %u", i, parameters.entries);
	}
	if (hash == NULL)
		fprintf(stderr, "lath-bench: flow-find: no EAL memory for %s of %u flows\n", name,
				tables->flow_count);
	return hash;
}

/* ---- rows ------------------------------------------------------------------------------------- */

static void
fill_flows(struct tables *tables)
{
	const uint32_t capacity[LATH_FLOW_POOL_COUNT] = {tables->flow_count, 0};
	const struct lath_siphash_key secret = {lath_random_next(&tables->micro->random),
			lath_random_next(&tables->micro->random)};

	if (lath_flow_init(&tables->flows, capacity, secret, 0, 0, &tables->micro->allocator) != 0)
		rig_die("flow-find: no memory for %u flows", tables->flow_count);
	for (uint32_t i = 0; i < tables->flow_count; i++) {
		lath_flow_ref_t ref = lath_flow_alloc(&tables->flows, LATH_FLOW_POOL_IPV4);
		struct lath_flow4 *flow = lath_flow4_at(&tables->flows, ref);

		flow->half[LATH_FLOW_FORWARD].key = key_of(2 * i);
		flow->half[LATH_FLOW_REVERSE].key = key_of(2 * i + 1);
		if (lath_flow_insert(&tables->flows, ref, LATH_FLOW_CLASS_LIVE, 0, 1000) != 0)
			rig_die("flow-find: flow %u has no place", i);
	}
}

static void
name_size(uint32_t flows, char *out, size_t len)
{
	if (flows % (1u << 20) == 0)
		snprintf(out, len, "%uM flows", flows >> 20);
	else if (flows % (1u << 10) == 0)
		snprintf(out, len, "%uk flows", flows >> 10);
	else
		snprintf(out, len, "%u flows", flows);
}

static void
measure_rows(struct tables *tables)
{
	const struct {
		const char *name;
		uint64_t (*lap)(void *ctx);
		bool is_there;
	} rows[] = {
			{"lath_flow, first guess", lap_guess, true},
			{"lath_flow, find", lap_find, true},
			{"rte_hash, CRC", lap_crc, tables->crc != NULL},
			{"rte_hash, CRC, entry", lap_crc_entry, tables->crc != NULL},
			{"rte_hash, SipHash-1-3", lap_sip, tables->sip != NULL},
			{"rte_hash, SipHash-1-3, entry", lap_sip_entry, tables->sip != NULL},
	};
	struct micro_case cases[LATH_ARRAY_SIZE(rows)];
	unsigned count = 0;

	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct micro_case *one = &cases[count];

		*one = (struct micro_case){.variant = rows[i].name,
				.unit = "key",
				.prepare = prepare,
				.lap = rows[i].lap,
				.ctx = tables};
		name_size(tables->flow_count, one->condition, sizeof(one->condition));
		count += rows[i].is_there;
	}
	micro_measure(tables->micro, cases, count);
}

static void
find_at_size(struct micro *micro, uint32_t flows)
{
	static struct tables tables;
	const size_t entries_size = 2 * (size_t)flows * sizeof(*tables.entries);

	tables = (struct tables){.micro = micro, .flow_count = flows};
	tables.entries = micro_alloc(micro, entries_size);
	tables.packets = micro_alloc(micro, LOOKUPS * sizeof(*tables.packets));
	fill_flows(&tables);
	tables.crc = make_rte(&tables, "crc", rte_hash_crc);
	tables.sip = make_rte(&tables, "siphash", siphash);
	measure_rows(&tables);
	rte_hash_free(tables.crc);
	rte_hash_free(tables.sip);
	lath_flow_fini(&tables.flows);
	micro_free(micro, tables.packets, LOOKUPS * sizeof(*tables.packets));
	micro_free(micro, tables.entries, entries_size);
}

static void
run(struct micro *micro)
{
	for (unsigned i = 0; i < micro->options->flows_count; i++)
		find_at_size(micro, micro->options->flows[i]);
}

const struct micro_test micro_find_test = {
		"flow-find", "known keys in bursts of 32, sizes by --flows; with rte_hash", run};
