/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * May it? First packets are asked by lath_allow() at the client's side and lath_allow_edge() at the
 * target's, once the source address and port there are known; flows by lath_allow_flow() when
 * somebody has lost a right. Between these nobody asks: what decides, addresses and ports at both
 * edges, never changes in a flow, so this equals asking for each packet.
 *
 * Exempt are the gateway's own probes, what it answers itself (ARP, pings of its own addresses,
 * refusals), and ICMP errors about a flow, which follow the flow.
 */

#include "pipeline_private.h"

static uint8_t
acl_protocol(uint8_t proto)
{
	switch (proto) {
	case LATH_PROTO_TCP:
		return LATH_ACL_TCP;
	case LATH_PROTO_UDP:
		return LATH_ACL_UDP;
	default:
		return LATH_ACL_ICMP;
	}
}

/* Identifiers of ICMP are no ports. */
static uint16_t
port_of(uint8_t protocol, uint16_t port)
{
	return protocol == LATH_ACL_ICMP ? 0 : port;
}

enum lath_drop
lath_allow_reason(enum lath_access_outcome outcome)
{
	switch (outcome) {
	case LATH_ACCESS_ALLOWED:
		return LATH_DROP_NONE;
	case LATH_ACCESS_NO_PATH:
		return LATH_DROP_no_service;
	case LATH_ACCESS_ACL:
		return LATH_DROP_policy_acl;
	case LATH_ACCESS_REPLY:
		return LATH_DROP_policy_acl_reply;
	case LATH_ACCESS_GROUP:
		return LATH_DROP_policy_group;
	case LATH_ACCESS_NETWORK:
		return LATH_DROP_policy_network;
	case LATH_ACCESS_SERVICE:
		return LATH_DROP_policy_service;
	case LATH_ACCESS_OUTCOME_COUNT:
		break;
	}
	return LATH_DROP_policy_service;
}

bool
lath_allow(struct lath_worker *w, struct rte_mbuf *m, const struct lath_model_service *service,
		const struct lath_ip *client, const struct lath_ip *address)
{
	const struct lath_packet *pkt = packet_of(m);
	bool v6 = pkt->family == LATH_FAMILY_IPV6;
	uint8_t protocol = acl_protocol(pkt->proto);
	const struct lath_access_call call = {
			.vpc = lath_packet_vpc(pkt),
			.service = service->index,
			.client = *client,
			.address = *address,
			.client_port = port_of(protocol,
					lath_from_be16(v6 ? pkt->key6.src_port_be
							  : pkt->key4.src_port_be)),
			.port = port_of(protocol,
					lath_from_be16(v6 ? pkt->key6.dst_port_be
							  : pkt->key4.dst_port_be)),
			.protocol = protocol,
	};
	enum lath_drop reason = lath_allow_reason(lath_access_decide(w->model->access, &call,
			NULL));

	if (reason == LATH_DROP_NONE)
		return true;
	lath_refuse_policy(w, m, call.vpc, reason, service->refuse);
	return false;
}

enum lath_drop
lath_allow_edge(const struct lath_model *model, uint32_t vpc, uint8_t proto,
		const struct lath_ip *nat, uint16_t nat_port, uint16_t target_port)
{
	uint8_t protocol = acl_protocol(proto);

	return lath_allow_reason(lath_access_edge(model->access, vpc, nat,
			port_of(protocol, nat_port), port_of(protocol, target_port), protocol));
}

bool
lath_allow_flow(const struct lath_model *model, const struct flow_ends *ends, uint32_t service)
{
	uint8_t protocol = acl_protocol(ends->proto);
	const struct lath_access_call call = {
			.vpc = ends->client_vpc,
			.service = service,
			.client = ends->client,
			.address = ends->service,
			.client_port = port_of(protocol, ends->client_port),
			.port = port_of(protocol, ends->service_port),
			.protocol = protocol,
	};

	return lath_access_decide(model->access, &call, NULL) == LATH_ACCESS_ALLOWED &&
			lath_allow_edge(model, ends->target_vpc, ends->proto, &ends->nat,
					ends->nat_port, ends->target_port) == LATH_DROP_NONE;
}
