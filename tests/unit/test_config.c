/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_config.h>

#include "lath_test.h"

/* A whole small configuration in four pieces, so that tests can put others in their places. */
#define HEAD                                                                                     \
	"{\"formatVersion\":1,\"system\":{\"ports\":[{\"name\":\"p0\",\"device\":\"net_tap0\"}," \
	"{\"name\":\"p1\",\"device\":\"net_tap1\"}]}"
#define VPCS                                                                            \
	",\"vpcs\":[{\"name\":\"blue\",\"prefixes\":[\"10.0.0.0/24\"],\"attachments\":" \
	"[{\"port\":\"p0\",\"addresses\":[\"10.0.0.1/24\"]}]},"                         \
	"{\"name\":\"red\",\"prefixes\":[\"10.0.0.0/16\"],\"attachments\":"             \
	"[{\"port\":\"p1\",\"vlan\":7,\"mtu\":9000,\"addresses\":[\"10.0.0.1/24\"]}],"  \
	"\"routes\":[{\"prefix\":\"10.0.0.0/16\",\"nextHop\":\"10.0.0.254\"}]}]"
#define NETWORK                                                                 \
	",\"serviceNetworks\":[{\"name\":\"demo\"}],\"vpcAssociations\":"       \
	"[{\"serviceNetworkIdentifier\":\"demo\",\"vpcIdentifier\":\"blue\"}]," \
	"\"serviceAssociations\":"                                              \
	"[{\"serviceNetworkIdentifier\":\"demo\",\"serviceIdentifier\":\"web\"}]"
#define FORWARD "{\"forward\":{\"targetGroups\":[{\"targetGroupIdentifier\":\"web\"}]}}"
#define RULE(name, priority)                             \
	"{\"name\":\"" name "\",\"priority\":" #priority \
	",\"match\":{\"sourcePrefixes\":[\"10.0.0.0/25\"]},\"action\":" FORWARD "}"
#define SERVICE                                                                                    \
	",\"services\":[{\"name\":\"web\",\"listeners\":[{\"name\":\"http\",\"protocol\":\"TCP\"," \
	"\"port\":80,\"defaultAction\":" FORWARD ",\"rules\":[" RULE("late", 20) "," RULE("early", \
			10) "]}]}],"                                                               \
			    "\"targetGroups\":[{\"name\":\"web\",\"config\":{\"port\":8080,"       \
			    "\"protocol\":\"TCP\",\"vpcIdentifier\":\"red\"},\"targets\":"         \
			    "[{\"id\":\"10.0.0.5\"},{\"id\":\"10.0.9.6\",\"port\":81,"             \
			    "\"weight\":0}]}]"
#define TAIL "}"
#define WHOLE HEAD VPCS NETWORK SERVICE TAIL

static struct lath_config *
parse(const char *text, struct lath_error *err)
{
	memset(err, 0, sizeof(*err));
	return lath_config_parse(text, strlen(text), "test", err);
}

static struct lath_config *
parse_good(const char *text)
{
	struct lath_error err;
	struct lath_config *cfg = parse(text, &err);

	if (cfg == NULL)
		fail_msg("%s: %s", err.pointer, err.text);
	return cfg;
}

static void
assert_refused(const char *text, const char *pointer, const char *sentence)
{
	struct lath_error err;

	assert_null(parse(text, &err));
	assert_string_equal(err.pointer, pointer);
	if (strstr(err.text, sentence) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.text, sentence);
	assert_true(err.line >= 1);
	assert_string_equal(err.file, "test");
}

static void
assert_prefix(const struct lath_prefix *prefix, const char *text)
{
	char out[LATH_PREFIX_TEXT_MAX];

	assert_string_equal(lath_prefix_format(prefix, out), text);
}

