/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * First packets: may this client call what it calls, and who answers? Decided once; the result
 * goes into a flow entry. What is refused ends here under its name.
 */

#include "pipeline_private.h"

static uint64_t
choice_hash6(const struct lath_packet *pkt, uint64_t vpc, const struct lath_siphash_key *seed)
{
	struct {
		uint64_t vpc;
		struct lath_key6 key;
	} what = {.vpc = vpc, .key = pkt->key6};

	what.key.proto_vpc &= ~LATH_KEY_VPC_MASK;
	return lath_siphash13(seed, &what, sizeof(what));
}

/* Target choice must come out the same on every gateway: nothing local goes into this hash. */
static uint64_t
choice_hash(const struct lath_worker *w, const struct lath_packet *pkt)
{
	struct lath_key4 key = pkt->key4;
	uint64_t words[3] = {w->model->vpcs[lath_packet_vpc(pkt)]->key};
	struct lath_siphash_key seed = {.k0 = w->model->hash_seed, .k1 = UINT64_C(0x4c617468)};

	if (pkt->family == LATH_FAMILY_IPV6)
		return choice_hash6(pkt, words[0], &seed);
	key.proto_vpc &= ~LATH_KEY_VPC_MASK; /* an index is this gateway's own */
	memcpy(words + 1, &key, sizeof(key));
	return lath_siphash13_3w(&seed, words);
}

/* To an address of the gateway or of its NAT pools. True: the packet is gone. */
static bool
is_ours(struct lath_worker *w, struct rte_mbuf *m, const struct lath_model_vpc *vpc,
		const struct lath_ip *dst)
{
	const struct lath_packet *pkt = packet_of(m);
	bool own = lath_model_vpc_owns(vpc, dst);

	if (own && lath_packet_is_icmp(pkt) && lath_packet_is_echo_request(pkt)) {
		lath_local_echo(w, m);
		return true;
	}
	if (lath_model_vpc_has_nat(vpc, dst)) {
		drop(w, m, vpc->index,
				lath_packet_is_icmp(pkt) ? LATH_DROP_icmp_no_flow
							 : LATH_DROP_nat_no_flow);
		return true;
	}
	if (own) {
		drop(w, m, vpc->index, LATH_DROP_own_address);
		return true;
	}
	return false;
}

/* Service and rule for the packet. False: the packet is gone. */
static bool
find_rule(struct lath_worker *w, struct rte_mbuf *m, uint32_t vpc, const struct lath_ip *dst,
		struct admission *a)
{
	const struct lath_packet *pkt = packet_of(m);
	const struct lath_model_listener *listener = NULL;
	struct lath_ip client = lath_packet_src(pkt);

	switch (lath_model_find(w->model, vpc, dst, pkt->proto,
			lath_from_be16(lath_packet_dst_port_be(pkt)), &a->service, &listener)) {
	case LATH_MODEL_NO_SERVICE:
		drop(w, m, vpc, LATH_DROP_no_service);
		return false;
	case LATH_MODEL_NO_LISTENER:
		/* Who may not call does not learn what listens. */
		if (lath_allow(w, m, a->service, &client, dst))
			lath_refuse(w, m, vpc, LATH_DROP_no_listener);
		return false;
	case LATH_MODEL_FOUND:
		break;
	}
	if (lath_packet_is_icmp(pkt) && !lath_packet_is_echo_request(pkt)) {
		drop(w, m, vpc, LATH_DROP_icmp_no_flow);
		return false;
	}
	if (pkt->proto == LATH_PROTO_TCP && !lath_tcp_is_opening(pkt->tcp_flags)) {
		drop(w, m, vpc, LATH_DROP_tcp_no_flow);
		return false;
	}
	if (!lath_allow(w, m, a->service, &client, dst))
		return false;
	if (lath_packet_is_icmp(pkt) && a->service->icmp_echo == LATH_CONFIG_ECHO_ANSWER) {
		lath_local_echo(w, m);
		return false;
	}
	if (lath_packet_is_icmp(pkt) &&
			(a->service->icmp_echo == LATH_CONFIG_ECHO_DROP || listener == NULL)) {
		drop(w, m, vpc, LATH_DROP_icmp_echo);
		return false;
	}
	/* A ping that is forwarded goes where the default action leads. */
	a->rule = lath_packet_is_icmp(pkt) ? &listener->rules[listener->rule_count - 1]
					   : lath_model_match(listener, &client);
	if (a->rule->forward_count > 0)
		return true;
	lath_refuse_policy(w, m, vpc, LATH_DROP_policy_rule, a->service->refuse);
	return false;
}

