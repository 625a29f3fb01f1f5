/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin_private.h"

#define WARNINGS_MAX 100u

void
lath_admin_warn(struct lath_admin_report *report, bool critical, const char *fmt, ...)
{
	json_t *json;
	char text[512];
	va_list args;

	if (critical)
		report->critical = true;
	report->warning = true;
	if (json_array_size(report->warnings) >= WARNINGS_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	json = json_object();
	lath_admin_put_text(json, "severity", critical ? "critical" : "warning");
	lath_admin_put_text(json, "text", text);
	/* The worst first: it is what the one line shows. */
	if (critical)
		(void)json_array_insert_new(report->warnings, 0, json); /* As in put.c. */
	else
		lath_admin_append(report->warnings, json);
}

static const char *
ago_text(int64_t seconds, char *out, size_t size)
{
	if (seconds < 0)
		seconds = 0;
	if (seconds < 120)
		snprintf(out, size, "%" PRId64 " s ago", seconds);
	else if (seconds < 7200)
		snprintf(out, size, "%" PRId64 " min ago", seconds / 60);
	else if (seconds < 172800)
		snprintf(out, size, "%" PRId64 " h ago", seconds / 3600);
	else
		snprintf(out, size, "%" PRId64 " days ago", seconds / 86400);
	return out;
}

struct sums {
	uint32_t ports;
	uint32_t ports_up;
	uint32_t vpcs;
	uint32_t services;
	struct lath_admin_count targets;
	uint64_t flows;
};

static struct sums
sum_up(const struct lath_control *control)
{
	const struct lath_dataplane *plane = lath_control_plane(control);
	const struct lath_model *model = lath_control_model(control);
	struct lath_admin_count *groups = lath_admin_count_groups(model);
	struct sums sums = {0};

	for (uint32_t i = 0; i < plane->port_count; i++) {
		if (i == plane->host_port)
			continue;
		sums.ports++;
		sums.ports_up += plane->ports[i].link_up ? 1 : 0;
	}
	for (uint32_t i = 1; i < model->vpc_count; i++)
		sums.vpcs += model->vpcs[i] != NULL ? 1 : 0;
	for (uint32_t i = 0; i < model->service_count; i++)
		sums.services += model->services[i] != NULL ? 1 : 0;
	for (uint32_t i = 0; groups != NULL && i < model->group_count; i++) {
		sums.targets.total += groups[i].total;
		sums.targets.healthy += groups[i].healthy;
	}
	free(groups);
	for (uint32_t w = 0; w < plane->worker_count; w++) {
		const struct lath_worker_counters *worker = &lath_control_counters(control, w)
									     ->worker;

		sums.flows += worker->flows[0] + worker->flows[1];
	}
	return sums;
}

/* "OK 4/4 ports up, 12 services, 37/38 targets, config ab12cd (2 min ago)" and the worst warning. */
static void
put_line(json_t *result, const struct lath_admin_report *report, const struct sums *sums)
{
	const struct lath_control_status *status = lath_control_status(report->admin->control);
	const struct lath_model *model = lath_control_model(report->admin->control);
	size_t count = json_array_size(report->warnings);
	const char *first = json_string_value(json_object_get(json_array_get(report->warnings, 0),
			"text"));
	char ago[48];
	char more[64] = "";
	char text[1024];

	if (count > 1)
		snprintf(more, sizeof(more), " (and %zu more: lathctl status --all)", count - 1);
	snprintf(text, sizeof(text),
			"%s %u/%u ports up, %u service%s, %u/%u targets, config %.6s (%s)%s%s%s",
			report->critical                  ? "CRITICAL"
					: report->warning ? "WARNING"
							  : "OK",
			sums->ports_up, sums->ports, sums->services, sums->services == 1 ? "" : "s",
			sums->targets.healthy, sums->targets.total, model->sha256,
			ago_text(report->now.wall_s - status->published_wall_s, ago, sizeof(ago)),
			first == NULL ? "" : "; ", first == NULL ? "" : first, more);
	lath_admin_put_text(result, "text", text);
}

static void
put_config(json_t *result, const struct lath_control *control)
{
	const struct lath_control_status *status = lath_control_status(control);
	const char *path = lath_control_config_path(control);
	char *absolute = path == NULL ? NULL : realpath(path, NULL);
	json_t *json = json_object();

	lath_admin_put_text(json, "sha256", lath_control_model(control)->sha256);
	if (path != NULL)
		lath_admin_put_text(json, "path", absolute == NULL ? path : absolute);
	free(absolute);
	lath_admin_put_bool(json, "fromApply", status->from_apply);
	lath_admin_put(json, "publishedAt", json_integer(status->published_wall_s));
	lath_admin_put_u64(json, "taken", status->reloads);
	lath_admin_put_u64(json, "refused", status->rejected);
	lath_admin_put_u64(json, "publications", status->publications);
	lath_admin_put(result, "config", json);
}

void
lath_admin_status(struct lath_admin_call *call)
{
	const struct lath_config_gateway *gateway = &lath_control_config(call->control)->gateway;
	struct lath_admin_report report = {
			.admin = call->admin, .now = call->now, .warnings = json_array()};
	struct sums sums = sum_up(call->control);
	json_t *result = json_object();

	lath_admin_warn_all(&report);
	lath_admin_put_text(result, "state",
			report.critical                  ? "critical"
					: report.warning ? "warning"
							 : "ok");
	put_line(result, &report, &sums);
	lath_admin_put(result, "warnings", report.warnings);
	lath_admin_put_text(result, "version", LATH_VERSION);
	lath_admin_put_text(result, "gateway", gateway->name);
	lath_admin_put_u64(result, "node", gateway->node);
	lath_admin_put_u64(result, "uptimeSeconds",
			(call->now.tick - call->admin->started.tick) / LATH_TICKS_PER_SECOND);
	put_config(result, call->control);
	lath_admin_put_u64(result, "workers", lath_control_plane(call->control)->worker_count);
	lath_admin_put_u64(result, "ports", sums.ports);
	lath_admin_put_u64(result, "portsUp", sums.ports_up);
	lath_admin_put_u64(result, "vpcs", sums.vpcs);
	lath_admin_put_u64(result, "services", sums.services);
	lath_admin_put_u64(result, "targets", sums.targets.total);
	lath_admin_put_u64(result, "targetsHealthy", sums.targets.healthy);
	lath_admin_put_u64(result, "flows", sums.flows);
	lath_admin_put_u64(result, "eventsLost", lath_control_status(call->control)->events_lost);
	lath_admin_finish(call, result);
}
