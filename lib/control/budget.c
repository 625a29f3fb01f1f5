/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Budgets: a limit of a VPC over all workers without a shared counter. Every 50 ms each worker
 * gets a share by what it last wanted, at least 1 / (4 W) of the whole, so that demand that moves
 * to another worker is met at once. The shares never add up to more than the limit; bursts are
 * bounded by one period's worth.
 */

#include <stdlib.h>

#include "control_private.h"

int
lath_control_budget_init(struct lath_control *control)
{
	uint32_t vpcs = control->options.limits.max[LATH_OBJECT_VPC];

	for (uint32_t w = 0; w < control->options.plane->worker_count; w++) {
		control->budgets[w] = calloc(vpcs, sizeof(*control->budgets[w]));
		if (control->budgets[w] == NULL)
			return lath_err(ENOMEM);
	}
	return 0;
}

static void
deal(struct lath_control *control, uint32_t vpc, const uint64_t *demands, uint64_t demand)
{
	const struct lath_model *model = control->models[control->first_node];
	uint32_t workers = control->options.plane->worker_count;
	uint32_t limit = model->limits.refusals_per_second;
	uint32_t least = limit / (4 * workers);
	uint32_t rest = limit - least * workers;

	for (uint32_t w = 0; w < workers; w++) {
		struct budget_row *row = &control->budgets[w][vpc];
		uint64_t part = demand == 0 ? rest / workers : rest * demands[w] / demand;
		struct lath_command command = {
				.type = LATH_COMMAND_BUDGET,
				.budget = {.vpc = vpc,
						.refusals_per_second = least + (uint32_t)part},
		};

		if (row->share != command.budget.refusals_per_second &&
				lath_control_send(control, w, &command))
			row->share = command.budget.refusals_per_second;
	}
}

void
lath_control_budget_run(struct lath_control *control)
{
	const struct lath_model *model = control->models[control->first_node];
	uint64_t demands[LATH_WORKERS_MAX];

	for (uint32_t vpc = 0; vpc < model->vpc_count; vpc++) {
		uint64_t sum = 0;

		if (model->vpcs[vpc] == NULL)
			continue;
		for (uint32_t w = 0; w < control->options.plane->worker_count; w++) {
			struct budget_row *row = &control->budgets[w][vpc];
			uint64_t total = lath_worker_refusal_demand(control->options.workers[w],
					vpc);

			demands[w] = total - row->demand;
			row->demand = total;
			sum += demands[w];
		}
		deal(control, vpc, demands, sum);
	}
}
