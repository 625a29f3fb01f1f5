/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* One peer. A line is read, its method called, the answer written; while a method runs or an answer
 * is not yet taken, nothing is read, so a connection never holds more than one line in and one
 * answer out.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <lath_log.h>

#include "admin_private.h"

LATH_LOG_REGISTER(admin);

#define WAITING_BYTES_MAX (4u * LATH_RPC_LINE_MAX) /* unfinished lines of all connections */

struct lath_admin_connection {
	LIST_ENTRY(lath_admin_connection) next;
	struct lath_admin *admin;
	struct lath_admin_peer peer;
	struct bufferevent *stream;
	size_t scanned; /* bytes of the input that hold no line's end */
	json_t *id;     /* of the request that runs; NULL: a notification */
	bool runs;
	bool closing; /* after what waits to be written */
};

unsigned
lath_admin_connections_of(const struct lath_admin *admin, uid_t uid)
{
	const struct lath_admin_connection *connection;
	unsigned count = 0;

	LIST_FOREACH(connection, &admin->connections, next)
	count += connection->peer.uid == uid ? 1 : 0;
	return count;
}

void
lath_admin_connection_close(struct lath_admin_connection *connection)
{
	lath_admin_forget(connection->admin, connection);
	LIST_REMOVE(connection, next);
	connection->admin->connection_count--;
	bufferevent_free(connection->stream);
	json_decref(connection->id);
	free(connection);
}

/* Takes `message`. */
static void
send_message(struct lath_admin_connection *connection, json_t *message)
{
	size_t len = 0;
	char *line = lath_rpc_encode(message, &len);

	if (line == NULL || bufferevent_write(connection->stream, line, len) != 0)
		connection->closing = true;
	free(line);
}

static void
send_fault(struct lath_admin_connection *connection, int code, const char *text)
{
	struct lath_rpc_fault fault;

	lath_rpc_fault_set(&fault, code, "%s", text);
	send_message(connection, lath_rpc_error_make(NULL, &fault, NULL));
}

static void
on_done(void *ctx, json_t *result, json_t *error)
{
	struct lath_admin_connection *connection = ctx;
	static const struct lath_rpc_fault no_memory = {LATH_RPC_INTERNAL, "memory is short"};
	json_t *message = NULL;

	if (connection->id != NULL && result != NULL)
		message = lath_rpc_result_make(connection->id, json_incref(result));
	else if (connection->id != NULL) {
		message = json_pack("{s:s, s:O}", "jsonrpc", "2.0", "id", connection->id);
		json_object_set_new(message, "error",
				error != NULL ? json_incref(error)
					      : lath_rpc_fault_json(&no_memory, NULL));
	}
	json_decref(connection->id);
	connection->id = NULL;
	connection->runs = false;
	if (message != NULL)
		send_message(connection, message);
	/* Goes on when the answer is written: on_write(). */
	bufferevent_trigger(connection->stream, EV_WRITE, BEV_TRIG_DEFER_CALLBACKS);
}

static void
run_line(struct lath_admin_connection *connection, const char *line, size_t len)
{
	struct lath_rpc_request request;
	struct lath_rpc_fault fault;

	if (lath_rpc_request_parse(&request, line, len, &fault) != 0) {
		send_message(connection, lath_rpc_error_make(request.id, &fault, NULL));
		lath_rpc_request_fini(&request);
		return;
	}
	if (len > LATH_RPC_PLAIN_LINE_MAX && strcmp(request.method, "apply") != 0 &&
			strcmp(request.method, "check") != 0) {
		lath_rpc_fault_set(&fault, LATH_RPC_TOO_LARGE,
				"a request has at most %u bytes, with a configuration %u",
				LATH_RPC_PLAIN_LINE_MAX, LATH_RPC_LINE_MAX);
		send_message(connection, lath_rpc_error_make(request.id, &fault, NULL));
	} else {
		connection->id = json_incref(request.id);
		connection->runs = true;
		lath_admin_start(connection->admin, request.method, request.params,
				connection->peer, on_done, connection);
	}
	lath_rpc_request_fini(&request);
}

/* Bytes that wait in all connections for the end of their line. */
static size_t
waiting_bytes(const struct lath_admin *admin)
{
	const struct lath_admin_connection *connection;
	size_t bytes = 0;

	LIST_FOREACH(connection, &admin->connections, next)
	bytes += evbuffer_get_length(bufferevent_get_input(connection->stream));
	return bytes;
}

