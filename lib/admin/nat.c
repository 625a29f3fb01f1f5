/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* What targets see as source, how full that is, and what the VPC must route to us. */

#include <lath_owner.h>

#include "admin_private.h"

struct pool {
	struct lath_admin_call *call;
	const struct lath_model_vpc *vpc;
	json_t *sources; /* prefixes that targets' firewalls must allow */
	json_t *routes;  /* what the VPC must route to the gateway */
};

uint64_t
lath_admin_nat_capacity(const struct lath_control *control, uint32_t vpc, uint8_t family)
{
	const struct lath_model *model = lath_control_model(control);

	if (vpc >= model->vpc_count || model->vpcs[vpc] == NULL)
		return 0;
	return (uint64_t)lath_model_nat_count(model->vpcs[vpc], family) * LATH_OWNER_PORTS;
}

/* The attachment with an address in whose subnet the whole prefix lies, or NULL. */
static const struct lath_model_attachment *
attached(const struct pool *pool, const struct lath_prefix *prefix)
{
	const struct lath_model *model = lath_control_model(pool->call->control);

	for (uint32_t i = 0; i < model->attachment_count; i++) {
		const struct lath_model_attachment *attachment = model->attachments[i];

		if (attachment == NULL || attachment->vpc != pool->vpc->index)
			continue;
		for (uint32_t j = 0; j < attachment->address_count; j++) {
			if (attachment->addresses[j].bits <= prefix->bits &&
					lath_prefix_contains(&attachment->addresses[j],
							&prefix->ip))
				return attachment;
		}
	}
	return NULL;
}

/* The gateway's addresses of a family in the VPC: one of these is the next hop. */
static json_t *
next_hops(const struct pool *pool, uint8_t family)
{
	const struct lath_model *model = lath_control_model(pool->call->control);
	json_t *hops = json_array();
	char text[LATH_IP_TEXT_MAX];

	for (uint32_t i = 0; i < model->attachment_count; i++) {
		const struct lath_model_attachment *attachment = model->attachments[i];

		if (attachment == NULL || attachment->vpc != pool->vpc->index)
			continue;
		for (uint32_t j = 0; j < attachment->address_count; j++) {
			const struct lath_ip *ip = &attachment->addresses[j].ip;

			if (ip->family == family)
				lath_admin_append(hops, json_string(lath_ip_format(ip, text)));
		}
	}
	return hops;
}

static void
add_prefix(struct pool *pool, const struct lath_prefix *prefix)
{
	const struct lath_model_attachment *attachment = attached(pool, prefix);
	bool v4 = lath_ip_is_v4(&prefix->ip);
	json_t *route;

	lath_admin_append(pool->sources, lath_admin_prefix(prefix));
	if (attachment != NULL && attachment->announce)
		return;
	if (attachment != NULL && prefix->bits == (v4 ? 32 : 128) &&
			lath_model_is_own(attachment, &prefix->ip))
		return;
	route = json_object();
	lath_admin_put(route, "prefix", lath_admin_prefix(prefix));
	lath_admin_put(route, "nextHops", next_hops(pool, prefix->ip.family));
	lath_admin_put_text(route, "reason",
			attachment == NULL   ? "outside the attached subnets"
					: v4 ? "in a subnet where the gateway does not answer ARP "
					       "(announce: false)"
					     : "in a subnet where the gateway does not answer "
					       "neighbour solicitations (announce: false)");
	lath_admin_append(pool->routes, route);
}

/* A run of addresses as the fewest prefixes. */
static void
add_range(struct pool *pool, const struct lath_model_nat_range *range)
{
	uint64_t first = range->first;
	uint64_t end = first + range->count;

	while (first < end) {
		unsigned free_bits = first == 0 ? 32 : (unsigned)__builtin_ctzll(first);
		struct lath_prefix prefix;

		if (free_bits > 32)
			free_bits = 32;
		while (first + (UINT64_C(1) << free_bits) > end)
			free_bits--;
		prefix = (struct lath_prefix){
				.ip = lath_ip_from_v4_be(lath_to_be32((uint32_t)first)),
				.bits = (uint8_t)(32 - free_bits),
		};
		add_prefix(pool, &prefix);
		first += UINT64_C(1) << free_bits;
	}
}

/* The prefix that holds a run of IPv6 addresses and at most its own first one besides, which a pool
 * leaves out.
 */
static void
add_range6(struct pool *pool, const struct lath_model_nat6_range *range)
{
	struct lath_prefix prefix = {.ip = lath_ip_from_v6(range->first), .bits = 128};

	for (uint64_t room = 1; room < range->count; room *= 2)
		prefix.bits--;
	prefix = lath_prefix_network(&prefix);
	add_prefix(pool, &prefix);
}

/* Each family without a natPool entry has the gateway's own addresses. */
static const char *
source_of(const struct lath_config_vpc *cfg, const struct lath_model_vpc *vpc)
{
	bool has4 = false;
	bool has6 = false;

	for (uint32_t i = 0; cfg != NULL && i < cfg->nat_pool_count; i++) {
		has4 |= lath_ip_is_v4(&cfg->nat_pool[i].ip);
		has6 |= !lath_ip_is_v4(&cfg->nat_pool[i].ip);
	}
	if (!has4 && !has6)
		return "gateway addresses";
	if (!has4 && vpc->nat_address_count > 0)
		return "gateway addresses (IPv4), natPool (IPv6)";
	if (!has6 && vpc->nat6_address_count > 0)
		return "natPool (IPv4), gateway addresses (IPv6)";
	return "natPool";
}

