/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Services as images: listeners, rules, sources and the set of VPCs that an association leads from.
 * Default deny is the empty set. The host port's VPC is in no set: it reaches targets through the
 * probe set only.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_private.h"

#define WORD_BITS 64

/* ---- visible sets ------------------------------------------------------------------------ */

static void
visible_free(struct update *u)
{
	if (u->visible == NULL)
		return;
	free(u->visible[0]);
	free(u->visible);
	u->visible = NULL;
}

/* The VPCs of each network, then of each service by its networks. */
static int
visible_compute(struct update *u)
{
	const struct lath_config *cfg = u->cfg;
	size_t words = u->draft->high[LATH_OBJECT_VPC] / WORD_BITS + 1;
	uint64_t *networks = calloc(cfg->network_count + 1, words * sizeof(*networks));
	uint64_t *bits = calloc(cfg->service_count + 1, words * sizeof(*bits));

	u->visible = calloc((size_t)cfg->service_count + 1, sizeof(*u->visible));
	u->visible_words = (uint32_t)words;
	if (networks == NULL || bits == NULL || u->visible == NULL) {
		free(networks);
		free(bits);
		free(u->visible);
		u->visible = NULL;
		return lath_err(ENOMEM);
	}
	for (uint32_t i = 0; i <= cfg->service_count; i++)
		u->visible[i] = bits + i * words;
	for (uint32_t i = 0; i < cfg->vpc_association_count; i++) {
		const struct lath_config_vpc_association *a = &cfg->vpc_associations[i];
		uint32_t vpc = lath_model_positions_get(&u->draft->positions[LATH_OBJECT_VPC],
				a->vpc, 0);

		networks[a->network * words + vpc / WORD_BITS] |= UINT64_C(1) << vpc % WORD_BITS;
	}
	for (uint32_t i = 0; i < cfg->service_association_count; i++) {
		const struct lath_config_service_association *a = &cfg->service_associations[i];

		for (size_t j = 0; j < words; j++)
			u->visible[a->service][j] |= networks[a->network * words + j];
	}
	free(networks);
	return 0;
}

/* ---- indexes ----------------------------------------------------------------------------- */

/* What lath_model_services_take() works with; rules in the order of services, listeners, rules. */
struct service_indexes {
	uint32_t *services;
	uint32_t *rules;
	uint32_t *firsts; /* by service position, in rules */
	uint32_t rule_count;
	struct digest *digests;
	bool *fresh;
};

static int
service_indexes_init(struct service_indexes *x, const struct lath_config *cfg)
{
	size_t most;

	x->firsts = calloc((size_t)cfg->service_count + 1, sizeof(*x->firsts));
	if (x->firsts == NULL)
		return lath_err(ENOMEM);
	for (uint32_t i = 0; i < cfg->service_count; i++) {
		x->firsts[i] = x->rule_count;
		for (uint32_t j = 0; j < cfg->services[i].listener_count; j++)
			x->rule_count += cfg->services[i].listeners[j].rule_count;
	}
	x->firsts[cfg->service_count] = x->rule_count;
	most = (size_t)lath_max_u32(x->rule_count, cfg->service_count) + 1;
	x->services = calloc((size_t)cfg->service_count + 1, sizeof(*x->services));
	x->rules = calloc((size_t)x->rule_count + 1, sizeof(*x->rules));
	x->digests = calloc(most, sizeof(*x->digests));
	x->fresh = calloc(most, sizeof(*x->fresh));
	if (x->services == NULL || x->rules == NULL || x->digests == NULL || x->fresh == NULL)
		return lath_err(ENOMEM);
	return 0;
}

static void
service_indexes_fini(struct service_indexes *x)
{
	free(x->services);
	free(x->rules);
	free(x->firsts);
	free(x->digests);
	free(x->fresh);
}

static int
assign_services(struct update *u, struct service_indexes *x)
{
	const struct lath_config *cfg = u->cfg;

	for (uint32_t i = 0; i < cfg->service_count; i++) {
		if (lath_model_digester_run(u->digester, cfg->services[i].identity.id,
				    &x->digests[i]) < 0)
			return -errno;
	}
	return lath_model_slots_assign(u->draft, LATH_OBJECT_SERVICE, x->digests,
			cfg->service_count, x->services, x->fresh, u->err);
}

