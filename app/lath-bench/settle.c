/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Between laps: management, the routers that answer ARP, and what must hold of the counters. */

#include <inttypes.h>

#include <lath_craft.h>

#include "world.h"

#define QUIET_ROUNDS 3u

struct lath_control_now
rig_now(const struct rig *rig)
{
	return (struct lath_control_now){
			.tick = rig->now, .wall_s = 1700000000 + rig->now / LATH_TICKS_PER_SECOND};
}

/* The ARP header, or NULL; its VLAN. */
static const struct lath_arp_hdr *
arp_of(struct rte_mbuf *m, uint16_t *vlan)
{
	const struct lath_eth_hdr *eth = rte_pktmbuf_mtod(m, const struct lath_eth_hdr *);
	const lath_be16_t *tag = (const void *)(eth + 1); /* TCI, type */

	*vlan = 0;
	if (lath_from_be16(eth->type_be) == LATH_ETHERTYPE_ARP)
		return (const void *)(eth + 1);
	if (lath_from_be16(eth->type_be) != LATH_ETHERTYPE_VLAN ||
			lath_from_be16(tag[1]) != LATH_ETHERTYPE_ARP)
		return NULL;
	*vlan = lath_from_be16(tag[0]) & LATH_VLAN_ID_MASK;
	return (const void *)(tag + 2);
}

/* What a router says to an ARP request for it; everything else is let go. */
static void
answer_arp(struct rig *rig, struct rte_mbuf *m, const struct lath_arp_hdr *arp, uint16_t vlan,
		unsigned queue, unsigned side)
{
	struct lath_craft_arp reply = {
			.op = LATH_ARP_REPLY,
			.vlan = vlan,
			.eth_dst = arp->sender_mac,
			.sender_mac = frame_router_mac(side),
			.target_mac = arp->sender_mac,
			.sender_ip_be = arp->target_ip_be,
			.target_ip_be = arp->sender_ip_be,
	};
	uint32_t len;

	if (lath_from_be16(arp->op_be) != LATH_ARP_REQUEST ||
			lath_from_be32(arp->target_ip_be) != ROUTER_IP) {
		rte_pktmbuf_free(m);
		return;
	}
	rte_pktmbuf_reset(m);
	len = lath_craft_arp(rte_pktmbuf_mtod(m, uint8_t *), &reply);
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	if (rte_ring_enqueue(rig->rx[queue][side], m) != 0)
		rig_die("the receive ring is full");
}

/* Takes ARP off a transmit ring and leaves all else in its order. */
static unsigned
route_ring(struct rig *rig, unsigned queue, unsigned side)
{
	struct rte_ring *ring = rig->tx[queue][side];
	unsigned did = 0;

	for (unsigned left = rte_ring_count(ring); left > 0; left--) {
		const struct lath_arp_hdr *arp;
		struct rte_mbuf *m;
		uint16_t vlan;

		if (rte_ring_dequeue(ring, (void **)&m) != 0)
			break;
		arp = arp_of(m, &vlan);
		if (arp == NULL) {
			(void)rte_ring_enqueue(ring, m);
			continue;
		}
		answer_arp(rig, m, arp, vlan, queue, side);
		did++;
	}
	return did;
}

static unsigned
route(struct rig *rig)
{
	unsigned did = 0;

	for (unsigned queue = 0; queue < rig->plan.workers; queue++)
		for (unsigned side = 0; side < SIDES; side++)
			did += route_ring(rig, queue, side);
	return did;
}

void
rig_settle(struct rig *rig)
{
	unsigned quiet = 0;

	while (quiet < QUIET_ROUNDS) {
		unsigned did = lath_control_run(rig->gateway->control, rig_now(rig));

		for (unsigned w = 0; w < rig->plan.workers; w++) {
			did += lath_worker_run(rig->gateway->workers[w], rig->now);
			did += lath_worker_is_pending(rig->gateway->workers[w]);
		}
		did += route(rig);
		quiet = did == 0 ? quiet + 1 : 0;
	}
}

/* A worker that runs here would look at timers whose cost nobody counts. */
void
rig_rest(struct rig *rig)
{
	bool wanted = false;

	(void)lath_control_run(rig->gateway->control, rig_now(rig));
	for (unsigned w = 0; w < rig->plan.workers; w++)
		wanted = wanted || lath_worker_is_pending(rig->gateway->workers[w]);
	if (wanted)
		rig_settle(rig);
}

/* ---- counters --------------------------------------------------------------------------------- */

struct comings
rig_comings(const struct rig *rig)
{
	struct comings sum = {0};

	for (unsigned w = 0; w < rig->plan.workers; w++) {
		const struct lath_worker_counters
				*counters = &lath_worker_counters(rig->gateway->workers[w])->worker;

		sum.created += counters->flows_created;
		sum.ended += counters->flows_ended[LATH_FLOW_END_IDLE];
	}
	return sum;
}

uint64_t
rig_standing(const struct rig *rig)
{
	uint64_t sum = 0;

	for (unsigned w = 0; w < rig->plan.workers; w++)
		sum += lath_worker_counters(rig->gateway->workers[w])
				       ->worker.flows[LATH_FLOW_POOL_IPV4];
	return sum;
}

uint64_t
rig_revalidated(const struct rig *rig)
{
	return lath_worker_counters(rig_worker(rig))->worker.revalidated;
}

static void
check_worker(const struct lath_counters *counters, const char *when)
{
	int64_t imbalance = lath_counters_imbalance(counters);

	for (unsigned i = 1; i < LATH_DROP_COUNT; i++) {
		uint64_t drops = lath_counters_drops(counters, (enum lath_drop)i);

		if (drops > 0)
			rig_die("%s: %" PRIu64 " packets dropped: %s (%s)", when, drops,
					lath_drop_name((enum lath_drop)i),
					lath_drop_help((enum lath_drop)i));
	}
	for (unsigned why = 0; why < LATH_FLOW_END_COUNT; why++)
		if (why != LATH_FLOW_END_IDLE && counters->worker.flows_ended[why] != 0)
			rig_die("%s: %" PRIu64 " flows ended early: %s", when,
					counters->worker.flows_ended[why],
					lath_flow_end_name((enum lath_flow_end)why));
	if (counters->worker.rx_wrong_lcore != 0)
		rig_die("%s: %" PRIu64 " packets came to a worker that does not own them", when,
				counters->worker.rx_wrong_lcore);
	if (counters->worker.held != 0)
		rig_die("%s: %" PRIu64 " packets are still held", when, counters->worker.held);
	if (imbalance != 0)
		rig_die("%s: conservation is off by %" PRId64 " packets", when, imbalance);
}

void
rig_check(const struct rig *rig, const char *when)
{
	for (unsigned w = 0; w < rig->plan.workers; w++)
		check_worker(lath_worker_counters(rig->gateway->workers[w]), when);
}
