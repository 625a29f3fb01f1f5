/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Health checks: what an answer means. TLS is spoken by openssl(1) where it is installed. */
#include <signal.h>
#include <sys/wait.h>

#include "health_rig.h"

/* ---- matcher ------------------------------------------------------------------------------ */

static void
matcher_reads_lists_and_ranges(void **state)
{
	static const struct {
		const char *text;
		long in[3];
		long out[3];
	} rows[] = {
			{"200", {200, 200, 200}, {201, 199, 0}},
			{"200,202", {200, 202, 202}, {201, 203, 404}},
			{"200-299", {200, 250, 299}, {300, 199, 499}},
			{"200-204,301,400-499", {204, 301, 499}, {205, 302, 399}},
			{"200-200", {200, 200, 200}, {201, -1, 511}},
			{"499", {499, 499, 499}, {512, 1000, 435}},
	};
	static const char *const bad[] = {"", "20", "2000", "200,", ",200", "200-", "-200",
			"299-200", "199", "500", "200 ", " 200", "200,,201", "200-201-202", "2xx",
			"200;201"};
	struct lath_health_matcher matcher;

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		assert_int_equal(lath_health_matcher_parse(rows[i].text, &matcher), 0);
		for (unsigned k = 0; k < 3; k++) {
			assert_true(lath_health_matcher_accepts(&matcher, rows[i].in[k]));
			assert_false(lath_health_matcher_accepts(&matcher, rows[i].out[k]));
		}
	}
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(bad); i++) {
		print_message("  \"%s\"\n", bad[i]);
		assert_int_equal(lath_health_matcher_parse(bad[i], &matcher), -EINVAL);
	}
}

/* ---- verdicts ---------------------------------------------------------------------------- */

struct verdict_row {
	const char *name;
	const char *path;
	const char *matcher;
	enum lath_target_state state;
	const char *text;
};

/* Every answer at once: the checks run side by side. */
static void
verdicts_follow_the_http_answer(void **state)
{
	static const struct verdict_row rows[] = {
			{"plain", "/", "200", LATH_TARGET_HEALTHY, "HTTP 200"},
			{"in range", "/status/404?q=1#x", "200-499", LATH_TARGET_HEALTHY,
					"HTTP 404"},
			{"redirect", "/status/302", "200", LATH_TARGET_UNHEALTHY,
					"HTTP 302, expected 200"},
			{"error", "/status/503", "200,202", LATH_TARGET_UNHEALTHY,
					"HTTP 503, expected 200,202"},
			{"a megabyte", "/long", "200", LATH_TARGET_HEALTHY, "HTTP 200"},
			{"no answer", "/slow", "200", LATH_TARGET_UNHEALTHY, "timed out"},
	};
	struct lath_config_health_check checks[LATH_ARRAY_SIZE(rows)];
	struct lath_health_target targets[LATH_ARRAY_SIZE(rows)];
	struct fixture fixture;
	struct server server;

	(void)state;
	server_start(&server);
	fixture_start(&fixture, 0);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		checks[i] = make_check(LATH_CONFIG_CHECK_HTTP, rows[i].path);
		snprintf(checks[i].matcher, sizeof(checks[i].matcher), "%s", rows[i].matcher);
		targets[i] = make_target(i, server.port, &checks[i]);
	}
	assert_int_equal(lath_health_set(fixture.health, targets, LATH_ARRAY_SIZE(rows)), 0);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		print_message("  %s\n", rows[i].name);
		wait_for(&fixture, i, rows[i].state);
		assert_string_equal(status_of(&fixture, i).text, rows[i].text);
	}
	fixture_stop(&fixture);
	server_stop(&server);
}

/* A listening socket whose queue is full answers no SYN: connections made by hand fill it. */
static void
verdicts_follow_the_connection(void **state)
{
	struct lath_config_health_check tcp = make_check(LATH_CONFIG_CHECK_TCP, "");
	struct lath_config_health_check http = make_check(LATH_CONFIG_CHECK_HTTP, "/");
	uint16_t ports[3]; /* refuses, accepts and says nothing, queue full */
	int fds[3] = {hold_port(-1, &ports[0]), hold_port(64, &ports[1]), hold_port(0, &ports[2])};
	const struct verdict_row rows[] = {
			{"TCP, closed", NULL, NULL, LATH_TARGET_UNHEALTHY, "connection refused"},
			{"TCP, open", NULL, NULL, LATH_TARGET_HEALTHY, "connected"},
			{"TCP, silent", NULL, NULL, LATH_TARGET_UNHEALTHY, "timed out"},
			{"HTTP, closed", NULL, NULL, LATH_TARGET_UNHEALTHY, "connection refused"},
			{"HTTP, mute", NULL, NULL, LATH_TARGET_UNHEALTHY, "timed out"},
			{"HTTP, silent", NULL, NULL, LATH_TARGET_UNHEALTHY, "timed out"},
			{"IPv6, closed", NULL, NULL, LATH_TARGET_UNHEALTHY, "connection refused"},
	};
	struct lath_health_target targets[LATH_ARRAY_SIZE(rows)];
	struct fixture fixture;
	int filler = fill_queue(ports[2]);

	(void)state;
	fixture_start(&fixture, 0);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++)
		targets[i] = make_target(i, ports[i % 3], i < 3 ? &tcp : &http);
	targets[6].ip = (struct lath_ip){.bytes = {[15] = 1}, .family = LATH_FAMILY_IPV6};
	assert_int_equal(lath_health_set(fixture.health, targets, LATH_ARRAY_SIZE(rows)), 0);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		print_message("  %s\n", rows[i].name);
		wait_for(&fixture, i, rows[i].state);
		assert_string_equal(status_of(&fixture, i).text, rows[i].text);
	}
	assert_true(status_of(&fixture, 2).latency_us >= 900000);
	assert_true(status_of(&fixture, 1).latency_us < 900000);
	assert_true(status_of(&fixture, 1).next_due_ms <= 1100);
	fixture_stop(&fixture);
	close(filler);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

