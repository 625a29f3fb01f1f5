/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * One worker's flows: two halves (a direction each: key, rewrite, counters) and a tail (what only
 * the slow path touches), under one index of cache-line buckets. Two pools: IPv4 both ways (a half
 * is one line) and mixed (any other mix, a half is two lines).
 *
 * Nothing in an entry is a pointer. Time is an argument. All memory is taken at create.
 * Everything is @thread dp of the one worker, but init and fini (@thread init).
 *
 * Memory a flow, IPv4: entry 192 + index 2 x 16 at half load = 224 bytes; mixed: 320 + 32.
 */
#pragma once

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <lath_keyhash.h>
#include <lath_parse.h>
#include <lath_tcpstate.h>
#include <lath_wheel.h>
#include <lath_xlate.h>

/** Half of a flow: bit 31 the pool, bit 0 the direction, between them the entry's index. */
typedef uint32_t lath_flow_ref_t;

#define LATH_FLOW_NONE UINT32_MAX
#define LATH_FLOW_MIXED 0x80000000u
#define LATH_FLOW_CAPACITY_MAX (1u << 29)

enum lath_flow_pool_kind {
	LATH_FLOW_POOL_IPV4,
	LATH_FLOW_POOL_MIXED,
	LATH_FLOW_POOL_COUNT,
};

enum lath_flow_direction {
	LATH_FLOW_FORWARD, /* client to target */
	LATH_FLOW_REVERSE,
	LATH_FLOW_DIRECTION_COUNT,
};

#define LATH_HALF_ADJACENCY_MASK 0x00ffffffu
#define LATH_HALF_PLAIN 0x01000000u   /* a packet without SYN, FIN, RST changes no state */
#define LATH_HALF_SPLICED 0x02000000u /* sequence numbers are shifted: see the tail */
#define LATH_HALF_ACKED 0x04000000u   /* `ack` holds what this direction has acknowledged */

/** What both kinds of half have. 32 bytes. */
struct lath_half_state {
	uint32_t adjacency;  /* low 24 bits: index, 0: look the route up; high 8: LATH_HALF_* */
	uint32_t generation; /* of the model that last allowed this half */
	lath_tick_t tick;    /* last packet */
	uint32_t ack;        /* furthest sequence number this direction has acknowledged */
	uint64_t packets;
	uint64_t bytes; /* of IP packets */
};

/** IPv4 to IPv4: one line, to the last byte. */
struct lath_half4 {
	struct lath_key4 key;
	struct lath_rewrite4 rewrite;
	struct lath_deltas deltas;
	struct lath_half_state state;
} LATH_ALIGNED(LATH_CACHE_LINE);

/** Any other mix: two lines. The families say which member of each union holds. */
struct lath_half_mixed {
	union {
		struct lath_key4 key4;
		struct lath_key6 key6;
	};
	union {
		struct lath_rewrite4 rewrite4;
		struct lath_rewrite6 rewrite6;
	};
	struct lath_deltas deltas;
	struct lath_half_state state;
	uint8_t family_in; /* enum lath_family */
	uint8_t family_out;
	uint8_t reserved[14];
} LATH_ALIGNED(LATH_CACHE_LINE);

/** Why a flow may be reclaimed early when the table is above 80 %; in the order of reclaiming. */
enum lath_flow_class {
	LATH_FLOW_CLASS_CLOSED,
	LATH_FLOW_CLASS_UDP_UNANSWERED,
	LATH_FLOW_CLASS_HALF_OPEN,
	LATH_FLOW_CLASS_LIVE, /* never reclaimed */
	LATH_FLOW_CLASS_COUNT,
};

struct lath_flow_link {
	uint32_t next;
	uint32_t prev;
};

