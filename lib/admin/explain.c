/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * What would become of a client's first packet, and who decided: the same functions as a worker
 * calls, in the same order, on the model that runs.
 */

#include <netinet/in.h>

#include <lath_pipeline.h>

#include "admin_private.h"

#define CLIENT_PORT_DEFAULT 49152u /* the first that a client draws by itself: RFC 6335 section 6 */
#define NAT_PORT 1024u             /* the lowest that the gateway uses */

/* What is asked. */
struct question {
	struct lath_access_call call;
	uint8_t proto;
};

static const char *
effect_text(enum lath_policy_effect effect, uint32_t statement, bool reached)
{
	if (!reached)
		return "notReached";
	switch (effect) {
	case LATH_POLICY_NO_MATCH:
		return "none";
	case LATH_POLICY_ALLOW:
		/* Without a statement nothing was asked. */
		return statement == LATH_POLICY_NONE ? "notAsked" : "allow";
	case LATH_POLICY_DENY:
	case LATH_POLICY_EFFECT_COUNT:
		break;
	}
	return "deny";
}

static json_t *
policy_json(enum lath_policy_effect effect, uint32_t statement, const char *sid, bool reached)
{
	json_t *json = json_object();

	lath_admin_put_text(json, "effect", effect_text(effect, statement, reached));
	if (statement != LATH_POLICY_NONE)
		lath_admin_put_u64(json, "statement", statement);
	if (statement != LATH_POLICY_NONE && sid != NULL && sid[0] != '\0')
		lath_admin_put_text(json, "sid", sid);
	return json;
}

static json_t *
path_json(const struct lath_access_detail *detail)
{
	bool group = detail->outcome == LATH_ACCESS_ALLOWED || detail->outcome > LATH_ACCESS_GROUP;
	bool network = detail->outcome == LATH_ACCESS_ALLOWED ||
			detail->outcome > LATH_ACCESS_NETWORK;
	json_t *json = json_object();

	lath_admin_put_text(json, "association", detail->association);
	lath_admin_put_text(json, "serviceNetwork", detail->network);
	lath_admin_put_u64(json, "priority", detail->priority);
	lath_admin_put_bool(json, "open", network);
	lath_admin_put_text(json, "securityGroups",
			detail->group != NULL   ? "allow"
					: group ? "noneAttached"
						: "none");
	if (detail->group != NULL) {
		lath_admin_put_text(json, "securityGroup", detail->group);
		lath_admin_put_u64(json, "securityGroupRule", detail->group_rule);
	}
	lath_admin_put(json, "networkPolicy",
			policy_json(detail->network_effect, detail->network_statement,
					detail->network_sid, group));
	lath_admin_put(json, "servicePolicy",
			policy_json(detail->service_effect, detail->service_statement,
					detail->service_sid, network));
	return json;
}

/* ---- behind the paths ---------------------------------------------------------------------- */

/* The edge of a target's VPC, for its first NAT address. */
static enum lath_access_outcome
ask_edge(const struct lath_model *model, const struct lath_model_target *target, uint8_t protocol)
{
	const struct lath_model_vpc *vpc = model->vpcs[target->vpc];
	struct lath_ip nat;

	if (vpc == NULL || vpc->nat_address_count == 0)
		return LATH_ACCESS_ALLOWED;
	nat = lath_ip_from_v4_be(lath_to_be32(lath_model_nat_address(vpc, 0)));
	return lath_access_edge(model->access, target->vpc, &nat, NAT_PORT, target->port, protocol);
}

/* Listener, rule and targets; NONE when the call goes through. */
static enum lath_drop
ask_rest(struct lath_admin_call *call, const struct question *question, json_t *json)
{
	const struct lath_model *model = lath_control_model(call->control);
	const struct lath_model_service *service = model->services[question->call.service];
	const struct lath_model_listener *listener = NULL;
	const struct lath_model_rule *rule;
	enum lath_drop reason = LATH_DROP_no_target;

	for (uint32_t i = 0; i < service->listener_count && listener == NULL; i++) {
		if (service->listeners[i].proto == question->proto &&
				service->listeners[i].port == question->call.port)
			listener = &service->listeners[i];
	}
	if (listener == NULL)
		return LATH_DROP_no_listener;
	rule = lath_model_match(listener, &question->call.client);
	lath_admin_put_text(json, "listener", listener->name);
	lath_admin_put_text(json, "rule", rule->name);
	if (rule->forward_count == 0)
		return LATH_DROP_policy_rule;
	/* As a worker has it: whichever target is drawn, its own VPC's edge decides. */
	for (uint32_t i = 0; i < rule->forward_count; i++) {
		const struct lath_model_group *group = model->groups[rule->forwards[i].group];

		for (uint32_t j = 0; group != NULL && rule->forwards[i].weight > 0 &&
				j < group->target_count;
				j++) {
			const struct lath_model_target *target = model->targets[group->targets[j]];
			enum lath_drop edge = lath_allow_reason(ask_edge(model, target,
					question->call.protocol));

			if (edge != LATH_DROP_NONE) {
				lath_admin_put(json, "targetVpc",
						lath_admin_vpc_ref(call, target->vpc));
				return edge;
			}
			reason = LATH_DROP_NONE;
		}
	}
	return reason;
}

