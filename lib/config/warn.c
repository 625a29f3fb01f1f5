/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* What is allowed and yet probably not meant. Warnings go to `check` and the log. */

#include "config_private.h"

/* Ports 1,024..65,535 of a NAT address: 64,512 flows to each target. */
#define PORTS_PER_ADDRESS UINT64_C(64512)

static int
warn_list(struct lath_config_loader *loader, enum lath_config_list list, uint32_t index,
		const char *text)
{
	struct lath_config_at at = lath_config_at_list(loader, list, index, "%s", "");

	return lath_config_warn(loader, &at, "%s", text);
}

static int
warn_timers(struct lath_config_loader *loader)
{
	const struct lath_config_timeouts *timeouts = &loader->cfg->timeouts;
	const struct {
		const char *key;
		uint32_t value;
		uint32_t least;
		const char *source;
	} rows[] = {
			{"tcpHalfOpenSeconds", timeouts->tcp_half_open_s, 240, "RFC 5382, REQ-5"},
			{"tcpEstablishedSeconds", timeouts->tcp_established_s, 7440,
					"RFC 5382, REQ-5"},
			{"tcpClosingSeconds", timeouts->tcp_closing_s, 240,
					"RFC 7857, section 2.1"},
			{"udpUnansweredSeconds", timeouts->udp_unanswered_s, 120,
					"RFC 4787, REQ-5"},
			{"udpSeconds", timeouts->udp_s, 120, "RFC 4787, REQ-5"},
			{"icmpEchoSeconds", timeouts->icmp_echo_s, 60, "RFC 5508, REQ-2"},
	};

	for (size_t i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_config_at at = {.file = loader->sections[LATH_CONFIG_SECTION_TIMEOUTS]};

		if (rows[i].value >= rows[i].least)
			continue;
		snprintf(at.pointer, sizeof(at.pointer), "/timeouts/%s", rows[i].key);
		if (lath_config_warn(loader, &at, "%u is below %u, the least of %s", rows[i].value,
				    rows[i].least, rows[i].source) != 0)
			return lath_err(ENOMEM);
	}
	return 0;
}

/* Routers never forward link-local addresses (RFC 3927, section 7). */
static int
warn_link_local(struct lath_config_loader *loader)
{
	const char *text = "link-local addresses are not forwarded by routers: clients reach this "
			   "on "
			   "one L2 segment only";
	const struct lath_prefix local = {
			.ip = {.bytes = {169, 254}, .family = LATH_FAMILY_IPV4}, .bits = 16};
	const struct lath_config *cfg = loader->cfg;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < loader->counts[LATH_CONFIG_LIST_SERVICE_CIDRS]; i++) {
		if (lath_prefix_overlaps(&local, &cfg->service_cidrs[i]))
			rc = warn_list(loader, LATH_CONFIG_LIST_SERVICE_CIDRS, i, text);
	}
	for (uint32_t i = 0; rc == 0 && i < cfg->service_count; i++) {
		struct lath_config_at at = lath_config_at_list(loader, LATH_CONFIG_LIST_SERVICES, i,
				"/addresses/%u", (unsigned)cfg->services[i].address_places[0]);

		if (lath_prefix_contains(&local, &cfg->services[i].addresses[0]))
			rc = lath_config_warn(loader, &at, "%s", text);
	}
	return rc;
}

static bool
is_attached(const struct lath_config_vpc *vpc, const struct lath_prefix *prefix)
{
	for (uint32_t i = 0; i < vpc->attachment_count; i++) {
		for (uint32_t j = 0; j < vpc->attachments[i].address_count; j++) {
			const struct lath_prefix *host = &vpc->attachments[i].addresses[j];

			if (host->bits <= prefix->bits && lath_prefix_overlaps(host, prefix))
				return true;
		}
	}
	return false;
}

static bool
is_routed(const struct lath_config_vpc *vpc, const struct lath_ip *ip)
{
	const struct lath_prefix host = {.ip = *ip, .bits = lath_ip_is_v4(ip) ? 32 : 128};

	for (uint32_t i = 0; i < vpc->route_count; i++) {
		if (lath_prefix_contains(&vpc->routes[i].prefix, ip))
			return true;
	}
	return is_attached(vpc, &host);
}

