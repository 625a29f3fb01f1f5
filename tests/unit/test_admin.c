/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* The socket's side of lath_admin with methods of our own: what real methods say is shown by the
 * packet tests, which call them on a whole gateway.
 */

#include <admin_private.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "lath_test.h"

#define CLIENTS_MAX 40

struct world {
	struct event_base *base;
	struct lath_admin *admin;
	char folder[64];
	char path[96];
	unsigned done;
	json_t *result;
	json_t *error;
};

static struct lath_admin_call *waiting; /* of the method "later" */

static void
method_echo(struct lath_admin_call *call)
{
	json_t *result = json_object();

	lath_admin_put(result, "params", json_incref(call->params));
	lath_admin_put_u64(result, "uid", call->peer.uid);
	lath_admin_finish(call, result);
}

static void
method_fail(struct lath_admin_call *call)
{
	lath_admin_fail(call, LATH_RPC_REFUSED, json_true(), "no");
}

static void
method_later(struct lath_admin_call *call)
{
	waiting = call;
}

static const struct lath_admin_method rows[] = {
		{"echo", LATH_ADMIN_READ, "a b", method_echo},
		{"fail", LATH_ADMIN_CHANGE, "", method_fail},
		{"later", LATH_ADMIN_READ, "", method_later},
		{"apply", LATH_ADMIN_CHANGE, "config", method_echo},
};

static const struct lath_admin_methods methods = {rows, LATH_ARRAY_SIZE(rows)};

static struct lath_control_now
now_fixed(void *ctx)
{
	(void)ctx;
	return (struct lath_control_now){.tick = 1000, .wall_s = 1};
}

static struct lath_admin *
make_admin(struct world *world, struct lath_error *err)
{
	const struct lath_admin_options options = {.path = world->path, .now = now_fixed};

	return lath_admin_create_with(world->base, NULL, &options, &methods, err);
}

static int
setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	snprintf(world->folder, sizeof(world->folder), "/tmp/lath-admin-XXXXXX");
	if (mkdtemp(world->folder) == NULL)
		return -1;
	snprintf(world->path, sizeof(world->path), "%s/admin.sock", world->folder);
	world->base = event_base_new();
	world->admin = make_admin(world, NULL);
	*state = world;
	return world->admin == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	struct world *world = *state;

	lath_admin_free(world->admin);
	event_base_free(world->base);
	json_decref(world->result);
	json_decref(world->error);
	unlink(world->path);
	rmdir(world->folder);
	free(world);
	return 0;
}

static void
turn(struct world *world)
{
	for (int i = 0; i < 20; i++)
		event_base_loop(world->base, EVLOOP_NONBLOCK);
}

static int
connect_to(const struct world *world)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	memcpy(addr.sun_path, world->path, sizeof(world->path));
	assert_int_equal(connect(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

/* Sends all of it, with the daemon's turns between, until it closes. */
static void
send_text(struct world *world, int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		turn(world);
		if (n < 0 && errno != EAGAIN)
			return;
		text += n < 0 ? 0 : n;
		len -= n < 0 ? 0 : (size_t)n;
	}
}

/* What has come, as text; "" when nothing did, "(end)" behind it when the other side closed. */
static const char *
receive(struct world *world, int fd, char *out, size_t size)
{
	size_t used = 0;
	ssize_t n;

	do {
		turn(world);
		n = recv(fd, out + used, size - used - 8, 0);
		used += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	out[used] = '\0';
	if (n == 0 || errno == ECONNRESET)
		strcat(out, "(end)");
	return out;
}

static const char *
ask(struct world *world, int fd, const char *text, char *out, size_t size)
{
	send_text(world, fd, text, strlen(text));
	return receive(world, fd, out, size);
}

static void
on_done(void *ctx, json_t *result, json_t *error)
{
	struct world *world = ctx;

	world->done++;
	world->result = json_incref(result);
	world->error = json_incref(error);
}

static void
call_answers_once_with_a_schema_version(void **state)
{
	struct world *world = *state;
	json_t *params = json_pack("{s:i}", "a", 1);

	lath_admin_call(world->admin, "echo", params, on_done, world);
	json_decref(params);
	assert_int_equal(world->done, 1);
	assert_null(world->error);
	assert_int_equal(json_integer_value(json_object_get(world->result, "schemaVersion")), 1);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(world->result,
									    "params"),
					 "a")),
			1);
}

