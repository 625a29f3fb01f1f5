/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Next hops. A half remembers its adjacency once that is READY; until then, and after routes have
 * changed, each packet looks its route up. Both directions follow routes, never the MAC that
 * packets came from (but for returnTo: sender).
 */

#include "pipeline_private.h"

/* Where packets of this half go: the VPC of the other half's key, the rewrite's destination. */
static struct lath_ip
destination_of(const struct lath_worker *w, lath_flow_ref_t ref, uint32_t *vpc)
{
	unsigned half = ref & 1;

	if (!lath_flow_is_mixed(ref)) {
		const struct lath_flow4 *flow = lath_flow4_at(&w->flows, ref);

		*vpc = flow->half[!half].key.proto_vpc & LATH_KEY_VPC_MASK;
		return lath_ip_from_v4_be(flow->half[half].rewrite.dst_be);
	}
	const struct lath_flow_mixed *flow = lath_flow_mixed_at(&w->flows, ref);

	if (flow->half[half].family_out == LATH_FAMILY_IPV4) {
		*vpc = flow->half[!half].key4.proto_vpc & LATH_KEY_VPC_MASK;
		return lath_ip_from_v4_be(flow->half[half].rewrite4.dst_be);
	}
	*vpc = flow->half[!half].key6.proto_vpc & LATH_KEY_VPC_MASK;
	return lath_ip_from_v6(flow->half[half].rewrite6.dst);
}

/* `ip` NULL: by MAC, which tunnels have not. */
static void
make_ready(struct lath_worker *w, uint32_t idx, const struct lath_model_attachment *attachment,
		const struct lath_ip *ip, const struct lath_mac *mac)
{
	bool is_tunnel = attachment->tunnel != LATH_CONFIG_TUNNEL_NONE;
	struct lath_adjacency *entry = &w->adjacencies.entries[idx];
	uint8_t header[LATH_ADJACENCY_HEADER_MAX] = {0};
	struct rte_mbuf *held;
	uint32_t len;

	if (is_tunnel && ip == NULL && attachment->tunnel != LATH_CONFIG_TUNNEL_GWLB)
		return;
	if (attachment->tunnel == LATH_CONFIG_TUNNEL_GWLB)
		len = sizeof(header); /* of which each flow keeps its own */
	else if (is_tunnel)
		len = lath_tunnel_ready(w, idx, attachment, ip, mac, header);
	else
		len = lath_craft_ethernet_tags(header, mac,
				&w->plane->gateway_mac[attachment->port], attachment->outer_vlan,
				attachment->vlan,
				entry->key.family == LATH_FAMILY_IPV6 ? LATH_ETHERTYPE_IPV6
								      : LATH_ETHERTYPE_IPV4);
	if (len == 0)
		return; /* nobody is behind it: no route leads here any more */
	entry->is_tunnel = is_tunnel;
	entry->inner = attachment->inner_ethernet ? LATH_ADJACENCY_ETHERNET : LATH_ADJACENCY_IP;
	if (attachment->tunnel == LATH_CONFIG_TUNNEL_GWLB)
		entry->inner = LATH_ADJACENCY_KEPT;
	held = entry->held;
	entry->held = NULL;
	lath_adjacency_ready(&w->adjacencies, idx, mac, header, (uint8_t)len, attachment->port,
			leg_mtu(w, attachment), w->now);
	if (held != NULL) {
		w->counters->worker.held--;
		lath_nexthop_send(w, held, idx);
	}
}

static void
drop_held(struct lath_worker *w, struct rte_mbuf *held, enum lath_drop reason)
{
	if (held == NULL)
		return;
	w->counters->worker.held--;
	drop_late(w, held, reason);
}

