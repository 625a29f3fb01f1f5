/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Which probes exist. The wanted set and what there is are both in order of their key, so a merge
 * says what stays, comes and goes: O(n log n) for the sort, no hash table, no probe disturbed that
 * stays. Everything that can fail happens before the lock is taken.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "health_private.h"

struct wanted {
	struct probe_key key;
	uint32_t target;
	struct probe *probe;
};

/* A set being made. */
struct plan {
	struct wanted *wanted;
	uint32_t count; /* of wanted and links */
	struct probe **probes;
	uint32_t probe_count;
	struct probe **created;
	uint32_t created_count;
	struct link *links;
};

static void
fini_plan(struct plan *plan)
{
	free(plan->wanted);
	free(plan->probes);
	free(plan->created);
	free(plan->links);
}

static bool
path_is_good(const char *path)
{
	if (path[0] != '/')
		return false;
	for (; *path != '\0'; path++) {
		uint8_t c = (uint8_t)*path;

		if (c <= 0x20 || c == 0x7f)
			return false; /* would end or forge the request line */
	}
	return true;
}

static int
make_key(const struct lath_health_target *target, struct probe_key *out)
{
	const struct lath_config_health_check *check = target->check;
	struct lath_health_matcher matcher;
	struct probe_key key = {
			.ip = target->ip,
			.vpc = target->vpc,
			.port = target->port,
			.protocol = check->protocol,
			.interval_s = check->interval_s,
			.timeout_s = check->timeout_s,
			.healthy_count = check->healthy_count,
			.unhealthy_count = check->unhealthy_count,
			.path = "",
			.matcher = "",
			.via = lath_ip_is_v4(&target->ip) ? 0 : target->target,
	};

	if (target->port == 0 || check->interval_s == 0 || check->timeout_s == 0)
		return lath_err(EINVAL);
	if (check->protocol != LATH_CONFIG_CHECK_TCP) {
		key.path = check->path;
		key.matcher = check->matcher;
		if (!path_is_good(key.path) ||
				lath_health_matcher_parse(key.matcher, &matcher) != 0)
			return lath_err(EINVAL);
	}
	*out = key;
	return 0;
}

static int
order_by_key(const void *a, const void *b)
{
	const struct wanted *left = a;
	const struct wanted *right = b;
	int order = lath_health_probe_key_compare(&left->key, &right->key);

	return order != 0 ? order : (left->target > right->target) - (left->target < right->target);
}

static int
order_by_target(const void *a, const void *b)
{
	const struct link *left = a;
	const struct link *right = b;

	return (left->target > right->target) - (left->target < right->target);
}

/* Targets that share a check are reached by way of the first of them. */
static void
share_way(struct wanted *wanted, const struct wanted *previous)
{
	struct probe_key key = wanted->key;

	key.via = previous->key.via;
	if (lath_health_probe_key_compare(&key, &previous->key) == 0)
		wanted->key.via = previous->key.via;
}

/* Fills plan->wanted in order of key. */
static int
read_targets(struct plan *plan, const struct lath_health_target *targets, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct wanted *wanted = &plan->wanted[plan->count];
		int rc;

		if (!targets[i].check->enabled)
			continue;
		rc = make_key(&targets[i], &wanted->key);
		if (rc != 0)
			return rc;
		wanted->target = targets[i].target;
		plan->count++;
	}
	if (plan->count > 1)
		qsort(plan->wanted, plan->count, sizeof(*plan->wanted), order_by_key);
	for (uint32_t i = 1; i < plan->count; i++)
		share_way(&plan->wanted[i], &plan->wanted[i - 1]);
	return 0;
}

/* Finds or creates the probe of each key. */
static int
merge_probes(struct plan *plan, struct lath_health *health)
{
	uint32_t old = 0;
	struct probe *probe = NULL;

	for (uint32_t i = 0; i < plan->count; i++) {
		struct wanted *wanted = &plan->wanted[i];

		if (probe != NULL &&
				lath_health_probe_key_compare(&probe->key, &wanted->key) == 0) {
			wanted->probe = probe;
			continue;
		}
		while (old < health->probe_count &&
				lath_health_probe_key_compare(&health->probes[old]->key,
						&wanted->key) < 0)
			old++;
		if (old < health->probe_count &&
				lath_health_probe_key_compare(&health->probes[old]->key,
						&wanted->key) == 0) {
			probe = health->probes[old];
		} else {
			probe = lath_health_probe_create(health, &wanted->key);
			if (probe == NULL)
				return lath_err(ENOMEM);
			plan->created[plan->created_count++] = probe;
		}
		wanted->probe = probe;
		plan->probes[plan->probe_count++] = probe;
	}
	return 0;
}

