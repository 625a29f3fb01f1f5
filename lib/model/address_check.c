/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * What the loader cannot check because it does not know the chosen addresses: that no VPC sees a
 * service inside its own prefixes or NAT pool, and that (VPC, address, protocol, port) names one
 * listener.
 */
#include <stdio.h>
#include <stdlib.h>

#include "model_private.h"

struct place {
	struct lath_ip ip;
	uint32_t position;
};

static int
compare_places(const void *a, const void *b)
{
	const struct place *pa = a;
	const struct place *pb = b;
	int order = lath_ip_compare(&pa->ip, &pb->ip);

	if (order != 0)
		return order;
	return pa->position < pb->position ? -1 : pa->position > pb->position;
}

static bool
share_vpc(const struct update *u, uint32_t a, uint32_t b)
{
	for (uint32_t i = 0; i < u->visible_words; i++) {
		if ((u->visible[a][i] & u->visible[b][i]) != 0)
			return true;
	}
	return false;
}

static int
check_pair(const struct update *u, const struct lath_ip *ip, uint32_t a, uint32_t b)
{
	const struct lath_config_service *sa = &u->cfg->services[a];
	const struct lath_config_service *sb = &u->cfg->services[b];
	char pointer[32];
	char text[LATH_IP_TEXT_MAX];

	if (!share_vpc(u, a, b))
		return 0;
	for (uint32_t i = 0; i < sa->listener_count; i++) {
		for (uint32_t j = 0; j < sb->listener_count; j++) {
			const struct lath_config_listener *la = &sa->listeners[i];
			const struct lath_config_listener *lb = &sb->listeners[j];

			if (la->port != lb->port || la->protocol != lb->protocol)
				continue;
			snprintf(pointer, sizeof(pointer), "/services/%u", b);
			lath_error_set(u->err, pointer,
					"Services %s and %s both have the address %s and listen on "
					"%s port %u, and a VPC sees both.",
					sa->identity.name, sb->identity.name,
					lath_ip_format(ip, text),
					la->protocol == LATH_CONFIG_UDP ? "UDP" : "TCP",
					(unsigned)la->port);
			return lath_err(EADDRINUSE);
		}
	}
	return 0;
}

/* All addresses, sorted; returns how many. */
static uint32_t
places_collect(const struct update *u, struct place *places)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < u->cfg->service_count; i++) {
		for (uint32_t f = 0; f < 2; f++) {
			if (u->addresses[i][f].family == LATH_FAMILY_NONE)
				continue;
			places[count].ip = u->addresses[i][f];
			places[count++].position = i;
		}
	}
	qsort(places, count, sizeof(*places), compare_places);
	return count;
}

static int
check_shared(const struct update *u, const struct place *places, uint32_t count)
{
	int rc = 0;

	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t j = i + 1; j < count && rc == 0; j++) {
			if (!lath_ip_equal(&places[i].ip, &places[j].ip))
				break;
			rc = check_pair(u, &places[i].ip, places[i].position, places[j].position);
		}
	}
	return rc;
}

/* Looks at those places only that lie in the prefix: they follow each other. */
static int
check_prefix(const struct update *u, const struct place *places, uint32_t count,
		const struct lath_config_vpc *vpc, uint32_t index, const struct lath_prefix *prefix)
{
	struct lath_ip first = lath_prefix_network(prefix).ip;
	uint32_t low = 0;
	uint32_t high = count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (lath_ip_compare(&places[middle].ip, &first) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < count && lath_prefix_contains(prefix, &places[low].ip); low++) {
		uint32_t position = places[low].position;
		char pointer[32];
		char ip_text[LATH_IP_TEXT_MAX];
		char prefix_text[LATH_PREFIX_TEXT_MAX];

		if ((u->visible[position][index / 64] >> index % 64 & 1) == 0)
			continue;
		snprintf(pointer, sizeof(pointer), "/services/%u", position);
		lath_error_set(u->err, pointer,
				"The address %s of service %s lies in %s of VPC %s, which sees the "
				"service; give the service another address.",
				lath_ip_format(&places[low].ip, ip_text),
				u->cfg->services[position].identity.name,
				lath_prefix_format(prefix, prefix_text), vpc->identity.name);
		return lath_err(EADDRNOTAVAIL);
	}
	return 0;
}

static int
check_vpc(const struct update *u, const struct place *places, uint32_t count, uint32_t position)
{
	const struct lath_config_vpc *vpc = &u->cfg->vpcs[position];
	uint32_t index = lath_model_positions_get(&u->draft->positions[LATH_OBJECT_VPC], position,
			0);
	int rc = 0;

	for (uint32_t i = 0; i < vpc->prefix_count && rc == 0; i++)
		rc = check_prefix(u, places, count, vpc, index, &vpc->prefixes[i]);
	for (uint32_t i = 0; i < vpc->nat_pool_count && rc == 0; i++)
		rc = check_prefix(u, places, count, vpc, index, &vpc->nat_pool[i]);
	return rc;
}

int
lath_model_addresses_check(const struct update *u)
{
	struct place *places = calloc(2 * (size_t)u->cfg->service_count + 1, sizeof(*places));
	uint32_t count;
	int rc;

	if (places == NULL)
		return lath_err(ENOMEM);
	count = places_collect(u, places);
	rc = check_shared(u, places, count);
	for (uint32_t i = 0; i < u->cfg->vpc_count && rc == 0; i++)
		rc = check_vpc(u, places, count, i);
	free(places);
	return rc;
}
