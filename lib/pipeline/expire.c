/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * The end of flows. A packet only stores its tick; a timer that comes due asks how long the flow
 * has really been idle and is set again if that is not long enough. Each turn looks at a bounded
 * number.
 */

#include "pipeline_private.h"

static uint32_t
tcp_timeout_s(const struct lath_config_timeouts *timeouts, const struct lath_flow_tail *tail)
{
	switch (lath_tcp_age((enum lath_tcp_state)tail->tcp_state)) {
	case LATH_TCP_AGE_HALF_OPEN:
		return timeouts->tcp_half_open_s;
	case LATH_TCP_AGE_CLOSING:
		return timeouts->tcp_closing_s;
	case LATH_TCP_AGE_ESTABLISHED:
	case LATH_TCP_AGE_COUNT:
		break;
	}
	return tail->idle_timeout_s != 0 ? tail->idle_timeout_s : timeouts->tcp_established_s;
}

static uint32_t
udp_timeout_s(const struct lath_config_timeouts *timeouts, const struct lath_flow_tail *tail)
{
	if (tail->idle_timeout_s != 0)
		return tail->idle_timeout_s;
	return (tail->flags & LATH_FLOW_TAIL_ANSWERED) != 0 ? timeouts->udp_s
							    : timeouts->udp_unanswered_s;
}

lath_tick_t
lath_flow_timeout(const struct lath_worker *w, lath_flow_ref_t ref)
{
	const struct lath_config_timeouts *timeouts = &w->model->timeouts;
	const struct lath_flow_tail *tail = lath_flow_tail_at(&w->flows, ref);

	switch (half_proto_vpc(w, ref) >> 24) {
	case LATH_PROTO_TCP:
		return lath_ticks_from_seconds(tcp_timeout_s(timeouts, tail));
	case LATH_PROTO_UDP:
		return lath_ticks_from_seconds(udp_timeout_s(timeouts, tail));
	default:
		return lath_ticks_from_seconds(timeouts->icmp_echo_s);
	}
}

static lath_tick_t
last_packet(const struct lath_worker *w, lath_flow_ref_t ref)
{
	lath_tick_t forward = lath_flow_state_at(&w->flows, ref)->tick;
	lath_tick_t reverse = lath_flow_state_at(&w->flows, ref | LATH_FLOW_REVERSE)->tick;

	return lath_tick_reached(forward, reverse) ? forward : reverse;
}

static void
put_port4(struct lath_worker *w, const struct lath_key4 *reply, enum lath_snat_rest rest)
{
	bool echo = reply->proto_vpc >> 24 == LATH_PROTO_ICMP;
	struct lath_snat_key key = {
			.target_be = reply->src_be,
			.nat_be = reply->dst_be,
			.target_port_be = echo ? lath_to_be16(0) : reply->src_port_be,
			.proto_vpc = reply->proto_vpc,
	};

	lath_snat_put(&w->snat, &key, lath_from_be16(reply->dst_port_be), rest, w->now);
}

static void
put_port6(struct lath_worker *w, const struct lath_key6 *reply, enum lath_snat_rest rest)
{
	struct lath_key6 key = *reply;

	key.dst_port_be = lath_to_be16(0);
	if (lath_proto_is_icmp((uint8_t)(reply->proto_vpc >> 24)))
		key.src_port_be = lath_to_be16(0);
	lath_snat_put6(&w->snat, &key, lath_from_be16(reply->dst_port_be), rest, w->now);
}

/* The port goes back; a target that closed first sits in TIME_WAIT with it (RFC 9293 3.10.7.4). */
static void
give_port_back(struct lath_worker *w, lath_flow_ref_t ref)
{
	const struct lath_flow_tail *tail = lath_flow_tail_at(&w->flows, ref);
	lath_flow_ref_t reverse = ref | LATH_FLOW_REVERSE;
	enum lath_snat_rest rest = tail->tcp_state == LATH_TCP_CLOSED_TARGET_FIRST
			? LATH_SNAT_REST_TIME_WAIT
			: LATH_SNAT_REST_SHORT;
	const struct lath_half_mixed *half;

	w->counters->nat[half_proto_vpc(w, reverse) & LATH_KEY_VPC_MASK].ports--;
	if (!lath_flow_is_mixed(ref)) {
		put_port4(w, &lath_flow4_at(&w->flows, ref)->half[LATH_FLOW_REVERSE].key, rest);
		return;
	}
	half = &lath_flow_mixed_at(&w->flows, ref)->half[LATH_FLOW_REVERSE];
	if (half->family_in == LATH_FAMILY_IPV6)
		put_port6(w, &half->key6, rest);
	else
		put_port4(w, &half->key4, rest);
}