/** What only the slow path touches. */
struct lath_flow_tail {
	struct lath_wheel_link timer;
	struct lath_flow_link class_link; /* in the class's list, oldest first */
	uint32_t idle_timeout_s;          /* the service's; 0: the gateway's */
	uint64_t id;                      /* node << 56 | worker << 48 | serial */
	lath_tick_t started;
	uint32_t service; /* stable indexes */
	uint32_t rule;
	uint32_t group;
	uint32_t target;
	uint32_t seq_delta; /* LATH_HALF_SPLICED: added to what the client is told */
	uint8_t tcp_state;  /* enum lath_tcp_state */
	uint8_t class;      /* enum lath_flow_class */
	uint8_t flags;      /* LATH_FLOW_TAIL_* */
	uint8_t reserved;
	uint32_t side; /* what the client's side wants back with each answer (gwlb.c); 0: nothing */
};

#define LATH_FLOW_TAIL_LIVE 0x01     /* the entry is in use */
#define LATH_FLOW_TAIL_ANSWERED 0x02 /* the target has sent something */
#define LATH_FLOW_TAIL_PROBE 0x04    /* from the host port */
#define LATH_FLOW_TAIL_SNAT 0x08     /* its reply port must be given back */
#define LATH_FLOW_TAIL_SENDER 0x10   /* replies go to the MAC that the client's packets came from */

/* Lines 0, 1: one direction each; line 2: the tail, slow path only. */
struct lath_flow4 {
	struct lath_half4 half[LATH_FLOW_DIRECTION_COUNT];
	struct lath_flow_tail tail LATH_ALIGNED(LATH_CACHE_LINE);
};

/* Lines 0-1, 2-3: one direction each; line 4: the tail. */
struct lath_flow_mixed {
	struct lath_half_mixed half[LATH_FLOW_DIRECTION_COUNT];
	struct lath_flow_tail tail LATH_ALIGNED(LATH_CACHE_LINE);
};

_Static_assert(sizeof(struct lath_half_state) == 32, "half of an IPv4 half");
_Static_assert(sizeof(struct lath_half4) == 64, "the hit path reads one line");
_Static_assert(sizeof(struct lath_half_mixed) == 128, "two lines");
_Static_assert(sizeof(struct lath_flow_tail) == 64, "one line");
_Static_assert(sizeof(struct lath_flow4) == 192, "three lines a flow");
_Static_assert(sizeof(struct lath_flow_mixed) == 320, "five lines a flow");

#define LATH_FLOW_BUCKET_SLOTS 8u

/* One line: eight tags (0: empty) and the halves that they stand for. */
struct lath_flow_bucket {
	uint16_t tags[LATH_FLOW_BUCKET_SLOTS];
	lath_flow_ref_t refs[LATH_FLOW_BUCKET_SLOTS];
	uint32_t moved; /* keys that belong here and live in their second bucket */
	uint32_t reserved[3];
} LATH_ALIGNED(LATH_CACHE_LINE);

struct lath_flow_list {
	uint32_t first; /* UINT32_MAX: empty */
	uint32_t last;
};

struct lath_flow_pool {
	uint8_t *entries; /* struct lath_flow4 or lath_flow_mixed */
	uint32_t stride;
	uint32_t tail_offset;
	uint32_t capacity;
	uint32_t used;
	uint32_t reclaim_above; /* 80 % of capacity */
	uint32_t free_head;     /* linked through tail.class_link.next */
	uint32_t fresh;         /* entries at and above this were never used */
	struct lath_wheel wheel;
	struct lath_flow_list classes[LATH_FLOW_CLASS_LIVE];
};

struct lath_flow_table {
	struct lath_flow_bucket *buckets;
	uint32_t bucket_mask;
	uint64_t serial;          /* of the next flow's id */
	uint64_t id_prefix;       /* node << 56 | worker << 48 */
	struct lath_keyhash hash; /* its secret is from getrandom at start, never exported */
	struct lath_flow_pool pools[LATH_FLOW_POOL_COUNT];
	const struct lath_allocator *allocator;
};

/** Capacities per pool (0 is allowed). 0 or -ENOMEM, nothing kept then. @thread init */
int lath_flow_init(struct lath_flow_table *table, const uint32_t capacity[LATH_FLOW_POOL_COUNT],
		struct lath_siphash_key secret, uint64_t id_prefix, lath_tick_t now,
		const struct lath_allocator *allocator);

/** Accepts a zeroed table. @thread init */
void lath_flow_fini(struct lath_flow_table *table);

