/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Which services a VPC sees, and whether their given addresses fit there: (VPC, address, protocol,
 * port) is one service's only, and the address is nobody else's in that VPC. Cost: one pass over
 * the associations and a sort of what each VPC sees.
 */

#include "config_private.h"

/* Rows of numbers: row r is items[starts[r] .. starts[r + 1]). */
struct rows {
	uint32_t *starts;
	uint32_t *items;
};

/* One listener of one visible service. */
struct endpoint {
	struct lath_ip ip;
	uint32_t protocol_port;
	uint32_t service;
};

struct sight {
	struct lath_config_loader *loader;
	struct rows networks;       /* of a VPC */
	struct rows services;       /* of a network */
	uint32_t *seen_by;          /* service -> VPC + 1 that was the last to see it */
	struct endpoint *endpoints; /* of the VPC at hand */
	size_t endpoint_count;
};

static void
rows_fini(struct rows *rows)
{
	free(rows->starts);
	free(rows->items);
}

static int
rows_alloc(struct rows *rows, uint32_t row_count, uint32_t item_count)
{
	rows->starts = calloc((size_t)row_count + 2, sizeof(*rows->starts));
	rows->items = calloc((size_t)item_count + 1, sizeof(*rows->items));
	return rows->starts == NULL || rows->items == NULL ? lath_err(ENOMEM) : 0;
}

/* Counting sort: starts[r + 2] counts, then starts[r + 1] is where row r is filled next. */
static void
rows_sum(struct rows *rows, uint32_t row_count)
{
	for (uint32_t i = 0; i < row_count; i++)
		rows->starts[i + 2] += rows->starts[i + 1];
}

static int
make_rows(struct sight *sight)
{
	const struct lath_config *cfg = sight->loader->cfg;
	struct rows *networks = &sight->networks;
	struct rows *services = &sight->services;

	if (rows_alloc(networks, cfg->vpc_count, cfg->vpc_association_count) != 0 ||
			rows_alloc(services, cfg->network_count, cfg->service_association_count) !=
					0)
		return lath_config_no_memory(sight->loader);
	for (uint32_t i = 0; i < cfg->vpc_association_count; i++)
		networks->starts[cfg->vpc_associations[i].vpc + 2]++;
	for (uint32_t i = 0; i < cfg->service_association_count; i++)
		services->starts[cfg->service_associations[i].network + 2]++;
	rows_sum(networks, cfg->vpc_count);
	rows_sum(services, cfg->network_count);
	for (uint32_t i = 0; i < cfg->vpc_association_count; i++) {
		const struct lath_config_vpc_association *a = &cfg->vpc_associations[i];

		networks->items[networks->starts[a->vpc + 1]++] = a->network;
	}
	for (uint32_t i = 0; i < cfg->service_association_count; i++) {
		const struct lath_config_service_association *a = &cfg->service_associations[i];

		services->items[services->starts[a->network + 1]++] = a->service;
	}
	return 0;
}

/* Where one of the service's given addresses (0: IPv4, 1: IPv6) stands. */
static struct lath_config_at
address_at(const struct lath_config_loader *loader, uint32_t service, unsigned which)
{
	return lath_config_at_list(loader, LATH_CONFIG_LIST_SERVICES, service, "/addresses/%u",
			(unsigned)loader->cfg->services[service].address_places[which]);
}

static int
check_in_subnets(struct lath_config_loader *loader, const struct lath_config_at *at,
		const struct lath_config_vpc *vpc, const struct lath_ip *ip)
{
	char text[LATH_IP_TEXT_MAX];

	lath_ip_format(ip, text);
	for (uint32_t i = 0; i < vpc->attachment_count; i++) {
		const struct lath_config_attachment *attachment = &vpc->attachments[i];

		for (uint32_t j = 0; j < attachment->address_count; j++) {
			const struct lath_prefix *host = &attachment->addresses[j];
			const char *reserved = lath_config_subnet_reserves(host, ip);

			if (lath_ip_equal(&host->ip, ip))
				reserved = "gateway's own";
			if (reserved != NULL)
				return lath_config_fail_at(loader, at,
						"\"%s\" is the %s address in VPC \"%s\", which "
						"sees the "
						"service",
						text, reserved, vpc->identity.name);
		}
	}
	for (uint32_t i = 0; i < vpc->route_count; i++) {
		if (lath_ip_equal(&vpc->routes[i].next_hop, ip))
			return lath_config_fail_at(loader, at,
					"\"%s\" is a next hop in VPC \"%s\", which sees the "
					"service",
					text, vpc->identity.name);
	}
	return 0;
}

