/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "lath_counters.h"

static size_t
nat_size(const struct lath_counters *counters)
{
	return counters->rows[LATH_OBJECT_VPC] * sizeof(*counters->nat);
}

static size_t
drops_size(const struct lath_counters *counters)
{
	return (size_t)counters->rows[LATH_OBJECT_VPC] * LATH_DROP_COUNT * sizeof(uint64_t);
}

struct lath_counters *
lath_counters_create(const struct lath_registry_limits *limits,
		const struct lath_allocator *allocator)
{
	struct lath_counters *counters = allocator->alloc(allocator->ctx, sizeof(*counters));

	if (counters == NULL)
		return lath_null(ENOMEM);
	for (unsigned kind = 0; kind < LATH_OBJECT_KIND_COUNT; kind++) {
		counters->rows[kind] = limits->max[kind];
		counters->objects[kind] = allocator->alloc(allocator->ctx,
				limits->max[kind] * sizeof(*counters->objects[kind]));
		if (counters->objects[kind] == NULL)
			goto err;
	}
	counters->drops = allocator->alloc(allocator->ctx, drops_size(counters));
	counters->nat = allocator->alloc(allocator->ctx, nat_size(counters));
	if (counters->drops == NULL || counters->nat == NULL)
		goto err;
	return counters;
err:
	lath_counters_free(counters, allocator);
	return lath_null(ENOMEM);
}

void
lath_counters_free(struct lath_counters *counters, const struct lath_allocator *allocator)
{
	if (counters == NULL)
		return;
	for (unsigned kind = 0; kind < LATH_OBJECT_KIND_COUNT; kind++)
		if (counters->objects[kind] != NULL)
			allocator->free(allocator->ctx, counters->objects[kind],
					counters->rows[kind] * sizeof(*counters->objects[kind]));
	if (counters->nat != NULL)
		allocator->free(allocator->ctx, counters->nat, nat_size(counters));
	if (counters->drops != NULL)
		allocator->free(allocator->ctx, counters->drops, drops_size(counters));
	allocator->free(allocator->ctx, counters, sizeof(*counters));
}

uint64_t
lath_counters_drops(const struct lath_counters *counters, enum lath_drop drop)
{
	uint64_t sum = 0;

	for (uint32_t vpc = 0; vpc < counters->rows[LATH_OBJECT_VPC]; vpc++)
		sum += counters->drops[(size_t)vpc * LATH_DROP_COUNT + drop];
	return sum;
}

int64_t
lath_counters_imbalance(const struct lath_counters *counters)
{
	const struct lath_worker_counters *w = &counters->worker;
	uint64_t in = w->received + w->handed_in;
	uint64_t out = w->sent + w->consumed + w->handed_out + w->held;

	for (unsigned kind = 0; kind < LATH_GENERATED_COUNT; kind++)
		in += w->generated[kind];
	for (unsigned drop = 0; drop < LATH_DROP_COUNT; drop++)
		out += lath_counters_drops(counters, drop);
	return (int64_t)(in - out);
}

static const char *const flow_end_names[LATH_FLOW_END_COUNT] = {
		[LATH_FLOW_END_IDLE] = "idle",
		[LATH_FLOW_END_RECLAIMED_CLOSED] = "reclaimed_closed",
		[LATH_FLOW_END_RECLAIMED_UDP] = "reclaimed_udp_unanswered",
		[LATH_FLOW_END_RECLAIMED_HALF_OPEN] = "reclaimed_half_open",
		[LATH_FLOW_END_REVOKED] = "revoked",
		[LATH_FLOW_END_TERMINATED] = "target_terminated",
		[LATH_FLOW_END_REPICKED] = "repicked",
		[LATH_FLOW_END_REOPENED] = "reopened",
};

static const char *const handover_names[LATH_HANDOVER_COUNT] = {
		[LATH_HANDOVER_UNSTEERED] = "unsteered",
		[LATH_HANDOVER_ICMP] = "icmp",
		[LATH_HANDOVER_TUNNEL] = "tunnel",
		[LATH_HANDOVER_WRONG] = "wrong_lcore",
		[LATH_HANDOVER_TRANSMIT] = "transmit",
};

const char *
lath_flow_end_name(enum lath_flow_end end)
{
	return flow_end_names[end];
}

const char *
lath_handover_name(enum lath_handover why)
{
	return handover_names[why];
}
