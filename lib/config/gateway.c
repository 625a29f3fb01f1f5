/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* The sections `gateway`, `timeouts` and `limits` and the list `serviceCidrs`. */

#include "config_private.h"

#define DAY_S 86400u

static int
read_word_text(const struct lath_config_node *object, const char *key, size_t max, char *out)
{
	struct lath_config_node member;
	int rc = lath_config_read_text(object, key, 1, max, out);

	if (rc == 0 && lath_config_member(object, key, &member) && !lath_config_is_word(out, "-"))
		return lath_config_fail(&member,
				"\"%s\" is not a word of letters, digits and hyphens", out);
	return rc;
}

static int
read_section(struct lath_config_loader *loader)
{
	static const char *const keys[] = {
			"name", "accountId", "partition", "region", "hashSeed", "node"};
	struct lath_config_gateway *gateway = &loader->cfg->gateway;
	struct lath_config_node node;
	struct lath_config_node member;

	snprintf(gateway->name, sizeof(gateway->name), "gateway");
	snprintf(gateway->account, sizeof(gateway->account), "000000000000");
	snprintf(gateway->partition, sizeof(gateway->partition), "aws");
	snprintf(gateway->region, sizeof(gateway->region), "local-1");
	if (!lath_config_section_node(loader, LATH_CONFIG_SECTION_GATEWAY, &node))
		return 0;
	if (lath_config_read_keys(&node, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			read_word_text(&node, "name", 63, gateway->name) != 0 ||
			lath_config_read_text(&node, "accountId", 12, 12, gateway->account) != 0 ||
			read_word_text(&node, "partition", 31, gateway->partition) != 0 ||
			read_word_text(&node, "region", 31, gateway->region) != 0 ||
			lath_config_read_u64(&node, "hashSeed", 0, INT64_MAX,
					&gateway->hash_seed) != 0)
		return lath_err(EINVAL);
	if (lath_config_member(&node, "accountId", &member) &&
			strspn(gateway->account, "0123456789") != 12)
		return lath_config_fail(&member, "\"%s\" is not an account of 12 digits",
				gateway->account);
	return lath_config_read_u32(&node, "node", 0, 255, &gateway->node);
}

static int
read_timeouts(struct lath_config_loader *loader)
{
	struct lath_config_timeouts *timeouts = &loader->cfg->timeouts;
	const struct {
		const char *key;
		uint32_t *value;
		uint32_t min;
		uint32_t max;
		uint32_t preset;
	} rows[] = {
			{"tcpHalfOpenSeconds", &timeouts->tcp_half_open_s, 1, DAY_S, 240},
			{"tcpEstablishedSeconds", &timeouts->tcp_established_s, 1, 10 * DAY_S,
					7440},
			{"tcpClosingSeconds", &timeouts->tcp_closing_s, 1, DAY_S, 240},
			{"udpUnansweredSeconds", &timeouts->udp_unanswered_s, 1, DAY_S, 120},
			{"udpSeconds", &timeouts->udp_s, 1, DAY_S, 300},
			{"icmpEchoSeconds", &timeouts->icmp_echo_s, 1, DAY_S, 60},
			{"portRestSeconds", &timeouts->port_rest_s, 0, 600, 2},
			{"portRestTimeWaitSeconds", &timeouts->port_rest_time_wait_s, 0, 600, 60},
			{"neighborSeconds", &timeouts->neighbor_s, 1, 3600, 30},
			{"serviceAddressHoldSeconds", &timeouts->service_address_hold_s, 0,
					30 * DAY_S, DAY_S},
	};
	const char *keys[LATH_ARRAY_SIZE(rows)];
	struct lath_config_node node;
	int rc;

	for (size_t i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		keys[i] = rows[i].key;
		*rows[i].value = rows[i].preset;
	}
	if (!lath_config_section_node(loader, LATH_CONFIG_SECTION_TIMEOUTS, &node))
		return 0;
	rc = lath_config_read_keys(&node, keys, LATH_ARRAY_SIZE(keys));
	for (size_t i = 0; rc == 0 && i < LATH_ARRAY_SIZE(rows); i++)
		rc = lath_config_read_u32(&node, rows[i].key, rows[i].min, rows[i].max,
				rows[i].value);
	return rc;
}

static int
read_limits(struct lath_config_loader *loader)
{
	static const char *const keys[] = {"refusalsPerSecond", "puntsPerSecond"};
	struct lath_config_limits *limits = &loader->cfg->limits;
	struct lath_config_node node;

	limits->refusals_per_second = 1000;
	limits->punts_per_second = 1000;
	if (!lath_config_section_node(loader, LATH_CONFIG_SECTION_LIMITS, &node))
		return 0;
	if (lath_config_read_keys(&node, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			lath_config_read_u32(&node, keys[0], 0, 1000000,
					&limits->refusals_per_second) != 0)
		return lath_err(EINVAL);
	return lath_config_read_u32(&node, keys[1], 1, 1000000, &limits->punts_per_second);
}

static int
check_cidr(const struct lath_config_node *node, uint32_t index)
{
	const struct lath_config *cfg = node->loader->cfg;
	const struct lath_prefix *cidr = &cfg->service_cidrs[index];
	char text[LATH_PREFIX_TEXT_MAX];
	const char *why = lath_config_ip_unusable(&cidr->ip);

	lath_prefix_format(cidr, text);
	if (why == NULL && lath_config_is_link_local(&cidr->ip))
		why = "link-local";
	if (why != NULL || cidr->bits < 8)
		return lath_config_fail(node, "\"%s\" cannot hold service addresses: %s", text,
				why != NULL ? why : "it is larger than a /8");
	for (uint32_t i = 0; i < index; i++) {
		struct lath_config_at at = lath_config_at_list(node->loader,
				LATH_CONFIG_LIST_SERVICE_CIDRS, i, "%s", "");
		char place[LATH_CONFIG_PLACE_MAX];

		if (lath_prefix_overlaps(cidr, &cfg->service_cidrs[i]))
			return lath_config_fail(node, "\"%s\" overlaps the prefix at %s", text,
					lath_config_place_text(node->loader, &at, place));
	}
	return 0;
}

static int
read_service_cidrs(struct lath_config_loader *loader)
{
	const enum lath_config_list list = LATH_CONFIG_LIST_SERVICE_CIDRS;
	struct lath_config *cfg = loader->cfg;
	uint32_t count = loader->present[list] ? loader->counts[list] : 2;

	if (count > 256) {
		struct lath_config_at at = lath_config_at_list(loader, list, 256, "%s", "");

		return lath_config_fail_at(loader, &at, "more than 256 service prefixes");
	}
	cfg->service_cidrs = calloc(count + 1, sizeof(*cfg->service_cidrs));
	if (cfg->service_cidrs == NULL)
		return lath_config_no_memory(loader);
	/* RFC 2544, section C.2.2: for benchmarks, so no network uses it, yet routers forward it.
	 * RFC 4193: a prefix of our own, beside the host port's.
	 */
	if (!loader->present[list]) {
		cfg->service_cidr_count = 2;
		lath_prefix_parse("198.18.0.0/16", &cfg->service_cidrs[0]);
		return lath_prefix_parse("fd6c:6174:6801::/64", &cfg->service_cidrs[1]);
	}
	for (uint32_t i = 0; i < count; i++) {
		struct lath_config_node node = lath_config_list_node(loader, list, i);

		if (lath_config_read_prefix(&node, &cfg->service_cidrs[i]) != 0 ||
				check_cidr(&node, i) != 0)
			return lath_err(EINVAL);
		cfg->service_cidr_count++;
	}
	return 0;
}

int
lath_config_read_gateway(struct lath_config_loader *loader)
{
	int rc = read_section(loader);

	if (rc == 0)
		rc = read_timeouts(loader);
	if (rc == 0)
		rc = read_limits(loader);
	return rc == 0 ? read_service_cidrs(loader) : rc;
}
