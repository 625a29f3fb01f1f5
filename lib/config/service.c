/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "config_private.h"

#define LISTENERS_MAX 256u
#define RULES_MAX 2000u /* as many as there are priorities */
#define SOURCES_MAX 256u
#define IDLE_MAX_S 864000u

static int
read_match(const struct lath_config_node *node, struct lath_config_rule *rule)
{
	static const char *const keys[] = {"sourcePrefixes"};
	struct lath_config_node match;
	struct lath_config_node member;

	if (lath_config_need(node, "match", &match) != 0)
		return lath_err(EINVAL);
	if (lath_config_member(&match, "httpMatch", &member))
		return lath_config_fail(&member,
				"\"httpMatch\" needs an HTTP listener, which comes with a later "
				"release; "
				"\"sourcePrefixes\" is accepted");
	if (lath_config_read_keys(&match, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			lath_config_need(&match, keys[0], &member) != 0)
		return lath_err(EINVAL);
	return lath_config_read_prefixes(&match, keys[0], 1, SOURCES_MAX, &rule->sources,
			&rule->source_count);
}

static int
read_rule(const struct lath_config_node *node, struct lath_config_listener *listener,
		uint32_t index)
{
	static const char *const keys[] = {"name", "id", "priority", "match", "action"};
	const struct lath_config_naming naming = {
			.kind = LATH_CONFIG_KIND_RULE, .parent = &listener->identity};
	struct lath_config_rule *rule = &listener->rules[index];
	struct lath_config_node member;

	if (lath_config_read_keys(node, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			lath_config_identify(node, &naming, index, &rule->identity) != 0 ||
			lath_config_need(node, "priority", &member) != 0 ||
			lath_config_read_u32(node, "priority", 1, 2000, &rule->priority) != 0)
		return lath_err(EINVAL);
	if (strcmp(rule->identity.name, "default") == 0)
		return lath_config_fail(node,
				"\"default\" is the name of the default action's rule");
	for (uint32_t i = 0; i < index; i++) {
		if (listener->rules[i].priority == rule->priority)
			return lath_config_fail(&member,
					"priority %u is used twice in this listener; the first is "
					"rule %u",
					rule->priority, i);
	}
	if (read_match(node, rule) != 0 || lath_config_need(node, "action", &member) != 0)
		return lath_err(EINVAL);
	return lath_config_read_action(&member, rule->identity.account, listener->protocol, rule);
}

static int
compare_priorities(const void *a, const void *b)
{
	const struct lath_config_rule *rule_a = a;
	const struct lath_config_rule *rule_b = b;

	return rule_a->priority < rule_b->priority ? -1 : 1;
}

/* The default action is the last rule, so the packet path knows rules only. */
static int
read_default(const struct lath_config_node *node, struct lath_config_listener *listener)
{
	const struct lath_config_naming naming = {.kind = LATH_CONFIG_KIND_RULE,
			.parent = &listener->identity,
			.name = "default"};
	struct lath_config_rule *rule = &listener->rules[listener->rule_count++];
	struct lath_config_node action;

	rule->priority = LATH_CONFIG_NONE;
	lath_config_derive(node->loader->cfg, &naming, &rule->identity);
	if (lath_config_need(node, "defaultAction", &action) != 0)
		return lath_err(EINVAL);
	return lath_config_read_action(&action, listener->identity.account, listener->protocol,
			rule);
}

static int
read_rules(const struct lath_config_node *node, struct lath_config_listener *listener)
{
	struct lath_config_node list;
	int rc = lath_config_read_list(node, "rules", 0, RULES_MAX, &list);
	size_t size = json_array_size(list.json);

	if (rc != 0)
		return rc;
	listener->rules = calloc(size + 1, sizeof(*listener->rules));
	if (listener->rules == NULL)
		return lath_config_no_memory(node->loader);
	for (size_t i = 0; i < size; i++) {
		struct lath_config_node element = lath_config_element(&list, i);

		listener->rule_count++; /* First: what a failing rule has allocated is freed. */
		rc = read_rule(&element, listener, (uint32_t)i);
		if (rc != 0)
			return rc;
	}
	qsort(listener->rules, size, sizeof(*listener->rules), compare_priorities);
	return read_default(node, listener);
}

static int
check_listener_unique(const struct lath_config_node *node,
		const struct lath_config_service *service, uint32_t index)
{
	const struct lath_config_listener *listener = &service->listeners[index];

	for (uint32_t i = 0; i < index; i++) {
		if (service->listeners[i].protocol == listener->protocol &&
				service->listeners[i].port == listener->port)
			return lath_config_fail(node,
					"%s port %u is used twice in this service; the first is "
					"listener %u",
					listener->protocol == LATH_CONFIG_TCP ? "TCP" : "UDP",
					listener->port, i);
	}
	return 0;
}

static int
read_listener(const struct lath_config_node *node, struct lath_config_service *service,
		uint32_t index)
{
	static const char *const keys[] = {
			"name", "id", "protocol", "port", "defaultAction", "rules"};
	const struct lath_config_naming naming = {
			.kind = LATH_CONFIG_KIND_LISTENER, .parent = &service->identity};
	struct lath_config_listener *listener = &service->listeners[index];
	struct lath_config_node member;

	if (lath_config_read_keys(node, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			lath_config_identify(node, &naming, index, &listener->identity) != 0 ||
			lath_config_read_protocol(node, &listener->protocol) != 0 ||
			lath_config_need(node, "port", &member) != 0 ||
			lath_config_read_u16(node, "port", 1, UINT16_MAX, &listener->port) != 0 ||
			check_listener_unique(node, service, index) != 0)
		return lath_err(EINVAL);
	return read_rules(node, listener);
}

static int
read_listeners(const struct lath_config_node *node, struct lath_config_service *service)
{
	struct lath_config_node list;
	int rc = lath_config_read_list(node, "listeners", 0, LISTENERS_MAX, &list);
	size_t size = json_array_size(list.json);

	if (rc != 0 || size == 0)
		return rc;
	service->listeners = calloc(size, sizeof(*service->listeners));
	if (service->listeners == NULL)
		return lath_config_no_memory(node->loader);
	for (size_t i = 0; i < size; i++) {
		struct lath_config_node element = lath_config_element(&list, i);

		service->listener_count++; /* First: what a failing listener has is freed. */
		rc = read_listener(&element, service, (uint32_t)i);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
read_addresses(const struct lath_config_node *node, struct lath_config_service *service)
{
	struct lath_config_node list;
	int rc = lath_config_read_list(node, "addresses", 0, 2, &list);

	for (size_t i = 0; rc == 0 && i < json_array_size(list.json); i++) {
		struct lath_config_node element = lath_config_element(&list, i);
		struct lath_ip ip;
		bool v6;

		if (lath_config_read_host(&element, &ip) != 0)
			return lath_err(EINVAL);
		v6 = !lath_ip_is_v4(&ip);
		if (service->addresses[v6].family != LATH_FAMILY_NONE)
			return lath_config_fail(&element,
					"a service has one address of a family, and %s is there "
					"already",
					v6 ? "IPv6" : "IPv4");
		service->addresses[v6] = ip;
		service->address_places[v6] = (uint8_t)i;
	}
	return rc;
}

static int
read_service(const struct lath_config_node *node, uint32_t index)
{
	static const char *const keys[] = {"name", "account", "id", "authType", "addresses",
			"listeners", "idleTimeoutSeconds", "refuse", "icmpEcho", "authPolicy",
			"revokedFlows"};
	static const char *const refusals[LATH_CONFIG_REFUSE_COUNT] = {"icmp", "reset", "silent"};
	static const char *const ends[] = {"end", "finish"};
	static const char *const echoes[LATH_CONFIG_ECHO_COUNT] = {"answer", "forward", "drop"};
	static const struct lath_config_naming naming = {.kind = LATH_CONFIG_KIND_SERVICE};
	struct lath_config_service *service = &node->loader->cfg->services[index];
	unsigned refuse = LATH_CONFIG_REFUSE_ICMP;
	unsigned echo = LATH_CONFIG_ECHO_ANSWER;
	unsigned revoked = 0;

	if (lath_config_read_keys(node, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			lath_config_identify(node, &naming, index, &service->identity) != 0 ||
			lath_config_read_auth(node, &service->auth) != 0 ||
			read_addresses(node, service) != 0 || read_listeners(node, service) != 0 ||
			lath_config_read_u32(node, "idleTimeoutSeconds", 1, IDLE_MAX_S,
					&service->idle_timeout_s) != 0 ||
			lath_config_read_word(node, "refuse", refusals, LATH_CONFIG_REFUSE_COUNT,
					&refuse) != 0 ||
			lath_config_read_word(node, "icmpEcho", echoes, LATH_CONFIG_ECHO_COUNT,
					&echo) != 0 ||
			lath_config_read_word(node, "revokedFlows", ends, LATH_ARRAY_SIZE(ends),
					&revoked) != 0)
		return lath_err(EINVAL);
	service->revoked_finish = revoked == 1;
	service->refuse = (enum lath_config_refuse)refuse;
	service->icmp_echo = (enum lath_config_echo)echo;
	return 0;
}

int
lath_config_read_services(struct lath_config_loader *loader)
{
	const enum lath_config_list list = LATH_CONFIG_LIST_SERVICES;
	struct lath_config *cfg = loader->cfg;
	uint32_t count = loader->counts[list];

	if (count > cfg->system.max_services) {
		struct lath_config_at at = lath_config_at_list(loader, list,
				cfg->system.max_services, "%s", "");

		return lath_config_fail_at(loader, &at,
				"more services than system/memory/maxServices, %u",
				cfg->system.max_services);
	}
	cfg->services = calloc(count + 1, sizeof(*cfg->services));
	if (cfg->services == NULL)
		return lath_config_no_memory(loader);
	cfg->service_count = count;
	for (uint32_t i = 0; i < count; i++) {
		struct lath_config_node node = lath_config_list_node(loader, list, i);

		if (read_service(&node, i) != 0)
			return lath_err(EINVAL);
	}
	return 0;
}