static void
call_refuses_with_what_would_be_accepted(void **state)
{
	static const struct {
		const char *method;
		const char *params;
		int code;
		const char *text;
	} rows_of[] = {
			{"ecko", "{}", LATH_RPC_METHOD_NOT_FOUND,
					"there is no method \"ecko\"; did you mean \"echo\"?"},
			{"echo", "{\"c\": 1}", LATH_RPC_INVALID_PARAMS,
					"echo has no parameter \"c\"; it has: a b"},
			{"echo", "{\"a b\": 1}", LATH_RPC_INVALID_PARAMS,
					"echo has no parameter \"a b\"; it has: a b"},
			{"fail", "{\"a\": 1}", LATH_RPC_INVALID_PARAMS,
					"fail has no parameter \"a\"; it has: none"},
			{"fail", "{}", LATH_RPC_REFUSED, "no"},
	};
	struct world *world = *state;

	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows_of); i++) {
		json_t *params = json_loads(rows_of[i].params, 0, NULL);

		lath_admin_call(world->admin, rows_of[i].method, params, on_done, world);
		assert_null(world->result);
		assert_int_equal(json_integer_value(json_object_get(world->error, "code")),
				rows_of[i].code);
		assert_string_equal(json_string_value(json_object_get(world->error, "message")),
				rows_of[i].text);
		json_decref(world->error);
		world->error = NULL;
		json_decref(params);
	}
	assert_int_equal(world->done, LATH_ARRAY_SIZE(rows_of));
}

static void
lines_are_answered_in_order_and_notifications_not_at_all(void **state)
{
	struct world *world = *state;
	int fd = connect_to(world);
	char out[1024];
	char expected[256];

	ask(world, fd,
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n \n"
			"{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}\nrubbish\n"
			"{\"jsonrpc\":\"2.0\",\"id\":2,\"me",
			out, sizeof(out));
	snprintf(expected, sizeof(expected),
			"{\"jsonrpc\":\"2.0\",\"result\":{\"params\":{},\"uid\":%u,"
			"\"schemaVersion\":1},\"id\":1}\n",
			(unsigned)geteuid());
	assert_memory_equal(out, expected, strlen(expected));
	assert_non_null(strstr(out + strlen(expected), "-32700"));
	assert_null(strstr(out, "(end)"));
	ask(world, fd, "thod\":\"fail\"}\n", out, sizeof(out));
	assert_string_equal(out,
			"{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32000,"
			"\"message\":\"no\",\"data\":true}}\n");
	close(fd);
	turn(world);
	assert_int_equal(world->admin->connection_count, 0);
}

static void
half_closed_peer_still_gets_its_answer(void **state)
{
	struct world *world = *state;
	int fd = connect_to(world);
	char out[1024];
	const char *text = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n";

	assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
	shutdown(fd, SHUT_WR);
	receive(world, fd, out, sizeof(out));
	assert_non_null(strstr(out, "\"result\""));
	assert_non_null(strstr(out, "(end)"));
	close(fd);
}

/* One request of `len` bytes for a method. */
static char *
long_request(const char *method, size_t len)
{
	char *text = malloc(len + 1);
	int head = sprintf(text,
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":"
			"{\"config\":\"",
			method);

	memset(text + head, 'x', len - (size_t)head);
	strcpy(text + len - 4, "\"}}\n");
	return text;
}

static void
long_requests_are_for_configurations_only(void **state)
{
	struct world *world = *state;
	const size_t len = 3 * LATH_RPC_PLAIN_LINE_MAX;
	char *out = malloc(len + 1024);

	for (int i = 0; i < 2; i++) {
		char *text = long_request(i == 0 ? "echo" : "apply", len);
		int fd = connect_to(world);

		send_text(world, fd, text, len);
		receive(world, fd, out, len + 1024);
		assert_non_null(strstr(out, i == 0 ? "-32003" : "\"result\""));
		assert_null(strstr(out, "(end)"));
		close(fd);
		free(text);
	}
	free(out);
}