static int
warn_outside(struct lath_config_loader *loader, uint32_t index, uint32_t attachment, uint32_t which)
{
	const struct lath_config_vpc *vpc = &loader->cfg->vpcs[index];
	const struct lath_prefix *host = &vpc->attachments[attachment].addresses[which];
	struct lath_config_at at = lath_config_at_list(loader, LATH_CONFIG_LIST_VPCS, index,
			"/attachments/%u/addresses/%u", attachment, which);
	char text[LATH_PREFIX_TEXT_MAX];

	for (uint32_t i = 0; i < vpc->prefix_count; i++) {
		if (lath_prefix_contains(&vpc->prefixes[i], &host->ip))
			return 0;
	}
	return lath_config_warn(loader, &at,
			"\"%s\" is outside the VPC's prefixes, so hosts of that subnet are not its "
			"clients",
			lath_prefix_format(host, text));
}

static int
warn_vpc(struct lath_config_loader *loader, uint32_t index)
{
	const struct lath_config_vpc *vpc = &loader->cfg->vpcs[index];
	char text[LATH_PREFIX_TEXT_MAX];
	int rc = 0;

	if (vpc->attachment_count == 0)
		rc = warn_list(loader, LATH_CONFIG_LIST_VPCS, index,
				"the VPC has no attachment, so no packet comes from it or goes "
				"there");
	for (uint32_t i = 0; rc == 0 && i < vpc->attachment_count; i++) {
		for (uint32_t j = 0; rc == 0 && j < vpc->attachments[i].address_count; j++)
			rc = warn_outside(loader, index, i, j);
	}
	for (uint32_t i = 0; rc == 0 && i < vpc->nat_pool_count; i++) {
		struct lath_config_at at = lath_config_at_list(loader, LATH_CONFIG_LIST_VPCS, index,
				"/natPool/%u", i);

		if (!is_attached(vpc, &vpc->nat_pool[i]))
			rc = lath_config_warn(loader, &at,
					"\"%s\" is in no attached subnet: the VPC must route it to "
					"the "
					"gateway",
					lath_prefix_format(&vpc->nat_pool[i], text));
	}
	return rc;
}

/* Addresses taken from serviceCidrs avoid the VPCs' prefixes; little may be left. */
static int
warn_cidrs(struct lath_config_loader *loader)
{
	const struct lath_config *cfg = loader->cfg;
	char text[LATH_PREFIX_TEXT_MAX];
	char cidr_text[LATH_PREFIX_TEXT_MAX];
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < cfg->vpc_count; i++) {
		for (uint32_t j = 0; rc == 0 && j < cfg->vpcs[i].prefix_count; j++) {
			const struct lath_prefix *prefix = &cfg->vpcs[i].prefixes[j];
			struct lath_config_at at = lath_config_at_list(loader,
					LATH_CONFIG_LIST_VPCS, i, "/prefixes/%u", j);

			for (uint32_t k = 0; rc == 0 && k < cfg->service_cidr_count; k++) {
				if (!lath_prefix_overlaps(prefix, &cfg->service_cidrs[k]))
					continue;
				rc = lath_config_warn(loader, &at,
						"\"%s\" overlaps %s of serviceCidrs, where service "
						"addresses are taken from",
						lath_prefix_format(prefix, text),
						lath_prefix_format(&cfg->service_cidrs[k],
								cidr_text));
			}
		}
	}
	return rc;
}

static int
warn_targets(struct lath_config_loader *loader, uint32_t index)
{
	const struct lath_config_group *group = &loader->cfg->groups[index];
	const struct lath_config_vpc *vpc = &loader->cfg->vpcs[group->vpc];
	char text[LATH_IP_TEXT_MAX];
	uint64_t weights = 0;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < group->target_count; i++) {
		struct lath_config_at at = lath_config_at_list(loader, LATH_CONFIG_LIST_GROUPS,
				index, "/targets/%u/id", i);

		weights += group->targets[i].weight;
		if (vpc->attachment_count > 0 && !is_routed(vpc, &group->targets[i].ip))
			rc = lath_config_warn(loader, &at,
					"\"%s\" is in no attached subnet of VPC \"%s\" and no "
					"route leads "
					"there",
					lath_ip_format(&group->targets[i].ip, text),
					vpc->identity.name);
	}
	if (rc == 0 && group->target_count > 0 && weights == 0)
		rc = warn_list(loader, LATH_CONFIG_LIST_GROUPS, index,
				"the weights of all targets are 0, so none gets a new flow");
	return rc;
}

