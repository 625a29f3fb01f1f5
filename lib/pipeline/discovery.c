/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Neighbour discovery on a worker: questions for the gateway's own addresses are answered here and
 * statelessly, as ARP is; management hears of what concerns it within the attachment's rate.
 */

#include <lath_nd.h>

#include "pipeline_private.h"

/* Where a question finds the gateway: own, link-local and announced addresses. */
bool
lath_discovery_answers(const struct lath_worker *w, const struct lath_model_attachment *attachment,
		const struct lath_ip *ip)
{
	struct lath_ip own;

	if (lath_ip_is_v4(ip))
		return lath_model_answers_arp(w->model, attachment, ip);
	if (!lath_nd_own_link_local(attachment->addresses, attachment->address_count,
			    &w->plane->gateway_mac[attachment->port], &own))
		return false;
	return lath_ip_equal(&own, ip) || lath_model_answers_arp(w->model, attachment, ip);
}

static void
punt(struct lath_worker *w, const struct lath_nd_message *msg, const struct lath_mac *sender,
		const struct lath_model_attachment *attachment)
{
	struct lath_event event = {
			.type = LATH_EVENT_DISCOVERY,
			.attachment = attachment->index,
			.discovery = {.message = *msg, .sender = *sender},
	};

	if (lath_bucket_take(&w->punts[attachment->index], w->now, 1))
		lath_event_send(w, &event);
	else
		w->counters->worker.punts_lost++;
}

static bool
in_tunnel(const struct lath_model_attachment *attachment)
{
	return attachment->tunnel != LATH_CONFIG_TUNNEL_NONE;
}

/* The Ethernet header in front of the message: in a tunnel the inner one. */
static struct lath_eth_hdr *
ethernet_of(struct rte_mbuf *m, const struct lath_model_attachment *attachment)
{
	uint32_t at = in_tunnel(attachment)
			? packet_of(m)->l3_offset - (uint32_t)sizeof(struct lath_eth_hdr)
			: 0;

	return (void *)(frame_of(m) + at);
}

/* The answer takes the question's place, which has room for the largest frame; tags and a tunnel's
 * headers stay in front of it. In a tunnel also what is for all nodes goes to who asked: the other
 * end has the question's MAC.
 */
static void
answer(struct lath_worker *w, struct rte_mbuf *m, const struct lath_nd_message *question,
		const struct lath_model_attachment *attachment)
{
	struct lath_packet *pkt = packet_of(m);
	struct lath_eth_hdr *eth = rte_pktmbuf_mtod(m, struct lath_eth_hdr *);
	const struct lath_mac *mac = &w->plane->gateway_mac[pkt->port];
	const struct lath_nd_neighbor msg = lath_nd_answer(question, 0, mac, &eth->src);
	uint8_t built[LATH_ND_NEIGHBOR_MAX];
	uint32_t len = lath_nd_make_neighbor(built, &msg);

	w->counters->worker.consumed++;
	pkt->attachment = attachment->index;
	pkt->ip_len = (uint16_t)(len - sizeof(*eth));
	memcpy(frame_of(m) + pkt->l3_offset, built + sizeof(*eth), pkt->ip_len);
	m->pkt_len = (uint32_t)pkt->l3_offset + pkt->ip_len;
	m->data_len = (uint16_t)m->pkt_len;
	lath_craft_turn_ethernet(frame_of(m), mac);
	if (!in_tunnel(attachment))
		eth->dst = msg.eth_dst;
	lath_transmit_back(w, m, LATH_GENERATED_NEIGHBOR_ADVERTISEMENT);
}

static void
consume(struct lath_worker *w, struct rte_mbuf *m)
{
	w->counters->worker.consumed++;
	rte_pktmbuf_free(m);
}

/* RFC 4861 section 7.2.3: a question for somebody else is none. */
static void
take_solicitation(struct lath_worker *w, struct rte_mbuf *m, const struct lath_nd_message *msg,
		const struct lath_model_attachment *attachment)
{
	if (!lath_discovery_answers(w, attachment, &msg->target)) {
		drop(w, m, attachment->vpc, LATH_DROP_not_for_us);
		return;
	}
	punt(w, msg, &ethernet_of(m, attachment)->src, attachment);
	answer(w, m, msg, attachment);
}

static void
take(struct lath_worker *w, struct rte_mbuf *m, const struct lath_nd_message *msg,
		const struct lath_model_attachment *attachment)
{
	const struct lath_eth_hdr *eth = ethernet_of(m, attachment);
	const struct lath_mac *mac = &w->plane->gateway_mac[packet_of(m)->port];

	/* Our own words come back from a hub or a loop: nobody else's address. */
	if (memcmp(&eth->src, mac, sizeof(*mac)) == 0) {
		consume(w, m);
		return;
	}
	switch (msg->type) {
	case LATH_ND_NEIGHBOR_SOLICITATION:
		take_solicitation(w, m, msg, attachment);
		return;
	case LATH_ND_NEIGHBOR_ADVERTISEMENT:
		punt(w, msg, &eth->src, attachment);
		consume(w, m);
		return;
	default:
		drop(w, m, attachment->vpc, LATH_DROP_nd_ignored);
	}
}

/* False: not neighbour discovery. The message ends before the frame's byte `end`, and lies in one
 * piece behind this.
 */