static void
empty_configuration_has_every_default(void **state)
{
	struct lath_config *cfg = parse_good("{\"formatVersion\":1}");
	const struct lath_config_system *system = &cfg->system;

	(void)state;
	assert_int_equal(system->worker_count, 1);
	assert_int_equal(system->worker_core_count, 0);
	assert_true(system->management_core == LATH_CONFIG_NONE);
	assert_int_equal(system->flows_per_worker, 65536);
	assert_int_equal(system->mixed_flows_per_worker, 4096);
	assert_int_equal(system->max_vpcs, 1024);
	assert_string_equal(system->admin_socket, "/run/lath/admin.sock");
	assert_string_equal(system->state_directory, "/var/lib/lath");
	assert_true(system->host_port_enabled);
	assert_prefix(&system->host_prefix, "fd6c:6174:6800::/64");
	assert_string_equal(cfg->gateway.account, "000000000000");
	assert_string_equal(cfg->gateway.region, "local-1");
	assert_int_equal(cfg->timeouts.tcp_established_s, 7440);
	assert_int_equal(cfg->limits.refusals_per_second, 1000);
	assert_int_equal(cfg->service_cidr_count, 2);
	assert_prefix(&cfg->service_cidrs[0], "198.18.0.0/16");
	assert_prefix(&cfg->service_cidrs[1], "fd6c:6174:6801::/64");
	assert_string_equal(cfg->json, "{\"formatVersion\":1}");
	assert_int_equal(cfg->warning_count, 1);
	lath_config_free(cfg);
}

static void
sizes_follow_hugepages_and_socket_follows_its_folder(void **state)
{
	struct lath_config *cfg = parse_good(
			"{\"formatVersion\":1,\"system\":{\"memory\":{\"hugepages\":true},"
			"\"workers\":{\"cores\":[3,4]},\"runtimeDirectory\":\"/tmp/x\"}}");

	(void)state;
	assert_int_equal(cfg->system.flows_per_worker, 1048576);
	assert_int_equal(cfg->system.mixed_flows_per_worker, 65536);
	assert_int_equal(cfg->system.worker_count, 2);
	assert_int_equal(cfg->system.worker_cores[1], 4);
	assert_string_equal(cfg->system.admin_socket, "/tmp/x/admin.sock");
	lath_config_free(cfg);
}

static void
objects_are_read_and_references_resolved(void **state)
{
	struct lath_config *cfg = parse_good(WHOLE);
	const struct lath_config_vpc *red = &cfg->vpcs[1];
	const struct lath_config_group *group = &cfg->groups[0];

	(void)state;
	assert_int_equal(cfg->vpc_count, 2);
	assert_string_equal(red->attachments[0].name, "p1.7");
	assert_string_equal(cfg->vpcs[0].attachments[0].name, "p0");
	assert_int_equal(red->attachments[0].port, 1);
	assert_prefix(&red->attachments[0].addresses[0], "10.0.0.1/24");
	assert_int_equal(red->routes[0].attachment, 0);
	assert_int_equal(cfg->system.ports[0].mtu, 1500);
	assert_int_equal(cfg->system.ports[1].mtu, 9000);
	assert_int_equal(group->vpc, 1);
	assert_int_equal(group->targets[0].port, 8080);
	assert_int_equal(group->targets[0].weight, 1);
	assert_int_equal(group->targets[1].port, 81);
	assert_int_equal(group->targets[1].weight, 0);
	assert_string_equal(group->targets[1].pointer, "/targetGroups/0/targets/1");
	assert_int_equal(cfg->vpc_associations[0].vpc, 0);
	assert_string_equal(cfg->vpc_associations[0].identity.name, "demo-blue");
	assert_int_equal(cfg->services[0].addresses[0].family, LATH_FAMILY_NONE);
	lath_config_free(cfg);
}

static void
rules_are_sorted_and_default_action_is_the_last(void **state)
{
	struct lath_config *cfg = parse_good(WHOLE);
	const struct lath_config_listener *listener = &cfg->services[0].listeners[0];

	(void)state;
	assert_int_equal(listener->rule_count, 3);
	assert_string_equal(listener->rules[0].identity.name, "early");
	assert_string_equal(listener->rules[1].identity.name, "late");
	assert_string_equal(listener->rules[2].identity.name, "default");
	assert_int_equal(listener->rules[0].source_count, 1);
	assert_int_equal(listener->rules[2].source_count, 0);
	assert_true(listener->rules[2].priority == LATH_CONFIG_NONE);
	assert_int_equal(listener->rules[2].forwards[0].group, 0);
	assert_int_equal(listener->rules[2].forwards[0].weight, 100);
	lath_config_free(cfg);
}