static int
assign_rules(struct update *u, struct service_indexes *x)
{
	char text[2 * LATH_CONFIG_ID_MAX + 2];
	uint32_t count = 0;

	for (uint32_t i = 0; i < u->cfg->service_count; i++) {
		const struct lath_config_service *service = &u->cfg->services[i];

		for (uint32_t j = 0; j < service->listener_count; j++) {
			const struct lath_config_listener *listener = &service->listeners[j];

			for (uint32_t k = 0; k < listener->rule_count; k++) {
				bool is_default = k + 1 == listener->rule_count;

				snprintf(text, sizeof(text), "%s/%s", listener->identity.id,
						is_default ? "default"
							   : listener->rules[k].identity.id);
				if (lath_model_digester_run(u->digester, text,
						    &x->digests[count++]) < 0)
					return -errno;
			}
		}
	}
	return lath_model_slots_assign(u->draft, LATH_OBJECT_RULE, x->digests, count, x->rules,
			x->fresh, u->err);
}

/* ---- images ------------------------------------------------------------------------------ */

static size_t
service_size(const struct lath_config_service *cfg, uint32_t words)
{
	size_t size = IMAGE_ROOM(1, sizeof(struct lath_model_service)) +
			IMAGE_ROOM(words, sizeof(uint64_t)) +
			IMAGE_ROOM(cfg->listener_count, sizeof(struct lath_model_listener));

	for (uint32_t i = 0; i < cfg->listener_count; i++) {
		const struct lath_config_listener *listener = &cfg->listeners[i];

		size += IMAGE_ROOM(listener->rule_count, sizeof(struct lath_model_rule));
		for (uint32_t j = 0; j < listener->rule_count; j++)
			size += IMAGE_ROOM(listener->rules[j].source_count,
					sizeof(struct lath_prefix));
	}
	return size;
}

static void
fill_rule(struct update *u, struct image *image, size_t *used, struct lath_model_rule *rule,
		const struct lath_config_rule *cfg, uint32_t index, bool is_default)
{
	const struct positions *groups = &u->draft->positions[LATH_OBJECT_GROUP];
	struct lath_prefix *sources = IMAGE_CARVE(image, used, rule->sources, cfg->source_count);

	rule->index = index;
	rule->priority = is_default ? UINT32_MAX : cfg->priority;
	rule->source_count = cfg->source_count;
	for (uint32_t i = 0; i < cfg->source_count; i++)
		sources[i] = cfg->sources[i];
	rule->forward_count = cfg->forward_count;
	for (uint32_t i = 0; i < cfg->forward_count; i++) {
		const struct lath_config_forward *forward = &cfg->forwards[i];

		rule->forwards[i].group = lath_model_positions_get(groups, forward->group, 0);
		rule->forwards[i].weight = forward->weight;
		rule->forwards[i].key = u->cfg->groups[forward->group].identity.key;
	}
	snprintf(rule->name, sizeof(rule->name), "%s", cfg->identity.name);
}

static void
fill_listeners(struct update *u, struct image *image, size_t *used,
		struct lath_model_service *service, const struct lath_config_service *cfg,
		const uint32_t *rules)
{
	struct lath_model_listener *listeners = IMAGE_CARVE(image, used, service->listeners,
			cfg->listener_count);

	service->listener_count = cfg->listener_count;
	for (uint32_t i = 0; i < cfg->listener_count; i++) {
		const struct lath_config_listener *from = &cfg->listeners[i];
		struct lath_model_listener *to = &listeners[i];
		struct lath_model_rule *to_rules = IMAGE_CARVE(image, used, to->rules,
				from->rule_count);

		to->proto = from->protocol == LATH_CONFIG_UDP ? IPPROTO_UDP : IPPROTO_TCP;
		to->port = from->port;
		to->rule_count = from->rule_count;
		snprintf(to->id, sizeof(to->id), "%s", from->identity.id);
		snprintf(to->name, sizeof(to->name), "%s", from->identity.name);
		for (uint32_t j = 0; j < from->rule_count; j++)
			fill_rule(u, image, used, &to_rules[j], &from->rules[j], *rules++,
					j + 1 == from->rule_count);
	}
}

