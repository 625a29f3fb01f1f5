/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * What test_health.c and test_health_set.c stand on: an HTTP server in a thread of its own, ports
 * that refuse or say nothing, and a checker whose results are taken as notify() announces them.
 * The library connects to the targets' own addresses (options.direct), all on loopback; a "VPC" is
 * only a number here.
 */
#pragma once

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include <lath_health.h>

#include "lath_test.h"

#define WAIT_MS 9000 /* far more than anything here takes; only a failure waits so long */

/* ---- servers ----------------------------------------------------------------------------- */

/* An HTTP server: "/status/N" answers N, "/long" a megabyte, "/slow" nothing at all. */
struct server {
	pthread_t thread;
	struct event_base *base;
	struct evhttp *http;
	struct event *stopper;
	int stop_pipe[2];
	uint16_t port;
	atomic_int status; /* for "/" */
	atomic_uint requests;
	char head[512]; /* of the last request; read after the server has stopped */
};

static inline void
note_request(struct server *server, struct evhttp_request *request)
{
	struct evkeyvalq *headers = evhttp_request_get_input_headers(request);
	const char *host = evhttp_find_header(headers, "Host");
	const char *agent = evhttp_find_header(headers, "User-Agent");
	const char *connection = evhttp_find_header(headers, "Connection");

	snprintf(server->head, sizeof(server->head), "%s|%s|%s|%s", evhttp_request_get_uri(request),
			host == NULL ? "" : host, agent == NULL ? "" : agent,
			connection == NULL ? "" : connection);
	atomic_fetch_add(&server->requests, 1);
}

static inline void
on_request(struct evhttp_request *request, void *ctx)
{
	struct server *server = ctx;
	const char *uri = evhttp_request_get_uri(request);
	struct evbuffer *body;
	int status = atomic_load(&server->status);

	note_request(server, request);
	if (strcmp(uri, "/slow") == 0)
		return; /* evhttp_free() ends it */
	if (sscanf(uri, "/status/%d", &status) == 1 && status == 302)
		evhttp_add_header(evhttp_request_get_output_headers(request), "Location", "/");
	body = evbuffer_new();
	for (unsigned i = 0; strcmp(uri, "/long") == 0 && i < 65536; i++)
		evbuffer_add(body, "0123456789abcdef", 16);
	evhttp_send_reply(request, status, "Whatever", body);
	evbuffer_free(body);
}

static inline void
on_stop(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(ctx);
}

static inline void *
run_server(void *ctx)
{
	struct server *server = ctx;

	event_base_dispatch(server->base);
	return NULL;
}

static inline void
server_start(struct server *server)
{
	struct evhttp_bound_socket *bound;
	struct sockaddr_in address;
	socklen_t len = sizeof(address);

	memset(server, 0, sizeof(*server));
	atomic_store(&server->status, 200);
	server->base = event_base_new();
	server->http = evhttp_new(server->base);
	evhttp_set_gencb(server->http, on_request, server);
	bound = evhttp_bind_socket_with_handle(server->http, "127.0.0.1", 0);
	assert_non_null(bound);
	assert_int_equal(getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address,
					 &len),
			0);
	server->port = ntohs(address.sin_port);
	assert_int_equal(pipe(server->stop_pipe), 0);
	server->stopper = event_new(server->base, server->stop_pipe[0], EV_READ, on_stop,
			server->base);
	event_add(server->stopper, NULL);
	assert_int_equal(pthread_create(&server->thread, NULL, run_server, server), 0);
}

/* Closes the listening socket and every connection. */
static inline void
server_stop(struct server *server)
{
	assert_int_equal(write(server->stop_pipe[1], "x", 1), 1);
	pthread_join(server->thread, NULL);
	event_free(server->stopper);
	evhttp_free(server->http);
	event_base_free(server->base);
	close(server->stop_pipe[0]);
	close(server->stop_pipe[1]);
}

/* A bound port: with a backlog it accepts connections and never says a word; without, it refuses
 * them. Caller closes.
 */