/* What is used by what: one flag per object. */
struct use {
	bool *networked_vpcs;
	bool *serving_vpcs;
	bool *networked_services;
	bool *used_groups;
};

static uint32_t
mark_groups(const struct lath_config *cfg, const struct lath_config_service *service, bool *used)
{
	uint32_t targets = 0;

	for (uint32_t i = 0; i < service->listener_count; i++) {
		const struct lath_config_listener *listener = &service->listeners[i];

		for (uint32_t j = 0; j < listener->rule_count; j++) {
			const struct lath_config_rule *rule = &listener->rules[j];

			for (uint32_t k = 0; k < rule->forward_count; k++) {
				used[rule->forwards[k].group] = true;
				targets |= cfg->groups[rule->forwards[k].group].target_count;
			}
		}
	}
	return targets;
}

static int
warn_services(struct lath_config_loader *loader, const struct use *use)
{
	const enum lath_config_list list = LATH_CONFIG_LIST_SERVICES;
	const struct lath_config *cfg = loader->cfg;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < cfg->service_count; i++) {
		uint32_t targets = mark_groups(cfg, &cfg->services[i], use->used_groups);

		if (!use->networked_services[i])
			rc = warn_list(loader, list, i,
					"the service is in no service network, so nobody sees it");
		if (rc == 0 && cfg->services[i].listener_count == 0)
			rc = warn_list(loader, list, i, "the service has no listener");
		else if (rc == 0 && targets == 0)
			rc = warn_list(loader, list, i,
					"the service has no target in any of its groups");
	}
	return rc;
}

static int
warn_unused(struct lath_config_loader *loader, const struct use *use)
{
	const struct lath_config *cfg = loader->cfg;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < cfg->group_count; i++) {
		if (!use->used_groups[i])
			rc = warn_list(loader, LATH_CONFIG_LIST_GROUPS, i,
					"no service uses the target group");
	}
	for (uint32_t i = 0; rc == 0 && i < cfg->vpc_count; i++) {
		if (!use->networked_vpcs[i] && !use->serving_vpcs[i])
			rc = warn_list(loader, LATH_CONFIG_LIST_VPCS, i,
					"the VPC is in no service network and holds no target "
					"group, so it "
					"reaches nothing and serves nothing");
	}
	return rc;
}

static int
warn_use(struct lath_config_loader *loader)
{
	const struct lath_config *cfg = loader->cfg;
	size_t vpcs = (size_t)cfg->vpc_count;
	size_t services = (size_t)cfg->service_count;
	bool *flags = calloc(2 * vpcs + services + cfg->group_count + 1, sizeof(*flags));
	struct use use;
	int rc;

	if (flags == NULL)
		return lath_config_no_memory(loader);
	use = (struct use){flags, flags + vpcs, flags + 2 * vpcs, flags + 2 * vpcs + services};
	for (uint32_t i = 0; i < cfg->vpc_association_count; i++)
		use.networked_vpcs[cfg->vpc_associations[i].vpc] = true;
	for (uint32_t i = 0; i < cfg->service_association_count; i++)
		use.networked_services[cfg->service_associations[i].service] = true;
	for (uint32_t i = 0; i < cfg->group_count; i++)
		use.serving_vpcs[cfg->groups[i].vpc] = true;
	rc = warn_services(loader, &use);
	if (rc == 0)
		rc = warn_unused(loader, &use);
	free(flags);
	return rc;
}

struct endpoint {
	uint32_t vpc;
	struct lath_ip ip;
	uint32_t protocol_port;
};

