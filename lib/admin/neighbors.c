/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "admin_private.h"

/* {"vpc", "attachment", "address"}, or NULL for another VPC than `only`. */
static json_t *
place_json(struct lath_admin_call *call, uint32_t index, const struct lath_ip *ip, uint32_t only)
{
	const struct lath_model *model = lath_control_model(call->control);
	const struct lath_model_attachment *attachment = index < model->attachment_count
			? model->attachments[index]
			: NULL;
	json_t *json;

	if (only != LATH_MODEL_NONE && (attachment == NULL || attachment->vpc != only))
		return NULL;
	json = json_object();
	if (attachment != NULL) {
		lath_admin_put(json, "vpc", lath_admin_vpc_ref(call, attachment->vpc));
		lath_admin_put_text(json, "attachment", attachment->name);
	}
	lath_admin_put_ip(json, "address", ip);
	return json;
}

static json_t *
claims_json(struct lath_admin_call *call, uint32_t only)
{
	const struct lath_neigh *neigh = lath_control_neigh(call->control);
	struct lath_neigh_claim_row row;
	json_t *claims = json_array();
	uint32_t cursor = 0;

	while (json_array_size(claims) < LATH_ADMIN_PAGE_MAX &&
			lath_neigh_next_claim(neigh, &cursor, &row)) {
		json_t *json = place_json(call, row.attachment, &row.ip, only);

		if (json == NULL)
			continue;
		lath_admin_put_text(json, "state", lath_neigh_claim_state_name(row.state));
		if (row.state == LATH_NEIGH_CLAIM_CONFLICT)
			lath_admin_put_mac(json, "theirs", &row.theirs);
		lath_admin_append(claims, json);
	}
	return claims;
}

void
lath_admin_show_neighbors(struct lath_admin_call *call)
{
	const struct lath_neigh *neigh = lath_control_neigh(call->control);
	struct lath_admin_page page;
	struct lath_neigh_row row;
	json_t *array;
	json_t *result;
	bool more = true;
	uint32_t only;

	if (!lath_admin_param_vpc(call, &only) || !lath_admin_param_page(call, &page))
		return;
	array = json_array();
	while (json_array_size(array) < page.limit &&
			(more = lath_neigh_next(neigh, &page.at, call->now.tick, &row))) {
		json_t *json = place_json(call, row.attachment, &row.ip, only);

		if (json == NULL)
			continue;
		if (row.state != LATH_NEIGH_RESOLVING || row.mac.bytes[0] != 0 ||
				row.mac.bytes[5] != 0)
			lath_admin_put_mac(json, "mac", &row.mac);
		lath_admin_put_text(json, "state", lath_neigh_state_name(row.state));
		lath_admin_put_bool(json, "pinned", row.pinned);
		lath_admin_put_u64(json, "ageSeconds", row.age_s);
		lath_admin_append(array, json);
	}
	result = lath_admin_list("neighbors", array, more ? page.at : LATH_MODEL_NONE);
	lath_admin_put(result, "claims", claims_json(call, only));
	lath_admin_finish(call, result);
}