/* echo -ne '000000000000\nvpc\n\nblue' | sha256sum: ids must never change between releases. */
static void
derived_ids_are_stable(void **state)
{
	struct lath_config *cfg = parse_good(WHOLE);
	const struct lath_config_identity *vpc = &cfg->vpcs[0].identity;
	const struct lath_config_rule *rule = &cfg->services[0].listeners[0].rules[0];
	char expected[LATH_CONFIG_ARN_MAX];

	(void)state;
	assert_string_equal(vpc->id, "vpc-aa339fc34d34c6346");
	snprintf(expected, sizeof(expected), "arn:aws:ec2:local-1:000000000000:vpc/%s", vpc->id);
	assert_string_equal(vpc->arn, expected);
	assert_true(vpc->key == UINT64_C(0xfedc6acd401df667));
	snprintf(expected, sizeof(expected),
			"arn:aws:vpc-lattice:local-1:000000000000:service/%s/listener/%s/rule/%s",
			cfg->services[0].identity.id, cfg->services[0].listeners[0].identity.id,
			rule->identity.id);
	assert_string_equal(rule->identity.arn, expected);
	lath_config_free(cfg);
}

static void
health_check_follows_the_protocol(void **state)
{
	struct lath_config *cfg = parse_good(WHOLE);
	struct lath_config *udp = parse_good(HEAD VPCS
			",\"targetGroups\":[{\"name\":\"dns\",\"config\":{\"port\":53,\"protocol\":"
			"\"UDP\","
			"\"vpcIdentifier\":\"red\"}},{\"name\":\"ntp\",\"config\":{\"port\":123,"
			"\"protocol\":\"UDP\",\"vpcIdentifier\":\"red\",\"healthCheck\":{\"port\":"
			"80}}}]}");

	(void)state;
	assert_true(cfg->groups[0].health_check.enabled);
	assert_int_equal(cfg->groups[0].health_check.protocol, LATH_CONFIG_CHECK_TCP);
	assert_int_equal(cfg->groups[0].health_check.interval_s, 30);
	assert_int_equal(cfg->groups[0].health_check.port, 0);
	assert_false(udp->groups[0].health_check.enabled);
	assert_true(udp->groups[1].health_check.enabled);
	lath_config_free(cfg);
	lath_config_free(udp);
}

#define TWO_ACCOUNTS                                                                               \
	"{\"formatVersion\":1,\"vpcs\":[{\"name\":\"a\",\"account\":\"111111111111\",\"prefixes\"" \
	":[\"10.0.0.0/8\"]},{\"name\":\"a\",\"account\":\"222222222222\",\"prefixes\":"            \
	"[\"10.0.0.0/8\"],\"id\":\"vpc-00000000000000002\"}],\"targetGroups\":[{\"name\":\"tgt\"," \
	"\"account\":\"%s\",\"config\":{\"port\":1,\"protocol\":\"TCP\",\"vpcIdentifier\":\"%s\"}" \
	"}]}"

static void
own_account_goes_first_and_ids_and_arns_reach_others(void **state)
{
	static const struct {
		const char *account;
		const char *reference;
		int vpc; /* -1: refused */
	} rows[] = {
			{"111111111111", "a", 0},
			{"222222222222", "a", 1},
			{"333333333333", "a", -1},
			{"333333333333", "vpc-00000000000000002", 1},
			{"333333333333",
					"arn:aws:ec2:local-1:222222222222:vpc/"
					"vpc-00000000000000002",
					1},
			{"333333333333",
					"arn:aws:ec2:local-2:222222222222:vpc/"
					"vpc-00000000000000002",
					-1},
	};
	char text[1024];
	struct lath_error err;

	(void)state;
	for (size_t i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_config *cfg;

		snprintf(text, sizeof(text), TWO_ACCOUNTS, rows[i].account, rows[i].reference);
		cfg = parse(text, &err);
		assert_int_equal(cfg == NULL ? -1 : (int)cfg->groups[0].vpc, rows[i].vpc);
		lath_config_free(cfg);
	}
}

