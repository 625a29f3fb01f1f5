/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Receive: bursts from this worker's queues and from the rings of the others. A packet gets its
 * struct lath_packet here, once: parse (bytes), classify (which VPC), steer (whose flow). What is
 * another worker's goes there with its parse; what is ours goes down the path.
 *
 * Plain packets of known flows leave before all that, in hit.c.
 *
 * A port that RSS steers is trusted: a packet of it is looked up first, and owner() is computed
 * only on a miss (path.c) and for one packet in STEERING_SAMPLE.
 */

#include <rte_ethdev.h>
#include <rte_prefetch.h>
#include <rte_ring.h>

#include "pipeline_private.h"

static bool
mac_is(const struct lath_mac *mac, const struct lath_mac *other)
{
	return memcmp(mac, other, sizeof(*mac)) == 0;
}

static bool
mac_is_broadcast(const struct lath_mac *mac)
{
	static const struct lath_mac broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

	return mac_is(mac, &broadcast);
}

/* The VPC goes into the key: from where the packet entered, never from an address. */
static void
classify(struct lath_packet *pkt, const struct lath_model_attachment *attachment)
{
	pkt->attachment = attachment->index;
	if (pkt->family == LATH_FAMILY_IPV6)
		pkt->key6.proto_vpc = lath_key_proto_vpc(pkt->proto, attachment->vpc);
	else
		pkt->key4.proto_vpc = lath_key_proto_vpc(pkt->proto, attachment->vpc);
}

/* A frame of the host port: IPv6 from the gateway's own kernel. */
static bool
take_in_host(struct lath_worker *w, struct rte_mbuf *m, uint16_t ethertype,
		const struct lath_model_attachment *attachment)
{
	struct lath_packet *pkt = packet_of(m);

	if (ethertype != LATH_ETHERTYPE_IPV6) {
		drop(w, m, attachment->vpc, LATH_DROP_host_noise);
		return false;
	}
	if (lath_discovery_take_host(w, m, attachment))
		return false;
	if (lath_stage_parse(m, ethertype, rte_pktmbuf_data_len(m), rte_pktmbuf_pkt_len(m),
			    false) != LATH_DROP_NONE ||
			(pkt->proto != LATH_PROTO_TCP && pkt->proto != LATH_PROTO_UDP)) {
		drop(w, m, attachment->vpc, LATH_DROP_host_noise);
		return false;
	}
	pkt->kind = LATH_PACKET_HOST;
	classify(pkt, attachment);
	return true;
}

/* The NIC has found the IPv4 header's checksum right; what it calls wrong is summed here, so that
 * every port drops the same headers.
 */