static void
put_paths(json_t *json, const struct lath_access *access, const struct lath_access_call *call)
{
	struct lath_access_detail detail;
	json_t *paths = json_array();

	for (uint32_t i = 0; lath_access_path(access, call, i, &detail); i++)
		lath_admin_append(paths, path_json(&detail));
	lath_admin_put(json, "paths", paths);
}

static void
put_acl(json_t *json, const struct lath_access_detail *detail)
{
	if (detail->acl == NULL)
		return;
	lath_admin_put_text(json, "networkAcl", detail->acl);
	if (detail->acl_rule != LATH_ACL_NONE)
		lath_admin_put_u64(json, "networkAclRule", detail->acl_rule);
}

static json_t *
answer(struct lath_admin_call *call, const struct question *question)
{
	const struct lath_model *model = lath_control_model(call->control);
	const struct lath_access_call *what = &question->call;
	enum lath_drop reason = LATH_DROP_vpc_source;
	struct lath_access_detail detail;
	json_t *json = json_object();

	lath_admin_put(json, "vpc", lath_admin_vpc_ref(call, what->vpc));
	lath_admin_put(json, "service", lath_admin_service_ref(call, what->service));
	lath_admin_put_ip(json, "client", &what->client);
	lath_admin_put_ip(json, "address", &what->address);
	lath_admin_put_text(json, "protocol", lath_admin_protocol(question->proto));
	lath_admin_put_u64(json, "port", what->port);
	lath_admin_put_u64(json, "clientPort", what->client_port);
	lath_access_explain(model->access, what, &detail);
	put_acl(json, &detail);
	put_paths(json, model->access, what);
	if (lath_model_vpc_holds(model->vpcs[what->vpc], &what->client))
		reason = lath_allow_reason(detail.outcome);
	if (reason == LATH_DROP_NONE) {
		lath_admin_put(json, "path", path_json(&detail));
		reason = ask_rest(call, question, json);
	}
	lath_admin_put_bool(json, "allowed", reason == LATH_DROP_NONE);
	if (reason != LATH_DROP_NONE)
		lath_admin_put_text(json, "drop", lath_drop_name(reason));
	return json;
}

static bool
need(struct lath_admin_call *call, const char *key)
{
	if (json_object_get(call->params, key) != NULL)
		return true;
	lath_admin_fail(call, LATH_RPC_INVALID_PARAMS, NULL, "%s: it is missing", key);
	return false;
}

void
lath_admin_explain(struct lath_admin_call *call)
{
	const struct lath_model *model = lath_control_model(call->control);
	struct question question = {.proto = IPPROTO_TCP, .call = {.protocol = LATH_ACL_TCP}};
	const char *protocol = "tcp";
	uint32_t port = 0;
	uint32_t client_port = CLIENT_PORT_DEFAULT;
	const struct lath_ip *addresses;

	if (!need(call, "vpc") || !need(call, "service") || !need(call, "client") ||
			!need(call, "port") || !lath_admin_param_vpc(call, &question.call.vpc) ||
			!lath_admin_param_service(call, &question.call.service) ||
			!lath_admin_param_ip(call, "client", &question.call.client) ||
			!lath_admin_param_u32(call, "port", 1, UINT16_MAX, &port) ||
			!lath_admin_param_u32(call, "clientPort", 1, UINT16_MAX, &client_port) ||
			!lath_admin_param_text(call, "protocol", &protocol))
		return;
	if (strcmp(protocol, "udp") == 0) {
		question.proto = IPPROTO_UDP;
		question.call.protocol = LATH_ACL_UDP;
	} else if (strcmp(protocol, "tcp") != 0) {
		lath_admin_fail(call, LATH_RPC_INVALID_PARAMS, NULL,
				"protocol: \"%.40s\" is not \"tcp\" or \"udp\"", protocol);
		return;
	}
	question.call.port = (uint16_t)port;
	question.call.client_port = (uint16_t)client_port;
	addresses = model->services[question.call.service]->addresses;
	question.call.address = addresses[lath_ip_is_v4(&question.call.client) ? 0 : 1];
	lath_admin_finish(call, answer(call, &question));
}
