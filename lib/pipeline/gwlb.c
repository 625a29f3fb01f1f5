/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Flows through AWS's Gateway Load Balancer. It wants back what it sent with a flow's packets: the
 * options, its cookie for the flow among them, between the same two addresses, swapped, and from the
 * same UDP port. So a flow whose client comes that way keeps the ready headers of its answers in a
 * side table of the worker, named by the flow's tail, from the first packet until the flow ends.
 *
 * LIMIT: a quarter of the worker's IPv4 flows may be such, and option blocks of up to 60 bytes (AWS's
 * have 32). What is over either has a name.
 */

#include <lath_tunnel.h>

#include "pipeline_private.h"

#define SHARE_OF_FLOWS 4u

static uint32_t
capacity_of(const struct lath_worker_options *options)
{
	return options->flows[LATH_FLOW_POOL_IPV4] / SHARE_OF_FLOWS + 1;
}

uint64_t
lath_gwlb_memory(const struct lath_worker_options *options)
{
	return capacity_of(options) * sizeof(struct gwlb_side);
}

int
lath_gwlb_init(struct lath_worker *w)
{
	const struct lath_allocator *allocator = w->options.allocator;
	uint32_t capacity = capacity_of(&w->options);

	w->sides = allocator->alloc(allocator->ctx, capacity * sizeof(*w->sides));
	if (w->sides == NULL)
		return lath_err(ENOMEM);
	for (uint32_t i = capacity - 1; i > 0; i--) { /* number 0 is none */
		w->sides[i].next = w->side_free;
		w->side_free = i;
	}
	return 0;
}

void
lath_gwlb_fini(struct lath_worker *w)
{
	const struct lath_allocator *allocator = w->options.allocator;

	if (w->sides != NULL)
		allocator->free(allocator->ctx, w->sides,
				capacity_of(&w->options) * sizeof(*w->sides));
	w->sides = NULL;
}

enum lath_drop
lath_gwlb_keep(struct lath_worker *w, struct rte_mbuf *m, uint32_t *number)
{
	struct lath_tunnel_spec spec;
	struct lath_packet link;
	struct gwlb_side *side;
	uint16_t ethertype;

	*number = 0;
	if (attachment_of(w, packet_of(m))->tunnel != LATH_CONFIG_TUNNEL_GWLB)
		return LATH_DROP_NONE;
	if (w->side_free == 0)
		return LATH_DROP_gwlb_table_full;
	/* It was read before: only its length is asked for. */
	(void)lath_parse_frame(frame_of(m), rte_pktmbuf_data_len(m), &link, &ethertype);
	lath_tunnel_answer(frame_of(m) + link.l3_offset, true, &spec);
	if (lath_tunnel_header_len(spec.kind, spec.dst.family, false, spec.options_len) >
			LATH_ADJACENCY_HEADER_MAX)
		return LATH_DROP_tunnel_option;
	*number = w->side_free;
	side = &w->sides[*number];
	w->side_free = side->next;
	side->src_port_be = spec.src_port_be;
	side->len = (uint8_t)lath_tunnel_header(side->header, &spec);
	return LATH_DROP_NONE;
}

void
lath_gwlb_release(struct lath_worker *w, uint32_t number)
{
	if (number == 0)
		return;
	w->sides[number].next = w->side_free;
	w->side_free = number;
}

void
lath_gwlb_send(struct lath_worker *w, struct rte_mbuf *m, lath_flow_ref_t ref, uint32_t idx)
{
	uint32_t number = lath_flow_tail_at(&w->flows, ref)->side;
	const struct gwlb_side *side = &w->sides[number];

	if (number == 0)
		drop_late(w, m, LATH_DROP_no_route);
	else
		lath_tunnel_send_kept(w, m, idx, side->header, side->len, side->src_port_be);
}
