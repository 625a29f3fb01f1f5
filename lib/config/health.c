/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* A group's health check: Lattice's fields and defaults (service model 1.7), but for the protocol,
 * which is TCP here unless given, and shorter smallest intervals.
 */

#include "config_private.h"

#define STATUS_MIN 200u
#define STATUS_MAX 499u

/* Three digits in 200..499, or 0. */
static unsigned
read_status(const char **text)
{
	unsigned status = 0;
	unsigned digits = 0;

	for (; **text >= '0' && **text <= '9' && digits < 4; digits++)
		status = status * 10 + (unsigned)(*(*text)++ - '0');
	return digits == 3 && status >= STATUS_MIN && status <= STATUS_MAX ? status : 0;
}

/* "200", "200,202", "200-299" and mixtures. */
static bool
is_matcher(const char *text)
{
	for (;;) {
		unsigned first = read_status(&text);
		unsigned last = first;

		if (*text == '-') {
			text++;
			last = read_status(&text);
		}
		if (first == 0 || last < first)
			return false;
		if (*text == '\0')
			return true;
		if (*text++ != ',')
			return false;
	}
}

static int
read_matcher(const struct lath_config_node *check, struct lath_config_health_check *health)
{
	static const char *const keys[] = {"httpCode"};
	struct lath_config_node matcher;
	struct lath_config_node code;

	if (!lath_config_member(check, "matcher", &matcher))
		return 0;
	if (lath_config_read_keys(&matcher, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			lath_config_need(&matcher, "httpCode", &code) != 0 ||
			lath_config_read_text(&matcher, "httpCode", 1, sizeof(health->matcher) - 1,
					health->matcher) != 0)
		return lath_err(EINVAL);
	if (!is_matcher(health->matcher))
		return lath_config_fail(&code,
				"\"%.64s\" is not a list of status codes in 200..499 like \"200\", "
				"\"200,202\" "
				"or \"200-299\"",
				health->matcher);
	return 0;
}

static int
read_path(const struct lath_config_node *check, struct lath_config_health_check *health)
{
	struct lath_config_node member;

	if (!lath_config_member(check, "path", &member))
		return 0;
	if (lath_config_read_text(check, "path", 1, sizeof(health->path) - 1, health->path) != 0)
		return lath_err(EINVAL);
	if (health->path[0] != '/' || strchr(health->path, ' ') != NULL ||
			strchr(health->path, '#') != NULL)
		return lath_config_fail(&member,
				"\"%.64s\" is not a path: it begins with \"/\" and has no space "
				"and no \"#\"",
				health->path);
	return 0;
}

/* Who comes from Lattice expects HTTP and would get a TCP check without noticing. */
static int
check_http_only(const struct lath_config_node *check, const struct lath_config_health_check *health)
{
	static const char *const http_only[] = {"path", "matcher"};
	struct lath_config_node member;

	for (size_t i = 0; i < LATH_ARRAY_SIZE(http_only); i++) {
		if (health->protocol == LATH_CONFIG_CHECK_TCP &&
				lath_config_member(check, http_only[i], &member))
			return lath_config_fail(&member,
					"\"%s\" has no meaning for a TCP check; give \"protocol\": "
					"\"HTTP\" or "
					"\"HTTPS\"",
					http_only[i]);
	}
	return 0;
}

static int
read_numbers(const struct lath_config_node *check, struct lath_config_health_check *health)
{
	if (lath_config_read_u16(check, "port", 1, UINT16_MAX, &health->port) != 0 ||
			lath_config_read_u32(check, "healthCheckIntervalSeconds", 1, 300,
					&health->interval_s) != 0 ||
			lath_config_read_u32(check, "healthCheckTimeoutSeconds", 1, 120,
					&health->timeout_s) != 0 ||
			lath_config_read_u32(check, "healthyThresholdCount", 1, 10,
					&health->healthy_count) != 0 ||
			lath_config_read_u32(check, "unhealthyThresholdCount", 1, 10,
					&health->unhealthy_count) != 0)
		return lath_err(EINVAL);
	return 0;
}

int
lath_config_read_health(const struct lath_config_node *config, struct lath_config_group *group)
{
	static const char *const keys[] = {"enabled", "protocol", "port", "path",
			"healthCheckIntervalSeconds", "healthCheckTimeoutSeconds",
			"healthyThresholdCount", "unhealthyThresholdCount", "matcher"};
	static const char *const protocols[] = {"TCP", "HTTP", "HTTPS"};
	struct lath_config_health_check *health = &group->health_check;
	struct lath_config_node check;
	unsigned protocol = LATH_CONFIG_CHECK_TCP;
	bool given = lath_config_member(config, "healthCheck", &check);

	*health = (struct lath_config_health_check){
			.enabled = group->protocol == LATH_CONFIG_TCP || given,
			.interval_s = 30,
			.timeout_s = 5,
			.healthy_count = 5,
			.unhealthy_count = 2,
			.path = "/",
			.matcher = "200",
	};
	if (!given)
		return 0;
	if (lath_config_read_keys(&check, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			lath_config_read_bool(&check, "enabled", &health->enabled) != 0 ||
			lath_config_read_word(&check, "protocol", protocols,
					LATH_CONFIG_CHECK_PROTOCOL_COUNT, &protocol) != 0 ||
			read_numbers(&check, health) != 0 || read_path(&check, health) != 0 ||
			read_matcher(&check, health) != 0)
		return lath_err(EINVAL);
	health->protocol = (enum lath_config_check_protocol)protocol;
	return check_http_only(&check, health);
}