static void
errors_count_in_the_text_as_written(void **state)
{
	struct lath_error err;
	char out[900];
	const char *text = "{\n \"formatVersion\": 1,\n \"limits\": {\n"
			   "  \"$comment\": \"\\\"{[,\",\n  \"punts\\u0050erSecond\":\n   0\n "
			   "}\n}\n";

	(void)state;
	assert_null(parse(text, &err));
	assert_int_equal(err.line, 5);
	lath_error_format(&err, out, sizeof(out));
	assert_string_equal(out, "test:5: /limits/puntsPerSecond: 0 is not in 1..1000000");
}

static void
text_from_a_socket_cannot_include(void **state)
{
	(void)state;
	assert_refused("{\"formatVersion\":1,\"include\":[\"/etc/*\"]}", "/include",
			"files cannot be included here");
}

static void
bad_bytes_are_refused(void **state)
{
	static const char *const rows[] = {"", "{", "nul", "\"x\"", "[]", "{}", "\xff",
			"{\"a\":1,}", "{\"formatVersion\":1} x",
			"{\"formatVersion\":99999999999999999999}",
			"{\"formatVersion\":1,\"\\u0000\":1}"};
	struct lath_error err;

	(void)state;
	for (size_t i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		assert_null(parse(rows[i], &err));
		assert_true(err.text[0] != '\0');
	}
	assert_null(lath_config_parse("{}", 2, "test", NULL));
	assert_null(lath_config_load("/nonexistent/lath.json", &err));
}

static void
deep_and_long_texts_are_refused(void **state)
{
	size_t len = 1 << 20;
	char *text = malloc(len);
	struct lath_error err = {0};

	(void)state;
	memset(text, '[', len);
	assert_null(lath_config_parse(text, len, "test", &err));
	memset(text, ' ', len);
	assert_null(lath_config_parse(text, len, "test", &err));
	assert_null(lath_config_parse(text, ((size_t)64 << 20) + 1, "test", &err));
	free(text);
}

static void
unknown_key_with_odd_letters_is_named(void **state)
{
	(void)state;
	assert_refused("{\"formatVersion\":1,\"a/b~c\":1}", "/a~1b~0c", "unknown key");
}

static void
services_share_an_address_unless_one_vpc_sees_both(void **state)
{
	static const char *const shared =
			",\"serviceNetworks\":[{\"name\":\"one\"},{\"name\":\"two\"}],"
			"\"vpcAssociations\":[{\"serviceNetworkIdentifier\":\"one\","
			"\"vpcIdentifier\":"
			"\"blue\"},{\"serviceNetworkIdentifier\":\"two\",\"vpcIdentifier\":\"%s\"}]"
			","
			"\"serviceAssociations\":[{\"serviceNetworkIdentifier\":\"one\","
			"\"serviceIdentifier\":\"web\"},{\"serviceNetworkIdentifier\":\"two\","
			"\"serviceIdentifier\":\"api\"}],\"services\":[%s,%s],\"targetGroups\":[{"
			"\"name\":"
			"\"web\",\"config\":{\"port\":1,\"protocol\":\"TCP\",\"vpcIdentifier\":"
			"\"red\"}}]}";
	static const char *const
			service = "{\"name\":\"%s\",\"addresses\":[\"198.18.0.1\"],\"listeners\":[{"
				  "\"name\":\"lis\","
				  "\"protocol\":\"TCP\",\"port\":%d,\"defaultAction\":" FORWARD
				  "}]}";
	const struct {
		const char *vpc;
		int port;
		bool good;
	} rows[] = {{"red", 80, true}, {"blue", 81, true}, {"blue", 80, false}};
	char one[400];
	char two[400];
	char text[4096];
	struct lath_error err;

	(void)state;
	for (size_t i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_config *cfg;
		int used = snprintf(text, sizeof(text), "%s", HEAD VPCS);

		snprintf(one, sizeof(one), service, "web", 80);
		snprintf(two, sizeof(two), service, "api", rows[i].port);
		snprintf(text + used, sizeof(text) - (size_t)used, shared, rows[i].vpc, one, two);
		cfg = parse(text, &err);
		assert_true((cfg != NULL) == rows[i].good);
		lath_config_free(cfg);
	}
}

