/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Packets in several segments: frames longer than a buffer, and what drivers cut for reasons of
 * their own, in the middle of a header if they like. All stages but hit.c read headers in one piece
 * from the first segment. So on its way in a packet is gathered: as much of it goes into the first
 * buffer as that holds, which is all of it for frames up to the size of a buffer, and then nothing
 * tells it from one that came whole. The copy is short: what does not fit a buffer has filled the
 * first one already.
 */

#include <rte_ip.h>

#include "pipeline_private.h"

/* What the headers of any packet that is looked into can take, tunnels included; less is no buffer
 * of a data plane.
 */
#define HEADERS_MAX 1024u

/* The segment behind the first one is empty: out with it. */
static void
free_second(struct rte_mbuf *m)
{
	struct rte_mbuf *second = m->next;

	m->next = second->next;
	m->nb_segs--;
	second->next = NULL;
	second->nb_segs = 1;
	rte_pktmbuf_free_seg(second);
}

/* Headroom beyond what is kept for headers becomes tailroom. */
static void
move_to_front(struct rte_mbuf *m)
{
	uint8_t *to = (uint8_t *)m->buf_addr + RTE_PKTMBUF_HEADROOM;

	if (m->data_off <= RTE_PKTMBUF_HEADROOM)
		return;
	memmove(to, frame_of(m), m->data_len);
	m->data_off = RTE_PKTMBUF_HEADROOM;
}

bool
lath_segments_gather(struct rte_mbuf *m)
{
	uint32_t want;

	if ((uint32_t)m->data_len + rte_pktmbuf_tailroom(m) < m->pkt_len)
		move_to_front(m);
	want = lath_min_u32(m->pkt_len, (uint32_t)m->data_len + rte_pktmbuf_tailroom(m));
	if (want < lath_min_u32(m->pkt_len, HEADERS_MAX))
		return false;
	while (m->next != NULL && (m->data_len < want || m->next->data_len == 0)) {
		struct rte_mbuf *second = m->next;
		uint16_t n = (uint16_t)lath_min_u32(second->data_len, want - m->data_len);

		memcpy(frame_of(m) + m->data_len, frame_of(second), n);
		m->data_len = (uint16_t)(m->data_len + n);
		second->data_off = (uint16_t)(second->data_off + n);
		second->data_len = (uint16_t)(second->data_len - n);
		if (second->data_len == 0)
			free_second(m);
	}
	return true;
}

void
lath_segments_cut(struct rte_mbuf *m, uint32_t len)
{
	struct rte_mbuf *last = m;
	uint32_t left = len;

	if (rte_pktmbuf_pkt_len(m) <= len)
		return;
	m->pkt_len = len;
	for (m->nb_segs = 1; left > last->data_len; m->nb_segs++) {
		left -= last->data_len;
		last = last->next;
	}
	last->data_len = (uint16_t)left;
	rte_pktmbuf_free(last->next);
	last->next = NULL;
}

bool
lath_segments_sum_holds(const struct rte_mbuf *m, uint32_t offset, uint32_t len)
{
	uint16_t sum;

	return rte_raw_cksum_mbuf(m, offset, len, &sum) == 0 && sum == 0xffff;
}
