/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_private.h"

#define VALUE_MAX 160

/* The value as JSON, cut. */
static const char *
value_text(const json_t *value, char out[VALUE_MAX])
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	snprintf(out, VALUE_MAX, "%s", text == NULL ? "?" : text);
	free(text);
	return out;
}

static bool
fail(struct lath_admin_call *call, const char *key, const json_t *value, const char *accepted)
{
	char text[VALUE_MAX];

	lath_admin_fail(call, LATH_RPC_INVALID_PARAMS, NULL, "%s: %s is not %s", key,
			value_text(value, text), accepted);
	return false;
}

bool
lath_admin_param_text(struct lath_admin_call *call, const char *key, const char **text)
{
	const json_t *value = json_object_get(call->params, key);

	if (value == NULL)
		return true;
	if (!json_is_string(value))
		return fail(call, key, value, "a string");
	*text = json_string_value(value);
	return true;
}

bool
lath_admin_param_u32(struct lath_admin_call *call, const char *key, uint32_t min, uint32_t max,
		uint32_t *value)
{
	const json_t *given = json_object_get(call->params, key);
	char accepted[64];

	if (given == NULL)
		return true;
	if (json_is_integer(given) && json_integer_value(given) >= min &&
			json_integer_value(given) <= max) {
		*value = (uint32_t)json_integer_value(given);
		return true;
	}
	snprintf(accepted, sizeof(accepted), "a whole number in %" PRIu32 "..%" PRIu32, min, max);
	return fail(call, key, given, accepted);
}

bool
lath_admin_param_bool(struct lath_admin_call *call, const char *key, bool *value)
{
	const json_t *given = json_object_get(call->params, key);

	if (given == NULL)
		return true;
	if (!json_is_boolean(given))
		return fail(call, key, given, "true or false");
	*value = json_is_true(given);
	return true;
}

bool
lath_admin_param_ip(struct lath_admin_call *call, const char *key, struct lath_ip *ip)
{
	const json_t *given = json_object_get(call->params, key);

	if (given == NULL)
		return true;
	if (!json_is_string(given) || lath_ip_parse(json_string_value(given), ip) != 0)
		return fail(call, key, given, "an IPv4 or IPv6 address");
	return true;
}

/* One object of a kind on its way through a search. */
struct search {
	const char *word;
	uint32_t found;
	unsigned count;
	struct lath_rpc_near near;
};

static void
consider(struct search *search, uint32_t index, const char *name, const char *id,
		const struct lath_config_identity *identity)
{
	lath_rpc_near_offer(&search->near, name);
	if (strcmp(search->word, name) != 0 && strcmp(search->word, id) != 0 &&
			(identity == NULL || strcmp(search->word, identity->arn) != 0))
		return;
	search->found = index;
	search->count++;
}

static bool
conclude(struct lath_admin_call *call, const char *key, const struct search *search,
		uint32_t *index)
{
	char near[LATH_RPC_NEAR_MAX];

	if (search->count == 1) {
		*index = search->found;
		return true;
	}
	if (search->count > 1)
		lath_admin_fail(call, LATH_RPC_INVALID_PARAMS, NULL,
				"%s: %u have the name \"%.128s\"; use the id or the ARN", key,
				search->count, search->word);
	else
		lath_admin_fail(call, LATH_RPC_INVALID_PARAMS, NULL,
				"%s: none has the name, id or ARN \"%.128s\"%s", key, search->word,
				lath_rpc_near_text(&search->near, near));
	return false;
}

bool
lath_admin_param_vpc(struct lath_admin_call *call, uint32_t *vpc)
{
	const struct lath_model *model = lath_control_model(call->control);
	struct search search = {0};

	*vpc = LATH_MODEL_NONE;
	if (!lath_admin_param_text(call, "vpc", &search.word))
		return false;
	if (search.word == NULL)
		return true;
	search.near.word = search.word;
	for (uint32_t i = 0; i < model->vpc_count; i++) {
		const struct lath_config_vpc *cfg = lath_admin_config_vpc(call->admin, i);

		if (model->vpcs[i] != NULL && i != LATH_MODEL_HOST_VPC)
			consider(&search, i, model->vpcs[i]->name, model->vpcs[i]->id,
					cfg == NULL ? NULL : &cfg->identity);
	}
	return conclude(call, "vpc", &search, vpc);
}

