/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Known flows. Plain packets of established flows pass with two compares; SYN, FIN, RST and the
 * packets of a handshake go through the state machine in lath_tcpstate.
 */

#include "pipeline_private.h"

/* Furthest ahead of what the receiver acknowledged that a RST may lie: windows of busy receivers
 * reach some MiB, a guessed sequence number fits one time in 256 (RFC 5961 section 3.2 asks for
 * the exact one at the receiver, who checks again).
 */
#define RST_WINDOW_BYTES (1u << 24)

static enum lath_flow_class
class_of(enum lath_tcp_state state)
{
	switch (lath_tcp_age(state)) {
	case LATH_TCP_AGE_HALF_OPEN:
		return LATH_FLOW_CLASS_HALF_OPEN;
	case LATH_TCP_AGE_CLOSING:
		return LATH_FLOW_CLASS_CLOSED;
	case LATH_TCP_AGE_ESTABLISHED:
	case LATH_TCP_AGE_COUNT:
		break;
	}
	return LATH_FLOW_CLASS_LIVE;
}

static const struct lath_tcp_hdr *
tcp_of(struct rte_mbuf *m)
{
	return (const void *)(frame_of(m) + packet_of(m)->l4_offset);
}

/*
 * RFC 7857 section 2.2, and against spoofing: a RST must lie where its receiver would believe it.
 * In SYN_SENT the target has acknowledged nothing; its half's `ack` holds the client's ISN (see
 * adopt.c) until it does, and a refusal must acknowledge just that SYN (RFC 9293 section 3.10.7.3).
 */
static bool
reset_fits(const struct lath_worker *w, struct rte_mbuf *m, lath_flow_ref_t ref,
		enum lath_tcp_state state)
{
	const struct lath_tcp_hdr *tcp = tcp_of(m);
	const struct lath_half_state *receiver = lath_flow_state_at(&w->flows,
			ref ^ LATH_FLOW_REVERSE);

	if (state == LATH_TCP_SYN_SENT && lath_flow_direction_of(ref) == LATH_FLOW_REVERSE) {
		uint32_t isn = lath_flow_state_at(&w->flows, ref)->ack;

		return (tcp->flags & LATH_TCP_ACK) != 0 && lath_from_be32(tcp->ack_be) == isn + 1;
	}
	if ((receiver->adjacency & LATH_HALF_ACKED) == 0)
		return true; /* nothing to hold it against yet */
	return lath_tcp_rst_fits(lath_from_be32(tcp->seq_be), receiver->ack, RST_WINDOW_BYTES);
}

/* Lazy expiry finds out by itself, late, that a timeout grew; one that shrank is set now. */
static void
follow_timeout(struct lath_worker *w, lath_flow_ref_t ref, lath_tick_t timeout_old)
{
	lath_tick_t timeout = lath_flow_timeout(w, ref);

	if (timeout < timeout_old)
		lath_flow_retime(&w->flows, ref, w->now + timeout);
}

/* Timer and class follow the state; plain packets skip all this from ESTABLISHED on. */
static void
enter_state(struct lath_worker *w, lath_flow_ref_t ref, enum lath_tcp_state state)
{
	struct lath_flow_tail *tail = lath_flow_tail_at(&w->flows, ref);
	lath_tick_t timeout_old = lath_flow_timeout(w, ref);

	tail->tcp_state = (uint8_t)state;
	lath_flow_set_class(&w->flows, ref, class_of(state));
	if (lath_tcp_age(state) != LATH_TCP_AGE_HALF_OPEN) {
		lath_flow_state_at(&w->flows, ref)->adjacency |= LATH_HALF_PLAIN;
		lath_flow_state_at(&w->flows, ref ^ LATH_FLOW_REVERSE)
				->adjacency |= LATH_HALF_PLAIN;
	}
	follow_timeout(w, ref, timeout_old);
}

/* True while the flow's target may take new flows. Probes name none. */
static bool
target_takes_flows(const struct lath_model *model, const struct lath_flow_tail *tail)
{
	const struct lath_model_target *target = tail->target < model->target_count
			? model->targets[tail->target]
			: NULL;

	const struct lath_model_group *group = tail->group < model->group_count
			? model->groups[tail->group]
			: NULL;

	if (tail->target == LATH_MODEL_NONE)
		return true;
	if (target == NULL || group == NULL)
		return false;
	return target->state == LATH_TARGET_HEALTHY || target->state == LATH_TARGET_INITIAL ||
			(target->state == LATH_TARGET_UNHEALTHY && group->fail_open);
}