/* Over the workers: what is in use, and how full the fullest pool of any worker ever was. */
static void
put_ports(json_t *json, struct lath_admin_call *call, uint32_t vpc)
{
	const struct lath_dataplane *plane = lath_control_plane(call->control);
	uint64_t ports = 0;
	uint64_t ports_high = 0;
	uint64_t fullest = 0;

	for (uint32_t w = 0; w < plane->worker_count; w++) {
		const struct lath_nat_counters *nat = &lath_control_counters(call->control, w)
								       ->nat[vpc];

		ports += nat->ports;
		ports_high += nat->ports_high;
		if (nat->fullest_permille_high > fullest)
			fullest = nat->fullest_permille_high;
	}
	lath_admin_put_u64(json, "portsInUse", ports);
	lath_admin_put_u64(json, "portsHighWater", ports_high);
	lath_admin_put_u64(json, "fullestPoolHighWaterPermille", fullest);
}

/* The target of the VPC that most flows name. */
static void
put_fullest(json_t *json, struct lath_admin_call *call, uint32_t vpc)
{
	const struct lath_model *model = lath_control_model(call->control);
	const struct lath_model_target *fullest = NULL;
	uint64_t most = 0;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < model->target_count; i++) {
		uint64_t flows;

		if (model->targets[i] == NULL || model->targets[i]->vpc != vpc)
			continue;
		flows = lath_admin_flows(call->control, LATH_OBJECT_TARGET, i);
		sum += flows;
		if (flows <= most)
			continue;
		most = flows;
		fullest = model->targets[i];
	}
	lath_admin_put_u64(json, "flows", sum);
	put_ports(json, call, vpc);
	lath_admin_put_u64(json, "flowsPerTargetMax",
			lath_admin_nat_capacity(call->control, vpc, LATH_FAMILY_IPV4));
	lath_admin_put_u64(json, "flowsPerIpv6TargetMax",
			lath_admin_nat_capacity(call->control, vpc, LATH_FAMILY_IPV6));
	if (fullest != NULL) {
		uint64_t capacity = lath_admin_nat_capacity(call->control, vpc, fullest->ip.family);
		json_t *target = json_object();

		lath_admin_put(target, "targetGroup", lath_admin_group_ref(call, fullest->group));
		lath_admin_put_ip(target, "address", &fullest->ip);
		lath_admin_put_u64(target, "port", fullest->port);
		lath_admin_put_u64(target, "flows", most);
		lath_admin_put_u64(target, "usedPermille",
				capacity == 0 ? 0 : most * 1000 / capacity);
		lath_admin_put(json, "fullestTarget", target);
	}
}

static json_t *
pool_json(struct lath_admin_call *call, uint32_t index)
{
	const struct lath_model *model = lath_control_model(call->control);
	const struct lath_config_vpc *cfg = lath_admin_config_vpc(call->admin, index);
	struct pool pool = {
			.call = call,
			.vpc = model->vpcs[index],
			.sources = json_array(),
			.routes = json_array(),
	};
	json_t *json = json_object();

	lath_admin_put(json, "vpc", lath_admin_vpc_ref(call, index));
	lath_admin_put_text(json, "from", source_of(cfg, pool.vpc));
	for (uint32_t i = 0; i < pool.vpc->nat_range_count; i++)
		add_range(&pool, &pool.vpc->nat_ranges[i]);
	for (uint32_t i = 0; i < pool.vpc->nat6_range_count; i++)
		add_range6(&pool, &pool.vpc->nat6_ranges[i]);
	lath_admin_put(json, "allowSources", pool.sources);
	lath_admin_put(json, "routesToAdd", pool.routes);
	lath_admin_put_u64(json, "addresses", pool.vpc->nat_address_count);
	lath_admin_put_u64(json, "ipv6Addresses", pool.vpc->nat6_address_count);
	put_fullest(json, call, index);
	return json;
}

/* How the ports of one NAT address towards one target are shared out. */
static json_t *
shares_json(const struct lath_control *control)
{
	const struct lath_dataplane *plane = lath_control_plane(control);
	json_t *shares = json_array();

	for (uint32_t w = 0; w < plane->worker_count; w++) {
		const struct lath_worker_counters *worker = &lath_control_counters(control, w)
									     ->worker;
		json_t *json = json_object();

		lath_admin_put_u64(json, "worker", w);
		lath_admin_put_u64(json, "portsPerPool", lath_owner_port_count(plane->owner, w));
		lath_admin_put_u64(json, "pools", worker->snat_pools);
		lath_admin_put_u64(json, "portsResting", worker->snat_ports_resting);
		lath_admin_put_u64(json, "portsReusedEarly", worker->snat_port_reused_early);
		lath_admin_put_u64(json, "poolsSmall", worker->snat_small_pool);
		lath_admin_put_u64(json, "exhausted",
				lath_counters_drops(lath_control_counters(control, w),
						LATH_DROP_snat_exhausted));
		lath_admin_append(shares, json);
	}
	return shares;
}

void
lath_admin_show_nat(struct lath_admin_call *call)
{
	const struct lath_model *model = lath_control_model(call->control);
	struct lath_admin_page page;
	json_t *array;
	json_t *result;
	uint32_t only;
	uint32_t i;

	if (!lath_admin_param_vpc(call, &only) || !lath_admin_param_page(call, &page))
		return;
	array = json_array();
	for (i = page.at; i < model->vpc_count && json_array_size(array) < page.limit; i++) {
		if (model->vpcs[i] != NULL && i != LATH_MODEL_HOST_VPC &&
				(only == LATH_MODEL_NONE || only == i))
			lath_admin_append(array, pool_json(call, i));
	}
	result = lath_admin_list("pools", array, i < model->vpc_count ? i : LATH_MODEL_NONE);
	lath_admin_put_u64(result, "portsPerAddress", LATH_OWNER_PORTS);
	lath_admin_put(result, "workers", shares_json(call->control));
	lath_admin_finish(call, result);
}
