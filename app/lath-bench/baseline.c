/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * What the gateway is measured against, over the same ports, buffers and frames:
 *
 *   io       receive and transmit, packets untouched
 *   macswap  and the Ethernet addresses changed about
 *   touch    and for each packet one line of a table as large as the flow index read, and one of
 *            a table as large as the flow entries written; both known from the packet, both
 *            fetched ahead for the whole burst. No forwarder that remembers flows does less.
 */

#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_prefetch.h>

#include "bench.h"

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

static unsigned
turn_io(void *ctx)
{
	struct rig *rig = ctx;
	const uint16_t queue = (uint16_t)rig->queue_in;
	struct rte_mbuf *packets[LATH_BURST_MAX];
	unsigned took = 0;

	for (unsigned side = 0; side < SIDES; side++) {
		uint16_t n = rte_eth_rx_burst(rig->port_ids[side], queue, packets, LATH_BURST_MAX);

		rte_eth_tx_burst(rig->port_ids[!side], queue, packets, n);
		took += n;
	}
	return took;
}

static void
swap(struct rte_mbuf *m)
{
	struct lath_eth_hdr *eth = rte_pktmbuf_mtod(m, struct lath_eth_hdr *);
	struct lath_mac mac = eth->dst;

	eth->dst = eth->src;
	eth->src = mac;
}

static unsigned
turn_mac_swap(void *ctx)
{
	struct rig *rig = ctx;
	const uint16_t queue = (uint16_t)rig->queue_in;
	struct rte_mbuf *packets[LATH_BURST_MAX];
	unsigned took = 0;

	for (unsigned side = 0; side < SIDES; side++) {
		uint16_t n = rte_eth_rx_burst(rig->port_ids[side], queue, packets, LATH_BURST_MAX);

		for (unsigned i = 0; i < n; i++)
			rte_prefetch0(rte_pktmbuf_mtod(packets[i], void *));
		for (unsigned i = 0; i < n; i++)
			swap(packets[i]);
		rte_eth_tx_burst(rig->port_ids[!side], queue, packets, n);
		took += n;
	}
	return took;
}

/* Of addresses and ports. */
static inline uint16_t
mix_offset(struct rte_mbuf *m)
{
	const struct lath_eth_hdr *eth = rte_pktmbuf_mtod(m, const struct lath_eth_hdr *);

	return sizeof(*eth) + 12 + (eth->type_be == lath_to_be16(LATH_ETHERTYPE_VLAN) ? 4 : 0);
}

/* Spreads a packet's addresses and ports, in fewer cycles than a hash that one would trust. */
static uint64_t
mix(struct rte_mbuf *m)
{
	uint64_t words[2] = {0, 0};

	memcpy(words, rte_pktmbuf_mtod_offset(m, void *, mix_offset(m)), 12);
	words[0] = (words[0] ^ words[1] << 16) * UINT64_C(0x9e3779b97f4a7c15);
	return (words[0] ^ words[0] >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
}

static unsigned
turn_touch(void *ctx)
{
	struct touch *touch = ctx;
	struct rig *rig = touch->rig;
	const uint16_t queue = (uint16_t)rig->queue_in;
	struct rte_mbuf *packets[LATH_BURST_MAX];
	uint64_t *reads[LATH_BURST_MAX];
	uint64_t *writes[LATH_BURST_MAX];
	unsigned took = 0;

	for (unsigned side = 0; side < SIDES; side++) {
		uint16_t n = rte_eth_rx_burst(rig->port_ids[side], queue, packets, LATH_BURST_MAX);

		for (unsigned i = 0; i < n; i++)
			rte_prefetch0(rte_pktmbuf_mtod(packets[i], void *));
		for (unsigned i = 0; i < n; i++) {
			uint64_t at = mix(packets[i]);
			uint64_t entry = (at >> 32) * rig->flow_count >> 32;

			reads[i] = (void *)(touch->buckets +
					(at >> 16 & touch->bucket_mask) * LATH_CACHE_LINE);
			writes[i] = (void *)(touch->entries + entry * sizeof(struct lath_flow4) +
					side * LATH_CACHE_LINE);
			rte_prefetch0(reads[i]);
			rte_prefetch0(writes[i]);
		}
		for (unsigned i = 0; i < n; i++) {
			swap(packets[i]);
			touch->sum += *reads[i];
			*writes[i] += 1;
		}
		rte_eth_tx_burst(rig->port_ids[!side], queue, packets, n);
		took += n;
	}
	return took;
}

struct touch *
touch_create(struct rig *rig)
{
	const struct lath_allocator *allocator = &rig->gateway->allocators[0];
	const uint32_t none[LATH_FLOW_POOL_COUNT] = {rig->capacity, 0};
	struct touch *touch = calloc(1, sizeof(*touch));

	if (touch == NULL)
		rig_die("no memory for touch");
	touch->rig = rig;
	touch->entry_bytes = (uint64_t)rig->capacity * sizeof(struct lath_flow4);
	touch->bucket_bytes = lath_flow_memory(none) - touch->entry_bytes;
	touch->bucket_mask = touch->bucket_bytes / LATH_CACHE_LINE - 1; /* a power of two */
	touch->buckets = allocator->alloc(allocator->ctx, touch->bucket_bytes);
	touch->entries = allocator->alloc(allocator->ctx, touch->entry_bytes);
	if (touch->buckets == NULL || touch->entries == NULL)
		rig_die("no memory for the tables of touch");
	/* Each page its own, as the flow table's are: reads of untouched memory hit one zero page. */
	memset(touch->buckets, 1, touch->bucket_bytes);
	memset(touch->entries, 1, touch->entry_bytes);
	return touch;
}

void
touch_free(struct touch *touch)
{
	const struct lath_allocator *allocator = &touch->rig->gateway->allocators[0];

	allocator->free(allocator->ctx, touch->buckets, touch->bucket_bytes);
	allocator->free(allocator->ctx, touch->entries, touch->entry_bytes);
	free(touch);
}

static void
see(struct rig *rig, struct rte_mbuf *m, unsigned side, void *ctx)
{
	(void)ctx;
	if (lath_random_below(&rig->random, BENCH_SAMPLE) == 0 &&
			frame_number(rig, m) >= rig->flow_count)
		rig_die("a baseline's packet came out of side %u spoilt", side);
}

void
baseline_add_rows(struct rig *rig, struct bench *bench, struct touch *touch)
{
	struct work work = {
			.fill = hit_fill,
			.see = see,
			.turn = turn_io,
			.turn_ctx = rig,
	};

	run_add_row(bench, "io", work);
	work.turn = turn_mac_swap;
	run_add_row(bench, "macswap", work);
	work.turn = turn_touch;
	work.turn_ctx = touch;
	run_add_row(bench, "touch", work);
}
