/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Virtual reassembly: says of each fragment whether it may pass, and with whose ports, without
 * putting datagrams together. Fragments that come before the first one wait as opaque handles; when
 * the first comes they are let go behind it, in the order of arrival, and what comes later passes
 * at once. Nothing that overlaps passes.
 *
 * One owner, no lock; time is an argument. All memory is taken at creation. Every call does a
 * bounded amount of work, but for hash chains, which nobody without the key can make long.
 *
 * Who pays when room is short: the VPC that has most. Room for a datagram or for a waiting fragment
 * comes from the oldest datagram of the VPC that asks, when that one is at its own bound or has as
 * many as any other; else of a VPC that has more. So a VPC that stays within an equal share loses
 * nothing by what the others do.
 */
#pragma once

#include <lath_siphash.h>
#include <lath_verdict.h>
#include <lath_wire.h>

#define LATH_FRAG_TIMEOUT_MIN_MS 2000u     /* RFC 6146 section 4: FRAGMENT_MIN */
#define LATH_FRAG_TIMEOUT_DEFAULT_MS 2000u /* longer helps nobody but floods */

struct lath_frag_limits {
	uint32_t vpcs;      /* stable indexes are below this */
	uint32_t datagrams; /* unfinished, over all VPCs */
	uint32_t datagrams_per_vpc;
	uint32_t held; /* waiting fragments, over all VPCs */
	uint32_t held_per_vpc;
	uint32_t held_per_datagram;
	uint32_t timeout_ms; /* from a datagram's first arrival */
};

/** One fragment. */
struct lath_frag_piece {
	uint8_t src[16]; /* IPv4: the first four bytes, the rest zero */
	uint8_t dst[16];
	uint32_t id;
	uint32_t vpc;
	uint16_t offset; /* bytes, a multiple of 8 */
	uint16_t len;    /* bytes behind the IP header and fragment header */
	uint8_t family;  /* enum lath_family */
	uint8_t proto;   /* upper protocol; IPv6: matters in the first fragment only */
	bool more;
	lath_be16_t src_port_be; /* offset 0 only, as in a flow's key */
	lath_be16_t dst_port_be;
};

enum lath_frag_action {
	LATH_FRAG_PASS,
	LATH_FRAG_HOLD, /* the table has the handle now */
	LATH_FRAG_DROP,
	LATH_FRAG_ACTION_COUNT,
};

/** Handles on their way out; taken by lath_frag_pop(). */
struct lath_frag_list {
	uint32_t head;
	uint32_t tail;
};

/** What is to become of a fragment and of others because of it. */
struct lath_frag_outcome {
	enum lath_frag_action action;
	enum lath_drop drop;     /* LATH_FRAG_DROP: why */
	lath_be16_t src_port_be; /* LATH_FRAG_PASS: the first fragment's, and */
	lath_be16_t dst_port_be;
	uint8_t proto;                  /* its upper protocol */
	struct lath_frag_list released; /* pass as well, behind this one */
	struct lath_frag_list dropped;
};

struct lath_frag_table;

/**
 * @param limits all above 0; a bound per VPC or datagram above the whole counts as the whole. A
 * timeout below LATH_FRAG_TIMEOUT_MIN_MS counts as that.
 * @param allocator borrowed until lath_frag_free().
 * @return NULL with errno EINVAL or ENOMEM.
 * @thread init
 */
struct lath_frag_table *lath_frag_create(const struct lath_frag_limits *limits,
		const struct lath_siphash_key *key, const struct lath_allocator *allocator);

/** Bytes that lath_frag_create() takes; 0 when it would refuse. @thread any */
size_t lath_frag_memory(const struct lath_frag_limits *limits);

/** Handles that still wait are lost: lath_frag_end_oldest() first. @thread init */
void lath_frag_free(struct lath_frag_table *table);

/**
 * Decides about one fragment. Both lists of `outcome` are emptied by lath_frag_pop() before the
 * table is called again. An IPv6 packet whose fragment header says offset 0 and no more passes by
 * itself (RFC 6946). @thread any, one owner
 */
void lath_frag_add(struct lath_frag_table *table, const struct lath_frag_piece *piece, void *handle,
		lath_tick_t now, struct lath_frag_outcome *outcome);

/** The next handle of a list, or NULL. `*drop` (may be NULL) gets why it was dropped. */
void *lath_frag_pop(struct lath_frag_table *table, struct lath_frag_list *list,
		enum lath_drop *drop);

/** Ends the oldest datagram when its time is over; what it held is in `dropped`. False when none is
 *  due. @thread any, one owner
 */
bool lath_frag_expire(struct lath_frag_table *table, lath_tick_t now,
		struct lath_frag_list *dropped);

/** The same whatever the time: for the end. False when there is none. @thread any, one owner */
bool lath_frag_end_oldest(struct lath_frag_table *table, struct lath_frag_list *dropped);

/** @thread any, one owner */
uint32_t lath_frag_datagrams(const struct lath_frag_table *table);
uint32_t lath_frag_held(const struct lath_frag_table *table);