static int
make_links(struct plan *plan)
{
	for (uint32_t i = 0; i < plan->count; i++)
		plan->links[i] = (struct link){
				.target = plan->wanted[i].target, .probe = plan->wanted[i].probe};
	if (plan->count > 1)
		qsort(plan->links, plan->count, sizeof(*plan->links), order_by_target);
	for (uint32_t i = 1; i < plan->count; i++) {
		if (plan->links[i - 1].target == plan->links[i].target)
			return lath_err(EINVAL);
	}
	return 0;
}

static int
make_plan(struct plan *plan, struct lath_health *health, const struct lath_health_target *targets,
		uint32_t count)
{
	size_t room = count == 0 ? 1 : count;
	int rc;

	plan->wanted = calloc(room, sizeof(*plan->wanted));
	plan->probes = calloc(room, sizeof(struct probe *));
	plan->created = calloc(room, sizeof(struct probe *));
	plan->links = calloc(room, sizeof(*plan->links));
	if (plan->wanted == NULL || plan->probes == NULL || plan->created == NULL ||
			plan->links == NULL)
		return lath_err(ENOMEM);
	rc = read_targets(plan, targets, count);
	if (rc == 0)
		rc = merge_probes(plan, health);
	if (rc == 0)
		rc = make_links(plan);
	return rc;
}

/* What a target was told last is still true for it when its VPC and address are the same; a new
 * probe then begins where the old one was. The lock is held.
 */
static void
inherit(const struct lath_health *health, struct link *link, uint32_t *old)
{
	const struct link *before;
	struct probe *probe = link->probe;

	while (*old < health->link_count && health->links[*old].target < link->target)
		(*old)++;
	if (*old == health->link_count || health->links[*old].target != link->target)
		return;
	before = &health->links[*old];
	if (before->probe->key.vpc != probe->key.vpc ||
			!lath_ip_equal(&before->probe->key.ip, &probe->key.ip))
		return;
	link->reported = before->reported;
	if (!probe->is_old && probe->state == LATH_TARGET_INITIAL)
		probe->state = before->probe->state;
}

/* The lock is held. */
static void
remove_others(struct plan *plan, struct lath_health *health)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < health->probe_count; i++) {
		struct probe *probe = health->probes[i];

		while (kept < plan->probe_count &&
				lath_health_probe_key_compare(&plan->probes[kept]->key,
						&probe->key) < 0)
			kept++;
		if (kept < plan->probe_count && plan->probes[kept] == probe)
			continue;
		if (probe->is_changed)
			TAILQ_REMOVE(&health->changed, probe, changed_entry);
		probe->is_changed = false;
		probe->links = NULL; /* its last verdict, if one is still to come, is nobody's */
		STAILQ_INSERT_TAIL(&health->removed, probe, removed_entry);
	}
}

/* The lock is held. The old arrays are left in the plan. */
static void
publish(struct plan *plan, struct lath_health *health)
{
	struct probe **probes = health->probes;
	struct link *links = health->links;
	uint32_t old = 0;

	for (uint32_t i = 0; i < plan->count; i++)
		inherit(health, &plan->links[i], &old);
	remove_others(plan, health);
	for (uint32_t i = 0; i < plan->probe_count; i++)
		plan->probes[i]->links = NULL;
	for (uint32_t i = plan->count; i-- > 0;) {
		struct link *link = &plan->links[i];

		link->next = link->probe->links;
		link->probe->links = link;
	}
	for (uint32_t i = 0; i < plan->probe_count; i++)
		lath_health_set_mark_changed(plan->probes[i]);
	for (uint32_t i = 0; i < plan->created_count; i++) {
		plan->created[i]->is_old = true;
		STAILQ_INSERT_TAIL(&health->added, plan->created[i], added_entry);
	}
	health->probes = plan->probes;
	health->probe_count = plan->probe_count;
	health->links = plan->links;
	health->link_count = plan->count;
	plan->probes = probes;
	plan->links = links;
}

