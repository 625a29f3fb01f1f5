/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* For the gateway itself, answered here and statelessly: ARP, ping. */

#include "pipeline_private.h"

/* Management hears of every ARP frame within the attachment's rate: it keeps neighbours fresh. */
static void
punt_arp(struct lath_worker *w, const struct lath_arp_hdr *arp,
		const struct lath_model_attachment *attachment)
{
	struct lath_event event = {
			.type = LATH_EVENT_ARP,
			.attachment = attachment->index,
			.ip = lath_ip_from_v4_be(arp->sender_ip_be),
			.target_ip = lath_ip_from_v4_be(arp->target_ip_be),
			.mac = arp->sender_mac,
			.is_reply = lath_from_be16(arp->op_be) == LATH_ARP_REPLY,
	};

	if (lath_bucket_take(&w->punts[attachment->index], w->now, 1))
		lath_event_send(w, &event);
	else
		w->counters->worker.punts_lost++;
}

void
lath_local_arp(struct lath_worker *w, struct rte_mbuf *m,
		const struct lath_model_attachment *attachment)
{
	const struct lath_packet *pkt = packet_of(m);
	const struct lath_mac *mac = &w->plane->gateway_mac[pkt->port];
	const struct lath_arp_hdr *arp;
	struct lath_ip asked;
	enum lath_drop reason = lath_parse_arp(frame_of(m), rte_pktmbuf_data_len(m), pkt, &arp);

	if (reason != LATH_DROP_NONE) {
		drop(w, m, attachment->vpc, reason);
		return;
	}
	if (memcmp(&arp->sender_mac, mac, sizeof(*mac)) != 0)
		punt_arp(w, arp, attachment);
	asked = lath_ip_from_v4_be(arp->target_ip_be);
	w->counters->worker.consumed++;
	/* An announcement or probe for an address of ours by somebody else is not a question: the
	 * first is settled by management, the second is answered so that they learn (RFC 5227).
	 */
	if (lath_from_be16(arp->op_be) != LATH_ARP_REQUEST ||
			arp->sender_ip_be == arp->target_ip_be ||
			!lath_model_answers_arp(w->model, attachment, &asked)) {
		rte_pktmbuf_free(m);
		return;
	}
	lath_craft_arp_reply(frame_of(m), pkt, mac);
	lath_transmit_back(w, m, LATH_GENERATED_ARP_REPLY);
}

void
lath_local_echo(struct lath_worker *w, struct rte_mbuf *m)
{
	const struct lath_packet *pkt = packet_of(m);

	w->counters->worker.consumed++;
	lath_craft_echo_reply(frame_of(m), pkt);
	lath_craft_turn_ethernet(frame_of(m), &w->plane->gateway_mac[pkt->port]);
	lath_transmit_back(w, m, LATH_GENERATED_ECHO_REPLY);
}