/*
 * A client's SYN that begins again: on a closed connection it is a new one, which may go to another
 * target and gets a fresh source port, so that a target in TIME_WAIT does not take it for the old
 * one; on one that is still half-open (the client has not seen the target's SYN-ACK, or it would not
 * ask again) it need not wait for a target that has left meanwhile.
 */
static bool
opens_anew(const struct lath_worker *w, const struct lath_packet *pkt,
		const struct lath_flow_tail *tail, enum lath_flow_end *why)
{
	if (!lath_tcp_is_opening(pkt->tcp_flags))
		return false;
	*why = LATH_FLOW_END_REOPENED;
	if (lath_tcp_age((enum lath_tcp_state)tail->tcp_state) == LATH_TCP_AGE_CLOSING)
		return true;
	*why = LATH_FLOW_END_REPICKED;
	return lath_tcp_age((enum lath_tcp_state)tail->tcp_state) == LATH_TCP_AGE_HALF_OPEN &&
			!target_takes_flows(w->model, tail);
}

/* False: the packet is gone. *ref becomes NONE when the packet opens the connection anew. */
static bool
step_tcp(struct lath_worker *w, struct rte_mbuf *m, lath_flow_ref_t *ref)
{
	struct lath_packet *pkt = packet_of(m);
	struct lath_flow_tail *tail = lath_flow_tail_at(&w->flows, *ref);
	enum lath_tcp_state state = (enum lath_tcp_state)tail->tcp_state;
	enum lath_tcp_side side = lath_flow_direction_of(*ref) == LATH_FLOW_FORWARD
			? LATH_TCP_CLIENT
			: LATH_TCP_TARGET;
	enum lath_flow_end why;
	enum lath_tcp_state next;

	if ((pkt->tcp_flags & LATH_TCP_RST) != 0 && !reset_fits(w, m, *ref, state)) {
		drop(w, m, lath_packet_vpc(pkt), LATH_DROP_rst_window);
		return false;
	}
	if (side == LATH_TCP_CLIENT && opens_anew(w, pkt, tail, &why)) {
		lath_flow_finish(w, *ref, why);
		*ref = LATH_FLOW_NONE;
		return true;
	}
	/* A SYN may not come back to life out of the target's closed side. */
	if (side == LATH_TCP_TARGET && lath_tcp_is_opening(pkt->tcp_flags) &&
			lath_tcp_age(state) == LATH_TCP_AGE_CLOSING) {
		drop(w, m, lath_packet_vpc(pkt), LATH_DROP_tcp_state);
		return false;
	}
	if (side == LATH_TCP_TARGET)
		tail->flags |= LATH_FLOW_TAIL_ANSWERED;
	next = lath_tcp_step(state, side, pkt->tcp_flags);
	if (next != state)
		enter_state(w, *ref, next);
	return true;
}

/* The first answer of a UDP service or of a ping: the flow is no longer the first to go. */
static void
step_answer(struct lath_worker *w, lath_flow_ref_t ref)
{
	struct lath_flow_tail *tail = lath_flow_tail_at(&w->flows, ref);
	lath_tick_t timeout_old = lath_flow_timeout(w, ref);

	tail->flags |= LATH_FLOW_TAIL_ANSWERED;
	lath_flow_set_class(&w->flows, ref, LATH_FLOW_CLASS_LIVE);
	lath_flow_state_at(&w->flows, ref)->adjacency |= LATH_HALF_PLAIN;
	follow_timeout(w, ref, timeout_old);
}

/* Questions go up and answers come down; the tuple alone does not tell (RFC 5508 REQ-1). */
static bool
echo_fits(const struct lath_packet *pkt, lath_flow_ref_t ref)
{
	bool asks = lath_flow_direction_of(ref) == LATH_FLOW_FORWARD;

	return !lath_packet_is_icmp(pkt) || lath_packet_is_echo_request(pkt) == asks;
}

bool
lath_known_pass(struct lath_worker *w, struct rte_mbuf *m, lath_flow_ref_t *ref)
{
	const struct lath_packet *pkt = packet_of(m);
	struct lath_half_state *state = lath_flow_state_at(&w->flows, *ref);

	if (!echo_fits(pkt, *ref)) {
		drop(w, m, lath_packet_vpc(pkt), LATH_DROP_icmp_no_flow);
		return false;
	}
	if (state->generation != generation_for(w->model, pkt->proto) &&
			!lath_revalidate(w, m, ref))
		return false;
	if (*ref == LATH_FLOW_NONE)
		return true;
	if ((state->adjacency & LATH_HALF_PLAIN) != 0 && lath_tcp_is_plain(pkt->tcp_flags))
		return true;
	if (pkt->proto == LATH_PROTO_TCP)
		return step_tcp(w, m, ref);
	step_answer(w, *ref);
	return true;
}
