/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Source ports by Toeplitz class.
 *
 * Toeplitz is linear over XOR: hash(tuple) = hash(tuple with port 0) ^ hash(port alone). So the low
 * B bits of the second term, the port's class, shift the bucket of the reply by a constant, and
 *
 *     reply lands in bucket b   <=>   class(port) = b ^ rest,   rest = bucket with port 0.
 *
 * A worker that owns n buckets may use n classes for any rest; only which ones differs. With the
 * ports sorted by class, its i-th port is found without a mask or a search:
 *
 *     i = j * class_size + k      ports[(owned[j] ^ rest) * class_size + k]
 *
 * All of this stands on classes of equal size. class() is a linear map of the port's bits, given by
 * a B x 16 matrix over GF(2) whose columns are key windows. If the columns of the low 10 bits alone
 * have rank B, each aligned block of 1,024 ports holds 2^(10-B) of every class (cosets of the
 * kernel), so the 63 blocks above the reserved ports 0..1023 do, and the whole matrix has rank B as
 * well. That one condition is checked for the port's place in IPv4 and IPv6 tuples, and for ICMP
 * echo, where the identifier stands in both port fields and the columns are sums of two windows.
 * Measured over 400 random keys each: 98 % pass at B = 3, 77 % at B = 7, 33 % at B = 9. Keys are
 * drawn until one passes; checking takes microseconds, filling the tables half a millisecond.
 *
 * The alternatives: an address per worker with flow director rules (a second owner function), or
 * handing every reply over (VPP). LIMIT: 0.5 MiB of port tables, for four kinds of tuples.
 */

#include <string.h>

#include "lath_owner.h"

#define LOW_PORT_BITS 10u /* ports 0..1023 are left out: one whole block */
#define PORT_BITS 16u
/* A third of the draws pass at B = 9: so many failures in a row mean a random state that is stuck. */
#define DRAWS_MAX 4096u

_Static_assert(LATH_OWNER_PORT_MIN == 1u << LOW_PORT_BITS, "whole blocks only");
_Static_assert(LATH_OWNER_BITS_MAX <= LOW_PORT_BITS, "rank cannot exceed the columns");

/* Offset of the destination port in the hash input. */
static const uint8_t port_offset[LATH_OWNER_FIELD_COUNT] = {
		[LATH_OWNER_FIELD_V4] = 10,
		[LATH_OWNER_FIELD_V6] = 34,
		[LATH_OWNER_FIELD_V4_ECHO] = 10,
		[LATH_OWNER_FIELD_V6_ECHO] = 34,
};

static bool
is_echo(enum lath_owner_field field)
{
	return field == LATH_OWNER_FIELD_V4_ECHO || field == LATH_OWNER_FIELD_V6_ECHO;
}

static enum lath_owner_field
port_field(enum lath_family family)
{
	return family == LATH_FAMILY_IPV6 ? LATH_OWNER_FIELD_V6 : LATH_OWNER_FIELD_V4;
}

static enum lath_owner_field
echo_field(enum lath_family family)
{
	return family == LATH_FAMILY_IPV6 ? LATH_OWNER_FIELD_V6_ECHO : LATH_OWNER_FIELD_V4_ECHO;
}

/* What bit `bit` (0: lowest) of a port adds to the hash. */
static uint32_t
port_column(const uint8_t *key, enum lath_owner_field field, unsigned bit)
{
	unsigned at = 8u * port_offset[field] + PORT_BITS - 1 - bit;
	uint32_t column = lath_toeplitz_window(key, at);

	if (is_echo(field))
		column ^= lath_toeplitz_window(key, at - PORT_BITS);
	return column;
}

/* Rank over GF(2) of the columns of the low port bits, cut to `mask`: Gauss elimination, keeping
 * for each leading bit one vector that has it.
 */
static unsigned
low_rank(const uint8_t *key, enum lath_owner_field field, uint32_t mask)
{
	uint32_t leading[LATH_OWNER_BITS_MAX] = {0};
	unsigned rank = 0;

	for (unsigned bit = 0; bit < LOW_PORT_BITS; bit++) {
		uint32_t vector = port_column(key, field, bit) & mask;

		while (vector != 0) {
			unsigned top = 31u - (unsigned)__builtin_clz(vector);

			if (leading[top] == 0) {
				leading[top] = vector;
				rank++;
				break;
			}
			vector ^= leading[top];
		}
	}
	return rank;
}

static bool
key_serves(const uint8_t *key, unsigned bits)
{
	for (unsigned field = 0; field < LATH_OWNER_FIELD_COUNT; field++) {
		if (low_rank(key, field, (1u << bits) - 1) != bits)
			return false;
	}
	return true;
}

static bool
sizes_serve(unsigned bits, unsigned workers)
{
	if (bits < LATH_OWNER_BITS_MIN || bits > LATH_OWNER_BITS_MAX)
		return false;
	return workers >= 1 && workers <= LATH_OWNER_WORKERS_MAX && workers <= 1u << bits;
}