static int
compare_endpoints(const void *a, const void *b)
{
	const struct endpoint *one = a;
	const struct endpoint *two = b;

	int order = lath_ip_compare(&one->ip, &two->ip); /* families apart */

	if (one->vpc != two->vpc)
		return one->vpc < two->vpc ? -1 : 1;
	if (order != 0)
		return order;
	if (one->protocol_port != two->protocol_port)
		return one->protocol_port < two->protocol_port ? -1 : 1;
	return 0;
}

static size_t
collect_endpoints(const struct lath_config *cfg, struct endpoint *endpoints)
{
	size_t count = 0;

	for (uint32_t i = 0; i < cfg->group_count; i++) {
		const struct lath_config_group *group = &cfg->groups[i];

		for (uint32_t j = 0; j < group->target_count; j++)
			endpoints[count++] = (struct endpoint){group->vpc, group->targets[j].ip,
					(uint32_t)group->protocol << 16 | group->targets[j].port};
	}
	if (count > 1)
		qsort(endpoints, count, sizeof(*endpoints), compare_endpoints);
	return count;
}

/* A full flow table towards one VPC's targets: are there source ports for it? */
static int
warn_pool(struct lath_config_loader *loader, const struct endpoint *of, uint64_t targets)
{
	const struct lath_config_system *system = &loader->cfg->system;
	uint32_t vpc = of->vpc;
	struct lath_config_at at = lath_config_at_list(loader, LATH_CONFIG_LIST_VPCS, vpc, "%s",
			"");
	uint64_t flows = (uint64_t)system->flows_per_worker * system->worker_count;
	uint64_t addresses = lath_config_pool_size(&loader->cfg->vpcs[vpc], of->ip.family);
	uint64_t room = addresses * PORTS_PER_ADDRESS * targets;

	if (addresses == 0 && loader->cfg->vpcs[vpc].attachment_count > 0)
		return lath_config_warn(loader, &at,
				"the VPC has %s targets, but neither a gateway address nor a "
				"natPool "
				"of that family: they get no flows",
				lath_ip_is_v4(&of->ip) ? "IPv4" : "IPv6");
	if (addresses == 0 || room >= flows)
		return 0;
	return lath_config_warn(loader, &at,
			"%llu NAT address(es) carry %llu flows to one target and %llu to the %llu "
			"here, "
			"fewer than the %llu that the flow tables hold; enlarge natPool",
			(unsigned long long)addresses,
			(unsigned long long)(addresses * PORTS_PER_ADDRESS),
			(unsigned long long)room, (unsigned long long)targets,
			(unsigned long long)flows);
}

static int
warn_pools(struct lath_config_loader *loader)
{
	struct endpoint *endpoints = calloc((size_t)loader->target_count + 1, sizeof(*endpoints));
	uint64_t distinct = 0;
	size_t count;
	int rc = 0;

	if (endpoints == NULL)
		return lath_config_no_memory(loader);
	count = collect_endpoints(loader->cfg, endpoints);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		bool last = i + 1 == count;

		if (last || compare_endpoints(&endpoints[i], &endpoints[i + 1]) != 0)
			distinct++;
		if (!last && endpoints[i].vpc == endpoints[i + 1].vpc &&
				endpoints[i].ip.family == endpoints[i + 1].ip.family)
			continue;
		rc = warn_pool(loader, &endpoints[i], distinct);
		distinct = 0;
	}
	free(endpoints);
	return rc;
}

int
lath_config_check_warnings(struct lath_config_loader *loader)
{
	const struct lath_config *cfg = loader->cfg;
	const struct lath_config_at top = {.file = 0};
	int rc = 0;

	if (cfg->system.port_count == 0)
		rc = lath_config_warn(loader, &top,
				"\"system\" has no ports, so no packet can come in");
	if (rc == 0)
		rc = warn_timers(loader);
	if (rc == 0)
		rc = warn_link_local(loader);
	for (uint32_t i = 0; rc == 0 && i < cfg->vpc_count; i++)
		rc = warn_vpc(loader, i);
	if (rc == 0)
		rc = warn_cidrs(loader);
	for (uint32_t i = 0; rc == 0 && i < cfg->group_count; i++)
		rc = warn_targets(loader, i);
	if (rc == 0)
		rc = warn_use(loader);
	return rc == 0 ? warn_pools(loader) : rc;
}
