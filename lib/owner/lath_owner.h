/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Who owns a flow, and which source ports bring its replies to the same worker.
 * Pure; allocates nothing: the caller gives the memory (about 0.5 MiB, one for the process), which
 * is read-only after init, so any thread may ask.
 *
 * owner(packet) = map[bucket(canonical tuple)], bucket = low `bits` bits of the Toeplitz hash.
 *
 * A reply's bucket is `rest` ^ class(port): `rest` is the bucket of the reply tuple with its port
 * set to 0, class(port) depends on the port alone. The ports 1024..65535 fall into 2^bits classes
 * of equal size. So the ports that worker w may give out for a reply tuple are numbered
 * 0 .. lath_owner_port_count(w) - 1, for every rest alike. What a number means depends on the
 * rest: keep both, or ask lath_owner_port_index() with the same rest.
 *
 * ICMP echo has its identifier in both port fields, so it has classes of its own: use the _echo_
 * functions, with `rest` the bucket of the reply tuple with *both* port fields 0.
 */
#pragma once

#include <lath_inet.h>
#include <lath_toeplitz.h>

#define LATH_OWNER_BITS_MIN 1u
#define LATH_OWNER_BITS_MAX 9u /* RETA of 512 entries */
#define LATH_OWNER_BITS_DEFAULT 7u
#define LATH_OWNER_BUCKETS_MAX (1u << LATH_OWNER_BITS_MAX)
#define LATH_OWNER_WORKERS_MAX 64u

#define LATH_OWNER_PORT_MIN 1024u
#define LATH_OWNER_PORT_MAX 65535u
#define LATH_OWNER_PORTS (LATH_OWNER_PORT_MAX - LATH_OWNER_PORT_MIN + 1u) /* 64,512 */

/* Where the given-out port stands in the hashed reply tuple. */
enum lath_owner_field {
	LATH_OWNER_FIELD_V4,
	LATH_OWNER_FIELD_V6,
	LATH_OWNER_FIELD_V4_ECHO,
	LATH_OWNER_FIELD_V6_ECHO,
	LATH_OWNER_FIELD_COUNT,
};

struct lath_owner {
	uint32_t mask;       /* 2^bits - 1 */
	uint16_t bits;       /* 1..9 */
	uint16_t workers;    /* 1..64 */
	uint32_t class_size; /* ports of one class */
	uint32_t reserved;
	uint8_t map[LATH_OWNER_BUCKETS_MAX];      /* bucket -> worker */
	uint16_t ordinal[LATH_OWNER_BUCKETS_MAX]; /* bucket -> its place in the owner's list */
	uint16_t owned[LATH_OWNER_BUCKETS_MAX];   /* the lists of all workers, one by one */
	uint16_t owned_first[LATH_OWNER_WORKERS_MAX + 1]; /* worker -> start of its list */
	struct lath_toeplitz toeplitz;
	uint16_t ports[LATH_OWNER_FIELD_COUNT][LATH_OWNER_PORTS]; /* by class, then by number */
	/* Port - LATH_OWNER_PORT_MIN -> its place in its class. */
	uint16_t places[LATH_OWNER_FIELD_COUNT][LATH_OWNER_PORTS];
};

/**
 * Draws keys from `random` (SplitMix64 state, seeded by the caller from a true random source)
 * until one serves, and fills `owner`.
 * @return 0; -EINVAL when bits or workers are out of range or there are fewer buckets than workers.
 * @thread init
 */
int lath_owner_init(struct lath_owner *owner, unsigned bits, unsigned workers, uint64_t *random);

/**
 * The same with a given key.
 * @return also -EINVAL for a key whose port classes are not of equal size. `owner` is then as
 * it was.
 * @thread init
 */
int lath_owner_init_key(struct lath_owner *owner, unsigned bits, unsigned workers,
		const uint8_t key[LATH_TOEPLITZ_KEY_LEN]);

/** Bucket of an IPv4 tuple: 0 .. 2^bits - 1. @thread any */
static inline unsigned
lath_owner_bucket_v4(const struct lath_owner *owner, lath_be32_t src_be, lath_be32_t dst_be,
		lath_be16_t sport_be, lath_be16_t dport_be)
{
	return lath_toeplitz_v4(&owner->toeplitz, src_be, dst_be, sport_be, dport_be) & owner->mask;
}

/** Bucket of an IPv6 tuple: 0 .. 2^bits - 1. @thread any */
static inline unsigned
lath_owner_bucket_v6(const struct lath_owner *owner, const uint8_t src[16], const uint8_t dst[16],
		lath_be16_t sport_be, lath_be16_t dport_be)
{
	return lath_toeplitz_v6(&owner->toeplitz, src, dst, sport_be, dport_be) & owner->mask;
}

/** The worker of a bucket. @thread any */
static inline unsigned
lath_owner_of_bucket(const struct lath_owner *owner, unsigned bucket)
{
	return owner->map[bucket];
}

/** The worker of an IPv4 tuple. @thread any */
static inline unsigned
lath_owner_of_v4(const struct lath_owner *owner, lath_be32_t src_be, lath_be32_t dst_be,
		lath_be16_t sport_be, lath_be16_t dport_be)
{
	return owner->map[lath_owner_bucket_v4(owner, src_be, dst_be, sport_be, dport_be)];
}

/** The worker of an IPv6 tuple. @thread any */
static inline unsigned
lath_owner_of_v6(const struct lath_owner *owner, const uint8_t src[16], const uint8_t dst[16],
		lath_be16_t sport_be, lath_be16_t dport_be)
{
	return owner->map[lath_owner_bucket_v6(owner, src, dst, sport_be, dport_be)];
}

/** How many ports (or echo identifiers) `worker` may give out for any reply tuple. @thread any */
static inline unsigned
lath_owner_port_count(const struct lath_owner *owner, unsigned worker)
{
	return (unsigned)(owner->owned_first[worker + 1] - owner->owned_first[worker]) *
			owner->class_size;
}

/**
 * The port (host order) with number `index` of `worker`: a reply to it comes home.
 * @param family of the reply tuple.
 * @param rest bucket of the reply tuple with destination port 0.
 * @param index 0 .. lath_owner_port_count() - 1.
 * @thread any
 */
uint16_t lath_owner_port_at(const struct lath_owner *owner, enum lath_family family,
		unsigned worker, unsigned rest, unsigned index);

/** Fetches what lath_owner_port_at() will read, and its neighbours. @thread any */
void lath_owner_port_prefetch(const struct lath_owner *owner, enum lath_family family,
		unsigned worker, unsigned rest, unsigned index);

/**
 * The inverse of lath_owner_port_at(). Any owned port 1024..65535 is allowed.
 * @return its number, or lath_owner_port_count() when the port is below 1024 or its reply would
 * go to another worker.
 * @thread any
 */
unsigned lath_owner_port_index(const struct lath_owner *owner, enum lath_family family,
		unsigned worker, unsigned rest, uint16_t port);

/** lath_owner_port_at() for ICMP echo identifiers (host order). @thread any */
uint16_t lath_owner_echo_at(const struct lath_owner *owner, enum lath_family family,
		unsigned worker, unsigned rest, unsigned index);

/** lath_owner_port_index() for ICMP echo identifiers. @thread any */
unsigned lath_owner_echo_index(const struct lath_owner *owner, enum lath_family family,
		unsigned worker, unsigned rest, uint16_t id);
