/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Refusals, and what else the gateway tells a sender: a hop count that is used up, a packet that
 * is too big. The packet is dropped by its name; the answer, a RST or an ICMP error, counts as
 * generated.
 *
 * Answers go back the way the packet came, on the same attachment to the same MAC: they are
 * stateless and need no neighbour. An error comes from the gateway's own address there. Each VPC
 * has a budget, dealt out to the workers by management.
 */

#include <lath_icmperr.h>

#include "pipeline_private.h"

#define V6_PROHIBITED_CODE 1
#define V6_ADDRESS_CODE 3
#define V6_PORT_CODE 4

/* The error that answers each reason, as ICMP says it; type 0: none does. */
static const struct {
	uint8_t type;
	uint8_t code;
} errors[LATH_DROP_COUNT] = {
		[LATH_DROP_no_listener] = {LATH_ICMPERR_V4_UNREACHABLE, LATH_ICMPERR_V4_PORT_CODE},
		[LATH_DROP_policy_acl] = {LATH_ICMPERR_V4_UNREACHABLE,
				LATH_ICMPERR_V4_PROHIBITED_CODE},
		[LATH_DROP_policy_acl_reply] = {LATH_ICMPERR_V4_UNREACHABLE,
				LATH_ICMPERR_V4_PROHIBITED_CODE},
		[LATH_DROP_policy_group] = {LATH_ICMPERR_V4_UNREACHABLE,
				LATH_ICMPERR_V4_PROHIBITED_CODE},
		[LATH_DROP_policy_network] = {LATH_ICMPERR_V4_UNREACHABLE,
				LATH_ICMPERR_V4_PROHIBITED_CODE},
		[LATH_DROP_policy_service] = {LATH_ICMPERR_V4_UNREACHABLE,
				LATH_ICMPERR_V4_PROHIBITED_CODE},
		[LATH_DROP_policy_rule] = {LATH_ICMPERR_V4_UNREACHABLE,
				LATH_ICMPERR_V4_PROHIBITED_CODE},
		[LATH_DROP_no_target] = {LATH_ICMPERR_V4_UNREACHABLE, LATH_ICMPERR_V4_HOST_CODE},
		[LATH_DROP_snat_exhausted] = {LATH_ICMPERR_V4_UNREACHABLE,
				LATH_ICMPERR_V4_HOST_CODE},
		[LATH_DROP_snat_pool_memory] = {LATH_ICMPERR_V4_UNREACHABLE,
				LATH_ICMPERR_V4_HOST_CODE},
		[LATH_DROP_flow_table_full] = {LATH_ICMPERR_V4_UNREACHABLE,
				LATH_ICMPERR_V4_HOST_CODE},
		[LATH_DROP_flow_bucket_full] = {LATH_ICMPERR_V4_UNREACHABLE,
				LATH_ICMPERR_V4_HOST_CODE},
		[LATH_DROP_ttl_expired] = {LATH_ICMPERR_V4_TIME_EXCEEDED, 0},
		[LATH_DROP_oversize] = {LATH_ICMPERR_V4_UNREACHABLE, LATH_ICMPERR_V4_TOO_BIG_CODE},
};

/* Cuts the frame to what `pkt` says and sends it back where it came from. */
static void
turn_back(struct lath_worker *w, struct rte_mbuf *m, enum lath_generated kind)
{
	struct lath_packet *pkt = packet_of(m);
	uint32_t len = (uint32_t)pkt->l3_offset + pkt->ip_len;

	lath_craft_turn_ethernet(frame_of(m), &w->plane->gateway_mac[pkt->port]);
	lath_segments_cut(m, len);
	lath_transmit_back(w, m, kind);
}

/* Counts the packet as dropped and says whether the VPC's budget allows an answer; without one the
 * packet is gone.
 */
static bool
drop_answered(struct lath_worker *w, struct rte_mbuf *m, uint32_t vpc, enum lath_drop reason)
{
	struct refusal_budget *budget = &w->refusals[vpc];

	budget->demand++;
	if (!lath_bucket_take(&budget->bucket, w->now, 1)) {
		drop(w, m, vpc, LATH_DROP_refusal_limited);
		return false;
	}
	lath_counters_drop(w->counters, vpc, reason);
	return true;
}