static bool
has_warning(const struct lath_config *cfg, const char *part)
{
	for (uint32_t i = 0; i < cfg->warning_count; i++) {
		if (strstr(cfg->warnings[i], part) != NULL)
			return true;
	}
	return false;
}

/* A VPC with one gateway address and an IPv6 target. */
#define SIX_TARGET(own, target)                                                                 \
	HEAD ",\"vpcs\":[{\"name\":\"red\",\"prefixes\":[\"10.0.0.0/8\",\"2001:db8::/32\"],"    \
	     "\"attachments\":[{\"port\":\"p0\",\"addresses\":[\"" own "\"]}]}],"               \
	     "\"targetGroups\":[{\"name\":\"web\",\"config\":{\"port\":1,\"protocol\":\"TCP\"," \
	     "\"ipAddressType\":\"IPV6\",\"vpcIdentifier\":\"red\"},\"targets\":"               \
	     "[{\"id\":\"" target "\"}]}]}"

static void
doubtful_configurations_are_warned_about(void **state)
{
	static const struct {
		const char *text;
		const char *part;
	} rows[] = {
			{"{\"formatVersion\":1}", "no ports"},
			{"{\"formatVersion\":1,\"timeouts\":{\"udpSeconds\":10}}",
					"/timeouts/udpSeconds: 10 is below 120"},
			{"{\"formatVersion\":1,\"serviceCidrs\":[\"169.254.171.0/24\"]}",
					"L2 segment"},
			{HEAD VPCS TAIL, "in no service network and holds no target group"},
			{HEAD ",\"vpcs\":[{\"name\":\"a\",\"prefixes\":[\"198.0.0.0/8\"]}]}",
					"overlaps 198.18.0.0/16"},
			{HEAD ",\"vpcs\":[{\"name\":\"a\",\"prefixes\":[\"10.0.0.0/8\"]}]}",
					"no attachment"},
			{HEAD ",\"vpcs\":[{\"name\":\"a\",\"prefixes\":[\"10.0.0.0/"
			      "8\"],\"natPool\":"
			      "[\"100.64.0.0/24\"]}]}",
					"the VPC must route it"},
			{HEAD ",\"vpcs\":[{\"name\":\"a\",\"prefixes\":[\"10.0.0.0/"
			      "8\"],\"attachments\":"
			      "[{\"port\":\"p0\",\"addresses\":[\"192.0.2.1/24\"]}]}]}",
					"outside the VPC's prefixes"},
			{HEAD ",\"services\":[{\"name\":\"web\"}]}", "no listener"},
			{HEAD ",\"services\":[{\"name\":\"web\"}]}", "nobody sees it"},
			{HEAD VPCS ",\"targetGroups\":[{\"name\":\"web\",\"config\":{\"port\":1,"
				   "\"protocol\":\"TCP\",\"vpcIdentifier\":\"blue\"},\"targets\":"
				   "[{\"id\":\"10.0.0.5\",\"weight\":0}]}]}",
					"weights of all targets are 0"},
			{HEAD VPCS ",\"targetGroups\":[{\"name\":\"web\",\"config\":{\"port\":1,"
				   "\"protocol\":\"TCP\",\"vpcIdentifier\":\"blue\"},\"targets\":"
				   "[{\"id\":\"10.0.0.5\"}]}]}",
					"1 NAT address(es) carry 64512 flows to one target"},
			{SIX_TARGET("10.0.0.1/24", "2001:db8::5"),
					"\"2001:db8::5\" is in no attached subnet of VPC \"red\""},
			{SIX_TARGET("10.0.0.1/24", "2001:db8::5"),
					"IPv6 targets, but neither a gateway address nor a "
					"natPool"},
			{SIX_TARGET("2001:db8::1/64", "2001:db8:0:1::5"),
					"\"2001:db8:0:1::5\" is in no attached subnet"},
	};

	(void)state;
	for (size_t i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_config *cfg = parse_good(rows[i].text);

		if (!has_warning(cfg, rows[i].part))
			fail_msg("row %zu: nobody warns \"%s\"", i, rows[i].part);
		lath_config_free(cfg);
	}
}

