/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Two bytes say where the first segment ends, the rest is an outer IP packet. What is accepted lies
 * inside it, in the order that the header says, and a shorter segment never makes it another tunnel.
 */

#include <lath_tunnel.h>

#include "fuzz.h"

static enum lath_drop
parse(const uint8_t *packet, uint32_t len, uint32_t whole, struct lath_tunnel_outer *outer)
{
	uint8_t *copy = exact_copy(packet, len);
	enum lath_drop drop = lath_tunnel_parse(copy, len, whole, 0, outer);
	struct lath_tunnel_gwlb gwlb;

	if (drop == LATH_DROP_NONE && outer->kind != LATH_TUNNEL_NONE) {
		const uint8_t *options = copy + outer->options_offset;

		must(outer->inner_offset <= len);
		must(outer->inner_offset <= outer->udp_offset + outer->udp_len);
		must(outer->udp_offset + (uint32_t)outer->udp_len <= whole);
		must(outer->vni <= LATH_TUNNEL_VNI_MAX);
		if (outer->kind == LATH_TUNNEL_GENEVE) {
			must(outer->options_offset + outer->options_len == outer->inner_offset);
			must(lath_tunnel_options(options, outer->options_len, NULL) <
					LATH_DROP_COUNT);
			must(lath_tunnel_options(options, outer->options_len, &gwlb) <
					LATH_DROP_COUNT);
		}
		if (len == whole)
			(void)lath_tunnel_cksum_holds(copy, 0, outer);
	}
	free(copy);
	return drop;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lath_tunnel_outer outer;
	struct lath_tunnel_outer cut_outer;
	uint32_t len;
	uint32_t cut;

	if (size < 2 || size > 65536)
		return 0;
	len = (uint32_t)size - 2;
	cut = (uint32_t)(data[0] << 8 | data[1]) % (len + 1);
	if (parse(data + 2, cut, len, &cut_outer) == LATH_DROP_NONE) {
		must(parse(data + 2, len, len, &outer) == LATH_DROP_NONE);
		must(outer.kind == cut_outer.kind && outer.vni == cut_outer.vni &&
				outer.inner_offset == cut_outer.inner_offset);
	} else {
		must(parse(data + 2, len, len, &outer) < LATH_DROP_COUNT);
	}
	return 0;
}