static bool
header_is_verified(const struct lath_worker *w, const struct rte_mbuf *m, uint16_t port)
{
	return w->plane->ports[port].offloads[LATH_OFFLOAD_RX_IP_CKSUM] &&
			(m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD;
}

/* The NIC has found TCP's or UDP's checksum wrong. A UDP checksum of 0 is none (RFC 768). */
static bool
l4_is_wrong(const struct lath_worker *w, struct rte_mbuf *m)
{
	const struct lath_packet *pkt = packet_of(m);
	const struct lath_udp_hdr *udp = (const void *)(frame_of(m) + pkt->l4_offset);

	return w->plane->ports[pkt->port].offloads[LATH_OFFLOAD_RX_L4_CKSUM] &&
			(m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_BAD &&
			(pkt->proto == LATH_PROTO_TCP ||
					(pkt->proto == LATH_PROTO_UDP &&
							lath_from_be16(udp->cksum_be) != 0));
}

/* The parse has summed an echo that lies in one piece. */
static bool
echo_sum_holds(struct rte_mbuf *m)
{
	const struct lath_packet *pkt = packet_of(m);

	return m->nb_segs == 1 || pkt->proto != LATH_PROTO_ICMP || lath_packet_is_error(pkt) ||
			lath_segments_sum_holds(m, pkt->l4_offset,
					(uint32_t)(pkt->ip_len -
							(pkt->l4_offset - pkt->l3_offset)));
}

/* Which solicited-node groups the gateway is a member of follows from who is asked for:
 * discovery.c.
 */
bool
lath_stage_is_for_us(const struct lath_worker *w, const struct lath_mac *dst, uint16_t port,
		uint16_t ethertype)
{
	static const struct lath_mac all_nodes = {{0x33, 0x33, 0, 0, 0, 1}};
	static const struct lath_mac all_routers = {{0x33, 0x33, 0, 0, 0, 2}};

	if (mac_is(dst, &w->plane->gateway_mac[port]))
		return true;
	if (ethertype == LATH_ETHERTYPE_ARP)
		return mac_is_broadcast(dst);
	return ethertype == LATH_ETHERTYPE_IPV6 && lath_nd_is_group_mac(dst) &&
			(dst->bytes[2] == 0xff || mac_is(dst, &all_nodes) ||
					mac_is(dst, &all_routers));
}

/* Options and used up routes speak of addresses that end here, so nothing of them goes on. What stands
 * before them moves up to the upper protocol, and every later stage knows one shape of packet.
 */
static void
strip_extensions(struct rte_mbuf *m)
{
	struct lath_packet *pkt = packet_of(m);
	uint16_t front = (uint16_t)(pkt->l3_offset + sizeof(struct lath_ipv6_hdr));
	uint16_t len = (uint16_t)(pkt->l4_offset - front);
	struct lath_ipv6_hdr *ip;

	memmove(frame_of(m) + len, frame_of(m), front);
	rte_pktmbuf_adj(m, len);
	pkt->kind = LATH_PACKET_HIDDEN;
	pkt->l4_offset = front;
	pkt->ip_len = (uint16_t)(pkt->ip_len - len);
	ip = (void *)(frame_of(m) + pkt->l3_offset);
	ip->next_header = pkt->proto;
	ip->payload_len_be = lath_to_be16((uint16_t)(pkt->ip_len - sizeof(*ip)));
}

enum lath_drop
lath_stage_parse(struct rte_mbuf *m, uint16_t ethertype, uint32_t len, uint32_t end, bool verified)
{
	struct lath_packet *pkt = packet_of(m);
	enum lath_drop reason;

	pkt->kind = LATH_PACKET_UNKNOWN;
	if (ethertype == LATH_ETHERTYPE_IPV4) {
		reason = lath_parse_ipv4(frame_of(m), len, end, verified, pkt);
		return reason == LATH_DROP_NONE && !echo_sum_holds(m) ? LATH_DROP_icmp_cksum
								      : reason;
	}
	if (ethertype != LATH_ETHERTYPE_IPV6)
		return LATH_DROP_ethertype;
	reason = lath_parse_ipv6(frame_of(m), len, end, pkt);
	if (reason == LATH_DROP_NONE &&
			pkt->l4_offset - pkt->l3_offset != (int)sizeof(struct lath_ipv6_hdr))
		strip_extensions(m);
	return reason;
}

bool
lath_stage_classify(struct lath_worker *w, struct rte_mbuf *m,
		const struct lath_model_attachment *attachment)
{
	struct lath_packet *pkt = packet_of(m);

	classify(pkt, attachment);
	return !lath_packet_is_error(pkt) || lath_error_take(w, m);
}

/* A frame of a VPC's attachment. */
static bool
take_in_vpc(struct lath_worker *w, struct rte_mbuf *m, uint16_t ethertype,
		const struct lath_model_attachment *attachment)
{
	const struct lath_eth_hdr *eth = rte_pktmbuf_mtod(m, const struct lath_eth_hdr *);
	struct lath_packet *pkt = packet_of(m);
	enum lath_drop reason;

	if (!lath_stage_is_for_us(w, &eth->dst, pkt->port, ethertype)) {
		drop(w, m, attachment->vpc, LATH_DROP_not_for_us);
		return false;
	}
	if (ethertype == LATH_ETHERTYPE_ARP) {
		pkt->kind = LATH_PACKET_ARP;
		pkt->attachment = attachment->index;
		lath_local_arp(w, m, attachment);
		return false;
	}
	if (ethertype == LATH_ETHERTYPE_IPV6 &&
			!lath_discovery_pass(w, m, rte_pktmbuf_pkt_len(m), &eth->dst, attachment))
		return false;
	reason = lath_stage_parse(m, ethertype, rte_pktmbuf_data_len(m), rte_pktmbuf_pkt_len(m),
			header_is_verified(w, m, pkt->port));
	if (reason == LATH_DROP_NONE && l4_is_wrong(w, m))
		reason = LATH_DROP_l4_cksum;
	if (reason != LATH_DROP_NONE) {
		drop(w, m, attachment->vpc, reason);
		return false;
	}
	return lath_stage_classify(w, m, attachment);
}

/* False: the packet is gone. */
static bool
take_in(struct lath_worker *w, struct rte_mbuf *m, uint16_t port)
{
	struct lath_packet *pkt = packet_of(m);
	const struct lath_model_attachment *attachment;
	uint16_t ethertype;
	enum lath_drop reason;

	pkt->port = (uint8_t)port;
	pkt->family = LATH_FAMILY_NONE;
	pkt->stage = LATH_STAGE_LOOKUP;
	if (m->nb_segs > 1 && !lath_segments_gather(m)) {
		drop(w, m, LATH_MODEL_HOST_VPC, LATH_DROP_segments);
		return false;
	}
	reason = lath_parse_frame(frame_of(m), rte_pktmbuf_data_len(m), pkt, &ethertype);
	if (reason != LATH_DROP_NONE) {
		drop(w, m, LATH_MODEL_HOST_VPC, reason);
		return false;
	}
	attachment = pkt->outer_vlan == 0
			? lath_model_attachment_at(w->model, port, pkt->vlan)
			: lath_model_enter(w->model, LATH_MODEL_ENTRANCE_TAGS, port,
					  lath_model_tags(pkt->outer_vlan, pkt->vlan));
	if (attachment == NULL) {
		drop(w, m, LATH_MODEL_HOST_VPC, LATH_DROP_no_attachment);
		return false;
	}
	if (attachment->is_underlay)
		return lath_tunnel_take(w, m, ethertype, attachment);
	if (attachment->is_host)
		return take_in_host(w, m, ethertype, attachment);
	return take_in_vpc(w, m, ethertype, attachment);
}

unsigned
lath_stage_owner(const struct lath_worker *w, const struct lath_packet *pkt)
{
	if (pkt->family == LATH_FAMILY_IPV6)
		return lath_owner_of_v6(w->plane->owner, pkt->key6.src, pkt->key6.dst,
				pkt->key6.src_port_be, pkt->key6.dst_port_be);
	return lath_owner_of_v4(w->plane->owner, pkt->key4.src_be, pkt->key4.dst_be,
			pkt->key4.src_port_be, pkt->key4.dst_port_be);
}

/* After some wrong ones in a row (of those compared) the port is not trusted any more. */
void
lath_stage_count_steering(struct lath_worker *w, uint16_t port, bool wrong)
{
	if (!wrong) {
		w->wrong_in_a_row[port] = 0;
		return;
	}
	w->counters->worker.rx_wrong_lcore++;
	if (++w->wrong_in_a_row[port] == WRONG_IN_A_ROW_MAX)
		lath_event_send(w,
				&(struct lath_event){
						.type = LATH_EVENT_WRONG_WORKER, .port = port});
}

/* True when the packet is ours to go on with; false: it went to its owner. What came through a tunnel
 * is never where a NIC thinks.
 */
static bool
steer(struct lath_worker *w, struct rte_mbuf *m, bool port_by_nic)
{
	struct lath_packet *pkt = packet_of(m);
	bool in_tunnel = attachment_of(w, pkt)->tunnel != LATH_CONFIG_TUNNEL_NONE;
	bool by_nic = port_by_nic && !in_tunnel && pkt->kind != LATH_PACKET_HIDDEN;
	enum lath_handover why = LATH_HANDOVER_UNSTEERED;

	pkt->owner = (uint8_t)w->index;
	if (w->plane->worker_count == 1)
		return true;
	if (by_nic && !lath_packet_is_icmp(pkt) && w->sample-- != 0)
		return true;
	pkt->owner = (uint8_t)lath_stage_owner(w, pkt);
	if (by_nic && !lath_packet_is_icmp(pkt)) {
		w->sample = STEERING_SAMPLE;
		lath_stage_count_steering(w, pkt->port, pkt->owner != w->index);
		why = LATH_HANDOVER_WRONG;
	} else if (in_tunnel) {
		why = LATH_HANDOVER_TUNNEL;
	} else if (lath_packet_is_icmp(pkt)) {
		why = LATH_HANDOVER_ICMP;
	}
	if (pkt->owner == w->index)
		return true;
	lath_handover(w, m, pkt->owner, why);
	return false;
}

void
lath_stage_take(struct lath_worker *w, uint16_t port, struct rte_mbuf **packets, unsigned n)
{
	bool by_nic = w->plane->ports[port].steering == LATH_STEER_NIC;
	struct burst b; /* 400 bytes: not zeroed */

	b.count = 0;
	b.handed = false;
	for (unsigned i = 0; i < n; i++)
		rte_prefetch0(packet_of(packets[i]));
	for (unsigned i = 0; i < n; i++)
		if (take_in(w, packets[i], port) && steer(w, packets[i], by_nic))
			b.packets[b.count++] = packets[i];
	lath_path_run(w, &b);
}

/* True when a burst may take the hit path, which asks owner() only where software steers: else a
 * port that RSS steers has its turn to be compared.
 */
static bool
may_hit(struct lath_worker *w, const struct lath_port *p, unsigned n)
{
	if (w->plane->whole_way)
		return false;
	if (w->plane->worker_count == 1 || p->steering != LATH_STEER_NIC)
		return true;
	if (w->sample < n)
		return false;
	w->sample -= n;
	return true;
}

static unsigned
receive_port(struct lath_worker *w, uint16_t port)
{
	const struct lath_port *p = &w->plane->ports[port];
	struct rte_mbuf *packets[LATH_BURST_MAX];
	unsigned n = rte_eth_rx_burst(p->port_id, (uint16_t)w->index, packets, LATH_BURST_MAX);
	uint64_t bytes = 0;

	if (n == 0)
		return 0;
	for (unsigned i = 0; i < n; i++)
		rte_prefetch0(packets[i]);
	for (unsigned i = 0; i < n; i++) {
		rte_prefetch0(rte_pktmbuf_mtod(packets[i], void *));
		bytes += rte_pktmbuf_pkt_len(packets[i]);
	}
	w->counters->worker.received += n;
	w->counters->worker.received_bytes += bytes;
	if (may_hit(w, p, n))
		lath_hit_run(w, port, packets, n);
	else
		lath_stage_take(w, port, packets, n);
	return n;
}

static unsigned
receive_handed(struct lath_worker *w, uint32_t from)
{
	struct rte_ring *ring = w->plane->handover[from * w->plane->worker_count + w->index];
	struct rte_mbuf *packets[LATH_BURST_MAX];
	struct burst b; /* 400 bytes: not zeroed for every empty poll */
	unsigned n = rte_ring_sc_dequeue_burst(ring, (void **)packets, LATH_BURST_MAX, NULL);

	if (n == 0)
		return 0;
	b.count = 0;
	b.handed = true;
	w->counters->worker.handed_in += n;
	for (unsigned i = 0; i < n; i++) {
		rte_prefetch0(packet_of(packets[i]));
		rte_prefetch0(rte_pktmbuf_mtod(packets[i], void *));
	}
	for (unsigned i = 0; i < n; i++) {
		struct lath_packet *pkt = packet_of(packets[i]);

		if (pkt->stage == LATH_STAGE_TRANSMIT)
			lath_transmit(w, packets[i], pkt->port);
		else if (pkt->attachment >= w->model->attachment_count ||
				w->model->attachments[pkt->attachment] == NULL)
			/* The other worker saw an older or newer model. */
			drop(w, packets[i], LATH_MODEL_HOST_VPC, LATH_DROP_no_attachment);
		else
			b.packets[b.count++] = packets[i];
	}
	if (w->plane->whole_way)
		lath_path_run(w, &b);
	else
		lath_hit_run_handed(w, b.packets, b.count);
	return n;
}

unsigned
lath_stage_receive(struct lath_worker *w)
{
	unsigned n = 0;

	for (uint16_t port = 0; port < w->plane->port_count; port++)
		if (w->index < w->plane->ports[port].rx_queue_count)
			n += receive_port(w, port);
	for (uint32_t from = 0; from < w->plane->worker_count; from++)
		if (from != w->index)
			n += receive_handed(w, from);
	return n;
}
