/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Listing flows for management: a bounded look at the table each turn, rows into a mailbox, a
 * pause when that is full. A dump of a million flows takes a while and never stalls a packet.
 */

#include "pipeline_private.h"

static void
fill_ends(const struct lath_worker *w, struct lath_flow_row *row, lath_flow_ref_t ref)
{
	struct flow_end forward = lath_flow_end(w, ref);
	struct flow_end reverse = lath_flow_end(w, ref | LATH_FLOW_REVERSE);

	row->client = forward.src;
	row->service_ip = forward.dst;
	row->client_port = forward.src_port;
	row->service_port = forward.dst_port;
	row->client_vpc = forward.proto_vpc & LATH_KEY_VPC_MASK;
	row->proto = (uint8_t)(forward.proto_vpc >> 24);
	row->target_ip = reverse.src;
	row->nat = reverse.dst;
	row->target_port = reverse.src_port;
	row->nat_port = reverse.dst_port;
	row->target_vpc = reverse.proto_vpc & LATH_KEY_VPC_MASK;
}

static void
fill(const struct lath_worker *w, struct lath_flow_row *row, lath_flow_ref_t ref)
{
	const struct lath_flow_tail *tail = lath_flow_tail_at(&w->flows, ref);
	const struct lath_half_state *halves[] = {
			lath_flow_state_at(&w->flows, ref),
			lath_flow_state_at(&w->flows, ref | LATH_FLOW_REVERSE),
	};
	lath_tick_t last = lath_tick_reached(halves[0]->tick, halves[1]->tick) ? halves[0]->tick
									       : halves[1]->tick;

	*row = (struct lath_flow_row){
			.request = w->rows_job.request,
			.id = tail->id,
			.service = tail->service,
			.rule = tail->rule,
			.group = tail->group,
			.target = tail->target,
			.age_s = (w->now - tail->started) / LATH_TICKS_PER_SECOND,
			.idle_s = (w->now - last) / LATH_TICKS_PER_SECOND,
			.tcp_state = tail->tcp_state,
			.class = tail->class,
			.worker = (uint8_t)w->index,
	};
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(halves); i++) {
		row->packets[i] = halves[i]->packets;
		row->bytes[i] = halves[i]->bytes;
	}
	fill_ends(w, row, ref);
}

static bool
matches(const struct lath_flow_filter *filter, const struct lath_flow_row *row)
{
	if (filter->vpc != LATH_MODEL_NONE && filter->vpc != row->client_vpc &&
			filter->vpc != row->target_vpc)
		return false;
	if (filter->service != LATH_MODEL_NONE && filter->service != row->service)
		return false;
	if (filter->target != LATH_MODEL_NONE && filter->target != row->target)
		return false;
	if (filter->client_port != LATH_MODEL_NONE && filter->client_port != row->client_port)
		return false;
	if (filter->client.family != LATH_FAMILY_NONE &&
			!lath_ip_equal(&filter->client, &row->client))
		return false;
	return filter->nat.family == LATH_FAMILY_NONE || lath_ip_equal(&filter->nat, &row->nat);
}

void
lath_rows_begin(struct lath_worker *w, const struct lath_command *command)
{
	w->rows_job = (struct rows_job){
			.active = true,
			.request = command->rows.request,
			.pool = command->rows.pool,
			.cursor = command->rows.cursor,
			.left = command->rows.limit,
			.filter = command->rows.filter,
	};
}

/* The last row: where to go on. False: the mailbox is full, try again next turn. */
static bool
finish(struct lath_worker *w)
{
	struct rows_job *job = &w->rows_job;
	struct lath_flow_row row = {
			.request = job->request,
			.end = 1,
			.pool = job->pool,
			.cursor = job->cursor,
			.worker = (uint8_t)w->index,
	};

	if (!lath_mailbox_send(w->rows, &row))
		return false;
	job->active = false;
	return true;
}

void
lath_rows_run(struct lath_worker *w)
{
	struct rows_job *job = &w->rows_job;
	unsigned steps = ROWS_STEPS_PER_TURN;

	while (job->active && steps > 0) {
		struct lath_flow_row row;
		lath_flow_ref_t ref;
		uint32_t before = job->cursor;

		if (job->left == 0 || job->pool == LATH_FLOW_POOL_COUNT) {
			finish(w);
			return;
		}
		ref = lath_flow_walk(&w->flows, (enum lath_flow_pool_kind)job->pool, &job->cursor,
				&steps);
		if (ref == LATH_FLOW_NONE) {
			if (job->cursor >= w->flows.pools[job->pool].capacity) {
				job->pool++;
				job->cursor = 0;
			}
			continue;
		}
		fill(w, &row, ref);
		if (!matches(&job->filter, &row))
			continue;
		if (!lath_mailbox_send(w->rows, &row)) {
			job->cursor = before; /* the same entry again when there is room */
			return;
		}
		job->left--;
	}
}
