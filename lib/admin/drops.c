/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "admin_private.h"

static uint64_t
count_of(const struct lath_control *control, uint32_t vpc, unsigned drop)
{
	uint32_t workers = lath_control_plane(control)->worker_count;
	uint64_t sum = 0;

	for (uint32_t w = 0; w < workers; w++) {
		const struct lath_counters *counters = lath_control_counters(control, w);

		if (vpc < counters->rows[LATH_OBJECT_VPC])
			sum += counters->drops[(size_t)vpc * LATH_DROP_COUNT + drop];
	}
	return sum;
}

/* A VPC's share; row 0 counts frames of no VPC too. */
static json_t *
share_json(struct lath_admin_call *call, uint32_t vpc, uint64_t count)
{
	json_t *json = json_object();

	lath_admin_put(json, "vpc", lath_admin_vpc_ref(call, vpc));
	if (vpc == LATH_MODEL_HOST_VPC)
		lath_admin_put_text(json_object_get(json, "vpc"), "name", "(host or none)");
	lath_admin_put_u64(json, "packets", count);
	return json;
}

static json_t *
reason_json(struct lath_admin_call *call, unsigned drop, uint32_t only, uint32_t rows,
		uint64_t *total)
{
	json_t *json = json_object();
	json_t *shares = json_array();

	*total = 0;
	for (uint32_t vpc = 0; vpc < rows; vpc++) {
		uint64_t count;

		if (only != LATH_MODEL_NONE && only != vpc)
			continue;
		count = count_of(call->control, vpc, drop);
		*total += count;
		if (count > 0)
			lath_admin_append(shares, share_json(call, vpc, count));
	}
	lath_admin_put_text(json, "reason", lath_drop_name((enum lath_drop)drop));
	lath_admin_put_text(json, "help", lath_drop_help((enum lath_drop)drop));
	lath_admin_put_u64(json, "packets", *total);
	lath_admin_put(json, "vpcs", shares);
	return json;
}

void
lath_admin_show_drops(struct lath_admin_call *call)
{
	uint32_t rows = lath_control_counters(call->control, 0)->rows[LATH_OBJECT_VPC];
	json_t *result;
	json_t *reasons;
	uint64_t sum = 0;
	bool all = false;
	uint32_t vpc;

	if (!lath_admin_param_vpc(call, &vpc) || !lath_admin_param_bool(call, "all", &all))
		return;
	result = json_object();
	reasons = json_array();
	for (unsigned i = 1; i < LATH_DROP_COUNT; i++) {
		uint64_t total;
		json_t *reason = reason_json(call, i, vpc, rows, &total);

		sum += total;
		if (total > 0 || all)
			lath_admin_append(reasons, reason);
		else
			json_decref(reason);
	}
	lath_admin_put_u64(result, "packets", sum);
	lath_admin_put(result, "reasons", reasons);
	lath_admin_finish(call, result);
}