/* Finds or makes the adjacency of a key. */
static uint32_t
get(struct lath_worker *w, const struct lath_adjacency_key *key,
		const struct lath_model_attachment *attachment)
{
	void *evicted;
	uint32_t idx = lath_adjacency_get(&w->adjacencies, key, w->now, &evicted);

	drop_held(w, evicted, LATH_DROP_neighbor_table_full);
	if (idx != LATH_ADJACENCY_NONE && w->adjacencies.entries[idx].mtu == 0) {
		w->adjacencies.entries[idx].mtu = leg_mtu(w, attachment);
		w->adjacencies.entries[idx].port = attachment->port;
	}
	return idx;
}

/* Bare IP goes to the remote behind which the address lies, and that is known. */
static uint32_t
to_remote(struct lath_worker *w, const struct lath_model_attachment *attachment,
		const struct lath_ip *remote)
{
	static const struct lath_mac none;
	struct lath_adjacency_key key = lath_adjacency_key_ip(attachment->index, remote);
	uint32_t idx = get(w, &key, attachment);

	if (idx != LATH_ADJACENCY_NONE && w->adjacencies.entries[idx].state != LATH_ADJACENCY_READY)
		make_ready(w, idx, attachment, remote, &none);
	return idx;
}

uint32_t
lath_nexthop_by_route(struct lath_worker *w, uint32_t vpc_idx, const struct lath_ip *dst,
		enum lath_drop *reason)
{
	const struct lath_model_vpc *vpc = vpc_idx < w->model->vpc_count ? w->model->vpcs[vpc_idx]
									 : NULL;
	const struct lath_model_route *route = vpc == NULL ? NULL : lath_model_route(vpc, dst);
	const struct lath_model_attachment *attachment;
	const struct lath_model_remote *remote;
	const struct lath_ip *hop;
	struct lath_adjacency_key key;

	*reason = LATH_DROP_no_route;
	if (route == NULL)
		return LATH_ADJACENCY_NONE;
	attachment = w->model->attachments[route->attachment];
	hop = route->next_hop.family == LATH_FAMILY_NONE ? dst : &route->next_hop;
	if (attachment->tunnel != LATH_CONFIG_TUNNEL_NONE) {
		remote = lath_model_remote_of(attachment, hop);
		if (remote == NULL)
			return LATH_ADJACENCY_NONE;
		*reason = LATH_DROP_neighbor_table_full;
		if (!attachment->inner_ethernet)
			return to_remote(w, attachment, &remote->ip);
	}
	key = lath_adjacency_key_ip(route->attachment, hop);
	*reason = LATH_DROP_neighbor_table_full;
	return get(w, &key, attachment);
}

/* The kernel behind the host port is one hop away and its MAC is known from the start. */
static uint32_t
to_host(struct lath_worker *w, const struct lath_ip *dst, enum lath_drop *reason)
{
	const struct lath_model_attachment *attachment = w->model->host_port == UINT16_MAX
			? NULL
			: lath_model_attachment_at(w->model, w->model->host_port, 0);
	struct lath_adjacency_key key;
	uint32_t idx;

	*reason = LATH_DROP_no_route;
	if (attachment == NULL)
		return LATH_ADJACENCY_NONE;
	key = lath_adjacency_key_ip(attachment->index, dst);
	idx = get(w, &key, attachment);
	*reason = LATH_DROP_neighbor_table_full;
	if (idx != LATH_ADJACENCY_NONE && w->adjacencies.entries[idx].state != LATH_ADJACENCY_READY)
		make_ready(w, idx, attachment, dst, &w->plane->host_kernel_mac);
	return idx;
}

/* The half gives back an adjacency that routes have left behind; a sender's key is kept. */
static uint32_t
leave_retired(struct lath_worker *w, struct lath_half_state *state, uint32_t idx)
{
	struct lath_adjacency_key key = w->adjacencies.entries[idx].key;
	struct lath_mac mac = w->adjacencies.entries[idx].mac;
	const struct lath_model_attachment *attachment;
	uint32_t next;

	state->adjacency &= ~LATH_HALF_ADJACENCY_MASK;
	lath_adjacency_unref(&w->adjacencies, idx);
	if (key.by_mac == 0 || key.attachment >= w->model->attachment_count)
		return LATH_ADJACENCY_NONE;
	attachment = w->model->attachments[key.attachment];
	if (attachment == NULL)
		return LATH_ADJACENCY_NONE;
	next = get(w, &key, attachment);
	if (next != LATH_ADJACENCY_NONE &&
			w->adjacencies.entries[next].state != LATH_ADJACENCY_READY)
		make_ready(w, next, attachment, NULL, &mac);
	return next;
}

