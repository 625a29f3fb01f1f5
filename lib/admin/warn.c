/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* What is not as it should be, worst first where it can be told. A sentence each, with what to look
 * at; the same that monitoring would ask for one by one.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "admin_private.h"

#define SILENT_MS 2000u      /* a worker that has not run its loop for so long is stuck */
#define FULL_PERCENT 80u     /* the same as where workers begin to reclaim */
#define FILES_CHECK_MS 5000u /* included files may have changed without the first one */

static void
warn_workers(struct lath_admin_report *report)
{
	const struct lath_control *control = report->admin->control;
	uint32_t count = lath_control_plane(control)->worker_count;

	for (uint32_t w = 0; w < count; w++) {
		static const char *const pools[LATH_FLOW_POOL_COUNT] = {"flow", "mixed flow"};
		const struct lath_worker_counters *worker = &lath_control_counters(control, w)
									     ->worker;
		lath_tick_t silent = report->now.tick - (lath_tick_t)worker->heartbeat_tick;

		/* Beyond INT32_MAX: it has begun a turn since `now` was read. */
		if (silent <= INT32_MAX && silent > lath_ticks_from_ms(SILENT_MS))
			lath_admin_warn(report, true,
					"worker %" PRIu32 " has not run its loop for %" PRIu32 " s",
					w, silent / LATH_TICKS_PER_SECOND);
		for (int i = 0; i < LATH_FLOW_POOL_COUNT; i++) {
			uint64_t used = worker->flows[i] * 100;

			if (worker->flow_capacity[i] == 0 ||
					used < worker->flow_capacity[i] * FULL_PERCENT)
				continue;
			lath_admin_warn(report, false,
					"worker %" PRIu32 "'s %s table is %" PRIu64
					" %% full; see system.memory",
					w, pools[i], used / worker->flow_capacity[i]);
		}
	}
}

static void
warn_ports(struct lath_admin_report *report)
{
	const struct lath_dataplane *plane = lath_control_plane(report->admin->control);
	uint32_t ports = 0;
	uint32_t up = 0;

	for (uint32_t i = 0; i < plane->port_count; i++) {
		if (i == plane->host_port)
			continue;
		ports++;
		up += plane->ports[i].link_up ? 1 : 0;
	}
	for (uint32_t i = 0; i < plane->port_count; i++) {
		if (i != plane->host_port && !plane->ports[i].link_up)
			lath_admin_warn(report, up == 0, "port %s has no link",
					plane->ports[i].name);
	}
}

/* Names the first target that is down, with what its check said. */
static void
describe_down(struct lath_admin_report *report, uint32_t group, char *out, size_t size)
{
	const struct lath_model *model = lath_control_model(report->admin->control);
	struct lath_health *health = lath_control_health(report->admin->control);

	out[0] = '\0';
	for (uint32_t i = 0; i < model->target_count; i++) {
		const struct lath_model_target *target = model->targets[i];
		struct lath_health_status status = {0};
		char ip[LATH_IP_TEXT_MAX];

		if (target == NULL || target->group != group ||
				target->state != LATH_TARGET_UNHEALTHY)
			continue;
		if (health != NULL && lath_health_get_status(health, i, &status) != 0)
			status.text[0] = '\0'; /* It has just left the set. */
		snprintf(out, size, " (%s port %u%s%s)", lath_ip_format(&target->ip, ip),
				target->port, status.text[0] == '\0' ? "" : ": ", status.text);
		return;
	}
}

static void
warn_group(struct lath_admin_report *report, uint32_t index, const struct lath_admin_count *count)
{
	const struct lath_model_group *group = lath_control_model(report->admin->control)
							       ->groups[index];
	const struct lath_config_group *cfg = lath_admin_config_group(report->admin, index);
	const struct lath_config *all = lath_control_config(report->admin->control);
	const char *vpc = cfg == NULL ? "?" : all->vpcs[cfg->vpc].identity.name;
	char down[256];

	describe_down(report, index, down, sizeof(down));
	if (count->total == 0)
		lath_admin_warn(report, false, "target group %s has no target", group->name);
	else if (count->unhealthy == count->total)
		lath_admin_warn(report, true,
				"every target of group %s in VPC %s is down%s; all get traffic",
				group->name, vpc, down);
	else if (count->unhealthy > 0)
		lath_admin_warn(report, false, "%u of %u targets of group %s in VPC %s %s down%s",
				count->unhealthy, count->total, group->name, vpc,
				count->unhealthy == 1 ? "is" : "are", down);
	else if (count->healthy == 0)
		lath_admin_warn(report, false,
				"no target of group %s in VPC %s has answered a check yet",
				group->name, vpc);
}

static void
warn_groups(struct lath_admin_report *report)
{
	const struct lath_model *model = lath_control_model(report->admin->control);
	struct lath_admin_count *counts = lath_admin_count_groups(model);

	for (uint32_t i = 0; counts != NULL && i < model->group_count; i++) {
		bool bad = counts[i].total == 0 || counts[i].healthy < counts[i].total;
		bool used = false;

		if (model->groups[i] == NULL || !bad)
			continue;
		for (uint32_t s = 0; s < model->service_count && !used; s++)
			used = model->services[s] != NULL &&
					lath_admin_service_uses(model->services[s], i);
		if (used)
			warn_group(report, i, &counts[i]);
	}
	free(counts);
}

