/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Listings of flows: one at a time, worker after worker. */

#include "control_private.h"

static int
ask(struct lath_control *control)
{
	struct listing *listing = &control->listing;
	struct lath_command command = {
			.type = LATH_COMMAND_ROWS,
			.rows = {listing->filter, listing->request, listing->cursor->pool,
					listing->cursor->entry, listing->left},
	};

	if (!lath_control_send(control, listing->cursor->worker, &command))
		return lath_err(EAGAIN);
	return 0;
}

int
lath_control_list_flows(struct lath_control *control, const struct lath_flow_filter *filter,
		struct lath_control_cursor *cursor, uint32_t limit, lath_control_row_t row,
		void *ctx)
{
	int rc;

	if (control->listing.active)
		return lath_err(EBUSY);
	if (cursor->worker >= control->options.plane->worker_count ||
			cursor->pool >= LATH_FLOW_POOL_COUNT)
		return lath_err(EINVAL);
	control->listing = (struct listing){
			.request = ++control->requests,
			.left = limit,
			.filter = *filter,
			.cursor = cursor,
			.row = row,
			.ctx = ctx,
	};
	rc = ask(control);
	control->listing.active = rc == 0;
	return rc;
}

void
lath_control_cancel(struct lath_control *control, void *ctx)
{
	/* The worker's job runs out by itself; the next listing has another number. */
	if (control->listing.active && control->listing.ctx == ctx)
		control->listing.active = false;
}

static void
finish(struct lath_control *control, const struct lath_flow_row *end)
{
	struct listing done = control->listing;

	control->listing.active = false; /* the callback may ask for the next page */
	done.row(done.ctx, end);
}

static void
take_end(struct lath_control *control, const struct lath_flow_row *row)
{
	struct listing *listing = &control->listing;

	listing->cursor->pool = row->pool;
	listing->cursor->entry = row->cursor;
	if (row->pool < LATH_FLOW_POOL_COUNT) { /* the page is full */
		finish(control, row);
		return;
	}
	listing->cursor->worker++;
	listing->cursor->pool = 0;
	listing->cursor->entry = 0;
	if (listing->cursor->worker == control->options.plane->worker_count || listing->left == 0 ||
			ask(control) != 0)
		finish(control, row);
}

static void
take_row(struct lath_control *control, const struct lath_flow_row *row)
{
	struct listing *listing = &control->listing;

	if (!listing->active || row->request != listing->request)
		return;
	if (row->end != 0) {
		take_end(control, row);
		return;
	}
	listing->left--;
	listing->row(listing->ctx, row);
}

unsigned
lath_control_rows(struct lath_control *control)
{
	unsigned total = 0;

	for (uint32_t w = 0; w < control->options.plane->worker_count; w++) {
		struct lath_mailbox *rows = lath_worker_rows(control->options.workers[w]);
		struct lath_flow_row row;
		unsigned n = 0;

		while (n < ROWS_PER_TURN && lath_mailbox_receive(rows, &row)) {
			take_row(control, &row);
			n++;
		}
		total += n;
	}
	return total;
}