int
lath_health_set(struct lath_health *health, const struct lath_health_target *targets,
		uint32_t count)
{
	struct plan plan = {0};
	int rc = make_plan(&plan, health, targets, count);

	if (rc == 0) {
		pthread_mutex_lock(&health->lock);
		publish(&plan, health);
		pthread_mutex_unlock(&health->lock);
		lath_health_wake(health);
	} else {
		for (uint32_t i = 0; i < plan.created_count; i++)
			lath_health_probe_free(plan.created[i]);
	}
	fini_plan(&plan);
	return rc < 0 ? lath_err(-rc) : 0;
}

/* ---- results ----------------------------------------------------------------------------- */

void
lath_health_set_mark_changed(struct probe *probe)
{
	const struct link *link = probe->links;

	while (link != NULL && link->reported == probe->state)
		link = link->next;
	if (link == NULL || probe->is_changed)
		return;
	probe->is_changed = true;
	TAILQ_INSERT_TAIL(&probe->health->changed, probe, changed_entry);
}

/* Tells the targets of one probe; true when all have been told. */
static bool
drain_probe(struct probe *probe, struct lath_health_result *out, unsigned max, unsigned *count)
{
	for (struct link *link = probe->links; link != NULL; link = link->next) {
		if (link->reported == probe->state)
			continue;
		if (*count == max)
			return false;
		link->reported = probe->state;
		out[(*count)++] = (struct lath_health_result){
				.target = link->target, .state = probe->state};
	}
	return true;
}

unsigned
lath_health_drain(struct lath_health *health, struct lath_health_result *out, unsigned max)
{
	struct probe *probe;
	unsigned count = 0;

	LATH_ASSERT_ROLE(MGMT);
	pthread_mutex_lock(&health->lock);
	while ((probe = TAILQ_FIRST(&health->changed)) != NULL) {
		if (!drain_probe(probe, out, max, &count))
			break;
		probe->is_changed = false;
		TAILQ_REMOVE(&health->changed, probe, changed_entry);
	}
	/* Told again only once everything has been taken: whoever stops early knows that it did. */
	if (probe == NULL)
		health->is_notified = false;
	pthread_mutex_unlock(&health->lock);
	return count;
}

/* ---- status ------------------------------------------------------------------------------ */

/* The lock is held. */
static void
copy_status(const struct link *link, uint64_t now_us, struct lath_health_status *out)
{
	const struct probe *probe = link->probe;

	memset(out, 0, sizeof(*out));
	out->target = link->target;
	out->state = probe->state;
	out->successes = probe->successes;
	out->failures = probe->failures;
	out->checks = probe->checks;
	out->latency_us = probe->latency_us;
	memcpy(out->text, probe->text, sizeof(out->text));
	if (probe->due_us > now_us)
		out->next_due_ms = (uint32_t)((probe->due_us - now_us + 999) / 1000);
}

int
lath_health_get_status(struct lath_health *health, uint32_t target, struct lath_health_status *out)
{
	const struct link wanted = {.target = target};
	const struct link *link = NULL;

	pthread_mutex_lock(&health->lock);
	if (health->link_count > 0)
		link = bsearch(&wanted, health->links, health->link_count, sizeof(wanted),
				order_by_target);
	if (link != NULL)
		copy_status(link, lath_health_now_us(), out);
	pthread_mutex_unlock(&health->lock);
	return link == NULL ? lath_err(ENOENT) : 0;
}

int
lath_health_foreach(struct lath_health *health, lath_health_status_cb_t cb, void *ctx)
{
	struct lath_health_status *copies = NULL;
	uint32_t count;

	pthread_mutex_lock(&health->lock);
	count = health->link_count;
	if (count > 0)
		copies = malloc(count * sizeof(*copies));
	for (uint32_t i = 0; copies != NULL && i < count; i++)
		copy_status(&health->links[i], lath_health_now_us(), &copies[i]);
	pthread_mutex_unlock(&health->lock);
	if (copies == NULL)
		return count == 0 ? 0 : lath_err(ENOMEM);
	for (uint32_t i = 0; i < count; i++)
		cb(ctx, &copies[i]);
	free(copies);
	return 0;
}

uint32_t
lath_health_probe_count(struct lath_health *health)
{
	uint32_t count;

	pthread_mutex_lock(&health->lock);
	count = health->probe_count;
	pthread_mutex_unlock(&health->lock);
	return count;
}