static unsigned
port_class(const struct lath_owner *owner, enum lath_owner_field field, unsigned port)
{
	const uint32_t(*high)[256] = &owner->toeplitz.table[port_offset[field]];
	uint32_t hash = high[0][port >> 8] ^ high[1][port & 0xff];

	if (is_echo(field))
		hash ^= high[-2][port >> 8] ^ high[-1][port & 0xff];
	return hash & owner->mask;
}

static void
fill_map(struct lath_owner *owner)
{
	unsigned place = 0;

	for (unsigned i = 0; i < LATH_OWNER_BUCKETS_MAX; i++)
		owner->map[i] = (uint8_t)((i & owner->mask) % owner->workers);
	for (unsigned w = 0; w < owner->workers; w++) {
		owner->owned_first[w] = (uint16_t)place;
		for (unsigned bucket = 0; bucket <= owner->mask; bucket++) {
			if (owner->map[bucket] != w)
				continue;
			owner->ordinal[bucket] = (uint16_t)(place - owner->owned_first[w]);
			owner->owned[place++] = (uint16_t)bucket;
		}
	}
	owner->owned_first[owner->workers] = (uint16_t)place;
}

/* Sorts the ports by class, each class upwards. */
static void
fill_ports(struct lath_owner *owner, enum lath_owner_field field)
{
	uint16_t filled[LATH_OWNER_BUCKETS_MAX] = {0};

	for (unsigned port = LATH_OWNER_PORT_MIN; port <= LATH_OWNER_PORT_MAX; port++) {
		unsigned class = port_class(owner, field, port);
		unsigned at = class * owner->class_size + filled[class];

		owner->ports[field][at] = (uint16_t)port;
		owner->places[field][port - LATH_OWNER_PORT_MIN] = filled[class]++;
	}
}

int
lath_owner_init_key(struct lath_owner *owner, unsigned bits, unsigned workers,
		const uint8_t key[LATH_TOEPLITZ_KEY_LEN])
{
	if (!sizes_serve(bits, workers) || !key_serves(key, bits))
		return lath_err(EINVAL);
	memset(owner, 0, offsetof(struct lath_owner, toeplitz));
	owner->mask = (1u << bits) - 1;
	owner->bits = (uint16_t)bits;
	owner->workers = (uint16_t)workers;
	owner->class_size = LATH_OWNER_PORTS >> bits;
	lath_toeplitz_init(&owner->toeplitz, key);
	fill_map(owner);
	for (unsigned field = 0; field < LATH_OWNER_FIELD_COUNT; field++)
		fill_ports(owner, field);
	return 0;
}

int
lath_owner_init(struct lath_owner *owner, unsigned bits, unsigned workers, uint64_t *random)
{
	uint8_t key[LATH_TOEPLITZ_KEY_LEN];

	if (!sizes_serve(bits, workers))
		return lath_err(EINVAL);
	for (unsigned draw = 0; draw < DRAWS_MAX; draw++) {
		for (unsigned i = 0; i < sizeof(key); i++)
			key[i] = (uint8_t)(lath_random_next(random) >> 56);
		if (key_serves(key, bits))
			return lath_owner_init_key(owner, bits, workers, key);
	}
	return lath_err(EINVAL);
}

static const uint16_t *
port_at(const struct lath_owner *owner, enum lath_owner_field field, unsigned worker, unsigned rest,
		unsigned index)
{
	unsigned ordinal = index / owner->class_size;
	unsigned class = owner->owned[owner->owned_first[worker] + ordinal] ^ rest;

	return &owner->ports[field][class * owner->class_size + index % owner->class_size];
}

static unsigned
port_index(const struct lath_owner *owner, enum lath_owner_field field, unsigned worker,
		unsigned rest, uint16_t port)
{
	unsigned bucket = port_class(owner, field, port) ^ rest;

	if (port < LATH_OWNER_PORT_MIN || owner->map[bucket] != worker)
		return lath_owner_port_count(owner, worker);
	return owner->ordinal[bucket] * owner->class_size +
			owner->places[field][port - LATH_OWNER_PORT_MIN];
}

uint16_t
lath_owner_port_at(const struct lath_owner *owner, enum lath_family family, unsigned worker,
		unsigned rest, unsigned index)
{
	return *port_at(owner, port_field(family), worker, rest, index);
}

void
lath_owner_port_prefetch(const struct lath_owner *owner, enum lath_family family, unsigned worker,
		unsigned rest, unsigned index)
{
	__builtin_prefetch(port_at(owner, port_field(family), worker, rest, index));
}

unsigned
lath_owner_port_index(const struct lath_owner *owner, enum lath_family family, unsigned worker,
		unsigned rest, uint16_t port)
{
	return port_index(owner, port_field(family), worker, rest, port);
}

uint16_t
lath_owner_echo_at(const struct lath_owner *owner, enum lath_family family, unsigned worker,
		unsigned rest, unsigned index)
{
	return *port_at(owner, echo_field(family), worker, rest, index);
}

unsigned
lath_owner_echo_index(const struct lath_owner *owner, enum lath_family family, unsigned worker,
		unsigned rest, uint16_t id)
{
	return port_index(owner, echo_field(family), worker, rest, id);
}
