/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Health checks: which probes there are, and when they run. */
#include <errno.h>
#include <signal.h>

#include "health_rig.h"

/* ---- sets -------------------------------------------------------------------------------- */

static void
equal_checks_are_made_once(void **state)
{
	struct lath_config_health_check check = make_check(LATH_CONFIG_CHECK_HTTP, "/");
	struct lath_config_health_check other = make_check(LATH_CONFIG_CHECK_HTTP, "/other");
	struct lath_config_health_check off = check;
	struct lath_config_health_check copy = check;
	struct lath_health_target targets[12];
	struct fixture fixture;
	struct server server;

	(void)state;
	server_start(&server);
	fixture_start(&fixture, 0);
	check.interval_s = copy.interval_s = other.interval_s = 300;
	off.enabled = false;
	for (unsigned i = 0; i < 8; i++)
		targets[i] = make_target(40 - i, server.port, i % 2 == 0 ? &check : &copy);
	targets[8] = make_target(50, server.port, &other);
	targets[9] = make_target(51, server.port, &off);
	targets[10] = make_target(52, server.port, &check); /* same address, other VPC */
	targets[10].vpc = 2;
	assert_int_equal(lath_health_set(fixture.health, targets, 11), 0);
	assert_int_equal(lath_health_probe_count(fixture.health), 3);
	for (unsigned i = 0; i < 8; i++)
		wait_for(&fixture, 40 - i, LATH_TARGET_HEALTHY);
	wait_for(&fixture, 50, LATH_TARGET_HEALTHY);
	wait_for(&fixture, 52, LATH_TARGET_HEALTHY);
	assert_int_equal(atomic_load(&server.requests), 3);
	/* One more that names a known probe has its result at once. */
	targets[11] = make_target(60, server.port, &check);
	assert_int_equal(lath_health_set(fixture.health, targets, 12), 0);
	fixture_drain(&fixture);
	assert_int_equal(fixture.state[60], LATH_TARGET_HEALTHY);
	assert_int_equal(atomic_load(&server.requests), 3);
	assert_int_equal(fixture.state[51], LATH_TARGET_INITIAL);
	fixture_stop(&fixture);
	server_stop(&server);
}

static void
results_are_kept_over_a_new_set(void **state)
{
	struct lath_config_health_check check = make_check(LATH_CONFIG_CHECK_HTTP, "/");
	struct lath_config_health_check slower = check;
	struct lath_health_target targets[3];
	struct lath_health_status status;
	struct fixture fixture;
	struct server server;

	(void)state;
	server_start(&server);
	fixture_start(&fixture, 0);
	check.interval_s = 200;
	slower.interval_s = 300;
	slower.timeout_s = 2;
	for (unsigned i = 0; i < 3; i++) {
		targets[i] = make_target(i, server.port, &check);
		targets[i].vpc = i;
	}
	assert_int_equal(lath_health_set(fixture.health, targets, 2), 0);
	wait_for(&fixture, 0, LATH_TARGET_HEALTHY);
	wait_for(&fixture, 1, LATH_TARGET_HEALTHY);
	/* Another one comes: the others neither run again nor report again. */
	status = status_of(&fixture, 0);
	assert_int_equal(lath_health_set(fixture.health, targets, 3), 0);
	wait_for(&fixture, 2, LATH_TARGET_HEALTHY);
	assert_int_equal(status_of(&fixture, 0).checks, 1);
	assert_true(status_of(&fixture, 0).next_due_ms <= status.next_due_ms);
	/* Another check of the same target begins where the old one was. */
	targets[0].check = &slower;
	assert_int_equal(lath_health_set(fixture.health, targets, 3), 0);
	assert_int_equal(status_of(&fixture, 0).state, LATH_TARGET_HEALTHY);
	wait_for_checks(&fixture, 0, 1);
	fixture_drain(&fixture);
	assert_int_equal(fixture.changes[0], 1);
	/* Another address under the same index does not. */
	targets[1].ip.bytes[3] = 2;
	assert_int_equal(lath_health_set(fixture.health, targets, 3), 0);
	assert_int_equal(status_of(&fixture, 1).state, LATH_TARGET_INITIAL);
	/* What left and comes back is new. */
	assert_int_equal(lath_health_set(fixture.health, targets, 0), 0);
	assert_int_equal(lath_health_get_status(fixture.health, 0, &status), -ENOENT);
	assert_int_equal(lath_health_set(fixture.health, targets, 1), 0);
	assert_int_equal(status_of(&fixture, 0).state, LATH_TARGET_INITIAL);
	fixture_stop(&fixture);
	server_stop(&server);
}