/** Bytes that lath_flow_init() takes. @thread any */
uint64_t lath_flow_memory(const uint32_t capacity[LATH_FLOW_POOL_COUNT]);

/* ---- finding ------------------------------------------------------------------------------ */

static inline uint64_t
lath_flow_hash4(const struct lath_flow_table *table, const struct lath_key4 *key)
{
	return lath_keyhash4(&table->hash, key);
}

static inline uint64_t
lath_flow_hash6(const struct lath_flow_table *table, const struct lath_key6 *key)
{
	return lath_keyhash6(&table->hash, key);
}

static inline struct lath_flow_bucket *
lath_flow_bucket_of(const struct lath_flow_table *table, uint64_t hash)
{
	return &table->buckets[hash & table->bucket_mask];
}

static inline struct lath_flow4 *
lath_flow4_at(const struct lath_flow_table *table, lath_flow_ref_t ref)
{
	return &((struct lath_flow4 *)(void *)table->pools[LATH_FLOW_POOL_IPV4].entries)[ref >> 1];
}

static inline struct lath_flow_mixed *
lath_flow_mixed_at(const struct lath_flow_table *table, lath_flow_ref_t ref)
{
	return &((struct lath_flow_mixed *)(void *)table->pools[LATH_FLOW_POOL_MIXED]
					.entries)[(ref & ~LATH_FLOW_MIXED) >> 1];
}

static inline bool
lath_flow_is_mixed(lath_flow_ref_t ref)
{
	return (ref & LATH_FLOW_MIXED) != 0;
}

static inline enum lath_flow_direction
lath_flow_direction_of(lath_flow_ref_t ref)
{
	return (enum lath_flow_direction)(ref & 1);
}

static inline struct lath_half_state *
lath_flow_state_at(const struct lath_flow_table *table, lath_flow_ref_t ref)
{
	if (lath_flow_is_mixed(ref))
		return &lath_flow_mixed_at(table, ref)->half[ref & 1].state;
	return &lath_flow4_at(table, ref)->half[ref & 1].state;
}

static inline struct lath_flow_tail *
lath_flow_tail_at(const struct lath_flow_table *table, lath_flow_ref_t ref)
{
	if (lath_flow_is_mixed(ref))
		return &lath_flow_mixed_at(table, ref)->tail;
	return &lath_flow4_at(table, ref)->tail;
}

/** 1..65535: what stands for a key in its bucket. */
static inline uint16_t
lath_flow_tag_of(uint64_t hash)
{
	uint16_t tag = (uint16_t)(hash >> 48);

	return tag == 0 ? 1 : tag;
}

/** Bit 2 * i is set for each slot i whose tag is `tag`. */
static inline uint32_t
lath_flow_match_tags(const struct lath_flow_bucket *bucket, uint16_t tag)
{
#ifdef __SSE2__
	__m128i tags = _mm_load_si128((const __m128i *)(const void *)bucket->tags);
	__m128i equal = _mm_cmpeq_epi16(tags, _mm_set1_epi16((short)tag));

	return (uint32_t)_mm_movemask_epi8(equal) & 0x5555;
#else
	uint32_t mask = 0;

	for (unsigned slot = 0; slot < LATH_FLOW_BUCKET_SLOTS; slot++)
		if (bucket->tags[slot] == tag)
			mask |= 1u << (2 * slot);
	return mask;
#endif
}

/** The IPv4 half that the first slot with the hash's tag in its home bucket names, or NULL. The
 *  caller compares the key; when it is another one, lath_flow_find4() looks further.
 */
static inline struct lath_half4 *
lath_flow_guess4(const struct lath_flow_table *table, uint64_t hash)
{
	const struct lath_flow_bucket *home = lath_flow_bucket_of(table, hash);
	uint32_t mask = lath_flow_match_tags(home, lath_flow_tag_of(hash));
	lath_flow_ref_t ref;

	if (mask == 0)
		return NULL;
	ref = home->refs[__builtin_ctz(mask) / 2];
	return lath_flow_is_mixed(ref) ? NULL : &lath_flow4_at(table, ref)->half[ref & 1];
}