static void
count_object(struct lath_worker *w, enum lath_object_kind kind, uint32_t index,
		const struct lath_half_state *forward, const struct lath_half_state *reverse)
{
	struct lath_object_counters *row;

	if (index == LATH_MODEL_NONE)
		return;
	row = &w->counters->objects[kind][index];
	row->flows--;
	row->packets_total[LATH_FLOW_FORWARD] += forward->packets;
	row->packets_total[LATH_FLOW_REVERSE] += reverse->packets;
	row->bytes_total[LATH_FLOW_FORWARD] += forward->bytes;
	row->bytes_total[LATH_FLOW_REVERSE] += reverse->bytes;
}

static void
count_end(struct lath_worker *w, lath_flow_ref_t ref, enum lath_flow_end why)
{
	const struct lath_half_state *forward = lath_flow_state_at(&w->flows, ref);
	const struct lath_half_state *reverse = lath_flow_state_at(&w->flows,
			ref | LATH_FLOW_REVERSE);
	const struct lath_flow_tail *tail = lath_flow_tail_at(&w->flows, ref);
	uint32_t client_vpc = half_proto_vpc(w, ref) & LATH_KEY_VPC_MASK;
	uint32_t target_vpc = half_proto_vpc(w, ref | LATH_FLOW_REVERSE) & LATH_KEY_VPC_MASK;

	count_object(w, LATH_OBJECT_VPC, client_vpc, forward, reverse);
	if (target_vpc != client_vpc)
		w->counters->objects[LATH_OBJECT_VPC][target_vpc].flows--;
	count_object(w, LATH_OBJECT_SERVICE, tail->service, forward, reverse);
	count_object(w, LATH_OBJECT_RULE, tail->rule, forward, reverse);
	count_object(w, LATH_OBJECT_GROUP, tail->group, forward, reverse);
	count_object(w, LATH_OBJECT_TARGET, tail->target, forward, reverse);
	w->counters->worker.flows_ended[why]++;
}

static void
leave_adjacency(struct lath_worker *w, lath_flow_ref_t ref)
{
	uint32_t idx = lath_flow_state_at(&w->flows, ref)->adjacency & LATH_HALF_ADJACENCY_MASK;

	if (idx != LATH_ADJACENCY_NONE)
		lath_adjacency_unref(&w->adjacencies, idx);
}

void
lath_flow_finish(struct lath_worker *w, lath_flow_ref_t ref, enum lath_flow_end why)
{
	lath_flow_ref_t forward = ref & ~(lath_flow_ref_t)LATH_FLOW_REVERSE;

	count_end(w, forward, why);
	leave_adjacency(w, forward);
	leave_adjacency(w, forward | LATH_FLOW_REVERSE);
	if ((lath_flow_tail_at(&w->flows, forward)->flags & LATH_FLOW_TAIL_SNAT) != 0)
		give_port_back(w, forward);
	lath_gwlb_release(w, lath_flow_tail_at(&w->flows, forward)->side);
	lath_flow_remove(&w->flows, forward);
	w->flow_changes++;
}

static void
expire_pool(struct lath_worker *w, enum lath_flow_pool_kind kind)
{
	lath_flow_ref_t due[DUE_PER_TURN];
	unsigned count = lath_flow_due(&w->flows, kind, w->now, due, DUE_PER_TURN);

	for (unsigned i = 0; i < count; i++)
		lath_flow_prefetch_buckets(&w->flows, due[i]);
	for (unsigned i = 0; i < count; i++) {
		lath_tick_t deadline = last_packet(w, due[i]) + lath_flow_timeout(w, due[i]);

		if (lath_tick_reached(w->now, deadline))
			lath_flow_finish(w, due[i], LATH_FLOW_END_IDLE);
		else
			lath_flow_rearm(&w->flows, due[i], deadline);
	}
}

void
lath_expire(struct lath_worker *w)
{
	for (unsigned kind = 0; kind < LATH_FLOW_POOL_COUNT; kind++)
		expire_pool(w, (enum lath_flow_pool_kind)kind);
	lath_snat_tick(&w->snat, w->now, RESTED_PER_TURN);
}