static void
bad_sets_change_nothing(void **state)
{
	struct lath_config_health_check good = make_check(LATH_CONFIG_CHECK_HTTP, "/");
	struct lath_config_health_check bad_path = make_check(LATH_CONFIG_CHECK_HTTP, "/a b");
	struct lath_config_health_check bad_matcher = good;
	struct lath_health_target targets[2];
	struct fixture fixture;

	(void)state;
	fixture_start(&fixture, 0);
	snprintf(bad_matcher.matcher, sizeof(bad_matcher.matcher), "2xx");
	targets[0] = make_target(1, 1, &good);
	assert_int_equal(lath_health_set(fixture.health, targets, 1), 0);
	targets[1] = make_target(2, 1, &bad_path);
	assert_int_equal(lath_health_set(fixture.health, targets, 2), -EINVAL);
	targets[1].check = &bad_matcher;
	assert_int_equal(lath_health_set(fixture.health, targets, 2), -EINVAL);
	targets[1] = make_target(2, 0, &good);
	assert_int_equal(lath_health_set(fixture.health, targets, 2), -EINVAL);
	targets[1] = make_target(1, 2, &good);
	assert_int_equal(lath_health_set(fixture.health, targets, 2), -EINVAL);
	assert_int_equal(lath_health_probe_count(fixture.health), 1);
	fixture_stop(&fixture);
}

static void
count_status(void *ctx, const struct lath_health_status *status)
{
	unsigned *count = ctx;

	assert_int_equal(status->target, *count);
	(*count)++;
}

/* More than run at one time, sets that change under way, and an end in the middle. */
static void
many_probes_take_turns(void **state)
{
	struct lath_config_health_check check = make_check(LATH_CONFIG_CHECK_TCP, "/");
	static struct lath_health_target targets[2000];
	struct fixture fixture;
	unsigned count = 0;
	uint16_t port;
	int open = hold_port(64, &port);

	(void)state;
	fixture_start(&fixture, 16);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(targets); i++) {
		targets[i] = make_target(i, port, &check);
		targets[i].ip.bytes[2] = (uint8_t)(i >> 8);
		targets[i].ip.bytes[3] = (uint8_t)(i & 0xff);
		targets[i].vpc = i;
	}
	targets[0].ip.bytes[3] = 1;
	for (unsigned i = 0; i < 20; i++) {
		uint32_t wanted = (i % 4 + 1) * 500;

		assert_int_equal(lath_health_set(fixture.health, targets, wanted), 0);
		usleep(20000);
	}
	assert_int_equal(lath_health_foreach(fixture.health, count_status, &count), 0);
	assert_int_equal(count, LATH_ARRAY_SIZE(targets));
	wait_for_checks(&fixture, 1, 1);
	wait_for_checks(&fixture, 1999, 1);
	lath_health_stop(fixture.health);
	lath_health_stop(fixture.health);
	fixture_stop(&fixture);
	close(open);
}

/* The host port's addresses lead nowhere here. */
static void
host_prefix_is_where_probes_go(void **state)
{
	struct lath_config_health_check check = make_check(LATH_CONFIG_CHECK_TCP, "/");
	struct lath_health_options options = {.netns_fd = -1, .seed = 2, .spread_ms = 100};
	struct lath_health_target targets[2];
	struct lath_error err = {0};
	struct fixture fixture;
	uint16_t port;
	int open = hold_port(64, &port);

	(void)state;
	/* ::1 is address 0.0.0.1 of VPC 0 when the prefix is ::/64. */
	assert_int_equal(lath_prefix_parse("::/64", &options.host_prefix), 0);
	memset(&fixture, 0, sizeof(fixture));
	fixture.health = lath_health_create(&options, &err);
	assert_non_null(fixture.health);
	targets[0] = make_target(0, port, &check);
	targets[0].vpc = 0;
	targets[0].ip = lath_ip_from_v4_be(lath_to_be32(1));
	targets[1] = make_target(1, port, &check);
	targets[1].ip = (struct lath_ip){.bytes = {[15] = 1}, .family = LATH_FAMILY_IPV6};
	assert_int_equal(lath_health_set(fixture.health, targets, 2), 0);
	wait_for_checks(&fixture, 0, 1);
	wait_for_checks(&fixture, 1, 1);
	/* Nobody listens on [::1]:port, only on 127.0.0.1. */
	assert_string_equal(status_of(&fixture, 0).text, "connection refused");
	/* Nor at target 1's address, ::ff:ffff:0:1: what is said depends on the machine's routes. */
	assert_int_equal(status_of(&fixture, 1).checks, 1);
	assert_int_equal(status_of(&fixture, 1).successes, 0);
	lath_health_free(fixture.health);
	close(open);
}

static void
start_fails_outside_a_namespace(void **state)
{
	struct lath_health_options options = {.direct = true};
	struct lath_error err = {0};

	(void)state;
	options.netns_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* no namespace */
	assert_null(lath_health_create(&options, &err));
	assert_non_null(strstr(err.text, "network namespace"));
	close(options.netns_fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(equal_checks_are_made_once),
			cmocka_unit_test(results_are_kept_over_a_new_set),
			cmocka_unit_test(bad_sets_change_nothing),
			cmocka_unit_test(many_probes_take_turns),
			cmocka_unit_test(host_prefix_is_where_probes_go),
			cmocka_unit_test(start_fails_outside_a_namespace),
	};

	signal(SIGPIPE, SIG_IGN); /* the servers' side */
	return cmocka_run_group_tests_name("health_set", tests, NULL, NULL);
}
