/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Flows live in the workers, who tell them a few at a time: a listing is a question on the command
 * ring and its rows come with later turns of lath_control_run(). Control runs one listing at a
 * time, so askers wait here in order. A page that came out short, because the gateway's own probes
 * were left out, is filled up by further questions.
 */

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin_private.h"

#define ROUNDS_MAX 64u /* questions a page; then it stays short */

struct lath_admin_listing {
	STAILQ_ENTRY(lath_admin_listing) next;
	struct lath_admin_call *call;
	struct lath_flow_filter filter;
	struct lath_control_cursor cursor;
	uint32_t limit;
	unsigned rounds;
	bool probes; /* the gateway's own too */
	json_t *rows;
};

static json_t *
endpoint_json(const struct lath_ip *ip, uint16_t port)
{
	json_t *json = json_object();

	lath_admin_put_ip(json, "address", ip);
	lath_admin_put_u64(json, "port", port);
	return json;
}

static json_t *
row_json(struct lath_admin_call *call, const struct lath_flow_row *row)
{
	json_t *json = json_object();
	char id[24];

	snprintf(id, sizeof(id), "%016" PRIx64, row->id);
	lath_admin_put_text(json, "id", id);
	lath_admin_put_text(json, "protocol", lath_admin_protocol(row->proto));
	lath_admin_put_text(json, "state",
			row->proto == IPPROTO_TCP
					? lath_tcp_state_name((enum lath_tcp_state)row->tcp_state)
					: lath_flow_class_name((enum lath_flow_class)row->class));
	lath_admin_put(json, "clientVpc", lath_admin_vpc_ref(call, row->client_vpc));
	lath_admin_put(json, "client", endpoint_json(&row->client, row->client_port));
	lath_admin_put(json, "service", lath_admin_service_ref(call, row->service));
	lath_admin_put(json, "serviceAddress", endpoint_json(&row->service_ip, row->service_port));
	lath_admin_put(json, "targetVpc", lath_admin_vpc_ref(call, row->target_vpc));
	lath_admin_put(json, "nat", endpoint_json(&row->nat, row->nat_port));
	lath_admin_put(json, "target", endpoint_json(&row->target_ip, row->target_port));
	lath_admin_put(json, "targetGroup", lath_admin_group_ref(call, row->group));
	lath_admin_put_bool(json, "isProbe", row->client_vpc == LATH_MODEL_HOST_VPC);
	lath_admin_put_u64(json, "ageSeconds", row->age_s);
	lath_admin_put_u64(json, "idleSeconds", row->idle_s);
	lath_admin_put_u64(json, "packetsToTarget", row->packets[0]);
	lath_admin_put_u64(json, "packetsToClient", row->packets[1]);
	lath_admin_put_u64(json, "bytesToTarget", row->bytes[0]);
	lath_admin_put_u64(json, "bytesToClient", row->bytes[1]);
	lath_admin_put_u64(json, "worker", row->worker);
	return json;
}

static void run_next(struct lath_admin *admin);

static void
finish(struct lath_admin_listing *listing)
{
	struct lath_admin *admin = listing->call->admin;
	uint32_t workers = lath_control_plane(admin->control)->worker_count;
	json_t *result = lath_admin_list("flows", listing->rows, LATH_MODEL_NONE);
	char next[48];

	STAILQ_REMOVE_HEAD(&admin->listings, next);
	admin->listing_runs = false;
	if (listing->cursor.worker < workers) {
		snprintf(next, sizeof(next), "%" PRIu32 ".%" PRIu32 ".%" PRIu32,
				listing->cursor.worker, listing->cursor.pool,
				listing->cursor.entry);
		lath_admin_put_text(result, "next", next);
	}
	lath_admin_finish(listing->call, result);
	free(listing);
	run_next(admin);
}

static void take_row(void *ctx, const struct lath_flow_row *row);

/* Asks the workers; false when that was refused. */
static bool
ask(struct lath_admin_listing *listing)
{
	uint32_t missing = listing->limit - (uint32_t)json_array_size(listing->rows);

	listing->rounds++;
	return lath_control_list_flows(listing->call->control, &listing->filter, &listing->cursor,
			       missing, take_row, listing) == 0;
}

static void
take_row(void *ctx, const struct lath_flow_row *row)
{
	struct lath_admin_listing *listing = ctx;
	struct lath_admin_call *call = listing->call;

	if (!row->end) {
		if (listing->probes || row->client_vpc != LATH_MODEL_HOST_VPC)
			lath_admin_append(listing->rows, row_json(call, row));
		return;
	}
	if (json_array_size(listing->rows) < listing->limit && call->done != NULL &&
			listing->rounds < ROUNDS_MAX &&
			listing->cursor.worker < lath_control_plane(call->control)->worker_count &&
			ask(listing))
		return;
	finish(listing);
}