/** The half with this key, or LATH_FLOW_NONE. `hash` is lath_flow_hash4() of it. */
lath_flow_ref_t lath_flow_find4(const struct lath_flow_table *table, const struct lath_key4 *key,
		uint64_t hash);

lath_flow_ref_t lath_flow_find6(const struct lath_flow_table *table, const struct lath_key6 *key,
		uint64_t hash);

/** Fetches the entry lines that the key's home bucket (fetched before) names: call it for a whole
 *  burst between lath_flow_bucket_of() and lath_flow_find4().
 */
void lath_flow_prefetch(const struct lath_flow_table *table, uint64_t hash);

/* ---- changing ----------------------------------------------------------------------------- */

/** An entry of the pool with zeroed halves and tail, not yet in the index; returns its forward
 *  half's ref, or LATH_FLOW_NONE when the pool is full.
 */
lath_flow_ref_t lath_flow_alloc(struct lath_flow_table *table, enum lath_flow_pool_kind kind);

/**
 * Puts both halves (keys filled in by the caller) into the index, starts the timer and enters the
 * class. 0; -ENOSPC when the buckets are full, -EEXIST when a key is there already: then nothing
 * was inserted and the caller frees the entry.
 */
int lath_flow_insert(struct lath_flow_table *table, lath_flow_ref_t ref, enum lath_flow_class class,
		lath_tick_t now, lath_tick_t deadline);

/** Takes the flow out of index, timer and class, and frees the entry. */
void lath_flow_remove(struct lath_flow_table *table, lath_flow_ref_t ref);

/** Frees an entry that was allocated and not inserted. */
void lath_flow_cancel(struct lath_flow_table *table, lath_flow_ref_t ref);

/** Moves the flow to another class (to its young end). */
void lath_flow_set_class(struct lath_flow_table *table, lath_flow_ref_t ref,
		enum lath_flow_class class);

/** True when the pool is above 80 % and early reclaiming is due. */
static inline bool
lath_flow_is_crowded(const struct lath_flow_table *table, enum lath_flow_pool_kind kind)
{
	return table->pools[kind].used >= table->pools[kind].reclaim_above;
}

/** The oldest flow of the first class that has any (the order of reclaiming), or LATH_FLOW_NONE. */
lath_flow_ref_t lath_flow_oldest(const struct lath_flow_table *table,
		enum lath_flow_pool_kind kind);

/** The oldest flow of one class, or LATH_FLOW_NONE; next older-to-younger after `ref`. */
lath_flow_ref_t lath_flow_class_first(const struct lath_flow_table *table,
		enum lath_flow_pool_kind kind, enum lath_flow_class class);
lath_flow_ref_t lath_flow_class_next(const struct lath_flow_table *table, lath_flow_ref_t ref);

/**
 * Flows whose timer is due, at most `max`, with bounded work; they are out of the wheel: the caller
 * removes each or calls lath_flow_rearm(). Returns forward refs.
 */
unsigned lath_flow_due(struct lath_flow_table *table, enum lath_flow_pool_kind kind,
		lath_tick_t now, lath_flow_ref_t *out, unsigned max);

/** Fetches the bucket lines that removing the (forward) flow will need; its halves should be there,
 *  as they are for all that lath_flow_due() returned.
 */
void lath_flow_prefetch_buckets(const struct lath_flow_table *table, lath_flow_ref_t ref);

void lath_flow_rearm(struct lath_flow_table *table, lath_flow_ref_t ref, lath_tick_t deadline);

/** The same for a flow that is in the wheel: its timeout got shorter. */
void lath_flow_retime(struct lath_flow_table *table, lath_flow_ref_t ref, lath_tick_t deadline);

/** The live flow at or after entry `*cursor` of a pool, looking at no more than `steps` entries;
 *  LATH_FLOW_NONE when none was met. Advances `*cursor`; the pool's end is cursor == capacity.
 */
lath_flow_ref_t lath_flow_walk(const struct lath_flow_table *table, enum lath_flow_pool_kind kind,
		uint32_t *cursor, unsigned *steps);

/** "closed", "udp_unanswered", ... @thread any */
const char *lath_flow_class_name(enum lath_flow_class class);
