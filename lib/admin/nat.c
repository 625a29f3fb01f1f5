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
lath_admin_nat_capacity(const struct lath_control *control, uint32_t vpc)
{
	const struct lath_model *model = lath_control_model(control);

	if (vpc >= model->vpc_count || model->vpcs[vpc] == NULL)
		return 0;
	return (uint64_t)model->vpcs[vpc]->nat_address_count * LATH_OWNER_PORTS;
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

/* The gateway's addresses in the VPC: one of these is the next hop. */
static json_t *
next_hops(const struct pool *pool)
{
	const struct lath_model *model = lath_control_model(pool->call->control);
	json_t *hops = json_array();
	char text[LATH_IP_TEXT_MAX];

	for (uint32_t i = 0; i < model->attachment_count; i++) {
		const struct lath_model_attachment *attachment = model->attachments[i];

		if (attachment == NULL || attachment->vpc != pool->vpc->index)
			continue;
		for (uint32_t j = 0; j < attachment->address_count; j++)
			lath_admin_append(hops,
					json_string(lath_ip_format(&attachment->addresses[j].ip,
							text)));
	}
	return hops;
}

static void
add_prefix(struct pool *pool, const struct lath_prefix *prefix)
{
	const struct lath_model_attachment *attachment = attached(pool, prefix);
	json_t *route;

	lath_admin_append(pool->sources, lath_admin_prefix(prefix));
	if (attachment != NULL && attachment->announce)
		return;
	if (attachment != NULL && prefix->bits == 32 && lath_model_is_own(attachment, &prefix->ip))
		return;
	route = json_object();
	lath_admin_put(route, "prefix", lath_admin_prefix(prefix));
	lath_admin_put(route, "nextHops", next_hops(pool));
	lath_admin_put_text(route, "reason",
			attachment == NULL ? "outside the attached subnets"
					   : "in a subnet where the gateway does not answer ARP "
					     "(announce: false)");
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
	uint64_t capacity = lath_admin_nat_capacity(call->control, vpc);
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
	lath_admin_put_u64(json, "flowsPerTargetMax", capacity);
	if (fullest != NULL) {
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
	lath_admin_put_text(json, "from",
			cfg != NULL && cfg->nat_pool_count > 0 ? "natPool" : "gateway addresses");
	for (uint32_t i = 0; i < pool.vpc->nat_range_count; i++)
		add_range(&pool, &pool.vpc->nat_ranges[i]);
	lath_admin_put(json, "allowSources", pool.sources);
	lath_admin_put(json, "routesToAdd", pool.routes);
	lath_admin_put_u64(json, "addresses", pool.vpc->nat_address_count);
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
