/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* The questions that workers ask a model. */
#include <netinet/in.h>

#include <lath_maglev.h>
#include <lath_rendezvous.h>

#include "model_private.h"

static const struct lath_model_address_slot *
services_at(const struct lath_model_address_map *map, const struct lath_ip *ip)
{
	uint32_t at;

	for (at = address_hash(ip, 0) & map->mask; map->slots[at].count != 0;
			at = (at + 1) & map->mask) {
		if (lath_ip_equal(&map->slots[at].ip, ip))
			return &map->slots[at];
	}
	return NULL;
}

static const struct lath_model_listener *
listener_at(const struct lath_model_service *service, uint8_t proto, uint16_t port)
{
	for (uint32_t i = 0; i < service->listener_count; i++) {
		const struct lath_model_listener *listener = &service->listeners[i];

		if (listener->port == port && listener->proto == proto)
			return listener;
	}
	return NULL;
}

enum lath_model_found
lath_model_find(const struct lath_model *model, uint32_t vpc, const struct lath_ip *ip,
		uint8_t proto, uint16_t port, const struct lath_model_service **service,
		const struct lath_model_listener **listener)
{
	const struct lath_model_address_slot *slot = services_at(model->addresses, ip);
	bool is_icmp = proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;

	*service = NULL;
	*listener = NULL;
	for (uint32_t i = 0; slot != NULL && i < slot->count; i++) {
		uint32_t index = model->addresses->services[slot->first + i];
		const struct lath_model_service *candidate = model->services[index];

		if (!lath_model_service_visible(candidate, vpc))
			continue;
		if (*service == NULL)
			*service = candidate;
		if (is_icmp) {
			*listener = candidate->listener_count > 0 ? &candidate->listeners[0] : NULL;
			return LATH_MODEL_FOUND;
		}
		*listener = listener_at(candidate, proto, port);
		if (*listener != NULL) {
			*service = candidate;
			return LATH_MODEL_FOUND;
		}
	}
	return *service == NULL ? LATH_MODEL_NO_SERVICE : LATH_MODEL_NO_LISTENER;
}

static bool
prefixes_hold(const struct lath_prefix *prefixes, uint32_t count, const struct lath_ip *ip)
{
	for (uint32_t i = 0; i < count; i++) {
		if (lath_prefix_contains(&prefixes[i], ip))
			return true;
	}
	return false;
}

const struct lath_model_rule *
lath_model_match(const struct lath_model_listener *listener, const struct lath_ip *client)
{
	const struct lath_model_rule *rule = listener->rules;
	const struct lath_model_rule *fallback = &listener->rules[listener->rule_count - 1];

	for (; rule != fallback; rule++) {
		if (rule->source_count == 0 ||
				prefixes_hold(rule->sources, rule->source_count, client))
			return rule;
	}
	return fallback;
}

const struct lath_model_target *
lath_model_pick(const struct lath_model *model, const struct lath_model_rule *rule, uint64_t hash,
		const struct lath_model_group **group)
{
	uint64_t ids[LATH_CONFIG_GROUPS_PER_ACTION_MAX];
	uint32_t weights[LATH_CONFIG_GROUPS_PER_ACTION_MAX];
	const struct lath_model_group *chosen;
	uint32_t slot = 0;
	unsigned i;

	*group = NULL;
	for (i = 0; i < rule->forward_count; i++) {
		const struct lath_model_group *candidate = model->groups[rule->forwards[i].group];

		ids[i] = rule->forwards[i].key;
		weights[i] = candidate == NULL || candidate->target_count == 0
				? 0
				: rule->forwards[i].weight;
	}
	i = lath_rendezvous_pick(hash, ids, weights, rule->forward_count);
	if (i >= rule->forward_count)
		return NULL;
	chosen = model->groups[rule->forwards[i].group];
	*group = chosen;
	if (chosen->table_size > 0)
		slot = chosen->table[lath_maglev_slot(hash, chosen->table_size)];
	return model->targets[chosen->targets[slot]];
}

bool
lath_model_vpc_holds(const struct lath_model_vpc *vpc, const struct lath_ip *ip)
{
	return prefixes_hold(vpc->prefixes, vpc->prefix_count, ip);
}

