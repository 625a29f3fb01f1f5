/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* One way to decide, used with and without telling why. */

#include "access_private.h"

static const struct acl_row *
acl_of(const struct lath_access *access, uint32_t vpc)
{
	uint32_t acl = vpc < access->vpc_rows ? vpc_at(access, vpc)->acl : 0;

	return acl == 0 ? NULL : ACCESS_AT(access, struct acl_row, access->acls) + (acl - 1);
}

/* Both directions at a VPC's edge; the ports are what each direction is sent to. */
static enum lath_access_outcome
ask_acl(const struct lath_access *access, const struct acl_row *acl, bool call_leaves,
		struct lath_acl_packet *packet, uint16_t reply_port, uint32_t *rule)
{
	uint32_t call = call_leaves ? acl->out : acl->in;
	uint32_t reply = call_leaves ? acl->in : acl->out;
	bool allows;

	*rule = lath_acl_find(ACCESS_AT(access, struct lath_acl, call), packet, &allows);
	if (!allows)
		return LATH_ACCESS_ACL;
	packet->port = reply_port;
	*rule = lath_acl_find(ACCESS_AT(access, struct lath_acl, reply), packet, &allows);
	return allows ? LATH_ACCESS_ALLOWED : LATH_ACCESS_REPLY;
}

static enum lath_access_outcome
ask_client_acl(const struct lath_access *access, const struct lath_access_call *call,
		struct lath_access_detail *detail)
{
	const struct acl_row *acl = acl_of(access, call->vpc);
	struct lath_acl_packet packet = {.peer = call->address,
			.vpc = LATH_ACL_NONE,
			.port = call->port,
			.protocol = call->protocol};

	detail->acl_rule = LATH_ACL_NONE;
	if (acl == NULL)
		return LATH_ACCESS_ALLOWED;
	detail->acl = string_at(access, acl->name);
	return ask_acl(access, acl, true, &packet, call->client_port, &detail->acl_rule);
}

static bool
ask_groups(const struct lath_access *access, const struct lath_access_call *call,
		const struct gate_row *gate, struct lath_access_detail *detail)
{
	struct lath_acl_packet packet = {.peer = call->client,
			.vpc = call->vpc,
			.port = call->port,
			.protocol = call->protocol};
	bool allows = gate->group_count == 0;

	for (uint32_t i = 0; i < gate->group_count && !allows; i++) {
		const struct group_row *group = group_at(access, gate->groups[i]);

		detail->group_rule = lath_acl_find(ACCESS_AT(access, struct lath_acl, group->table),
				&packet, &allows);
		if (allows)
			detail->group = string_at(access, group->name);
	}
	return allows;
}

static struct lath_policy_text
text_of(const struct lath_access *access, struct text text)
{
	return (struct lath_policy_text){string_at(access, text.at), text.len};
}

static struct lath_policy_request
request_of(const struct lath_access *access, const struct lath_access_call *call)
{
	const struct vpc_row *vpc = vpc_at(access, call->vpc);

	return (struct lath_policy_request){
			.source_vpc = text_of(access, vpc->id),
			.source_account = text_of(access, vpc->account),
			.service_arn = text_of(access, service_at(access, call->service)->arn),
			.source_ip = call->client,
			.port = call->port,
	};
}

/* NO_MATCH when there is no policy: AWS_IAM without one denies all. */
static enum lath_policy_effect
ask_policy(const struct lath_access *access, uint32_t policy,
		const struct lath_policy_request *request, uint32_t *statement, const char **sid)
{
	const struct lath_policy *at = ACCESS_AT(access, struct lath_policy, policy);
	enum lath_policy_effect effect;

	*statement = LATH_POLICY_NONE;
	if (policy == 0)
		return LATH_POLICY_NO_MATCH;
	effect = lath_policy_evaluate(at, request, statement);
	*sid = lath_policy_sid(at, *statement);
	return effect;
}

/* The path through one association, with what the service's policy says of it. */
static void
judge(const struct lath_access *access, const struct lath_access_call *call,
		struct lath_policy_request *request, const struct gate_row *gate,
		struct lath_access_detail *detail)
{
	const struct network_row *network = network_at(access, gate->network);
	const struct service_row *service = service_at(access, call->service);

	detail->association = string_at(access, gate->name);
	detail->network = string_at(access, network->name);
	detail->priority = gate->priority;
	detail->network_statement = LATH_POLICY_NONE;
	detail->service_statement = LATH_POLICY_NONE;
	detail->outcome = LATH_ACCESS_GROUP;
	if (!ask_groups(access, call, gate, detail))
		return;
	request->network_arn = text_of(access, network->arn);
	detail->outcome = LATH_ACCESS_NETWORK;
	detail->network_effect = network->asks
			? ask_policy(access, network->policy, request, &detail->network_statement,
					  &detail->network_sid)
			: LATH_POLICY_ALLOW;
	if (detail->network_effect != LATH_POLICY_ALLOW)
		return;
	detail->service_effect = service->asks
			? ask_policy(access, service->policy, request, &detail->service_statement,
					  &detail->service_sid)
			: LATH_POLICY_ALLOW;
	detail->outcome = detail->service_effect == LATH_POLICY_ALLOW ? LATH_ACCESS_ALLOWED
								      : LATH_ACCESS_SERVICE;
}