static void
refuse_by_reset(struct lath_worker *w, struct rte_mbuf *m, uint32_t vpc, enum lath_drop reason)
{
	struct lath_packet *pkt = packet_of(m);

	/* Nobody answers a RST (RFC 9293 section 3.10.7.1). */
	if ((pkt->tcp_flags & LATH_TCP_RST) != 0) {
		drop(w, m, vpc, reason);
		return;
	}
	if (!drop_answered(w, m, vpc, reason))
		return;
	lath_craft_reset_answer(frame_of(m), pkt);
	turn_back(w, m, LATH_GENERATED_RST);
}

static enum lath_generated
kind_of(enum lath_drop reason)
{
	if (errors[reason].type == LATH_ICMPERR_V4_TIME_EXCEEDED)
		return LATH_GENERATED_ICMP_TIME_EXCEEDED;
	return errors[reason].code == LATH_ICMPERR_V4_TOO_BIG_CODE
			? LATH_GENERATED_ICMP_FRAG_NEEDED
			: LATH_GENERATED_ICMP_UNREACHABLE;
}

/* What ICMPv6 says for it (RFC 4443 section 3, RFC 7915 section 4.2). */
static void
say_in_v6(struct lath_icmperr_cause *cause)
{
	bool too_big = cause->code == LATH_ICMPERR_V4_TOO_BIG_CODE;

	if (cause->type == LATH_ICMPERR_V4_TIME_EXCEEDED) {
		cause->type = LATH_ICMPERR_V6_TIME_EXCEEDED;
		return;
	}
	cause->type = too_big ? LATH_ICMPERR_V6_TOO_BIG : LATH_ICMPERR_V6_UNREACHABLE;
	switch (cause->code) {
	case LATH_ICMPERR_V4_PORT_CODE:
		cause->code = V6_PORT_CODE;
		break;
	case LATH_ICMPERR_V4_PROHIBITED_CODE:
		cause->code = V6_PROHIBITED_CODE;
		break;
	case LATH_ICMPERR_V4_HOST_CODE:
		cause->code = V6_ADDRESS_CODE;
		break;
	default:
		cause->code = 0;
	}
}

static uint32_t
make_error(uint8_t *out, const struct lath_icmperr_cause *cause, const uint8_t *ip, uint32_t len)
{
	return lath_ip_is_v4(&cause->src) ? lath_icmperr_make_v4(out, cause, ip, len)
					  : lath_icmperr_make_v6(out, cause, ip, len);
}

/* Makes the error around the packet, in front of which there is room for it. `detail`: the MTU of
 * an oversize.
 */
static void
refuse_by_error(struct lath_worker *w, struct rte_mbuf *m, uint32_t vpc, enum lath_drop reason,
		uint32_t detail)
{
	struct lath_packet *pkt = packet_of(m);
	struct lath_ip sender = lath_packet_src(pkt);
	bool is_v6 = pkt->family == LATH_FAMILY_IPV6;
	uint16_t front = is_v6 ? LATH_ICMPERR_V6_FRONT : LATH_ICMPERR_V4_FRONT;
	struct lath_icmperr_cause cause = {
			.type = errors[reason].type,
			.code = errors[reason].code,
			.detail = detail,
	};
	uint32_t len;
	uint8_t *frame;
	uint8_t *ip;

	if (cause.type == 0 || rte_pktmbuf_headroom(m) < front ||
			!own_address(attachment_of(w, pkt), &sender, &cause.src)) {
		drop(w, m, vpc, reason);
		return;
	}
	/* An error quotes less than a buffer holds. */
	lath_segments_cut(m, rte_pktmbuf_data_len(m));
	ip = frame_of(m) + pkt->l3_offset;
	len = (uint32_t)rte_pktmbuf_data_len(m) - pkt->l3_offset;
	/* Frames to a group of hosts have not come this far. */
	if (!(is_v6 ? lath_icmperr_may_answer_v6 : lath_icmperr_may_answer_v4)(ip, len, false)) {
		drop(w, m, vpc, reason);
		return;
	}
	if (!drop_answered(w, m, vpc, reason))
		return;
	if (is_v6)
		say_in_v6(&cause);
	frame = (uint8_t *)rte_pktmbuf_prepend(m, front);
	memmove(frame, frame + front, pkt->l3_offset);
	pkt->ip_len = (uint16_t)make_error(frame + pkt->l3_offset, &cause, ip, len);
	turn_back(w, m, kind_of(reason));
}

