/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * The hash is the XOR, over all input bits that are set, of the 32 key bits that begin at the
 * bit's position (Microsoft, "RSS hashing functions", NDIS reference). It is linear over XOR, so
 * the contribution of a byte depends on its position and value alone and can be looked up:
 *
 *     hash(b0 b1 b2 ...) = table[0][b0] ^ table[1][b1] ^ table[2][b2] ^ ...
 *
 * 12 lookups for IPv4, 36 for IPv6, in 12 and 36 KiB; made for a flow's first packet only. A
 * carry-less multiplication would need no table but an instruction set check.
 */

#include <assert.h>

#include "lath_toeplitz.h"

void
lath_toeplitz_init(struct lath_toeplitz *t, const uint8_t key[LATH_TOEPLITZ_KEY_LEN])
{
	memcpy(t->key, key, LATH_TOEPLITZ_KEY_LEN);
	for (unsigned i = 0; i < LATH_TOEPLITZ_INPUT_MAX; i++) {
		t->table[i][0] = 0;
		for (unsigned byte = 1; byte < 256; byte++) {
			unsigned lowest = (unsigned)__builtin_ctz(byte);

			/* A byte is its lowest set bit and a smaller byte, which is known already. */
			t->table[i][byte] = t->table[i][byte & (byte - 1)] ^
					lath_toeplitz_window(t->key, 8 * i + 7 - lowest);
		}
	}
}

uint32_t
lath_toeplitz_bytes(const struct lath_toeplitz *t, const void *data, size_t len)
{
	const uint8_t *from = data;
	uint32_t hash = 0;

	assert(len <= LATH_TOEPLITZ_INPUT_MAX);
	for (size_t i = 0; i < len; i++)
		hash ^= t->table[i][from[i]];
	return hash;
}
