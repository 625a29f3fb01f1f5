/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Health checks of targets: a thread of its own (role PROBE) with a libevent loop, libcurl for
 * HTTP and HTTPS and plain sockets for TCP. The management core says what to check and takes the
 * changes; how a target is reached (the host port's address of it) is decided here.
 *
 * - Each distinct (VPC, address, port, check) is probed once for all targets that name it.
 * - A target is INITIAL until its first success (HEALTHY at once) or `unhealthy_count` failures in
 *   a row (UNHEALTHY); later `healthy_count` successes or `unhealthy_count` failures in a row turn
 *   it.
 * - First checks are spread over LATH_HEALTH_SPREAD_MS, later ones come after the interval +-10 %,
 *   counted from start to start, never before the last one has ended. Monotonic clock only.
 * - HTTP/1.1 GET, "Host: ADDRESS:PORT" of the target itself, no redirect followed, no certificate
 *   checked, connection closed after each check; a body is cut after LATH_HEALTH_BODY_MAX bytes
 *   and the answer judged by its status.
 * - A shortage of our own (descriptors, memory, local ports) is shown but not held against a
 *   target.
 *
 * LIMIT: at most LATH_HEALTH_IN_FLIGHT_MAX checks run at one time and the others wait in order, so
 * with every target silent and a timeout of 5 s about 100 checks a second are made. Descriptors: as
 * many as checks run at one time.
 *
 * Allocates from the heap; one lock, held for a bounded time by either side and never over network
 * or TLS work.
 */
#pragma once

#include <lath_config.h>
#include <lath_inet.h>
#include <lath_model.h>

#define LATH_HEALTH_IN_FLIGHT_MAX 512u
#define LATH_HEALTH_SPREAD_MS 2000u
#define LATH_HEALTH_BODY_MAX 65536u
#define LATH_HEALTH_TEXT_MAX 128

struct lath_health;

/** What to check and for whom. A check that is not `enabled` is left out. */
struct lath_health_target {
	uint32_t target; /* stable index, unique in a set */
	uint32_t vpc;    /* stable index */
	struct lath_ip ip;
	uint16_t port; /* resolved, 1..65535; check->port is not read */
	const struct lath_config_health_check *check; /* borrowed during the call */
};

struct lath_health_result {
	uint32_t target;
	enum lath_target_state state; /* INITIAL, HEALTHY or UNHEALTHY */
};

/** One target's checks so far, for `show targets`. */
struct lath_health_status {
	uint32_t target;
	enum lath_target_state state;
	char text[LATH_HEALTH_TEXT_MAX]; /* "connection refused", "HTTP 503, expected 200"; "": none */
	uint32_t successes;              /* in a row, now */
	uint32_t failures;               /* in a row, now */
	uint64_t checks;                 /* done since this probe exists */
	uint64_t latency_us;             /* of the last check, start to verdict */
	uint32_t next_due_ms;            /* from now; 0: running or waiting for its turn */
};

struct lath_health_options {
	struct lath_prefix host_prefix; /* /64, see lath_hostaddr.h */
	int netns_fd;              /* the thread enters it (borrowed during create); -1: it stays */
	bool direct;               /* tests: connect to the target's own address */
	void (*notify)(void *ctx); /* probe thread: results wait for drain; no lock is held */
	void *notify_ctx;
	uint64_t seed;          /* spreads and jitters */
	uint32_t in_flight_max; /* 0: LATH_HEALTH_IN_FLIGHT_MAX */
	uint32_t spread_ms;     /* first checks come within it; 0: LATH_HEALTH_SPREAD_MS */
};

/**
 * Starts the thread and returns when it is inside the namespace; call before privileges are
 * dropped. The thread has every signal blocked. NULL and errno on error, `err` filled.
 * @thread init | mgmt
 */
struct lath_health *lath_health_create(const struct lath_health_options *options,
		struct lath_error *err);

/**
 * The whole wanted set, copied; what is not named any more ends. Probes that stay keep schedule,
 * counts and result. A target whose check changed but whose VPC and address did not keeps its
 * state until the new check says otherwise. A target that is new, or has another VPC or address,
 * counts as reported INITIAL; drain after set, for it may name a probe with a result.
 * @return 0; -EINVAL (a matcher or path that configuration would have refused, a port of 0, a
 *         target named twice) or -ENOMEM: nothing has changed
 * @thread mgmt
 */
int lath_health_set(struct lath_health *health, const struct lath_health_target *targets,
		uint32_t count);

/** Takes up to `max` changes since they were last taken and returns how many. Fewer than `max`:
 *  that was all. @thread mgmt
 */
unsigned lath_health_drain(struct lath_health *health, struct lath_health_result *out,
		unsigned max);

/** One target's status; 0 or -ENOENT. O(log targets). @thread any */
int lath_health_get_status(struct lath_health *health, uint32_t target,
		struct lath_health_status *out);

typedef void (*lath_health_status_cb_t)(void *ctx, const struct lath_health_status *status);

/** Calls `cb` for every target in order of its index, on a copy taken at one instant and with no
 *  lock held. @return 0 or -ENOMEM. @thread any
 */
int lath_health_foreach(struct lath_health *health, lath_health_status_cb_t cb, void *ctx);

/** Distinct probes in the wanted set. @thread any */
uint32_t lath_health_probe_count(struct lath_health *health);

/** Stops and joins the thread; running checks are given up, no more notify() afterwards. Twice is
 *  once. @thread init | mgmt
 */
void lath_health_stop(struct lath_health *health);

/** Stops if need be and frees. Accepts NULL. @thread init | mgmt */
void lath_health_free(struct lath_health *health);

/* ---- matcher: which HTTP status is healthy ------------------------------------------------ */

struct lath_health_matcher {
	uint64_t bits[8]; /* bit per status 0..511; more lies in no accepted range */
};

/** "200", "200,202", "200-299,301". Each 200..499 as Lattice has it. 0 or -EINVAL, `out` is written
 *  only on success. @thread any
 */
int lath_health_matcher_parse(const char *text, struct lath_health_matcher *out);

static inline bool
lath_health_matcher_accepts(const struct lath_health_matcher *matcher, long status)
{
	return status >= 0 && status < 512 &&
			(matcher->bits[status / 64] >> (status % 64) & 1) != 0;
}