static void
drop(struct lath_admin_listing *listing, const char *why)
{
	STAILQ_REMOVE(&listing->call->admin->listings, listing, lath_admin_listing, next);
	json_decref(listing->rows);
	lath_admin_fail(listing->call, LATH_RPC_BUSY, NULL, "%s", why);
	free(listing);
}

static void
run_next(struct lath_admin *admin)
{
	struct lath_admin_listing *listing;

	while (!admin->listing_runs && (listing = STAILQ_FIRST(&admin->listings)) != NULL) {
		/* Rows may come within ask(), down to the last one. */
		admin->listing_runs = true;
		if (ask(listing))
			return;
		admin->listing_runs = false;
		drop(listing, "the workers are busy with another listing of flows; ask again");
	}
}

void
lath_admin_listings_end(struct lath_admin *admin)
{
	struct lath_admin_listing *listing;

	while ((listing = STAILQ_FIRST(&admin->listings)) != NULL) {
		if (admin->listing_runs)
			lath_control_cancel(admin->control, listing);
		admin->listing_runs = false;
		drop(listing, "the gateway stops");
	}
}

static bool
find_target(struct lath_admin_call *call, uint32_t vpc, uint32_t *found)
{
	const struct lath_model *model = lath_control_model(call->control);
	struct lath_admin_target_name name;
	unsigned count = 0;

	*found = LATH_MODEL_NONE;
	if (!lath_admin_param_target(call, &name))
		return false;
	if (name.ip.family == LATH_FAMILY_NONE)
		return true;
	for (uint32_t i = 0; i < model->target_count; i++) {
		if (model->targets[i] == NULL ||
				!lath_admin_target_is(model, model->targets[i], &name) ||
				(vpc != LATH_MODEL_NONE && model->targets[i]->vpc != vpc))
			continue;
		*found = i;
		count++;
	}
	if (count == 1)
		return true;
	lath_admin_fail(call, LATH_RPC_INVALID_PARAMS, NULL,
			count == 0 ? "target: there is no such target%s"
				   : "target: several are meant; add the port, the group in front "
				     "(GROUP/ADDRESS:PORT) or the VPC%s",
			count == 0 && vpc != LATH_MODEL_NONE ? " in this VPC" : "");
	return false;
}

static bool
read_cursor(struct lath_admin_call *call, struct lath_control_cursor *cursor)
{
	uint32_t workers = lath_control_plane(call->control)->worker_count;
	const char *text = NULL;
	int used = 0;

	if (!lath_admin_param_text(call, "cursor", &text))
		return false;
	if (text == NULL)
		return true;
	if (sscanf(text, "%9" SCNu32 ".%9" SCNu32 ".%9" SCNu32 "%n", &cursor->worker, &cursor->pool,
			    &cursor->entry, &used) == 3 &&
			text[used] == '\0' && cursor->worker < workers &&
			cursor->pool < LATH_FLOW_POOL_COUNT)
		return true;
	lath_admin_fail(call, LATH_RPC_INVALID_PARAMS, NULL,
			"cursor: \"%.40s\" is not the \"next\" of an earlier answer", text);
	return false;
}

void
lath_admin_show_flows(struct lath_admin_call *call)
{
	struct lath_admin_listing *listing = calloc(1, sizeof(*listing));
	struct lath_flow_filter *filter;

	if (listing == NULL) {
		lath_admin_finish(call, NULL);
		return;
	}
	filter = &listing->filter;
	filter->client_port = LATH_MODEL_NONE;
	listing->call = call;
	listing->limit = LATH_ADMIN_FLOWS_DEFAULT;
	if (!lath_admin_param_vpc(call, &filter->vpc) ||
			!lath_admin_param_service(call, &filter->service) ||
			!find_target(call, filter->vpc, &filter->target) ||
			!lath_admin_param_ip(call, "client", &filter->client) ||
			!lath_admin_param_u32(call, "clientPort", 0, UINT16_MAX,
					&filter->client_port) ||
			!lath_admin_param_ip(call, "natAddress", &filter->nat) ||
			!lath_admin_param_u32(call, "limit", 1, LATH_ADMIN_PAGE_MAX,
					&listing->limit) ||
			!lath_admin_param_bool(call, "all", &listing->probes) ||
			!read_cursor(call, &listing->cursor)) {
		free(listing); /* The call has been failed. */
		return;
	}
	listing->rows = json_array();
	STAILQ_INSERT_TAIL(&call->admin->listings, listing, next);
	run_next(call->admin);
}