static void
warn_ports_of_targets(struct lath_admin_report *report)
{
	const struct lath_control *control = report->admin->control;
	const struct lath_model *model = lath_control_model(control);

	for (uint32_t i = 0; i < model->target_count; i++) {
		const struct lath_model_target *target = model->targets[i];
		uint64_t capacity;
		uint64_t flows;
		char ip[LATH_IP_TEXT_MAX];

		if (target == NULL)
			continue;
		capacity = lath_admin_nat_capacity(control, target->vpc, target->ip.family);
		flows = lath_admin_flows(control, LATH_OBJECT_TARGET, i);
		if (flows == 0 || flows * 100 < capacity * FULL_PERCENT)
			continue;
		lath_admin_warn(report, false,
				"source ports towards %s port %u in VPC %s are %" PRIu64
				" %% used; give the VPC more natPool addresses",
				lath_ip_format(&target->ip, ip), target->port,
				target->vpc < model->vpc_count && model->vpcs[target->vpc] != NULL
						? model->vpcs[target->vpc]->name
						: "?",
				capacity == 0 ? 100 : flows * 100 / capacity);
	}
}

static void
warn_conflicts(struct lath_admin_report *report)
{
	const struct lath_neigh *neigh = lath_control_neigh(report->admin->control);
	const struct lath_model *model = lath_control_model(report->admin->control);
	struct lath_neigh_claim_row row;
	uint32_t cursor = 0;

	while (neigh != NULL && lath_neigh_next_claim(neigh, &cursor, &row)) {
		const struct lath_model_attachment *attachment = row.attachment <
						model->attachment_count
				? model->attachments[row.attachment]
				: NULL;
		char ip[LATH_IP_TEXT_MAX];
		char mac[LATH_MAC_TEXT_MAX];

		if (row.state != LATH_NEIGH_CLAIM_CONFLICT)
			continue;
		lath_admin_warn(report, false,
				"address %s on attachment %s of VPC %s is used by %s too",
				lath_ip_format(&row.ip, ip),
				attachment == NULL ? "?" : attachment->name,
				attachment == NULL || model->vpcs[attachment->vpc] == NULL
						? "?"
						: model->vpcs[attachment->vpc]->name,
				lath_mac_format(&row.theirs, mac));
	}
}

/* Compares what runs with what the files say now. */
static void
check_files(struct lath_admin *admin, const char *path, const struct stat *stat, lath_tick_t now)
{
	const char *running = lath_control_model(admin->control)->sha256;
	struct lath_admin_files *files = &admin->files;
	struct lath_error err = {0};
	struct lath_config *cfg = lath_config_load(path, &err);

	*files = (struct lath_admin_files){
			.known = true,
			.modified = stat->st_mtim,
			.size = stat->st_size,
			.checked = now,
			.broken = cfg == NULL,
			.differ = cfg != NULL && strcmp(cfg->sha256, running) != 0,
	};
	memcpy(files->running, running, sizeof(files->running));
	if (cfg == NULL)
		lath_error_format(&err, files->text, sizeof(files->text));
	else if (files->differ &&
			strcmp(cfg->system_sha256,
					lath_control_config(admin->control)->system_sha256) != 0)
		snprintf(files->text, sizeof(files->text),
				"the change of `system` needs a restart");
	lath_config_free(cfg);
}

/* LIMIT: a change of an included file alone is seen after FILES_CHECK_MS. */
static void
warn_files(struct lath_admin_report *report)
{
	struct lath_admin *admin = report->admin;
	struct lath_admin_files *files = &admin->files;
	const char *path = lath_control_config_path(admin->control);
	struct stat now;

	if (path == NULL)
		return;
	if (stat(path, &now) != 0) {
		lath_admin_warn(report, false, "%s: %s; a restart would fail", path,
				strerror(errno));
		return;
	}
	if (!files->known || files->size != now.st_size ||
			files->modified.tv_sec != now.st_mtim.tv_sec ||
			files->modified.tv_nsec != now.st_mtim.tv_nsec ||
			strcmp(files->running, lath_control_model(admin->control)->sha256) != 0 ||
			lath_tick_reached(report->now.tick,
					files->checked + lath_ticks_from_ms(FILES_CHECK_MS)))
		check_files(admin, path, &now, report->now.tick);
	if (files->broken)
		lath_admin_warn(report, false, "%s would be refused: %s", path, files->text);
	else if (files->differ && files->text[0] != '\0')
		lath_admin_warn(report, false, "running and files differ: %s", files->text);
	else if (files->differ && lath_control_status(admin->control)->from_apply)
		lath_admin_warn(report, false,
				"running and files differ: what runs came by apply; a reload takes "
				"the "
				"files");
	else if (files->differ)
		lath_admin_warn(report, false,
				"running and files differ: `lathctl reload` takes the files in");
}

void
lath_admin_warn_all(struct lath_admin_report *report)
{
	warn_workers(report);
	warn_ports(report);
	warn_groups(report);
	warn_conflicts(report);
	warn_ports_of_targets(report);
	warn_files(report);
}