static void
attached_ipv6_target_is_not_warned_about(void **state)
{
	struct lath_config *cfg = parse_good(SIX_TARGET("2001:db8::1/64", "2001:db8::5"));

	(void)state;
	assert_false(has_warning(cfg, "no attached subnet"));
	assert_false(has_warning(cfg, "gateway address nor"));
	lath_config_free(cfg);
}

static void
complete_configuration_has_no_warning(void **state)
{
	struct lath_config *cfg = parse_good(WHOLE);

	(void)state;
	for (uint32_t i = 0; i < cfg->warning_count; i++)
		print_message("%s\n", cfg->warnings[i]);
	assert_int_equal(cfg->warning_count, 0);
	lath_config_free(cfg);
}

static void
system_hash_changes_with_system_only(void **state)
{
	struct lath_config *one = parse_good(HEAD TAIL);
	struct lath_config *two = parse_good(HEAD VPCS TAIL);
	struct lath_config *three = parse_good("{\"formatVersion\":1,\"system\":{}}");

	(void)state;
	assert_string_equal(one->system_sha256, two->system_sha256);
	assert_string_not_equal(one->sha256, two->sha256);
	assert_string_not_equal(one->system_sha256, three->system_sha256);
	lath_config_free(one);
	lath_config_free(two);
	lath_config_free(three);
}

/* One place of the text becomes something else that is often JSON still. */
static void
mutate(uint64_t *random, char *text, size_t len)
{
	static const char letters[] = "0123456789abc./-:\"{}[],";
	uint32_t at = lath_random_below(random, (uint32_t)len);

	if (text[at] >= '0' && text[at] <= '9')
		text[at] = (char)('0' + lath_random_below(random, 10));
	else if (lath_random_below(random, 8) == 0)
		text[at] = letters[lath_random_below(random, sizeof(letters) - 1)];
}

static void
canonical_text_comes_back_as_the_same_configuration(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 2000, 200000);
	size_t len = strlen(WHOLE);
	unsigned accepted = 0;

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		char text[sizeof(WHOLE)];
		struct lath_error err = {0};
		struct lath_config *cfg;
		struct lath_config *again;

		memcpy(text, WHOLE, sizeof(text));
		for (uint32_t j = lath_random_below(&random, 4); j > 0; j--)
			mutate(&random, text, len);
		cfg = lath_config_parse(text, len, "test", &err);
		assert_true(cfg != NULL || err.text[0] != '\0');
		if (cfg == NULL)
			continue;
		accepted++;
		again = parse_good(cfg->json);
		assert_string_equal(cfg->json, again->json);
		assert_string_equal(cfg->sha256, again->sha256);
		lath_config_free(again);
		lath_config_free(cfg);
	}
	assert_true(accepted > rounds / 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(empty_configuration_has_every_default),
			cmocka_unit_test(sizes_follow_hugepages_and_socket_follows_its_folder),
			cmocka_unit_test(objects_are_read_and_references_resolved),
			cmocka_unit_test(rules_are_sorted_and_default_action_is_the_last),
			cmocka_unit_test(derived_ids_are_stable),
			cmocka_unit_test(health_check_follows_the_protocol),
			cmocka_unit_test(own_account_goes_first_and_ids_and_arns_reach_others),
			cmocka_unit_test(errors_count_in_the_text_as_written),
			cmocka_unit_test(text_from_a_socket_cannot_include),
			cmocka_unit_test(bad_bytes_are_refused),
			cmocka_unit_test(deep_and_long_texts_are_refused),
			cmocka_unit_test(unknown_key_with_odd_letters_is_named),
			cmocka_unit_test(services_share_an_address_unless_one_vpc_sees_both),
			cmocka_unit_test(doubtful_configurations_are_warned_about),
			cmocka_unit_test(attached_ipv6_target_is_not_warned_about),
			cmocka_unit_test(complete_configuration_has_no_warning),
			cmocka_unit_test(system_hash_changes_with_system_only),
			cmocka_unit_test(canonical_text_comes_back_as_the_same_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
