/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* An IPv6 packet as neighbour discovery: first as it is, then with hop limit and sum mended. What is
 * read can be answered, and the answer is itself one to believe.
 */

#include <lath_cksum.h>
#include <lath_nd.h>

#include "fuzz.h"

static void
answer(const struct lath_nd_message *read)
{
	static const struct lath_mac ours = {{2, 0, 0, 0, 0, 1}};
	uint8_t frame[LATH_ND_NEIGHBOR_MAX];
	struct lath_nd_message back;
	struct lath_nd_neighbor msg;
	uint32_t len;

	must(read->src.family == LATH_FAMILY_IPV6 && read->src.bytes[0] != 0xff);
	if (read->type != LATH_ND_NEIGHBOR_SOLICITATION)
		return;
	msg = lath_nd_answer(read, 0, &ours, &read->mac);
	len = lath_nd_make_neighbor(frame, &msg);
	must(lath_nd_is(frame + 14, len - 14));
	if (msg.target.bytes[0] == 0 && memcmp(msg.target.bytes, (uint8_t[16]){0}, 16) == 0)
		return; /* nobody's address: the pipeline does not answer for it */
	must(lath_nd_parse(frame + 14, len - 14, &back) == LATH_DROP_NONE);
	must(back.from_router && back.overrides && back.has_mac);
	must(lath_ip_equal(&back.target, &read->target));
}

static void
mend(uint8_t *ip, uint32_t size)
{
	uint32_t len = size - 40;
	uint16_t cksum;

	ip[4] = (uint8_t)(len >> 8);
	ip[5] = (uint8_t)len;
	ip[7] = LATH_ND_HOP_LIMIT;
	memset(ip + 42, 0, 2);
	cksum = lath_cksum_l4_v6((void *)ip, LATH_PROTO_ICMPV6, ip + 40, len);
	memcpy(ip + 42, &cksum, 2);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *ip = exact_copy(data, size);
	struct lath_nd_message read;

	(void)lath_nd_is_query(ip, (uint32_t)size);
	if (lath_nd_is(ip, (uint32_t)size)) {
		if (lath_nd_parse(ip, (uint32_t)size, &read) == LATH_DROP_NONE)
			answer(&read);
		if (size >= 44 && size < 2000) {
			mend(ip, (uint32_t)size);
			if (lath_nd_parse(ip, (uint32_t)size, &read) == LATH_DROP_NONE)
				answer(&read);
		}
	}
	free(ip);
	return 0;
}