/* What would only be dropped later must not leave a flow behind. False: the packet is gone. */
static bool
check_way(struct lath_worker *w, struct rte_mbuf *m, const struct admission *a)
{
	const struct lath_packet *pkt = packet_of(m);
	const struct lath_model_vpc *target_vpc = w->model->vpcs[a->target_vpc];
	const struct lath_model_vpc *client_vpc = w->model->vpcs[lath_packet_vpc(pkt)];
	struct lath_ip client = lath_packet_src(pkt);
	int growth = family_growth(pkt->family, a->target_ip.family);
	const struct lath_model_route *there;
	uint16_t mtu;

	if (ttl_of(m) <= 1) {
		lath_refuse(w, m, client_vpc->index, LATH_DROP_ttl_expired);
		return false;
	}
	there = target_vpc == NULL ? NULL : lath_model_route(target_vpc, &a->target_ip);
	if (there == NULL ||
			(!attachment_of(w, pkt)->return_to_sender &&
					lath_model_route(client_vpc, &client) == NULL)) {
		drop(w, m, client_vpc->index, LATH_DROP_no_route);
		return false;
	}
	mtu = leg_mtu(w, w->model->attachments[there->attachment]);
	if (pkt->ip_len + growth > mtu) {
		lath_refuse_oversize(w, m, client_vpc->index, (uint32_t)(mtu - growth));
		return false;
	}
	return true;
}

lath_flow_ref_t
lath_admit(struct lath_worker *w, struct rte_mbuf *m)
{
	const struct lath_packet *pkt = packet_of(m);
	const struct lath_model_vpc *vpc = w->model->vpcs[lath_packet_vpc(pkt)];
	struct lath_ip src = lath_packet_src(pkt);
	struct lath_ip dst = lath_packet_dst(pkt);
	struct admission a = {0};
	lath_flow_ref_t ref;
	enum lath_drop reason;

	if (!lath_model_vpc_holds(vpc, &src)) {
		drop(w, m, vpc->index, LATH_DROP_vpc_source);
		return LATH_FLOW_NONE;
	}
	if (lath_model_vpc_owns(vpc, &src)) {
		drop(w, m, vpc->index, LATH_DROP_martian);
		return LATH_FLOW_NONE;
	}
	if (is_ours(w, m, vpc, &dst) || !find_rule(w, m, vpc->index, &dst, &a))
		return LATH_FLOW_NONE;
	a.target = lath_model_pick(w->model, a.rule, choice_hash(w, pkt), &a.group);
	if (a.target == NULL) {
		lath_refuse(w, m, vpc->index, LATH_DROP_no_target);
		return LATH_FLOW_NONE;
	}
	a.target_ip = a.target->ip;
	a.target_vpc = a.target->vpc;
	a.target_port_be = lath_to_be16(a.target->port);
	if (!check_way(w, m, &a))
		return LATH_FLOW_NONE;
	reason = lath_adopt(w, m, &a, &ref);
	if (reason == LATH_DROP_policy_acl || reason == LATH_DROP_policy_acl_reply) {
		lath_refuse_policy(w, m, vpc->index, reason, a.service->refuse);
		return LATH_FLOW_NONE;
	}
	if (reason != LATH_DROP_NONE) {
		lath_refuse(w, m, vpc->index, reason);
		return LATH_FLOW_NONE;
	}
	return ref;
}
