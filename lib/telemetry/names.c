/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "telemetry_private.h"

/* Cuts what is too long. */
static void
copy(char *out, size_t size, const char *text)
{
	size_t len = strnlen(text, size - 1);

	memcpy(out, text, len);
	out[len] = '\0';
}

static void
add_vpcs(struct lath_telemetry_names *names, const struct lath_model *model)
{
	for (uint32_t i = 0; i < model->vpc_count; i++) {
		struct lath_telemetry_name *row = &names->rows[LATH_TELEMETRY_VPCS]
							      [names->count[LATH_TELEMETRY_VPCS]];

		if (i != LATH_MODEL_HOST_VPC && model->vpcs[i] == NULL)
			continue;
		row->index = i;
		copy(row->name, sizeof(row->name),
				i == LATH_MODEL_HOST_VPC ? "(host or none)" : model->vpcs[i]->name);
		if (i != LATH_MODEL_HOST_VPC)
			copy(row->id, sizeof(row->id), model->vpcs[i]->id);
		names->count[LATH_TELEMETRY_VPCS]++;
	}
}

static void
add_services(struct lath_telemetry_names *names, const struct lath_model *model)
{
	for (uint32_t i = 0; i < model->service_count; i++) {
		uint32_t *count = &names->count[LATH_TELEMETRY_SERVICES];
		struct lath_telemetry_name *row = &names->rows[LATH_TELEMETRY_SERVICES][*count];

		if (model->services[i] == NULL)
			continue;
		row->index = i;
		copy(row->name, sizeof(row->name), model->services[i]->name);
		copy(row->id, sizeof(row->id), model->services[i]->id);
		(*count)++;
	}
}

static void
add_targets(struct lath_telemetry_names *names, const struct lath_model *model)
{
	static const char *const states[LATH_TARGET_STATE_COUNT] = {
			[LATH_TARGET_INITIAL] = "initial",
			[LATH_TARGET_HEALTHY] = "healthy",
			[LATH_TARGET_UNHEALTHY] = "unhealthy",
			[LATH_TARGET_DRAINING] = "draining",
			[LATH_TARGET_GONE] = "gone",
			[LATH_TARGET_TERMINATED] = "terminated",
	};

	for (uint32_t i = 0; i < model->target_count; i++) {
		const struct lath_model_target *target = model->targets[i];
		uint32_t *count = &names->count[LATH_TELEMETRY_TARGETS];
		struct lath_telemetry_name *row = &names->rows[LATH_TELEMETRY_TARGETS][*count];
		const struct lath_model_group *group;
		char ip[LATH_IP_TEXT_MAX];

		if (target == NULL)
			continue;
		group = target->group < model->group_count ? model->groups[target->group] : NULL;
		row->index = i;
		snprintf(row->name, sizeof(row->name), "%.70s/%s:%u",
				group == NULL ? "?" : group->name, lath_ip_format(&target->ip, ip),
				target->port);
		snprintf(row->vpc, sizeof(row->vpc), "%.63s",
				target->vpc < model->vpc_count && model->vpcs[target->vpc] != NULL
						? model->vpcs[target->vpc]->name
						: "?");
		row->state = states[target->state];
		(*count)++;
	}
}

struct lath_telemetry_names *
lath_telemetry_names_create(const struct lath_control *control)
{
	const struct lath_model *model = lath_control_model(control);
	const uint32_t sizes[LATH_TELEMETRY_LIST_COUNT] = {
			[LATH_TELEMETRY_VPCS] = model->vpc_count,
			[LATH_TELEMETRY_SERVICES] = model->service_count,
			[LATH_TELEMETRY_TARGETS] = model->target_count,
	};
	struct lath_telemetry_names *names = calloc(1, sizeof(*names));

	if (names == NULL)
		return lath_null(ENOMEM);
	for (int i = 0; i < LATH_TELEMETRY_LIST_COUNT; i++) {
		/* One more: the rows above are named before it is known that they are needed. */
		names->rows[i] = calloc((size_t)sizes[i] + 1, sizeof(*names->rows[i]));
		if (names->rows[i] == NULL) {
			lath_telemetry_names_free(names);
			return lath_null(ENOMEM);
		}
	}
	names->serial = model->serial;
	memcpy(names->sha256, model->sha256, sizeof(names->sha256));
	add_vpcs(names, model);
	add_services(names, model);
	add_targets(names, model);
	return names;
}

void
lath_telemetry_names_free(struct lath_telemetry_names *names)
{
	if (names == NULL)
		return;
	for (int i = 0; i < LATH_TELEMETRY_LIST_COUNT; i++)
		free(names->rows[i]);
	free(names);
}