static int
set_service(struct update *u, uint32_t position, const struct service_indexes *x)
{
	const struct lath_config_service *cfg = &u->cfg->services[position];
	const uint64_t *visible = u->visible[position];
	uint32_t index = x->services[position];
	uint32_t words = u->visible_words;
	size_t used = IMAGE_ROOM(1, sizeof(struct lath_model_service));
	struct lath_model_service *service;
	struct image *image;
	uint64_t *bits;

	/* Not longer than needed, so that a new VPC elsewhere does not change the image. */
	while (words > 0 && visible[words - 1] == 0)
		words--;
	image = lath_model_image_create(service_size(cfg, words));
	if (image == NULL)
		return lath_err(ENOMEM);
	service = (struct lath_model_service *)image->bytes;
	service->index = index;
	service->key = cfg->identity.key;
	service->addresses[0] = u->addresses[position][0];
	service->addresses[1] = u->addresses[position][1];
	service->idle_timeout_s = cfg->idle_timeout_s;
	service->refuse = cfg->refuse;
	service->icmp_echo = cfg->icmp_echo;
	snprintf(service->id, sizeof(service->id), "%s", cfg->identity.id);
	snprintf(service->name, sizeof(service->name), "%s", cfg->identity.name);
	snprintf(service->account, sizeof(service->account), "%s", cfg->identity.account);
	bits = IMAGE_CARVE(image, &used, service->visible_vpcs, words);
	if (words > 0)
		memcpy(bits, visible, words * sizeof(*bits));
	service->visible_words = words;
	fill_listeners(u, image, &used, service, cfg, x->rules + x->firsts[position]);
	lath_model_image_settle(&u->draft->images[LATH_OBJECT_SERVICE][index], image,
			&u->draft->registry->next_stamp);
	return 0;
}

static int
set_services(struct update *u, const struct service_indexes *x)
{
	struct draft *draft = u->draft;
	int rc = 0;

	for (uint32_t i = 0; i < draft->high[LATH_OBJECT_SERVICE]; i++) {
		if (draft->slots[LATH_OBJECT_SERVICE][i].use == SLOT_RELEASED)
			lath_model_image_settle(&draft->images[LATH_OBJECT_SERVICE][i], NULL,
					&draft->registry->next_stamp);
	}
	for (uint32_t i = 0; i < u->cfg->service_count && rc == 0; i++)
		rc = set_service(u, i, x);
	if (rc == 0)
		rc = lath_model_positions_set(&draft->positions[LATH_OBJECT_SERVICE], x->services,
				u->cfg->service_count, NULL, 0);
	if (rc == 0)
		rc = lath_model_positions_set(&draft->positions[LATH_OBJECT_RULE], x->rules,
				x->rule_count, x->firsts, u->cfg->service_count);
	return rc;
}

int
lath_model_services_take(struct update *u)
{
	struct service_indexes x = {.services = NULL};
	int rc = service_indexes_init(&x, u->cfg);

	u->addresses = calloc((size_t)u->cfg->service_count + 1, sizeof(*u->addresses));
	if (u->addresses == NULL)
		rc = -ENOMEM;
	if (rc == 0)
		rc = assign_services(u, &x);
	if (rc == 0)
		rc = assign_rules(u, &x);
	if (rc == 0)
		rc = visible_compute(u);
	if (rc == 0)
		rc = lath_model_addresses_take(u);
	if (rc == 0)
		rc = lath_model_addresses_check(u);
	if (rc == 0)
		rc = set_services(u, &x);
	if (rc == 0)
		rc = lath_model_address_map_take(u);
	visible_free(u);
	free(u->addresses);
	u->addresses = NULL;
	service_indexes_fini(&x);
	return rc;
}