const struct lath_model_route *
lath_model_route(const struct lath_model_vpc *vpc, const struct lath_ip *ip)
{
	for (uint32_t i = 0; i < vpc->route_count; i++) {
		if (lath_prefix_contains(&vpc->routes[i].prefix, ip))
			return &vpc->routes[i];
	}
	return NULL;
}

uint32_t
lath_model_nat_address(const struct lath_model_vpc *vpc, uint32_t i)
{
	const struct lath_model_nat_range *range = vpc->nat_ranges;

	for (; i >= range->count; range++)
		i -= range->count;
	return range->first + i;
}

/* The number that the last four bytes are; all that the addresses of a range differ in. */
static uint32_t
low_word(const uint8_t ip[16])
{
	lath_be32_t word_be;

	memcpy(&word_be, ip + 12, sizeof(word_be));
	return lath_from_be32(word_be);
}

struct lath_ip
lath_model_nat6_address(const struct lath_model_vpc *vpc, uint32_t i)
{
	const struct lath_model_nat6_range *range = vpc->nat6_ranges;
	struct lath_ip ip;
	lath_be32_t word_be;

	for (; i >= range->count; range++)
		i -= range->count;
	ip = lath_ip_from_v6(range->first);
	word_be = lath_to_be32(low_word(range->first) + i);
	memcpy(ip.bytes + 12, &word_be, sizeof(word_be));
	return ip;
}

static bool
has_nat6(const struct lath_model_vpc *vpc, const struct lath_ip *ip)
{
	for (uint32_t i = 0; i < vpc->nat6_range_count; i++) {
		const struct lath_model_nat6_range *range = &vpc->nat6_ranges[i];

		if (memcmp(range->first, ip->bytes, 12) == 0 &&
				low_word(ip->bytes) - low_word(range->first) < range->count)
			return true;
	}
	return false;
}

bool
lath_model_vpc_has_nat(const struct lath_model_vpc *vpc, const struct lath_ip *ip)
{
	uint32_t address;

	if (!lath_ip_is_v4(ip))
		return has_nat6(vpc, ip);
	address = lath_from_be32(lath_ip_v4_be(ip));
	for (uint32_t i = 0; i < vpc->nat_range_count; i++) {
		if (address - vpc->nat_ranges[i].first < vpc->nat_ranges[i].count)
			return true;
	}
	return false;
}

bool
lath_model_is_own(const struct lath_model_attachment *attachment, const struct lath_ip *ip)
{
	for (uint32_t i = 0; i < attachment->address_count; i++) {
		if (lath_ip_equal(&attachment->addresses[i].ip, ip))
			return true;
	}
	return false;
}

bool
lath_model_vpc_owns(const struct lath_model_vpc *vpc, const struct lath_ip *ip)
{
	for (uint32_t i = 0; i < vpc->own_count; i++) {
		if (lath_ip_equal(&vpc->own[i], ip))
			return true;
	}
	return false;
}

bool
lath_model_answers_arp(const struct lath_model *model,
		const struct lath_model_attachment *attachment, const struct lath_ip *ip)
{
	const struct lath_model_service *service;
	const struct lath_model_listener *listener;

	if (lath_model_is_own(attachment, ip))
		return true;
	if (!attachment->announce ||
			!prefixes_hold(attachment->addresses, attachment->address_count, ip))
		return false;
	return lath_model_vpc_has_nat(model->vpcs[attachment->vpc], ip) ||
			lath_model_find(model, attachment->vpc, ip, IPPROTO_ICMP, 0, &service,
					&listener) == LATH_MODEL_FOUND;
}

bool
lath_model_probe_allowed(const struct lath_model *model, uint32_t vpc, const struct lath_ip *ip,
		uint16_t port)
{
	const struct lath_model_probe_set *set = model->probes;
	uint32_t at = address_hash(ip, (uint64_t)vpc << 16 | port) & set->mask;

	for (; set->slots[at].port != 0; at = (at + 1) & set->mask) {
		if (set->slots[at].port == port && set->slots[at].vpc == vpc &&
				lath_ip_equal(&set->slots[at].ip, ip))
			return true;
	}
	return false;
}
