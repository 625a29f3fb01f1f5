/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * The Toeplitz hash that NICs spread packets with (Microsoft, "RSS hashing functions"), by table:
 * one lookup a byte. It decides which worker owns a flow and nothing else: it is linear, so it
 * never indexes a table that strangers can fill. Pure; any thread; allocates nothing.
 */
#pragma once

#include <string.h>

#include <lath_base.h>

#define LATH_TOEPLITZ_KEY_LEN 52u   /* the longest RSS key of common NICs (i40e, ice) */
#define LATH_TOEPLITZ_INPUT_MAX 36u /* IPv6: two addresses and two ports */
#define LATH_TOEPLITZ_V4_LEN 12u    /* IPv4: two addresses and two ports */

struct lath_toeplitz {
	uint8_t key[LATH_TOEPLITZ_KEY_LEN];
	uint32_t table[LATH_TOEPLITZ_INPUT_MAX][256]; /* [position of the byte][its value] */
};

/** What input bit `bit` (0 is the highest bit of the first byte) adds to the hash when it is set:
 *  the 32 key bits that begin there. bit < 8 x LATH_TOEPLITZ_INPUT_MAX. @thread any
 */
static inline uint32_t
lath_toeplitz_window(const uint8_t key[LATH_TOEPLITZ_KEY_LEN], unsigned bit)
{
	const uint8_t *from = key + bit / 8;
	uint64_t five_bytes = 0;

	for (unsigned i = 0; i < 5; i++)
		five_bytes = five_bytes << 8 | from[i];
	return (uint32_t)(five_bytes >> (8 - bit % 8));
}

/** Fills the table, 36 KiB. @thread any */
void lath_toeplitz_init(struct lath_toeplitz *t, const uint8_t key[LATH_TOEPLITZ_KEY_LEN]);

/** The hash of `len` <= LATH_TOEPLITZ_INPUT_MAX bytes. @thread any */
uint32_t lath_toeplitz_bytes(const struct lath_toeplitz *t, const void *data, size_t len);

/** The IPv4 TCP/UDP input: source, destination, source port, destination port. @thread any */
static inline uint32_t
lath_toeplitz_v4(const struct lath_toeplitz *t, lath_be32_t src_be, lath_be32_t dst_be,
		lath_be16_t sport_be, lath_be16_t dport_be)
{
	uint8_t input[LATH_TOEPLITZ_V4_LEN];
	uint32_t hash = 0;

	memcpy(input, &src_be, 4);
	memcpy(input + 4, &dst_be, 4);
	memcpy(input + 8, &sport_be, 2);
	memcpy(input + 10, &dport_be, 2);
	for (unsigned i = 0; i < LATH_TOEPLITZ_V4_LEN; i++)
		hash ^= t->table[i][input[i]];
	return hash;
}

/** The IPv6 TCP/UDP input: source, destination, source port, destination port. @thread any */
static inline uint32_t
lath_toeplitz_v6(const struct lath_toeplitz *t, const uint8_t src[16], const uint8_t dst[16],
		lath_be16_t sport_be, lath_be16_t dport_be)
{
	uint8_t ports[4];
	uint32_t hash = 0;

	memcpy(ports, &sport_be, 2);
	memcpy(ports + 2, &dport_be, 2);
	for (unsigned i = 0; i < 16; i++)
		hash ^= t->table[i][src[i]] ^ t->table[16 + i][dst[i]];
	for (unsigned i = 0; i < 4; i++)
		hash ^= t->table[32 + i][ports[i]];
	return hash;
}
