/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* The thread: its start inside the namespace, its loop, its end. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "health_private.h"

#define STARTING 1

/* Conventions, 17, give time as an argument; here a clock is read all the same, because this
 * library has a loop of its own, whose timers go by this very clock.
 */
uint64_t
lath_health_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: the clock exists on every Linux */
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void
lath_health_wake(const struct lath_health *health)
{
	uint64_t one = 1;
	ssize_t rc = write(health->wake_fd, &one, sizeof(one));

	(void)rc; /* EAGAIN: 2^64 - 2 wakings are waiting, which wakes as well */
}

/* ---- in the thread ------------------------------------------------------------------------ */

/* Takes over what the management core asked for; true when the end is asked for. */
static bool
take_lists(struct lath_health *health)
{
	struct probe_list added = STAILQ_HEAD_INITIALIZER(added);
	struct probe_list removed = STAILQ_HEAD_INITIALIZER(removed);
	struct probe *probe;
	bool stop;

	pthread_mutex_lock(&health->lock);
	STAILQ_CONCAT(&added, &health->added);
	STAILQ_CONCAT(&removed, &health->removed);
	stop = health->stop;
	pthread_mutex_unlock(&health->lock);
	STAILQ_FOREACH(probe, &added, added_entry)
		lath_health_probe_enter(probe);
	while ((probe = STAILQ_FIRST(&removed)) != NULL) {
		STAILQ_REMOVE_HEAD(&removed, removed_entry);
		lath_health_probe_leave(probe);
		lath_health_probe_free(probe);
	}
	return stop;
}

static void
on_wake(evutil_socket_t fd, short what, void *ctx)
{
	struct lath_health *health = ctx;
	uint64_t count;
	ssize_t rc = read(fd, &count, sizeof(count));

	(void)rc; /* EAGAIN: somebody else's waking was counted in already */
	(void)what;
	if (take_lists(health)) {
		event_base_loopbreak(health->base); /* cannot fail: the base is ours */
		return;
	}
	lath_health_probe_notify(health);
}

static void
report_start(struct lath_health *health, int rc)
{
	pthread_mutex_lock(&health->lock);
	health->started = rc;
	pthread_cond_signal(&health->started_cond);
	pthread_mutex_unlock(&health->lock);
}

static void *
run(void *ctx)
{
	struct lath_health *health = ctx;
	int ns_fd = health->options.netns_fd;

	lath_role_set(LATH_ROLE_PROBE);
	if (ns_fd >= 0 && setns(ns_fd, CLONE_NEWNET) != 0) {
		report_start(health, -errno);
		return NULL;
	}
	report_start(health, 0);
	event_base_dispatch(health->base); /* ends by loopbreak only: `wake` is always added */
	return NULL;
}

/* ---- start and stop ---------------------------------------------------------------------- */

/* Starts the thread with every signal blocked from its first instruction on: net_tap sends one a
 * packet, and TLS may write into a closed connection (SIGPIPE).
 */
static int
start_thread(struct lath_health *health)
{
	sigset_t all;
	sigset_t before;
	int rc;

	sigfillset(&all); /* holds SIGRTMIN..SIGRTMAX; glibc keeps its own two out */
	rc = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (rc != 0)
		return lath_err(rc);
	rc = pthread_create(&health->thread, NULL, run, health);
	pthread_sigmask(SIG_SETMASK, &before, NULL); /* cannot fail: `before` was just read */
	if (rc != 0)
		return lath_err(rc);
	health->running = true;
	pthread_setname_np(health->thread, "lath-probe"); /* a name too long is the only error */
	pthread_mutex_lock(&health->lock);
	while (health->started == STARTING)
		pthread_cond_wait(&health->started_cond, &health->lock);
	rc = health->started;
	pthread_mutex_unlock(&health->lock);
	return rc < 0 ? lath_err(-rc) : 0;
}

static int
init_loop(struct lath_health *health)
{
	int rc;

	health->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (health->wake_fd < 0)
		return lath_err(errno);
	health->base = event_base_new();
	if (health->base == NULL)
		return lath_err(ENOMEM);
	event_assign(&health->wake, health->base, health->wake_fd, EV_READ | EV_PERSIST, on_wake,
			health);
	if (event_add(&health->wake, NULL) != 0)
		return lath_err(ENOMEM);
	rc = lath_health_http_init(health);
	return rc;
}

static struct lath_health *
fail(struct lath_health *health, int rc, const char *what, struct lath_error *err)
{
	lath_error_set(err, "", "Health checks: cannot %s (%s).", what, strerror(-rc));
	lath_health_free(health);
	return lath_null(-rc);
}

struct lath_health *
lath_health_create(const struct lath_health_options *options, struct lath_error *err)
{
	struct lath_health *health;
	int rc;

	/* Not thread-safe everywhere, hence @thread init | mgmt; counts its calls. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		lath_error_set(err, "", "Health checks: libcurl does not start.");
		return lath_null(ENOMEM);
	}
	health = calloc(1, sizeof(*health));
	if (health == NULL) {
		curl_global_cleanup();
		lath_error_set(err, "", "Health checks: out of memory.");
		return lath_null(ENOMEM);
	}
	health->options = *options;
	if (health->options.in_flight_max == 0)
		health->options.in_flight_max = LATH_HEALTH_IN_FLIGHT_MAX;
	if (health->options.spread_ms == 0)
		health->options.spread_ms = LATH_HEALTH_SPREAD_MS;
	health->random = options->seed;
	health->wake_fd = -1;
	health->started = STARTING;
	STAILQ_INIT(&health->added);
	STAILQ_INIT(&health->removed);
	TAILQ_INIT(&health->changed);
	TAILQ_INIT(&health->waiting);
	pthread_mutex_init(&health->lock, NULL); /* neither can fail with default attributes */
	pthread_cond_init(&health->started_cond, NULL);
	rc = init_loop(health);
	if (rc < 0)
		return fail(health, rc, "make an event loop", err);
	rc = start_thread(health);
	if (rc < 0)
		return fail(health, rc, "start a thread in the host port's network namespace", err);
	return health;
}

void
lath_health_stop(struct lath_health *health)
{
	if (!health->running)
		return;
	pthread_mutex_lock(&health->lock);
	health->stop = true;
	pthread_mutex_unlock(&health->lock);
	lath_health_wake(health);
	pthread_join(health->thread, NULL); /* cannot fail: joinable and ours */
	health->running = false;
	/* The loop has ended, so its objects are ours now. */
	for (uint32_t i = 0; i < health->probe_count; i++)
		lath_health_probe_leave(health->probes[i]);
}

static void
free_probes(struct lath_health *health)
{
	struct probe *probe;

	while ((probe = STAILQ_FIRST(&health->removed)) != NULL) {
		STAILQ_REMOVE_HEAD(&health->removed, removed_entry);
		lath_health_probe_leave(probe);
		lath_health_probe_free(probe);
	}
	for (uint32_t i = 0; i < health->probe_count; i++)
		lath_health_probe_free(health->probes[i]);
	free(health->probes);
	free(health->links);
}

void
lath_health_free(struct lath_health *health)
{
	if (health == NULL)
		return;
	lath_health_stop(health);
	free_probes(health);
	lath_health_http_fini(health);
	if (health->base != NULL)
		event_base_free(health->base);
	if (health->wake_fd >= 0)
		close(health->wake_fd);
	pthread_cond_destroy(&health->started_cond);
	pthread_mutex_destroy(&health->lock);
	free(health);
	curl_global_cleanup();
}
