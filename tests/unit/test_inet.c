/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_inet.h>

#include "lath_test.h"

static void
ip_parse_and_format_agree(void **state)
{
	static const struct {
		const char *text;
		const char *formatted; /* NULL: refused */
	} rows[] = {
			{"10.0.0.1", "10.0.0.1"},
			{"255.255.255.255", "255.255.255.255"},
			{"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
			{"::", "::"},
			{"::ffff:10.0.0.1", "::ffff:10.0.0.1"},
			{"", NULL},
			{"10.0.0", NULL},
			{"10.0.0.256", NULL},
			{"10.0.0.1 ", NULL},
			{"2001:db8::1::2", NULL},
			{"fe80::1%eth0", NULL},
	};
	char text[LATH_IP_TEXT_MAX];

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_ip ip = {.bytes = {9}, .family = LATH_FAMILY_IPV4};
		int rc = lath_ip_parse(rows[i].text, &ip);

		assert_int_equal(rc, rows[i].formatted == NULL ? -EINVAL : 0);
		assert_string_equal(lath_ip_format(&ip, text),
				rows[i].formatted == NULL ? "9.0.0.0" : rows[i].formatted);
	}
}

static void
prefix_parse_rows(void **state)
{
	static const struct {
		const char *text;
		int rc;
		const char *formatted;
	} rows[] = {
			{"10.0.0.0/24", 0, "10.0.0.0/24"},
			{"10.0.0.1", 0, "10.0.0.1/32"},
			{"0.0.0.0/0", 0, "0.0.0.0/0"},
			{"::/0", 0, "::/0"},
			{"2001:db8::/33", 0, "2001:db8::/33"},
			{"2001:db8::1", 0, "2001:db8::1/128"},
			{"10.0.0.1/24", -ERANGE, NULL},
			{"2001:db8:c000::/33", -ERANGE, NULL},
			{"10.0.0.0/33", -EINVAL, NULL},
			{"::/129", -EINVAL, NULL},
			{"10.0.0.0/", -EINVAL, NULL},
			{"10.0.0.0/+8", -EINVAL, NULL},
			{"10.0.0.0/8x", -EINVAL, NULL},
			{"10.0.0.0/ 8", -EINVAL, NULL},
			{"10.0.0.0/18446744073709551624", -EINVAL, NULL},
			{"/8", -EINVAL, NULL},
	};
	char text[LATH_PREFIX_TEXT_MAX];

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_prefix prefix;

		if (lath_prefix_parse(rows[i].text, &prefix) != rows[i].rc)
			fail_msg("%s: not %d", rows[i].text, rows[i].rc);
		if (rows[i].rc == 0)
			assert_string_equal(lath_prefix_format(&prefix, text), rows[i].formatted);
	}
}

static void
host_prefix_keeps_its_host_bits(void **state)
{
	struct lath_prefix host;
	struct lath_prefix network;
	char text[LATH_PREFIX_TEXT_MAX];

	(void)state;
	assert_int_equal(lath_prefix_parse_host("10.1.2.3/20", &host), 0);
	assert_string_equal(lath_prefix_format(&host, text), "10.1.2.3/20");
	network = lath_prefix_network(&host);
	assert_string_equal(lath_prefix_format(&network, text), "10.1.0.0/20");
	assert_int_equal(lath_prefix_parse_host("10.1.2.3", &host), -EINVAL);
}

static void
contains_and_overlaps_rows(void **state)
{
	static const struct {
		const char *a;
		const char *b;
		bool contains; /* b's first address in a */
		bool overlaps;
	} rows[] = {
			{"10.0.0.0/8", "10.255.0.0/16", true, true},
			{"10.255.0.0/16", "10.0.0.0/8", false, true},
			{"10.0.0.0/31", "10.0.0.1/32", true, true},
			{"10.0.0.0/31", "10.0.0.2/32", false, false},
			{"0.0.0.0/0", "192.0.2.1/32", true, true},
			{"0.0.0.0/0", "::/0", false, false},
			{"2001:db8::/33", "2001:db8:8000::/33", false, false},
			{"2001:db8::/32", "2001:db8:8000::/33", true, true},
			{"::/0", "2001:db8::1/128", true, true},
	};

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_prefix a;
		struct lath_prefix b;

		assert_int_equal(lath_prefix_parse(rows[i].a, &a), 0);
		assert_int_equal(lath_prefix_parse(rows[i].b, &b), 0);
		if (lath_prefix_contains(&a, &b.ip) != rows[i].contains)
			fail_msg("contains: %s %s", rows[i].a, rows[i].b);
		if (lath_prefix_overlaps(&a, &b) != rows[i].overlaps ||
				lath_prefix_overlaps(&b, &a) != rows[i].overlaps)
			fail_msg("overlaps: %s %s", rows[i].a, rows[i].b);
	}
}

static void
compare_orders_by_family_then_bytes(void **state)
{
	struct lath_ip low;
	struct lath_ip high;
	struct lath_ip v6;

	(void)state;
	assert_int_equal(lath_ip_parse("10.0.0.255", &low), 0);
	assert_int_equal(lath_ip_parse("10.0.1.0", &high), 0);
	assert_int_equal(lath_ip_parse("::", &v6), 0);
	assert_true(lath_ip_compare(&low, &high) < 0);
	assert_true(lath_ip_compare(&high, &low) > 0);
	assert_true(lath_ip_compare(&high, &v6) < 0);
	assert_int_equal(lath_ip_compare(&v6, &v6), 0);
}

static void
mac_parse_rows(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} rows[] = {
			{"02:00:00:00:00:01", 0},
			{"ff:ff:ff:ff:ff:ff", 0},
			{"", -EINVAL},
			{"02:00:00:00:00", -EINVAL},
			{"02:00:00:00:00:01:02", -EINVAL},
			{"02-00-00-00-00-01", -EINVAL},
			{"02:00:00:00:00:0g", -EINVAL},
			{"02:00:00:00:00: 1", -EINVAL},
			{"02:00:00:00:00:+1", -EINVAL},
			{"02:00:00:00:0:001", -EINVAL},
			{"0x:00:00:00:00:01", -EINVAL},
	};
	char text[LATH_MAC_TEXT_MAX];

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_mac mac = {{0}};

		if (lath_mac_parse(rows[i].text, &mac) != rows[i].rc)
			fail_msg("'%s': not %d", rows[i].text, rows[i].rc);
		if (rows[i].rc == 0)
			assert_string_equal(lath_mac_format(&mac, text), rows[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(ip_parse_and_format_agree),
			cmocka_unit_test(prefix_parse_rows),
			cmocka_unit_test(host_prefix_keeps_its_host_bits),
			cmocka_unit_test(contains_and_overlaps_rows),
			cmocka_unit_test(compare_orders_by_family_then_bytes),
			cmocka_unit_test(mac_parse_rows),
	};

	return cmocka_run_group_tests_name("inet", tests, NULL, NULL);
}
