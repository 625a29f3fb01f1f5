/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* What a flow's packets look like at one end, whichever family they have there. */

#include "pipeline_private.h"

static struct flow_end
end4_of(const struct lath_key4 *key)
{
	return (struct flow_end){
			.src = lath_ip_from_v4_be(key->src_be),
			.dst = lath_ip_from_v4_be(key->dst_be),
			.src_port = lath_from_be16(key->src_port_be),
			.dst_port = lath_from_be16(key->dst_port_be),
			.proto_vpc = key->proto_vpc,
	};
}

struct flow_end
lath_flow_end(const struct lath_worker *w, lath_flow_ref_t ref)
{
	const struct lath_half_mixed *half;

	if (!lath_flow_is_mixed(ref))
		return end4_of(&lath_flow4_at(&w->flows, ref)->half[ref & 1].key);
	half = &lath_flow_mixed_at(&w->flows, ref)->half[ref & 1];
	if (half->family_in == LATH_FAMILY_IPV4)
		return end4_of(&half->key4);
	return (struct flow_end){
			.src = lath_ip_from_v6(half->key6.src),
			.dst = lath_ip_from_v6(half->key6.dst),
			.src_port = lath_from_be16(half->key6.src_port_be),
			.dst_port = lath_from_be16(half->key6.dst_port_be),
			.proto_vpc = half->key6.proto_vpc,
	};
}
