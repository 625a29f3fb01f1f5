/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Transmit: a buffer for each port and for each other worker, emptied when full and at the end of
 * every turn. What does not fit a queue or a ring is dropped by name; nothing waits.
 *
 * A port with fewer TX queues than there are workers is sent on by the workers that have one; the
 * others hand finished packets over.
 */

#include <rte_ethdev.h>
#include <rte_ring.h>

#include "pipeline_private.h"

void
lath_transmit_port(struct lath_worker *w, uint16_t port)
{
	struct tx_buffer *buffer = &w->tx[port];
	const struct lath_port *p = &w->plane->ports[port];
	unsigned sent = 0;

	while (sent < buffer->count) {
		unsigned n = rte_eth_tx_burst(p->port_id, (uint16_t)w->index,
				buffer->packets + sent, (uint16_t)(buffer->count - sent));

		if (n == 0)
			break;
		sent += n;
	}
	for (unsigned i = sent; i < buffer->count; i++) {
		buffer->bytes -= rte_pktmbuf_pkt_len(buffer->packets[i]);
		drop(w, buffer->packets[i], buffer->vpcs[i], LATH_DROP_tx_full);
	}
	w->counters->worker.sent += sent;
	w->counters->worker.sent_bytes += buffer->bytes;
	buffer->count = 0;
	buffer->bytes = 0;
}

static void
flush_handover(struct lath_worker *w, uint32_t to)
{
	struct handover_buffer *buffer = &w->handover[to];
	struct rte_ring *ring = w->plane->handover[w->index * w->plane->worker_count + to];
	unsigned sent = rte_ring_sp_enqueue_burst(ring, (void *const *)buffer->packets,
			buffer->count, NULL);

	for (unsigned i = sent; i < buffer->count; i++)
		drop_late(w, buffer->packets[i], LATH_DROP_handover_full);
	w->counters->worker.handed_out += sent;
	buffer->count = 0;
}

void
lath_handover(struct lath_worker *w, struct rte_mbuf *m, uint32_t to, enum lath_handover why)
{
	struct handover_buffer *buffer = &w->handover[to];

	w->counters->worker.handover[why]++;
	buffer->packets[buffer->count++] = m;
	if (buffer->count == LATH_BURST_MAX)
		flush_handover(w, to);
}

void
lath_transmit(struct lath_worker *w, struct rte_mbuf *m, uint16_t port)
{
	if (!w->tx[port].has_queue) {
		packet_of(m)->stage = LATH_STAGE_TRANSMIT;
		packet_of(m)->port = (uint8_t)port;
		lath_handover(w, m, w->index % w->plane->ports[port].tx_queue_count,
				LATH_HANDOVER_TRANSMIT);
		return;
	}
	lath_transmit_put(w, m, port, vpc_entered(w, m), rte_pktmbuf_pkt_len(m));
}

void
lath_transmit_generated(struct lath_worker *w, struct rte_mbuf *m, uint16_t port,
		enum lath_generated kind)
{
	w->counters->worker.generated[kind]++;
	lath_transmit(w, m, port);
}

void
lath_transmit_back(struct lath_worker *w, struct rte_mbuf *m, enum lath_generated kind)
{
	const struct lath_model_attachment *attachment = attachment_of(w, packet_of(m));

	if (attachment->tunnel != LATH_CONFIG_TUNNEL_NONE)
		lath_tunnel_turn(w, m, attachment);
	lath_transmit_generated(w, m, packet_of(m)->port, kind);
}

/* Bonds do their own protocol inside a TX burst, so an idle one needs an empty one now and then
 * (rte_eth_bond.h: at least every 100 ms for 802.3ad).
 */
static void
poll_bonds(struct lath_worker *w)
{
	if (!lath_tick_reached(w->now, w->polled + BOND_POLL_TICKS))
		return;
	w->polled = w->now;
	for (uint16_t port = 0; port < w->plane->port_count; port++)
		if (w->is_bond[port] && w->tx[port].has_queue)
			rte_eth_tx_burst(w->plane->ports[port].port_id, (uint16_t)w->index, NULL,
					0);
}

void
lath_transmit_flush(struct lath_worker *w)
{
	poll_bonds(w);
	for (uint16_t port = 0; port < w->plane->port_count; port++)
		if (w->tx[port].count > 0)
			lath_transmit_port(w, port);
	for (uint32_t to = 0; to < w->plane->worker_count; to++)
		if (w->handover[to].count > 0)
			flush_handover(w, to);
}