uint32_t
lath_nexthop_of(struct lath_worker *w, lath_flow_ref_t ref, enum lath_drop *reason)
{
	struct lath_half_state *state = lath_flow_state_at(&w->flows, ref);
	uint32_t idx = state->adjacency & LATH_HALF_ADJACENCY_MASK;
	struct lath_ip dst;
	uint32_t vpc;

	if (idx != LATH_ADJACENCY_NONE) {
		if (w->adjacencies.entries[idx].state != LATH_ADJACENCY_RETIRED)
			return idx;
		idx = leave_retired(w, state, idx);
	}
	if (idx == LATH_ADJACENCY_NONE) {
		dst = destination_of(w, ref, &vpc);
		idx = vpc == LATH_MODEL_HOST_VPC ? to_host(w, &dst, reason)
						 : lath_nexthop_by_route(w, vpc, &dst, reason);
	}
	if (idx == LATH_ADJACENCY_NONE)
		return idx;
	if (w->adjacencies.entries[idx].state == LATH_ADJACENCY_READY) {
		state->adjacency |= idx;
		lath_adjacency_ref(&w->adjacencies, idx);
	}
	return idx;
}

uint32_t
lath_nexthop_sender(struct lath_worker *w, struct rte_mbuf *m)
{
	const struct lath_eth_hdr *eth = rte_pktmbuf_mtod(m, const struct lath_eth_hdr *);
	const struct lath_model_attachment *attachment = attachment_of(w, packet_of(m));
	struct lath_adjacency_key key = lath_adjacency_key_mac(attachment->index, &eth->src,
			packet_of(m)->family);
	uint32_t idx = get(w, &key, attachment);

	if (idx != LATH_ADJACENCY_NONE && w->adjacencies.entries[idx].state != LATH_ADJACENCY_READY)
		make_ready(w, idx, attachment, NULL, &eth->src);
	return idx;
}

static void
tell(struct lath_worker *w, const struct lath_adjacency *entry, enum lath_event_type type)
{
	struct lath_event event = {
			.type = type,
			.attachment = entry->key.attachment,
			.ip = lath_adjacency_ip(&entry->key),
	};

	lath_event_send(w, &event);
}

/* One packet waits for an answer; management is asked again every second. */
static void
wait_for(struct lath_worker *w, struct rte_mbuf *m, struct lath_adjacency *entry)
{
	if (lath_tick_reached(w->now, entry->asked + NEIGHBOR_ASK_TICKS)) {
		entry->asked = w->now;
		tell(w, entry, LATH_EVENT_NEIGHBOR_WANTED);
	}
	if (entry->held != NULL) {
		drop_late(w, m, LATH_DROP_neighbor_pending);
		return;
	}
	entry->held = m;
	w->counters->worker.held++;
}

/* A length known to the compiler is two moves, any other a call. */
static inline void
put_header(uint8_t *frame, const struct lath_adjacency *entry)
{
	if (entry->header_len == sizeof(struct lath_eth_hdr))
		memcpy(frame, entry->header, sizeof(struct lath_eth_hdr));
	else
		memcpy(frame, entry->header, entry->header_len);
}

/* Ethernet padding stays behind. A packet in one piece, as nearly all are, needs no look at the
 * mbuf's second line.
 */
static inline void
trim_to(struct rte_mbuf *m, uint32_t len)
{
	if (rte_pktmbuf_pkt_len(m) <= len)
		return;
	if (m->nb_segs == 1) {
		m->data_len = (uint16_t)len;
		m->pkt_len = len;
	} else {
		lath_segments_cut(m, len);
	}
}

