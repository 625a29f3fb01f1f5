/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "admin_private.h"

/* A tunnel's far ends. */
static json_t *
remotes_json(const struct lath_model_attachment *attachment)
{
	json_t *array = json_array();
	char text[LATH_IP_TEXT_MAX];

	for (uint32_t i = 0; i < attachment->remote_count; i++)
		lath_admin_append(array,
				json_string(lath_ip_format(&attachment->remotes[i].ip, text)));
	return array;
}

static void
put_tunnel(json_t *json, const struct lath_model *model,
		const struct lath_model_attachment *attachment)
{
	const struct lath_model_attachment *underlay = model->attachments[attachment->underlay];

	lath_admin_put_text(json, "tunnel", lath_config_tunnel_word(attachment->tunnel));
	if (underlay != NULL)
		lath_admin_put_text(json, "underlay", underlay->name);
	if (attachment->tunnel != LATH_CONFIG_TUNNEL_GWLB) {
		lath_admin_put_u64(json, "vni", attachment->vni);
		lath_admin_put_text(json, "inner", attachment->inner_ethernet ? "ethernet" : "ip");
	}
	lath_admin_put(json, "remotes", remotes_json(attachment));
}

static json_t *
attachment_json(const struct lath_control *control, const struct lath_model_attachment *attachment)
{
	const struct lath_dataplane *plane = lath_control_plane(control);
	json_t *json = json_object();

	lath_admin_put_text(json, "name", attachment->name);
	lath_admin_put_text(json, "port", lath_admin_port_name(control, attachment->port));
	if (attachment->tunnel != LATH_CONFIG_TUNNEL_NONE)
		put_tunnel(json, lath_control_model(control), attachment);
	if (attachment->outer_vlan != 0)
		lath_admin_put_u64(json, "outerVlan", attachment->outer_vlan);
	if (attachment->vlan != 0)
		lath_admin_put_u64(json, "vlan", attachment->vlan);
	lath_admin_put_u64(json, "mtuBytes", attachment->mtu);
	lath_admin_put(json, "addresses",
			lath_admin_prefixes(attachment->addresses, attachment->address_count));
	lath_admin_put_text(json, "returnTo", attachment->return_to_sender ? "sender" : "route");
	lath_admin_put_bool(json, "announce", attachment->announce);
	if (attachment->port < plane->port_count) {
		lath_admin_put_bool(json, "linkUp", plane->ports[attachment->port].link_up);
		lath_admin_put_mac(json, "mac", &plane->gateway_mac[attachment->port]);
	}
	return json;
}

static json_t *
route_json(const struct lath_model *model, const struct lath_model_route *route)
{
	const struct lath_model_attachment *attachment = model->attachments[route->attachment];
	json_t *json = json_object();

	lath_admin_put(json, "prefix", lath_admin_prefix(&route->prefix));
	lath_admin_put_ip(json, "nextHop", &route->next_hop); /* null: attached */
	if (attachment != NULL)
		lath_admin_put_text(json, "attachment", attachment->name);
	return json;
}

/* Drops of one VPC, all reasons. */
static uint64_t
drops_of(const struct lath_control *control, uint32_t vpc)
{
	uint32_t workers = lath_control_plane(control)->worker_count;
	uint64_t sum = 0;

	for (uint32_t w = 0; w < workers; w++) {
		const struct lath_counters *counters = lath_control_counters(control, w);

		if (vpc >= counters->rows[LATH_OBJECT_VPC])
			continue;
		for (unsigned i = 1; i < LATH_DROP_COUNT; i++)
			sum += counters->drops[(size_t)vpc * LATH_DROP_COUNT + i];
	}
	return sum;
}

static json_t *
vpc_json(struct lath_admin_call *call, uint32_t index)
{
	const struct lath_model *model = lath_control_model(call->control);
	const struct lath_model_vpc *vpc = model->vpcs[index];
	const struct lath_config_vpc *cfg = lath_admin_config_vpc(call->admin, index);
	json_t *json = lath_admin_vpc_ref(call, index);
	json_t *attachments = json_array();
	json_t *routes = json_array();

	lath_admin_put_text(json, "account", vpc->account);
	lath_admin_put(json, "prefixes", lath_admin_prefixes(vpc->prefixes, vpc->prefix_count));
	for (uint32_t i = 0; i < model->attachment_count; i++) {
		if (model->attachments[i] != NULL && model->attachments[i]->vpc == index)
			lath_admin_append(attachments,
					attachment_json(call->control, model->attachments[i]));
	}
	lath_admin_put(json, "attachments", attachments);
	for (uint32_t i = 0; i < vpc->route_count; i++)
		lath_admin_append(routes, route_json(model, &vpc->routes[i]));
	lath_admin_put(json, "routes", routes);
	if (cfg != NULL)
		lath_admin_put(json, "natPool",
				lath_admin_prefixes(cfg->nat_pool, cfg->nat_pool_count));
	lath_admin_put_u64(json, "natAddresses", vpc->nat_address_count);
	lath_admin_put_u64(json, "natIpv6Addresses", vpc->nat6_address_count);
	lath_admin_put_object_counters(json, call->control, LATH_OBJECT_VPC, index);
	lath_admin_put_u64(json, "drops", drops_of(call->control, index));
	return json;
}

void
lath_admin_show_vpcs(struct lath_admin_call *call)
{
	const struct lath_model *model = lath_control_model(call->control);
	struct lath_admin_page page;
	json_t *array;
	bool all = false;
	uint32_t only;
	uint32_t i;

	if (!lath_admin_param_vpc(call, &only) || !lath_admin_param_page(call, &page) ||
			!lath_admin_param_bool(call, "all", &all))
		return;
	array = json_array();
	for (i = page.at; i < model->vpc_count && json_array_size(array) < page.limit; i++) {
		if (model->vpcs[i] == NULL || (only != LATH_MODEL_NONE && only != i) ||
				(i == LATH_MODEL_HOST_VPC && !all))
			continue;
		lath_admin_append(array, vpc_json(call, i));
	}
	lath_admin_finish(call,
			lath_admin_list("vpcs", array, i < model->vpc_count ? i : LATH_MODEL_NONE));
}