/* One success makes healthy the first time; later it takes as many as configured. */
static void
thresholds_turn_a_target(void **state)
{
	struct lath_config_health_check check = make_check(LATH_CONFIG_CHECK_HTTP, "/");
	struct lath_health_target target;
	struct lath_health_status status;
	struct fixture fixture;
	struct server server;
	char expected[256];

	(void)state;
	server_start(&server);
	fixture_start(&fixture, 0);
	target = make_target(3, server.port, &check);
	assert_int_equal(lath_health_set(fixture.health, &target, 1), 0);
	wait_for(&fixture, 3, LATH_TARGET_HEALTHY);
	assert_int_equal(status_of(&fixture, 3).checks, 1);
	atomic_store(&server.status, 500);
	wait_for(&fixture, 3, LATH_TARGET_UNHEALTHY);
	status = status_of(&fixture, 3);
	assert_int_equal(status.failures, 2);
	assert_int_equal(status.checks, 3);
	atomic_store(&server.status, 200);
	wait_for(&fixture, 3, LATH_TARGET_HEALTHY);
	status = status_of(&fixture, 3);
	assert_int_equal(status.successes, 2);
	assert_int_equal(status.checks, 5);
	assert_int_equal(fixture.changes[3], 3);
	fixture_stop(&fixture);
	server_stop(&server);
	snprintf(expected, sizeof(expected), "/|127.0.0.1:%u|Lath-HealthChecker/%s|close",
			server.port, LATH_VERSION);
	assert_string_equal(server.head, expected);
}

/* ---- HTTPS ------------------------------------------------------------------------------- */

static pid_t
start_tls_server(const char *folder, uint16_t port)
{
	char command[512];
	pid_t pid;

	/* A weak key on purpose: certificates are not validated, strength included. */
	snprintf(command, sizeof(command),
			"cd %s && openssl req -x509 -newkey rsa:1024 -nodes -keyout key -out cert "
			"-days 1 -subj /CN=nobody >/dev/null 2>&1",
			folder);
	if (system(command) != 0)
		return -1;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		snprintf(command, sizeof(command),
				"cd %s && exec openssl s_server -accept 127.0.0.1:%u -cert cert "
				"-key key -cipher DEFAULT@SECLEVEL=0 -www -quiet >/dev/null 2>&1",
				folder, port);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(126);
	}
	return pid;
}

static void
https_takes_any_certificate(void **state)
{
	struct lath_config_health_check checks[2] = {
			make_check(LATH_CONFIG_CHECK_HTTPS, "/"),
			make_check(LATH_CONFIG_CHECK_HTTPS, "/"),
	};
	char folder[] = "/tmp/lath-health-XXXXXX";
	struct lath_health_target targets[2];
	char command[64];
	struct fixture fixture;
	struct server plain;
	uint16_t port;
	pid_t pid;

	(void)state;
	close(hold_port(-1, &port));
	assert_non_null(mkdtemp(folder));
	pid = start_tls_server(folder, port);
	if (pid > 0) {
		server_start(&plain);
		fixture_start(&fixture, 0);
		targets[0] = make_target(0, port, &checks[0]);
		targets[1] = make_target(1, plain.port, &checks[1]); /* speaks no TLS */
		assert_int_equal(lath_health_set(fixture.health, targets, 2), 0);
		wait_for(&fixture, 0, LATH_TARGET_HEALTHY);
		wait_for(&fixture, 1, LATH_TARGET_UNHEALTHY);
		print_message("  %s\n", status_of(&fixture, 1).text);
		fixture_stop(&fixture);
		server_stop(&plain);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
	if (pid < 0) {
		print_message("  no openssl(1): not tested\n");
		skip();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(matcher_reads_lists_and_ranges),
			cmocka_unit_test(verdicts_follow_the_http_answer),
			cmocka_unit_test(verdicts_follow_the_connection),
			cmocka_unit_test(thresholds_turn_a_target),
			cmocka_unit_test(https_takes_any_certificate),
	};

	signal(SIGPIPE, SIG_IGN); /* the servers' side */
	return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