static bool
is_known(const struct lath_access *access, const struct lath_access_call *call)
{
	return call->vpc < access->vpc_rows && call->service < access->service_rows &&
			vpc_at(access, call->vpc)->id.at != 0 &&
			service_at(access, call->service)->arn.at != 0;
}

/* All paths in their order; the best that was seen goes into `best`. */
static uint32_t
judge_all(const struct lath_access *access, const struct lath_access_call *call,
		struct lath_access_detail *best)
{
	const struct vpc_row *vpc = vpc_at(access, call->vpc);
	const struct service_row *service = service_at(access, call->service);
	struct lath_policy_request request = request_of(access, call);
	uint32_t path = LATH_ACCESS_NONE;

	best->outcome = LATH_ACCESS_NO_PATH;
	for (uint32_t i = 0; i < vpc->gate_count; i++) {
		const struct gate_row *gate = gate_at(access, vpc->first_gate + i);
		struct lath_access_detail detail = {.acl = best->acl, .acl_rule = best->acl_rule};

		if (!is_member(access, service, gate->network))
			continue;
		judge(access, call, &request, gate, &detail);
		if (detail.service_effect == LATH_POLICY_DENY) {
			*best = detail; /* final */
			return LATH_ACCESS_NONE;
		}
		if (path != LATH_ACCESS_NONE)
			continue; /* only a Deny could change it */
		if (detail.outcome == LATH_ACCESS_ALLOWED)
			path = vpc->first_gate + i;
		/* The one that came furthest tells what is missing; of several the first. */
		if (detail.outcome == LATH_ACCESS_ALLOWED || detail.outcome > best->outcome)
			*best = detail;
		if (path != LATH_ACCESS_NONE && !service->asks)
			break;
	}
	return path;
}

static enum lath_access_outcome
decide(const struct lath_access *access, const struct lath_access_call *call, uint32_t *path,
		struct lath_access_detail *detail)
{
	*path = LATH_ACCESS_NONE;
	detail->outcome = LATH_ACCESS_NO_PATH;
	if (!is_known(access, call))
		return detail->outcome;
	detail->outcome = ask_client_acl(access, call, detail);
	if (detail->outcome == LATH_ACCESS_ALLOWED)
		*path = judge_all(access, call, detail);
	return detail->outcome;
}

enum lath_access_outcome
lath_access_decide(const struct lath_access *access, const struct lath_access_call *call,
		uint32_t *path)
{
	struct lath_access_detail detail = {.association = NULL};
	uint32_t used;
	enum lath_access_outcome outcome = decide(access, call, &used, &detail);

	if (path != NULL)
		*path = used;
	return outcome;
}

void
lath_access_explain(const struct lath_access *access, const struct lath_access_call *call,
		struct lath_access_detail *detail)
{
	uint32_t path;

	*detail = (struct lath_access_detail){.association = NULL};
	decide(access, call, &path, detail);
}

bool
lath_access_path(const struct lath_access *access, const struct lath_access_call *call, uint32_t i,
		struct lath_access_detail *detail)
{
	struct lath_policy_request request;
	const struct vpc_row *vpc;

	*detail = (struct lath_access_detail){.acl_rule = LATH_ACL_NONE};
	if (!is_known(access, call))
		return false;
	request = request_of(access, call);
	vpc = vpc_at(access, call->vpc);
	for (uint32_t j = 0; j < vpc->gate_count; j++) {
		const struct gate_row *gate = gate_at(access, vpc->first_gate + j);

		if (!is_member(access, service_at(access, call->service), gate->network) || i-- > 0)
			continue;
		judge(access, call, &request, gate, detail);
		return true;
	}
	return false;
}

enum lath_access_outcome
lath_access_edge(const struct lath_access *access, uint32_t vpc, const struct lath_ip *peer,
		uint16_t peer_port, uint16_t port, uint8_t protocol)
{
	const struct acl_row *acl = acl_of(access, vpc);
	struct lath_acl_packet packet = {
			.peer = *peer, .vpc = LATH_ACL_NONE, .port = port, .protocol = protocol};
	uint32_t rule;

	if (acl == NULL)
		return LATH_ACCESS_ALLOWED;
	return ask_acl(access, acl, false, &packet, peer_port, &rule);
}

bool
lath_access_finishes(const struct lath_access *access, uint32_t service)
{
	return service < access->service_rows && service_at(access, service)->finishes != 0;
}