static int
check_address(struct lath_config_loader *loader, uint32_t service, unsigned which,
		const struct lath_config_vpc *vpc)
{
	const struct lath_ip *ip = &loader->cfg->services[service].addresses[which];
	struct lath_config_at at = address_at(loader, service, which);
	char text[LATH_IP_TEXT_MAX];
	char prefix[LATH_PREFIX_TEXT_MAX];

	lath_ip_format(ip, text);
	for (uint32_t i = 0; i < vpc->prefix_count; i++) {
		if (lath_prefix_contains(&vpc->prefixes[i], ip))
			return lath_config_fail_at(loader, &at,
					"\"%s\" is inside %s of VPC \"%s\", which sees the "
					"service; take an "
					"address outside",
					text, lath_prefix_format(&vpc->prefixes[i], prefix),
					vpc->identity.name);
	}
	for (uint32_t i = 0; i < vpc->nat_pool_count; i++) {
		if (lath_prefix_contains(&vpc->nat_pool[i], ip))
			return lath_config_fail_at(loader, &at,
					"\"%s\" is in the natPool of VPC \"%s\", which sees the "
					"service",
					text, vpc->identity.name);
	}
	return check_in_subnets(loader, &at, vpc, ip);
}

static int
add_service(struct sight *sight, uint32_t index, unsigned which, const struct lath_config_vpc *vpc)
{
	const struct lath_config_service *service = &sight->loader->cfg->services[index];
	struct endpoint *grown;

	if (service->addresses[which].family == LATH_FAMILY_NONE)
		return 0;
	if (check_address(sight->loader, index, which, vpc) != 0)
		return lath_err(EINVAL);
	grown = realloc(sight->endpoints,
			(sight->endpoint_count + service->listener_count + 1) * sizeof(*grown));
	if (grown == NULL)
		return lath_config_no_memory(sight->loader);
	sight->endpoints = grown;
	for (uint32_t i = 0; i < service->listener_count; i++) {
		const struct lath_config_listener *listener = &service->listeners[i];

		grown[sight->endpoint_count++] = (struct endpoint){.ip = service->addresses[which],
				.protocol_port = (uint32_t)listener->protocol << 16 |
						listener->port,
				.service = index};
	}
	return 0;
}

static int
compare_places(const struct endpoint *a, const struct endpoint *b)
{
	int order = lath_ip_compare(&a->ip, &b->ip);

	if (order != 0 || a->protocol_port == b->protocol_port)
		return order;
	return a->protocol_port < b->protocol_port ? -1 : 1;
}

static int
compare_endpoints(const void *a, const void *b)
{
	const struct endpoint *first = a;
	const struct endpoint *second = b;
	int order = compare_places(first, second);

	if (order != 0 || first->service == second->service)
		return order;
	return first->service < second->service ? -1 : 1;
}

static int
check_collisions(struct sight *sight, const struct lath_config_vpc *vpc)
{
	struct lath_config_loader *loader = sight->loader;
	struct endpoint *endpoints = sight->endpoints;

	if (sight->endpoint_count > 1)
		qsort(endpoints, sight->endpoint_count, sizeof(*endpoints), compare_endpoints);
	for (size_t i = 1; i < sight->endpoint_count; i++) {
		const struct endpoint *one = &endpoints[i - 1];
		const struct endpoint *two = &endpoints[i];
		struct lath_config_at at;
		struct lath_config_at first;
		char text[LATH_IP_TEXT_MAX];
		char place[LATH_CONFIG_PLACE_MAX];

		if (compare_places(one, two) != 0)
			continue;
		at = address_at(loader, two->service, !lath_ip_is_v4(&two->ip));
		first = address_at(loader, one->service, !lath_ip_is_v4(&one->ip));
		return lath_config_fail_at(loader, &at,
				"\"%s\" with %s port %u is also service \"%s\" at %s, and VPC "
				"\"%s\" sees "
				"both",
				lath_ip_format(&two->ip, text),
				two->protocol_port >> 16 == LATH_CONFIG_TCP ? "TCP" : "UDP",
				two->protocol_port & 0xffff,
				loader->cfg->services[one->service].identity.name,
				lath_config_place_text(loader, &first, place), vpc->identity.name);
	}
	return 0;
}

static int
look_from(struct sight *sight, uint32_t vpc)
{
	const struct lath_config_vpc *from = &sight->loader->cfg->vpcs[vpc];
	const struct rows *networks = &sight->networks;
	const struct rows *services = &sight->services;

	sight->endpoint_count = 0;
	for (uint32_t i = networks->starts[vpc]; i < networks->starts[vpc + 1]; i++) {
		uint32_t network = networks->items[i];

		for (uint32_t j = services->starts[network]; j < services->starts[network + 1];
				j++) {
			uint32_t service = services->items[j];

			if (sight->seen_by[service] == vpc + 1)
				continue;
			sight->seen_by[service] = vpc + 1;
			if (add_service(sight, service, 0, from) != 0 ||
					add_service(sight, service, 1, from) != 0)
				return lath_err(EINVAL);
		}
	}
	return check_collisions(sight, from);
}

int
lath_config_check_visibility(struct lath_config_loader *loader)
{
	const struct lath_config *cfg = loader->cfg;
	struct sight sight = {.loader = loader};
	int rc = make_rows(&sight);

	sight.seen_by = calloc((size_t)cfg->service_count + 1, sizeof(*sight.seen_by));
	if (rc == 0 && sight.seen_by == NULL)
		rc = lath_config_no_memory(loader);
	for (uint32_t i = 0; rc == 0 && i < cfg->vpc_count; i++)
		rc = look_from(&sight, i);
	rows_fini(&sight.networks);
	rows_fini(&sight.services);
	free(sight.seen_by);
	free(sight.endpoints);
	return rc;
}