/* Blank lines are nothing, not mistakes: a person may type them. */
static bool
is_blank(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	}
	return true;
}

/* Runs the next line if it is there; true when it ran and another may follow at once. */
static bool
run_next(struct lath_admin_connection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->stream);
	struct evbuffer_ptr from;
	struct evbuffer_ptr end = {.pos = -1};
	size_t len = evbuffer_get_length(input);
	char *line;

	if (connection->runs || connection->closing || len == 0 ||
			evbuffer_get_length(bufferevent_get_output(connection->stream)) > 0)
		return false;
	if (connection->scanned < len &&
			evbuffer_ptr_set(input, &from, connection->scanned, EVBUFFER_PTR_SET) == 0)
		end = evbuffer_search(input, "\n", 1, &from);
	if (end.pos < 0) {
		connection->scanned = len;
		if (len > LATH_RPC_LINE_MAX ||
				waiting_bytes(connection->admin) > WAITING_BYTES_MAX) {
			send_fault(connection, LATH_RPC_TOO_LARGE, "the request is too long");
			connection->closing = true;
		}
		return false;
	}
	line = malloc((size_t)end.pos + 1);
	if (line == NULL || evbuffer_remove(input, line, (size_t)end.pos + 1) < 0) {
		connection->closing = true;
		free(line);
		return false;
	}
	connection->scanned = 0;
	if (!is_blank(line, (size_t)end.pos))
		run_line(connection, line, (size_t)end.pos);
	free(line);
	return true;
}

/* Frees the connection when nothing is left to do. */
static void
turn(struct lath_admin_connection *connection)
{
	bool writes;

	while (run_next(connection))
		;
	writes = evbuffer_get_length(bufferevent_get_output(connection->stream)) > 0;
	if (connection->closing && !writes && !connection->runs) {
		lath_admin_connection_close(connection);
		return;
	}
	/* A peer that does not take its answer is not listened to. */
	if (connection->runs || writes || connection->closing)
		bufferevent_disable(connection->stream, EV_READ);
	else
		bufferevent_enable(connection->stream, EV_READ);
}

static void
on_stream(struct bufferevent *stream, void *ctx)
{
	(void)stream;
	turn(ctx);
}

static void
on_event(struct bufferevent *stream, short what, void *ctx)
{
	struct lath_admin_connection *connection = ctx;

	(void)stream;
	/* A peer may shut its side down and still want what it asked for. */
	if ((what & BEV_EVENT_EOF) != 0 &&
			(connection->runs ||
					evbuffer_get_length(bufferevent_get_output(
							connection->stream)) > 0)) {
		connection->closing = true;
		turn(connection);
		return;
	}
	lath_admin_connection_close(connection);
}

/* At most one a second: nobody may fill the log by knocking. */
static void
log_refusal(struct lath_admin *admin, const struct lath_admin_peer *peer, const char *why)
{
	lath_tick_t now = admin->options.now(admin->options.now_ctx).tick;

	if (admin->refusal_logged &&
			!lath_tick_reached(now, admin->refusal_tick + LATH_TICKS_PER_SECOND))
		return;
	admin->refusal_logged = true;
	admin->refusal_tick = now;
	LATH_LOG(NOTICE, "refused a connection: %s uid=%u pid=%d", why, (unsigned)peer->uid,
			(int)peer->pid);
}

void
lath_admin_connection_open(struct lath_admin *admin, int fd, const struct lath_admin_peer *peer,
		const char *why)
{
	static const struct timeval idle = {.tv_sec = LATH_ADMIN_IDLE_S};
	struct lath_admin_connection *connection = calloc(1, sizeof(*connection));

	if (connection != NULL)
		connection->stream = bufferevent_socket_new(admin->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (connection == NULL || connection->stream == NULL) {
		free(connection);
		close(fd); /* Nothing was written. */
		return;
	}
	connection->admin = admin;
	connection->peer = *peer;
	LIST_INSERT_HEAD(&admin->connections, connection, next);
	admin->connection_count++;
	bufferevent_setcb(connection->stream, on_stream, on_stream, on_event, connection);
	bufferevent_set_timeouts(connection->stream, &idle, &idle);
	bufferevent_setwatermark(connection->stream, EV_READ, 0, LATH_RPC_LINE_MAX + 4096);
	if (why[0] != '\0') {
		log_refusal(admin, peer, why);
		send_fault(connection, LATH_RPC_DENIED, why);
		connection->closing = true;
	}
	turn(connection);
}