static bool
read_message(struct rte_mbuf *m, uint32_t end, struct lath_nd_message *msg, enum lath_drop *reason)
{
	uint32_t at = packet_of(m)->l3_offset;
	uint32_t len = lath_min_u32(rte_pktmbuf_data_len(m), end);

	if (len < at || !lath_nd_is(frame_of(m) + at, len - at))
		return false;
	*reason = LATH_DROP_nd_malformed;
	if (m->nb_segs > 1 && rte_pktmbuf_linearize(m) != 0)
		return true;
	len = lath_min_u32(rte_pktmbuf_data_len(m), end);
	*reason = lath_nd_parse(frame_of(m) + at, len - at, msg);
	return true;
}

static bool
is_query(struct rte_mbuf *m, uint32_t end)
{
	uint32_t at = packet_of(m)->l3_offset;
	uint32_t len = lath_min_u32(rte_pktmbuf_data_len(m), end);

	return len >= at && lath_nd_is_query(frame_of(m) + at, len - at);
}

static void
punt_query(struct lath_worker *w, const struct lath_model_attachment *attachment)
{
	struct lath_event event = {.type = LATH_EVENT_QUERY, .attachment = attachment->index};

	if (lath_bucket_take(&w->punts[attachment->index], w->now, 1))
		lath_event_send(w, &event);
	else
		w->counters->worker.punts_lost++;
}

bool
lath_discovery_pass(struct lath_worker *w, struct rte_mbuf *m, uint32_t end,
		const struct lath_mac *dst, const struct lath_model_attachment *attachment)
{
	bool to_group = lath_nd_is_group_mac(dst);
	struct lath_nd_message msg;
	enum lath_drop reason = LATH_DROP_not_for_us;

	if (to_group && is_query(m, end)) {
		punt_query(w, attachment);
		consume(w, m);
		return false;
	}
	if (!read_message(m, end, &msg, &reason) && !to_group)
		return true;
	if (reason == LATH_DROP_NONE)
		take(w, m, &msg, attachment);
	else
		drop(w, m, attachment->vpc, reason);
	return false;
}

bool
lath_discovery_take_host(struct lath_worker *w, struct rte_mbuf *m,
		const struct lath_model_attachment *attachment)
{
	struct lath_ip gateway = lath_hostaddr_gateway();
	struct lath_nd_message msg;
	enum lath_drop reason;

	if (!read_message(m, rte_pktmbuf_pkt_len(m), &msg, &reason) || reason != LATH_DROP_NONE ||
			msg.type != LATH_ND_NEIGHBOR_SOLICITATION ||
			!lath_ip_equal(&msg.target, &gateway))
		return false;
	answer(w, m, &msg, attachment);
	return true;
}

/* ---- what management wants said ------------------------------------------------------------ */

static struct lath_nd_neighbor
message_of(const struct lath_command *command, const struct lath_mac *mac)
{
	struct lath_nd_neighbor msg = {
			.type = command->discovery.type,
			.mac = *mac,
			.eth_dst = command->discovery.eth_dst,
			.src = command->discovery.src,
			.dst = command->discovery.target,
			.target = command->discovery.target,
			.overrides = true,
	};

	if (command->discovery.to_one)
		return msg;
	msg.dst = msg.type == LATH_ND_NEIGHBOR_ADVERTISEMENT ? lath_nd_all_nodes()
							     : lath_nd_solicited_node(&msg.target);
	msg.eth_dst = lath_nd_group_mac(&msg.dst);
	return msg;
}

static uint32_t
make_report(uint8_t *frame, const struct lath_command *command, const struct lath_mac *mac)
{
	struct lath_ip group = lath_nd_solicited_node(&command->discovery.target);

	return lath_nd_make_report(frame, mac, &command->discovery.src, &group);
}

/* `frame` is untagged Ethernet; tags and a tunnel's headers are the attachment's. */
void
lath_discovery_say(struct lath_worker *w, const struct lath_model_attachment *attachment,
		const uint8_t *frame, uint32_t len, enum lath_generated kind)
{
	const struct lath_eth_hdr *eth = (const void *)frame;
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->plane->pool);
	uint32_t front;

	if (m == NULL)
		return; /* nothing was generated; management says it again */
	front = lath_craft_ethernet_tags(frame_of(m), &eth->dst, &eth->src, attachment->outer_vlan,
			attachment->vlan, lath_from_be16(eth->type_be));
	memcpy(frame_of(m) + front, frame + sizeof(*eth), len - sizeof(*eth));
	rte_pktmbuf_append(m, (uint16_t)(front + len - sizeof(*eth)));
	*packet_of(m) = (struct lath_packet){.attachment = attachment->index};
	lath_transmit_generated(w, m, attachment->port, kind);
}

void
lath_discovery_send(struct lath_worker *w, const struct lath_command *command)
{
	const struct lath_model_attachment *attachment = command->attachment <
					w->model->attachment_count
			? w->model->attachments[command->attachment]
			: NULL;
	uint8_t frame[LATH_ND_NEIGHBOR_MAX];
	enum lath_generated kind = LATH_GENERATED_NEIGHBOR_SOLICITATION;
	struct lath_nd_neighbor msg;
	uint32_t len;

	if (attachment == NULL)
		return;
	if (command->discovery.type == 0) {
		len = make_report(frame, command, &w->plane->gateway_mac[attachment->port]);
		kind = LATH_GENERATED_MULTICAST_REPORT;
	} else {
		msg = message_of(command, &w->plane->gateway_mac[attachment->port]);
		if (msg.type == LATH_ND_NEIGHBOR_ADVERTISEMENT)
			kind = LATH_GENERATED_NEIGHBOR_ADVERTISEMENT;
		len = lath_nd_make_neighbor(frame, &msg);
	}
	if (in_tunnel(attachment))
		lath_tunnel_say(w, attachment, &command->discovery.target, frame, len, kind);
	else
		lath_discovery_say(w, attachment, frame, len, kind);
}