bool
lath_admin_param_service(struct lath_admin_call *call, uint32_t *service)
{
	const struct lath_model *model = lath_control_model(call->control);
	struct search search = {0};

	*service = LATH_MODEL_NONE;
	if (!lath_admin_param_text(call, "service", &search.word))
		return false;
	if (search.word == NULL)
		return true;
	search.near.word = search.word;
	for (uint32_t i = 0; i < model->service_count; i++) {
		const struct lath_config_service *cfg = lath_admin_config_service(call->admin, i);

		if (model->services[i] != NULL)
			consider(&search, i, model->services[i]->name, model->services[i]->id,
					cfg == NULL ? NULL : &cfg->identity);
	}
	return conclude(call, "service", &search, service);
}

/* "10.0.0.5", "10.0.0.5:80", "2001:db8::1", "[2001:db8::1]:80". */
static bool
parse_endpoint(const char *text, struct lath_ip *ip, uint16_t *port)
{
	char addr[LATH_IP_TEXT_MAX];
	const char *end;
	char *rest;
	unsigned long number;
	size_t len;

	if (lath_ip_parse(text, ip) == 0)
		return true;
	end = strrchr(text, ':');
	if (end == NULL || end[1] < '0' || end[1] > '9')
		return false;
	len = (size_t)(end - text);
	if (text[0] == '[' && len > 2 && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	number = strtoul(end + 1, &rest, 10);
	if (len >= sizeof(addr) || *rest != '\0' || number == 0 || number > UINT16_MAX)
		return false;
	memcpy(addr, text, len);
	addr[len] = '\0';
	*port = (uint16_t)number;
	return lath_ip_parse(addr, ip) == 0;
}

bool
lath_admin_param_target(struct lath_admin_call *call, struct lath_admin_target_name *name)
{
	const json_t *value = json_object_get(call->params, "target");
	const char *text = NULL;
	const char *slash;

	*name = (struct lath_admin_target_name){0};
	if (!lath_admin_param_text(call, "target", &text))
		return false;
	if (text == NULL)
		return true;
	slash = strrchr(text, '/');
	if (slash != NULL)
		snprintf(name->group, sizeof(name->group), "%.*s", (int)(slash - text), text);
	if (parse_endpoint(slash == NULL ? text : slash + 1, &name->ip, &name->port))
		return true;
	return fail(call, "target", value,
			"a target: ADDRESS, ADDRESS:PORT, [IPV6]:PORT, or GROUP/ in front of "
			"these");
}

bool
lath_admin_target_is(const struct lath_model *model, const struct lath_model_target *target,
		const struct lath_admin_target_name *name)
{
	const struct lath_model_group *group = target->group < model->group_count
			? model->groups[target->group]
			: NULL;

	if (name->ip.family == LATH_FAMILY_NONE)
		return true;
	if (!lath_ip_equal(&name->ip, &target->ip) ||
			(name->port != 0 && name->port != target->port))
		return false;
	return name->group[0] == '\0' ||
			(group != NULL &&
					(strcmp(group->name, name->group) == 0 ||
							strcmp(group->id, name->group) == 0));
}

bool
lath_admin_param_page(struct lath_admin_call *call, struct lath_admin_page *page)
{
	const json_t *cursor = json_object_get(call->params, "cursor");
	const char *text = NULL;
	char *end = NULL;
	unsigned long at = 0;

	*page = (struct lath_admin_page){.limit = LATH_ADMIN_PAGE_MAX};
	if (!lath_admin_param_u32(call, "limit", 1, LATH_ADMIN_PAGE_MAX, &page->limit) ||
			!lath_admin_param_text(call, "cursor", &text))
		return false;
	if (text == NULL)
		return true;
	if (text[0] >= '0' && text[0] <= '9')
		at = strtoul(text, &end, 10);
	if (end == NULL || *end != '\0' || at >= LATH_MODEL_NONE)
		return fail(call, "cursor", cursor, "the \"next\" of an earlier answer");
	page->at = (uint32_t)at;
	return true;
}
