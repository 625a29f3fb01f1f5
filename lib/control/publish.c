/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * The one way by which anything changes: registry, model, pointer, grace period. Start, reload,
 * health and the end of a drain all come through here. One copy of the model per NUMA node with
 * workers, so that no worker reads another node's memory.
 */

#include <lath_log.h>

#include "control_private.h"

LATH_LOG_REGISTER(control);

/* Parts that did not change are shared by reference, so pointers tell. */
static bool
routes_changed(const struct lath_model *was, const struct lath_model *is)
{
	if (was->vpc_count != is->vpc_count || was->attachment_count != is->attachment_count)
		return true;
	for (uint32_t i = 0; i < is->vpc_count; i++)
		if (was->vpcs[i] != is->vpcs[i])
			return true;
	for (uint32_t i = 0; i < is->attachment_count; i++)
		if (was->attachments[i] != is->attachments[i])
			return true;
	return false;
}

static void
number(struct lath_control *control, uint32_t node, struct lath_model *model)
{
	const struct lath_model *was = control->models[node];

	model->serial = control->status.publications + 1;
	model->routing_serial = was == NULL || routes_changed(was, model) ? model->serial
									  : was->routing_serial;
}

/* A slot for each node's old model; the oldest waits are over long before these are used up. */
static bool
has_room(struct lath_control *control)
{
	lath_control_retire(control);
	return control->retired_count + LATH_SNAPSHOT_NODES_MAX <= RETIRED_MAX;
}

/* No NIC is trusted to look inside a tunnel or behind a second tag: owner() of what is inside counts. */
static void
steer(struct lath_control *control, const struct lath_model *model)
{
	for (uint32_t i = 0; i < model->attachment_count; i++) {
		const struct lath_model_attachment *attachment = model->attachments[i];

		if (attachment == NULL)
			continue;
		if (attachment->is_underlay)
			lath_port_steer_in_software(&control->options.plane
								     ->ports[attachment->port],
					"the port carries an underlay");
		else if (attachment->outer_vlan != 0)
			lath_port_steer_in_software(&control->options.plane
								     ->ports[attachment->port],
					"the port carries frames with two tags");
	}
}

int
lath_control_publish(struct lath_control *control, const struct lath_config *cfg,
		struct lath_error *err)
{
	struct lath_registry_now now = {control->now.tick, control->now.wall_s};
	struct lath_model *next[LATH_SNAPSHOT_NODES_MAX] = {0};
	struct lath_snapshot *snapshot = control->options.plane->snapshot;
	int rc;

	if (!has_room(control)) {
		lath_error_set(err, "", "workers have not taken up the last %u models; try again",
				RETIRED_MAX);
		return lath_err(EAGAIN);
	}
	rc = lath_registry_update(control->registry, cfg, control->health, now, err);
	if (rc != 0)
		return rc;
	for (uint32_t node = 0; node < LATH_SNAPSHOT_NODES_MAX; node++) {
		if (!control->node_used[node])
			continue;
		next[node] = lath_model_build(control->registry, control->models[node],
				&control->allocators[node]);
		if (next[node] == NULL) {
			for (uint32_t i = 0; i < node; i++)
				lath_model_free(next[i], &control->allocators[i]);
			lath_error_set(err, "", "no memory for the model on node %u", node);
			return lath_err(ENOMEM);
		}
		number(control, node, next[node]);
	}
	steer(control, next[control->first_node]);
	for (uint32_t node = 0; node < LATH_SNAPSHOT_NODES_MAX; node++) {
		if (next[node] == NULL)
			continue;
		lath_snapshot_publish(snapshot, node, next[node]);
		if (control->models[node] != NULL)
			control->retired[control->retired_count++] = (struct retired_model){
					control->models[node], node, lath_snapshot_begin(snapshot)};
		control->models[node] = next[node];
	}
	control->status.publications++;
	control->published = control->now.tick;
	control->dirty = false;
	lath_neigh_set_model(control->neigh, control->models[control->first_node],
			control->now.tick);
	return 0;
}

void
lath_control_retire(struct lath_control *control)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < control->retired_count; i++) {
		struct retired_model *old = &control->retired[i];

		if (lath_snapshot_over(control->options.plane->snapshot, old->period))
			lath_model_free(old->model, &control->allocators[old->node]);
		else
			control->retired[kept++] = *old;
	}
	control->retired_count = kept;
}

static int
take_in(struct lath_control *control, struct lath_config *cfg, bool from_apply,
		struct lath_control_now now, struct lath_error *err)
{
	struct lath_config *old = control->cfg;
	int rc = 0;

	control->now = now;
	if (old != NULL && strcmp(old->system_sha256, cfg->system_sha256) != 0) {
		lath_error_set(err, "/system",
				"the section differs from the running one and needs a restart of "
				"lathd; nothing was applied");
		rc = -EBUSY;
	}
	if (rc == 0)
		rc = lath_control_publish(control, cfg, err);
	if (rc != 0) {
		control->status.rejected++;
		return lath_err(-rc);
	}
	control->cfg = cfg;
	control->status.reloads++;
	control->status.published_wall_s = now.wall_s;
	control->status.from_apply = from_apply;
	if (lath_control_probe_set(control) != 0)
		LATH_LOG(ERR, "health checks could not be changed errno=%d", errno);
	lath_config_free(old);
	LATH_LOG(NOTICE, "configuration is in force sha256=%.12s source=%s", cfg->sha256,
			from_apply ? "apply" : "files");
	return 0;
}

int
lath_control_apply(struct lath_control *control, struct lath_config *cfg,
		struct lath_control_now now, struct lath_error *err)
{
	return take_in(control, cfg, control->cfg != NULL, now, err);
}

int
lath_control_reload(struct lath_control *control, struct lath_control_now now,
		struct lath_error *err)
{
	struct lath_config *cfg;
	int rc;

	if (control->config_path == NULL) {
		lath_error_set(err, "", "lathd was started without a configuration file");
		return lath_err(ENOENT);
	}
	cfg = lath_config_load(control->config_path, err);
	if (cfg == NULL) {
		control->status.rejected++;
		return lath_err(EINVAL);
	}
	rc = take_in(control, cfg, false, now, err);
	if (rc != 0)
		lath_config_free(cfg);
	return rc;
}