void
lath_nexthop_send(struct lath_worker *w, struct rte_mbuf *m, uint32_t idx)
{
	struct lath_adjacency *entry = &w->adjacencies.entries[idx];
	struct lath_packet *pkt = packet_of(m);
	int spare = pkt->l3_offset - entry->header_len;
	uint32_t len;

	if (entry->state == LATH_ADJACENCY_FAILED &&
			lath_tick_reached(w->now, entry->changed + NEIGHBOR_RETRY_TICKS))
		entry->state = LATH_ADJACENCY_RESOLVING;
	if (entry->state == LATH_ADJACENCY_FAILED) {
		drop_late(w, m, LATH_DROP_neighbor_failed);
		return;
	}
	if (entry->state != LATH_ADJACENCY_READY) {
		wait_for(w, m, entry);
		return;
	}
	if (lath_tick_reached(w->now, entry->used + NEIGHBOR_USED_TICKS)) {
		entry->used = w->now;
		if (entry->key.by_mac == 0)
			tell(w, entry, LATH_EVENT_NEIGHBOR_USED);
	}
	if (spare > 0)
		rte_pktmbuf_adj(m, (uint16_t)spare);
	else if (spare < 0 && rte_pktmbuf_prepend(m, (uint16_t)-spare) == NULL)
		rte_panic("packet without headroom\n");
	put_header(frame_of(m), entry);
	pkt->l4_offset = (uint16_t)(pkt->l4_offset - spare);
	pkt->l3_offset = entry->header_len;
	len = (uint32_t)pkt->l3_offset + pkt->ip_len;
	trim_to(m, len);
	if (entry->is_tunnel)
		lath_tunnel_send(w, m, idx);
	else
		lath_transmit(w, m, entry->port);
}

void
lath_nexthop_set(struct lath_worker *w, uint32_t attachment_idx, const struct lath_ip *ip,
		const struct lath_mac *mac)
{
	struct lath_adjacency_key key = lath_adjacency_key_ip(attachment_idx, ip);
	const struct lath_model_attachment *attachment = attachment_idx < w->model->attachment_count
			? w->model->attachments[attachment_idx]
			: NULL;
	uint32_t idx;

	if (attachment == NULL)
		return;
	idx = get(w, &key, attachment);
	if (idx != LATH_ADJACENCY_NONE)
		make_ready(w, idx, attachment, ip, mac);
}

void
lath_nexthop_lost(struct lath_worker *w, uint32_t attachment, const struct lath_ip *ip)
{
	struct lath_adjacency_key key = lath_adjacency_key_ip(attachment, ip);
	uint32_t idx = lath_adjacency_find(&w->adjacencies, &key);

	if (idx != LATH_ADJACENCY_NONE)
		drop_held(w, lath_adjacency_failed(&w->adjacencies, idx, w->now),
				LATH_DROP_neighbor_failed);
}

/* Routes changed: every adjacency is looked up anew by the flows that hold it. What was resolved
 * is not asked for again.
 */
void
lath_nexthop_retire_all(struct lath_worker *w)
{
	struct lath_adjacency_table *table = &w->adjacencies;

	table->epoch++;
	for (uint32_t idx = 1; idx < table->capacity; idx++) {
		struct lath_adjacency *entry = &table->entries[idx];
		struct lath_adjacency_key key = entry->key;
		struct lath_mac mac = entry->mac;
		bool ready = entry->state == LATH_ADJACENCY_READY && key.by_mac == 0;
		struct lath_ip ip = lath_adjacency_ip(&key);

		if (entry->state == LATH_ADJACENCY_FREE || entry->state == LATH_ADJACENCY_RETIRED ||
				entry->epoch == table->epoch)
			continue;
		drop_held(w, lath_adjacency_retire(table, idx, w->now), LATH_DROP_neighbor_pending);
		if (ready)
			lath_nexthop_set(w, key.attachment, &ip, &mac);
	}
}
