/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * The life of a probe in its thread: idle until its timer fires, waiting while enough others run,
 * running, judged, idle again. The next start is planned from the last start, so the interval holds
 * whatever an answer takes; a check that outlasts its interval is followed at once by the next.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lath_hostaddr.h>
#include <lath_log.h>

#include "health_private.h"

LATH_LOG_REGISTER(health);

/* The kinds of probe: one row each. */
static const struct probe_kind *const KINDS[LATH_CONFIG_CHECK_PROTOCOL_COUNT] = {
		[LATH_CONFIG_CHECK_TCP] = &lath_health_probe_kind_tcp,
		[LATH_CONFIG_CHECK_HTTP] = &lath_health_probe_kind_http,
		[LATH_CONFIG_CHECK_HTTPS] = &lath_health_probe_kind_http,
};

/* ---- create and free --------------------------------------------------------------------- */

static int
order_u32(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

int
lath_health_probe_key_compare(const struct probe_key *a, const struct probe_key *b)
{
	int order = order_u32(a->vpc, b->vpc);

	if (order == 0)
		order = lath_ip_compare(&a->ip, &b->ip);
	if (order == 0)
		order = order_u32(a->port, b->port);
	if (order == 0)
		order = order_u32(a->protocol, b->protocol);
	if (order == 0)
		order = order_u32(a->interval_s, b->interval_s);
	if (order == 0)
		order = order_u32(a->timeout_s, b->timeout_s);
	if (order == 0)
		order = order_u32(a->healthy_count, b->healthy_count);
	if (order == 0)
		order = order_u32(a->unhealthy_count, b->unhealthy_count);
	if (order == 0)
		order = strcmp(a->path, b->path);
	if (order == 0)
		order = strcmp(a->matcher, b->matcher);
	return order != 0 ? order : order_u32(a->via, b->via);
}

/* Where to connect; family NONE when the host port has no address for the target. */
static struct lath_ip
find_connect_ip(const struct lath_health_options *options, const struct probe_key *key)
{
	struct lath_ip ip = {0};

	if (options->direct)
		return key->ip;
	if (!lath_ip_is_v4(&key->ip))
		return lath_hostaddr_make_target(&options->host_prefix, key->via);
	if (!lath_hostaddr_make(&options->host_prefix, key->vpc, &key->ip, &ip))
		ip.family = LATH_FAMILY_NONE;
	return ip;
}

struct probe *
lath_health_probe_create(struct lath_health *health, const struct probe_key *key)
{
	struct probe *probe = calloc(1, sizeof(*probe));

	if (probe == NULL)
		return lath_null(ENOMEM);
	probe->health = health;
	probe->kind = KINDS[key->protocol];
	probe->key = *key;
	probe->key.path = strdup(key->path);
	probe->key.matcher = strdup(key->matcher);
	probe->connect_ip = find_connect_ip(&health->options, key);
	probe->fd = -1;
	if (probe->key.path == NULL || probe->key.matcher == NULL) {
		lath_health_probe_free(probe);
		return lath_null(ENOMEM);
	}
	/* Cannot fail: lath_health_set() has parsed it; a TCP check has none. */
	(void)lath_health_matcher_parse(probe->key.matcher, &probe->matcher);
	return probe;
}

static void
free_text(const char *text)
{
	free((void *)(uintptr_t)text); /* strdup() by lath_health_probe_create(), const for everybody else */
}

void
lath_health_probe_free(struct probe *probe)
{
	if (probe == NULL)
		return;
	free_text(probe->key.path);
	free_text(probe->key.matcher);
	free(probe);
}

/* ---- when -------------------------------------------------------------------------------- */

static void
plan(struct probe *probe, uint64_t due_us)
{
	uint64_t now_us = lath_health_now_us();
	uint64_t wait_us = due_us > now_us ? due_us - now_us : 0;
	struct timeval wait = {.tv_sec = (time_t)(wait_us / 1000000),
			.tv_usec = (suseconds_t)(wait_us % 1000000)};

	probe->phase = PROBE_IDLE;
	pthread_mutex_lock(&probe->health->lock);
	probe->due_us = due_us;
	pthread_mutex_unlock(&probe->health->lock);
	if (event_add(&probe->timer, &wait) != 0)
		LATH_LOG(ERR,
				"no memory for a timer: a target is not checked any more vpc=%u "
				"port=%u",
				probe->key.vpc, probe->key.port);
}

static void
start(struct probe *probe)
{
	struct lath_health *health = probe->health;
	char text[LATH_HEALTH_TEXT_MAX];
	int rc;

	probe->phase = PROBE_RUNNING;
	probe->started_us = lath_health_now_us();
	health->in_flight++;
	if (probe->connect_ip.family == LATH_FAMILY_NONE) {
		lath_health_probe_finish(probe, PROBE_SHORTAGE,
				"the host port has no address for it");
		return;
	}
	rc = probe->kind->start(probe);
	if (rc < 0)
		lath_health_probe_finish(probe, PROBE_SHORTAGE,
				lath_health_probe_error_text(-rc, text, sizeof(text)));
}

/* Starts what waits, as far as there is room. A check that ends while it starts comes back here
 * through lath_health_probe_finish(): the flag keeps that from nesting.
 */
static void
pump(struct lath_health *health)
{
	struct probe *probe;

	if (health->is_pumping)
		return;
	health->is_pumping = true;
	while (health->in_flight < health->options.in_flight_max &&
			(probe = TAILQ_FIRST(&health->waiting)) != NULL) {
		TAILQ_REMOVE(&health->waiting, probe, waiting_entry);
		start(probe);
	}
	health->is_pumping = false;
}

static void
on_due(evutil_socket_t fd, short what, void *ctx)
{
	struct probe *probe = ctx;
	struct lath_health *health = probe->health;

	(void)fd;
	(void)what;
	probe->phase = PROBE_WAITING;
	pthread_mutex_lock(&health->lock);
	probe->due_us = 0;
	pthread_mutex_unlock(&health->lock);
	TAILQ_INSERT_TAIL(&health->waiting, probe, waiting_entry);
	pump(health);
}

void
lath_health_probe_enter(struct probe *probe)
{
	struct lath_health *health = probe->health;
	uint64_t spread_us = lath_random_below(&health->random, health->options.spread_ms * 1000);

	evtimer_assign(&probe->timer, health->base, on_due, probe);
	probe->in_loop = true;
	plan(probe, lath_health_now_us() + spread_us);
}

void
lath_health_probe_leave(struct probe *probe)
{
	struct lath_health *health = probe->health;

	if (!probe->in_loop)
		return;
	event_del(&probe->timer); /* an event not added is no error */
	if (probe->phase == PROBE_WAITING)
		TAILQ_REMOVE(&health->waiting, probe, waiting_entry);
	if (probe->phase == PROBE_RUNNING)
		health->in_flight--;
	probe->kind->cancel(probe);
	probe->phase = PROBE_IDLE;
	probe->in_loop = false;
}

/* ---- what came of it --------------------------------------------------------------------- */

/* The lock is held. */
static void
count_outcome(struct probe *probe, enum probe_outcome outcome)
{
	switch (outcome) {
	case PROBE_SUCCESS:
		probe->successes++;
		probe->failures = 0;
		if (probe->state == LATH_TARGET_INITIAL ||
				probe->successes >= probe->key.healthy_count)
			probe->state = LATH_TARGET_HEALTHY;
		break;
	case PROBE_FAILURE:
		probe->failures++;
		probe->successes = 0;
		if (probe->failures >= probe->key.unhealthy_count)
			probe->state = LATH_TARGET_UNHEALTHY;
		break;
	case PROBE_SHORTAGE:
		break;
	}
	lath_health_set_mark_changed(probe);
}

static void
note_shortage(struct probe *probe, enum probe_outcome outcome, const char *text)
{
	struct lath_health *health = probe->health;
	bool is_short = outcome == PROBE_SHORTAGE;

	if (probe->connect_ip.family == LATH_FAMILY_NONE || is_short == health->is_short)
		return;
	health->is_short = is_short;
	if (is_short)
		LATH_LOG(WARNING,
				"health checks cannot be made, results stay as they are: %s "
				"in_flight=%u",
				text, health->in_flight);
	else
		LATH_LOG(NOTICE, "health checks can be made again");
}

void
lath_health_probe_finish(struct probe *probe, enum probe_outcome outcome, const char *text)
{
	struct lath_health *health = probe->health;
	uint64_t now_us = lath_health_now_us();
	uint64_t interval_us = (uint64_t)probe->key.interval_s * 1000000;
	uint32_t jitter = (uint32_t)(interval_us / 5);
	uint64_t due_us = probe->started_us + interval_us - interval_us / 10 +
			lath_random_below(&health->random, jitter + 1);

	note_shortage(probe, outcome, text);
	pthread_mutex_lock(&health->lock);
	probe->checks++;
	probe->latency_us = now_us - probe->started_us;
	snprintf(probe->text, sizeof(probe->text), "%s", text);
	count_outcome(probe, outcome);
	pthread_mutex_unlock(&health->lock);
	probe->kind->cancel(probe);
	health->in_flight--;
	plan(probe, due_us);
	lath_health_probe_notify(health);
	pump(health);
}

void
lath_health_probe_notify(struct lath_health *health)
{
	bool tell;

	pthread_mutex_lock(&health->lock);
	tell = !health->is_notified && !TAILQ_EMPTY(&health->changed);
	if (tell)
		health->is_notified = true;
	pthread_mutex_unlock(&health->lock);
	if (tell && health->options.notify != NULL)
		health->options.notify(health->options.notify_ctx);
}

enum probe_outcome
lath_health_probe_outcome_of(int code)
{
	switch (code) {
	case EADDRNOTAVAIL:
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return PROBE_SHORTAGE;
	default:
		return PROBE_FAILURE;
	}
}

const char *
lath_health_probe_error_text(int code, char *out, size_t len)
{
	switch (code) {
	case ECONNREFUSED:
		return "connection refused";
	case ECONNRESET:
		return "connection reset";
	case EHOSTUNREACH:
		return "host unreachable";
	case ENETUNREACH:
		return "network unreachable";
	case EACCES: /* ICMPv6 1/1: administratively prohibited */
		return "refused by policy";
	case ETIMEDOUT:
		return "timed out";
	default:
		return strerror_r(code, out, len);
	}
}
