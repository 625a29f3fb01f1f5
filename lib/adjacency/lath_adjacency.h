/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * One worker's adjacencies: where a packet leaves and the bytes that go in front of it. Flow
 * entries hold an index, never a MAC, so a next hop that changes its MAC is one update.
 *
 * Management resolves; the worker asks once and keeps at most one packet a next hop meanwhile.
 * Flows take a reference only of a READY adjacency (it may fail later), so those that nobody ever
 * answered can be evicted at any time. When routes change, every adjacency is *retired*: flows that still hold it look up
 * their route again, and it goes with its last reference.
 *
 * Everything is @thread dp of one worker but init and fini (@thread init). No allocation after create.
 */
#pragma once

#include <lath_inet.h>
#include <lath_siphash.h>

#define LATH_ADJACENCY_NONE 0u /* index of no adjacency; entry 0 is never READY */
#define LATH_ADJACENCY_HEADER_MAX 96u

enum lath_adjacency_state {
	LATH_ADJACENCY_FREE,
	LATH_ADJACENCY_RESOLVING,
	LATH_ADJACENCY_READY,
	LATH_ADJACENCY_FAILED,
	LATH_ADJACENCY_RETIRED,
	LATH_ADJACENCY_STATE_COUNT,
};

/** What a tunnel's adjacency has in front of a packet. */
enum lath_adjacency_inner {
	LATH_ADJACENCY_IP,       /* headers around bare IP */
	LATH_ADJACENCY_ETHERNET, /* the same and an inner Ethernet header */
	LATH_ADJACENCY_KEPT,     /* nothing: each flow keeps its own */
};

/** A next hop on an attachment: by address, or by MAC (returnTo: sender). The family is that of the
 *  packets that go there: it is in the header in front of them.
 */
struct lath_adjacency_key {
	uint32_t attachment; /* stable index */
	uint16_t by_mac;     /* 1: bytes[0..5] is a MAC */
	uint16_t family;     /* enum lath_family */
	uint8_t bytes[16];
};

_Static_assert(sizeof(struct lath_adjacency_key) == 24, "hashed as three words");

/* Lines 0, 1: what the hit path reads. Line 2: the slow path. */
struct lath_adjacency {
	uint8_t state; /* enum lath_adjacency_state */
	uint8_t header_len;
	uint16_t port;    /* index into system.ports, or the host port */
	uint16_t mtu;     /* of the IP packet, bytes */
	bool is_tunnel;   /* the header begins with an outer IP header: it goes on by `under` */
	uint8_t inner;    /* enum lath_adjacency_inner, of a tunnel */
	uint32_t refs;    /* halves that hold this index */
	lath_tick_t used; /* when management was last told that packets go here */
	uint8_t header[LATH_ADJACENCY_HEADER_MAX];
	uint32_t under; /* of a tunnel: the adjacency that takes its outer packets on; holds a ref */
	uint8_t reserved1[12];
	struct lath_adjacency_key key;
	void *held;          /* one packet that waits; owned by the pipeline */
	lath_tick_t asked;   /* when management was last asked */
	uint32_t next;       /* of the hash chain, or of the free list */
	struct lath_mac mac; /* READY, RETIRED */
	uint16_t epoch;      /* of the table when the entry was made */
	lath_tick_t changed; /* when the state was entered */
	uint8_t reserved3[12];
};

_Static_assert(sizeof(struct lath_adjacency) == 3 * LATH_CACHE_LINE, "two hot lines, one cold");

struct lath_adjacency_table {
	struct lath_adjacency *entries; /* [0] stands for none */
	uint32_t *heads;
	uint32_t capacity; /* entries, the first included */
	uint32_t head_mask;
	uint32_t free_head;
	uint32_t count;
	uint32_t clock; /* where eviction looks next */
	uint16_t epoch; /* counts changes of routes; entries of an older one are to be retired */
	struct lath_siphash_key hash_key;
};

/** Room for `capacity` next hops. 0 or -ENOMEM. @thread init */
int lath_adjacency_init(struct lath_adjacency_table *table, uint32_t capacity,
		struct lath_siphash_key hash_key, const struct lath_allocator *allocator);

/** The caller has taken `held` packets out. Accepts a zeroed table. @thread init */
void lath_adjacency_fini(struct lath_adjacency_table *table,
		const struct lath_allocator *allocator);

/** Key of a next hop by address. */
struct lath_adjacency_key lath_adjacency_key_ip(uint32_t attachment, const struct lath_ip *ip);

/** Key of a next hop by MAC, for packets of `family`. */
struct lath_adjacency_key lath_adjacency_key_mac(uint32_t attachment, const struct lath_mac *mac,
		enum lath_family family);

/** The address of a key that is none by MAC. */
struct lath_ip lath_adjacency_ip(const struct lath_adjacency_key *key);

/** Index, or LATH_ADJACENCY_NONE. */
uint32_t lath_adjacency_find(const struct lath_adjacency_table *table,
		const struct lath_adjacency_key *key);

/**
 * Finds or makes an entry (RESOLVING). When the table is full it evicts one that no flow holds,
 * unresolved ones first; a packet that waited there is handed to the caller in `*evicted`.
 * LATH_ADJACENCY_NONE: every entry is held by flows.
 */
uint32_t lath_adjacency_get(struct lath_adjacency_table *table,
		const struct lath_adjacency_key *key, lath_tick_t now, void **evicted);

/** Makes it READY with these bytes in front of every packet. */
void lath_adjacency_ready(struct lath_adjacency_table *table, uint32_t idx,
		const struct lath_mac *mac, const uint8_t *header, uint8_t header_len,
		uint16_t port, uint16_t mtu, lath_tick_t now);

/** A tunnel's outer packets go on by `under` (NONE: by none); takes and gives back references. */
void lath_adjacency_set_under(struct lath_adjacency_table *table, uint32_t idx, uint32_t under);

/** Nobody answers: FAILED; returns the packet that waited, or NULL. */
void *lath_adjacency_failed(struct lath_adjacency_table *table, uint32_t idx, lath_tick_t now);

/** Routes changed: retires `idx`; it is found no more and goes with its last reference. Returns
 *  the packet that waited, or NULL.
 */
void *lath_adjacency_retire(struct lath_adjacency_table *table, uint32_t idx, lath_tick_t now);

/** A half takes or gives back the index. */
static inline void
lath_adjacency_ref(struct lath_adjacency_table *table, uint32_t idx)
{
	table->entries[idx].refs++;
}

void lath_adjacency_unref(struct lath_adjacency_table *table, uint32_t idx);

/** "ready". @thread any */
const char *lath_adjacency_state_name(enum lath_adjacency_state state);
