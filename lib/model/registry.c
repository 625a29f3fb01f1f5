/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * One update of the registry: the order in which a configuration and health become a draft. Every
 * step works on a clone; the last acts are writing addresses.json and putting the clone in place.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_private.h"

struct lath_registry *
lath_registry_create(const struct lath_registry_limits *limits, const char *state_directory,
		lath_registry_in_use_t in_use, void *in_use_ctx, struct lath_error *err)
{
	struct lath_registry *registry = calloc(1, sizeof(*registry));
	struct draft *draft;

	if (registry == NULL || limits->max[LATH_OBJECT_VPC] == 0 ||
			strlen(state_directory) >= sizeof(registry->directory)) {
		free(registry);
		lath_error_set(err, "", "The model's registry cannot be made of these limits.");
		return lath_null(EINVAL);
	}
	registry->limits = *limits;
	registry->in_use = in_use;
	registry->in_use_ctx = in_use_ctx;
	registry->next_stamp = 1;
	memcpy(registry->directory, state_directory, strlen(state_directory) + 1);
	draft = lath_model_draft_create(registry);
	registry->draft = draft;
	if (draft == NULL) {
		lath_registry_free(registry);
		lath_error_set(err, "", "Memory is short.");
		return lath_null(ENOMEM);
	}
	draft->slots[LATH_OBJECT_VPC][LATH_MODEL_HOST_VPC].use = SLOT_RESERVED;
	draft->high[LATH_OBJECT_VPC] = LATH_MODEL_HOST_VPC + 1;
	draft->host_port = UINT16_MAX;
	if (lath_model_ledger_read(registry->directory, &draft->addresses, &draft->address_count,
			    err) < 0) {
		int code = errno;

		lath_registry_free(registry);
		return lath_null(code);
	}
	return registry;
}

void
lath_registry_free(struct lath_registry *registry)
{
	if (registry == NULL)
		return;
	lath_model_draft_free(registry->draft);
	free(registry);
}

/* Health changes come with the configuration that was taken in before: then only targets' states
 * and their groups are looked at.
 */
static bool
same_config(const struct draft *draft, const struct lath_config *cfg)
{
	return draft->serial > 0 && cfg->sha256[0] != '\0' &&
			strcmp(draft->sha256, cfg->sha256) == 0;
}

static int
take_config(struct update *u)
{
	struct draft *draft = u->draft;
	int rc;

	u->digester = lath_model_digester_create();
	if (u->digester == NULL)
		return -errno;
	draft->timeouts = u->cfg->timeouts;
	draft->limits = u->cfg->limits;
	draft->hash_seed = u->cfg->gateway.hash_seed;
	draft->node = u->cfg->gateway.node;
	memcpy(draft->sha256, u->cfg->sha256, sizeof(draft->sha256));
	rc = lath_model_vpcs_take(u);
	if (rc == 0)
		rc = lath_model_groups_take(u);
	if (rc == 0)
		rc = lath_model_targets_take(u);
	if (rc == 0)
		rc = lath_model_services_take(u);
	if (rc == 0)
		rc = lath_model_probes_take(u);
	if (rc == 0)
		rc = lath_model_access_take(u);
	if (rc == 0)
		rc = lath_model_pairs_take(u);
	lath_model_digester_free(u->digester);
	return rc;
}

static int
run_update(struct update *u)
{
	int rc = 0;

	u->draft->serial = u->old->serial + 1;
	if (!same_config(u->old, u->cfg))
		rc = take_config(u);
	if (rc == 0)
		rc = lath_model_targets_drain(u);
	if (rc == 0)
		rc = lath_model_groups_settle(u);
	if (rc == 0)
		lath_model_generations_raise(u);
	return rc;
}

static bool
same_addresses(const struct draft *a, const struct draft *b)
{
	if (a->address_count != b->address_count)
		return false;
	for (uint32_t i = 0; i < a->address_count; i++) {
		const struct address_record *ra = &a->addresses[i];
		const struct address_record *rb = &b->addresses[i];

		if (strcmp(ra->service, rb->service) != 0 || !lath_ip_equal(&ra->ip, &rb->ip) ||
				ra->released_s != rb->released_s)
			return false;
	}
	return true;
}

int
lath_registry_update(struct lath_registry *registry, const struct lath_config *cfg, uint8_t *health,
		struct lath_registry_now now, struct lath_error *err)
{
	uint32_t health_count = registry->limits.max[LATH_OBJECT_TARGET];
	struct update u = {.old = registry->draft, .cfg = cfg, .now = now, .err = err};
	int rc = -ENOMEM;

	LATH_ASSERT_ROLE(MGMT);
	u.draft = lath_model_draft_clone(registry->draft);
	u.health = malloc((size_t)health_count + 1);
	if (u.draft != NULL && u.health != NULL) {
		memcpy(u.health, health, health_count);
		rc = run_update(&u);
	}
	if (rc == 0 && !same_addresses(u.old, u.draft))
		rc = lath_model_ledger_write(registry->directory, u.draft->addresses,
				u.draft->address_count, err);
	if (rc < 0) {
		lath_error_set(err, "", "The configuration could not be taken in: %s.",
				strerror(-rc));
		lath_model_draft_free(u.draft);
	} else {
		memcpy(health, u.health, health_count);
		lath_model_draft_free(registry->draft);
		registry->draft = u.draft;
	}
	free(u.health);
	return rc < 0 ? lath_err(-rc) : 0;
}

uint32_t
lath_registry_next_change(const struct lath_registry *registry, lath_tick_t now)
{
	const struct draft *draft = registry->draft;
	uint32_t next = UINT32_MAX;

	for (uint32_t i = 0; i < draft->high[LATH_OBJECT_TARGET]; i++) {
		const struct target_record *record = &draft->targets[i];

		if (record->phase != TARGET_DRAINING)
			continue;
		if (lath_tick_reached(now, record->until))
			return 0;
		next = lath_min_u32(next, record->until - now);
	}
	return next;
}

uint32_t
lath_registry_index(const struct lath_registry *registry, enum lath_object_kind kind,
		uint32_t position, uint32_t position_in_parent)
{
	return lath_model_positions_get(&registry->draft->positions[kind], position,
			position_in_parent);
}