void
lath_refuse(struct lath_worker *w, struct rte_mbuf *m, uint32_t vpc, enum lath_drop reason)
{
	if (reason == LATH_DROP_no_listener && packet_of(m)->proto == LATH_PROTO_TCP)
		refuse_by_reset(w, m, vpc, reason);
	else
		refuse_by_error(w, m, vpc, reason, 0);
}

void
lath_refuse_policy(struct lath_worker *w, struct rte_mbuf *m, uint32_t vpc, enum lath_drop reason,
		enum lath_config_refuse how)
{
	switch (how) {
	case LATH_CONFIG_REFUSE_SILENT:
		drop(w, m, vpc, reason);
		return;
	case LATH_CONFIG_REFUSE_RESET:
		if (packet_of(m)->proto == LATH_PROTO_TCP) {
			refuse_by_reset(w, m, vpc, reason);
			return;
		}
		break; /* only TCP has resets */
	case LATH_CONFIG_REFUSE_ICMP:
	case LATH_CONFIG_REFUSE_COUNT:
		break;
	}
	refuse_by_error(w, m, vpc, reason, 0);
}

void
lath_refuse_oversize(struct lath_worker *w, struct rte_mbuf *m, uint32_t vpc, uint32_t mtu)
{
	const struct lath_packet *pkt = packet_of(m);
	const struct lath_ipv4_hdr *ip = (const void *)(frame_of(m) + pkt->l3_offset);

	/* LIMIT: a packet that may be fragmented is not yet (RFC 4787 REQ-13a). */
	if (pkt->family == LATH_FAMILY_IPV4 && (ip->fragment_be & lath_to_be16(LATH_IPV4_DF)) == 0)
		drop(w, m, vpc, LATH_DROP_oversize);
	else
		refuse_by_error(w, m, vpc, LATH_DROP_oversize, mtu);
}

/* A copy of the headers, for the RST that goes back to the sender. */
static struct rte_mbuf *
copy_headers(struct lath_worker *w, struct rte_mbuf *m)
{
	struct lath_packet *pkt = packet_of(m);
	uint16_t len = rte_pktmbuf_data_len(m);
	struct rte_mbuf *copy = rte_pktmbuf_alloc(w->plane->pool);

	if (copy == NULL)
		return NULL;
	memcpy(rte_pktmbuf_append(copy, len), frame_of(m), len);
	*packet_of(copy) = *pkt;
	return copy;
}

void
lath_refuse_flow(struct lath_worker *w, struct rte_mbuf *m, lath_flow_ref_t ref,
		enum lath_drop reason)
{
	struct lath_packet *pkt = packet_of(m);
	uint32_t vpc = lath_packet_vpc(pkt);
	struct rte_mbuf *answer;

	if (pkt->proto != LATH_PROTO_TCP) {
		drop(w, m, vpc, reason);
		return;
	}
	lath_counters_drop(w->counters, vpc, reason);
	lath_segments_cut(m, rte_pktmbuf_data_len(m));
	answer = (pkt->tcp_flags & LATH_TCP_RST) != 0 ? NULL : copy_headers(w, m);
	if (answer != NULL) {
		lath_craft_reset_answer(frame_of(answer), packet_of(answer));
		turn_back(w, answer, LATH_GENERATED_RST);
	}
	lath_craft_reset_onward(frame_of(m), pkt);
	lath_segments_cut(m, (uint32_t)pkt->l3_offset + pkt->ip_len);
	w->counters->worker.generated[LATH_GENERATED_RST]++;
	lath_translate(w, m, ref);
}