static inline int
hold_port(int backlog, uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	if (backlog >= 0)
		assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

/* Takes the one place in the queue of a port held with a backlog of 0. Caller closes. */
static inline int
fill_queue(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* ---- the checker --------------------------------------------------------------------------- */

struct fixture {
	struct lath_health *health;
	pthread_mutex_t lock;
	pthread_cond_t told;
	unsigned notified;
	enum lath_target_state state[64]; /* as drained */
	unsigned changes[64];
};

static inline void
on_notify(void *ctx)
{
	struct fixture *fixture = ctx;

	pthread_mutex_lock(&fixture->lock);
	fixture->notified++;
	pthread_cond_signal(&fixture->told);
	pthread_mutex_unlock(&fixture->lock);
}

static inline void
fixture_start(struct fixture *fixture, uint32_t in_flight_max)
{
	struct lath_health_options options = {
			.netns_fd = -1,
			.direct = true,
			.notify = on_notify,
			.notify_ctx = fixture,
			.seed = 1,
			.in_flight_max = in_flight_max,
			.spread_ms = 100,
	};
	struct lath_error err = {0};

	memset(fixture, 0, sizeof(*fixture));
	pthread_mutex_init(&fixture->lock, NULL);
	pthread_cond_init(&fixture->told, NULL);
	fixture->health = lath_health_create(&options, &err);
	if (fixture->health == NULL)
		fail_msg("%s", err.text);
}

static inline void
fixture_stop(struct fixture *fixture)
{
	lath_health_free(fixture->health);
	pthread_cond_destroy(&fixture->told);
	pthread_mutex_destroy(&fixture->lock);
}

static inline void
fixture_drain(struct fixture *fixture)
{
	struct lath_health_result results[3]; /* small, so that several rounds are needed */
	unsigned count;

	do {
		count = lath_health_drain(fixture->health, results, LATH_ARRAY_SIZE(results));
		for (unsigned i = 0; i < count; i++) {
			fixture->state[results[i].target] = results[i].state;
			fixture->changes[results[i].target]++;
		}
	} while (count == LATH_ARRAY_SIZE(results));
}

static inline uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Takes results as notify() announces them, until `target` is in `state`. */
static inline void
wait_for(struct fixture *fixture, uint32_t target, enum lath_target_state state)
{
	uint64_t end_ms = now_ms() + WAIT_MS;

	fixture_drain(fixture);
	while (fixture->state[target] != state) {
		struct timespec deadline;

		if (now_ms() > end_ms)
			fail_msg("target %u is in state %d, not in %d", target,
					fixture->state[target], state);
		clock_gettime(CLOCK_REALTIME, &deadline);
		deadline.tv_sec += 1;
		pthread_mutex_lock(&fixture->lock);
		while (fixture->notified == 0 &&
				pthread_cond_timedwait(&fixture->told, &fixture->lock, &deadline) ==
						0)
			;
		fixture->notified = 0;
		pthread_mutex_unlock(&fixture->lock);
		fixture_drain(fixture);
	}
}

static inline struct lath_health_status
status_of(struct fixture *fixture, uint32_t target)
{
	struct lath_health_status status;

	assert_int_equal(lath_health_get_status(fixture->health, target, &status), 0);
	return status;
}

static inline void
wait_for_checks(struct fixture *fixture, uint32_t target, uint64_t checks)
{
	uint64_t end_ms = now_ms() + WAIT_MS;

	while (status_of(fixture, target).checks < checks) {
		assert_true(now_ms() < end_ms);
		usleep(10000);
	}
}

static inline struct lath_config_health_check
make_check(enum lath_config_check_protocol protocol, const char *path)
{
	struct lath_config_health_check check = {
			.enabled = true,
			.protocol = protocol,
			.interval_s = 1,
			.timeout_s = 1,
			.healthy_count = 2,
			.unhealthy_count = 2,
			.matcher = "200",
	};

	snprintf(check.path, sizeof(check.path), "%s", path);
	return check;
}

static inline struct lath_health_target
make_target(uint32_t target, uint16_t port, const struct lath_config_health_check *check)
{
	struct lath_health_target made = {.target = target, .vpc = 1, .port = port, .check = check};

	assert_int_equal(lath_ip_parse("127.0.0.1", &made.ip), 0);
	return made;
}
