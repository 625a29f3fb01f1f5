/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * One probe, two sides. The management core owns which probes exist (set.c); the probe thread owns
 * when they run and what came of it (probe.c; tcp.c and http.c do the talking); the verdict lies
 * between them under the lock.
 *
 *     mgmt: set() -- added, removed --> [lock] --> take_lists() -- event loop --> start
 *     mgmt: drain() <-- changed ------- [lock] <-- verdict ---------------------- finish
 *
 * A removed probe is freed by the probe thread, which alone knows whether it is running.
 */
#pragma once

#include <pthread.h>
#include <sys/queue.h>

#include <curl/curl.h>
#include <event2/event.h>
#include <event2/event_struct.h>

#include "lath_health.h"

/* What makes two checks the same one. */
struct probe_key {
	struct lath_ip ip;
	uint32_t vpc;
	uint16_t port;
	enum lath_config_check_protocol protocol;
	uint32_t interval_s;
	uint32_t timeout_s;
	uint32_t healthy_count;
	uint32_t unhealthy_count;
	const char *path;    /* "" for TCP */
	const char *matcher; /* "" for TCP */
	uint32_t via;        /* IPv6: the target by whose index the host port reaches it; else 0 */
};

/* One target's interest in a probe; an array of them, in order of `target`, per set. */
struct link {
	uint32_t target;
	enum lath_target_state reported; /* lock */
	struct probe *probe;
	struct link *next; /* of the same probe */
};

enum probe_phase {
	PROBE_IDLE, /* the timer says when it is due */
	PROBE_WAITING,
	PROBE_RUNNING,
};

enum probe_outcome {
	PROBE_SUCCESS,
	PROBE_FAILURE,
	PROBE_SHORTAGE, /* ours, not the target's: no verdict */
};

struct probe_kind;

struct probe {
	/* Constant; the strings of `key` are its own. */
	struct lath_health *health;
	const struct probe_kind *kind;
	struct probe_key key;
	struct lath_health_matcher matcher;
	struct lath_ip connect_ip; /* family NONE: cannot be reached from here */

	/* Under health->lock. */
	struct link *links;
	enum lath_target_state state;
	bool is_old;     /* was in a set before this one */
	bool is_changed; /* on health->changed */
	uint32_t successes;
	uint32_t failures;
	uint64_t checks;
	uint64_t latency_us;
	uint64_t due_us; /* 0: running or waiting */
	char text[LATH_HEALTH_TEXT_MAX];
	TAILQ_ENTRY(probe) changed_entry;
	STAILQ_ENTRY(probe) added_entry;
	STAILQ_ENTRY(probe) removed_entry;

	/* Probe thread. */
	enum probe_phase phase;
	bool in_loop; /* taken in by the thread: events are assigned */
	struct event timer;
	uint64_t started_us;
	TAILQ_ENTRY(probe) waiting_entry;
	struct event io; /* tcp.c */
	int fd;
	CURL *easy; /* http.c */
	struct curl_slist *headers;
	size_t received; /* bytes of headers and body */
	char curl_error[CURL_ERROR_SIZE];
};

TAILQ_HEAD(probe_queue, probe);
STAILQ_HEAD(probe_list, probe);

/* How a protocol is spoken: one row each, in probe.c. Called in the probe thread. */
struct probe_kind {
	/* Starts one check. Either lath_health_probe_finish() will be called, at the earliest from here, or the
	 * negative errno of a shortage is returned.
	 */
	int (*start)(struct probe *probe);
	/* Lets go of what start() took; after a finish too. */
	void (*cancel)(struct probe *probe);
};

struct lath_health {
	struct lath_health_options options;
	pthread_t thread;
	bool running;
	int wake_fd;

	/* Written by mgmt under the lock. */
	struct probe **probes; /* in order of key */
	uint32_t probe_count;
	struct link *links; /* in order of target */
	uint32_t link_count;

	pthread_mutex_t lock;
	/* Under the lock. */
	struct probe_list added;
	struct probe_list removed;
	struct probe_queue changed;
	bool is_notified; /* since drain last saw the end of `changed` */
	bool stop;
	int started; /* 1: not yet known; else what the thread's start came to */
	pthread_cond_t started_cond;

	/* Probe thread. */
	struct event_base *base;
	struct event wake;
	uint64_t random;
	struct probe_queue waiting;
	uint32_t in_flight;
	bool is_pumping;
	bool is_short; /* of a resource of our own, said once */
	CURLM *multi;
	struct event multi_timer;
};

/* ---- health.c ---------------------------------------------------------------------------- */

uint64_t lath_health_now_us(void);
void lath_health_wake(const struct lath_health *health);

/* ---- set.c ------------------------------------------------------------------------------- */

/* Puts the probe on `changed` if a target has not been told its state; the lock is held. */
void lath_health_set_mark_changed(struct probe *probe);

/* ---- probe.c ----------------------------------------------------------------------------- */

struct probe *lath_health_probe_create(struct lath_health *health, const struct probe_key *key);
void lath_health_probe_free(struct probe *probe);
int lath_health_probe_key_compare(const struct probe_key *a, const struct probe_key *b);

/* Gives the probe its first turn. Probe thread. */
void lath_health_probe_enter(struct probe *probe);

/* Gives up what runs and takes the probe out of the loop. Probe thread, or after it has ended. */
void lath_health_probe_leave(struct probe *probe);

/* Ends one check with a verdict and plans the next. Probe thread, lock not held. */
void lath_health_probe_finish(struct probe *probe, enum probe_outcome outcome, const char *text);

/* Calls notify() if something has changed and nobody was told. Probe thread, lock not held. */
void lath_health_probe_notify(struct lath_health *health);

/* PROBE_SHORTAGE for errors that are ours (descriptors, memory, local ports). */
enum probe_outcome lath_health_probe_outcome_of(int code);

/* "connection refused" for ECONNREFUSED and so on. */
const char *lath_health_probe_error_text(int code, char *out, size_t len);

/* ---- tcp.c, http.c ----------------------------------------------------------------------- */

extern const struct probe_kind lath_health_probe_kind_tcp;
extern const struct probe_kind lath_health_probe_kind_http;

int lath_health_http_init(struct lath_health *health);
void lath_health_http_fini(struct lath_health *health);