static void
line_without_end_is_cut_off(void **state)
{
	struct world *world = *state;
	int fd = connect_to(world);
	size_t len = LATH_RPC_LINE_MAX + 65536;
	char *text = malloc(len);
	char out[1024];

	memset(text, 'x', len);
	send_text(world, fd, text, len);
	receive(world, fd, out, sizeof(out));
	assert_non_null(strstr(out, "-32003"));
	assert_non_null(strstr(out, "(end)"));
	assert_int_equal(world->admin->connection_count, 0);
	free(text);
	close(fd);
}

static void
peer_may_leave_before_its_answer_comes(void **state)
{
	struct world *world = *state;
	int fd = connect_to(world);
	char out[256];

	ask(world, fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"later\"}\n", out, sizeof(out));
	assert_string_equal(out, "");
	assert_non_null(waiting);
	lath_admin_connection_close(LIST_FIRST(&world->admin->connections));
	lath_admin_finish(waiting, json_object());
	waiting = NULL;
	turn(world);
	close(fd);
}

static void
answer_that_comes_later_is_sent(void **state)
{
	struct world *world = *state;
	int fd = connect_to(world);
	char out[512];

	/* The second request waits for the first one's answer. */
	ask(world, fd,
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"later\"}\n"
			"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"echo\"}\n",
			out, sizeof(out));
	assert_string_equal(out, "");
	lath_admin_finish(waiting, json_object());
	waiting = NULL;
	receive(world, fd, out, sizeof(out));
	assert_non_null(strstr(out, "\"id\":1}\n"));
	assert_non_null(strstr(out, "\"id\":2}\n"));
	close(fd);
}

static void
connections_have_a_limit(void **state)
{
	const unsigned limit = geteuid() == 0 ? LATH_ADMIN_ROOT_MAX : LATH_ADMIN_PER_UID_MAX;
	struct world *world = *state;
	int fds[CLIENTS_MAX];
	char out[512];

	for (unsigned i = 0; i <= limit; i++) {
		fds[i] = connect_to(world);
		turn(world);
	}
	assert_non_null(strstr(receive(world, fds[limit], out, sizeof(out)), "-32002"));
	assert_non_null(strstr(out, "(end)"));
	assert_int_equal(world->admin->connection_count, limit);
	close(fds[0]);
	turn(world);
	fds[0] = connect_to(world);
	ask(world, fds[0], "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n", out,
			sizeof(out));
	assert_non_null(strstr(out, "\"result\""));
	for (unsigned i = 0; i <= limit; i++)
		close(fds[i]);
}

static void
stale_socket_is_replaced_and_a_live_one_is_not(void **state)
{
	struct world *world = *state;
	struct lath_error err = {0};
	struct stat stat;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	assert_null(make_admin(world, &err));
	assert_non_null(strstr(err.text, "another lathd answers here"));
	assert_int_equal(lstat(world->path, &stat), 0);
	assert_int_equal(stat.st_mode & 07777, 0660);
	lath_admin_free(world->admin);
	assert_int_equal(lstat(world->path, &stat), -1);
	/* One that nobody listens on, as a killed daemon leaves it. */
	memcpy(addr.sun_path, world->path, sizeof(world->path));
	assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	world->admin = make_admin(world, NULL);
	assert_non_null(world->admin);
}

static void
file_that_is_no_socket_stays(void **state)
{
	struct world *world = *state;
	struct lath_error err = {0};
	FILE *file;

	lath_admin_free(world->admin);
	file = fopen(world->path, "w");
	assert_non_null(file);
	fclose(file);
	world->admin = make_admin(world, &err);
	assert_null(world->admin);
	assert_non_null(strstr(err.text, "is no socket"));
	assert_int_equal(access(world->path, F_OK), 0);
}

int
main(void)
{
#define ROW(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
			ROW(call_answers_once_with_a_schema_version),
			ROW(call_refuses_with_what_would_be_accepted),
			ROW(lines_are_answered_in_order_and_notifications_not_at_all),
			ROW(half_closed_peer_still_gets_its_answer),
			ROW(long_requests_are_for_configurations_only),
			ROW(line_without_end_is_cut_off),
			ROW(peer_may_leave_before_its_answer_comes),
			ROW(answer_that_comes_later_is_sent),
			ROW(connections_have_a_limit),
			ROW(stale_socket_is_replaced_and_a_live_one_is_not),
			ROW(file_that_is_no_socket_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
