/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Frames in pieces, as a driver with small buffers or split headers hands them over. Cut where the
 * test says, or at random: half of the random cuts lie within the headers. Some first pieces lie
 * at the end of their buffer, where nothing can be appended.
 */

#include <string.h>

#include <rte_mbuf.h>

#include "rig.h"

#define CUTS_MAX 8u
#define HEADERS 64u /* Ethernet, a tag, IPv4 or most of IPv6, ports: where cuts hurt */

/* Ends of the pieces but for the last one's, ascending; how many. */
struct cuts {
	size_t at[CUTS_MAX];
	unsigned count;
};

static void
add_cut(struct cuts *cuts, size_t at)
{
	unsigned i = cuts->count;

	if (cuts->count == CUTS_MAX)
		return;
	for (; i > 0 && cuts->at[i - 1] > at; i--)
		cuts->at[i] = cuts->at[i - 1];
	cuts->at[i] = at;
	cuts->count++;
}

static struct cuts
cuts_of(struct rig *rig, json_t *wanted, size_t len)
{
	struct cuts cuts = {.count = 0};
	json_t *at;
	size_t i;

	json_array_foreach(wanted, i, at)
		if ((size_t)json_integer_value(at) <= len)
			add_cut(&cuts, (size_t)json_integer_value(at));
	if (wanted != NULL || rig->segments == 0 || len < 2)
		return cuts;
	for (unsigned n = 1 + lath_random_below(&rig->segments, 3); n > 0; n--) {
		size_t end = lath_random_below(&rig->segments, 2) == 0 && len > HEADERS ? HEADERS
											: len;

		add_cut(&cuts, lath_random_below(&rig->segments, (uint32_t)end + 1));
	}
	return cuts;
}

/* A piece more at the packet's end. */
static bool
append(struct rte_mempool *pool, struct rte_mbuf **packet, const uint8_t *bytes, size_t len,
		bool at_end)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	uint8_t *to;

	if (m == NULL)
		return false;
	if (at_end && len <= rte_pktmbuf_tailroom(m))
		m->data_off = (uint16_t)(m->buf_len - len);
	to = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)len);
	if (to != NULL)
		memcpy(to, bytes, len);
	if (to == NULL || (*packet != NULL && rte_pktmbuf_chain(*packet, m) != 0)) {
		rte_pktmbuf_free(m);
		return false;
	}
	if (*packet == NULL)
		*packet = m;
	return true;
}

struct rte_mbuf *
rig_packet(struct rig *rig, json_t *cuts_wanted, const uint8_t *frame, size_t len)
{
	struct rte_mempool *pool = rig->gateway.plane.pool;
	size_t room = rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM;
	struct cuts cuts = cuts_of(rig, cuts_wanted, len);
	bool at_end = cuts.count > 0 && rig->segments != 0 &&
			lath_random_below(&rig->segments, 4) == 0;
	struct rte_mbuf *packet = NULL;
	unsigned next = 0;

	for (size_t from = 0, to; packet == NULL || from < len; from = to) {
		to = next < cuts.count ? cuts.at[next++] : len;
		if (to - from > room) {
			/* As a NIC that scatters: full buffers. */
			to = from + room;
			next -= next > 0 ? 1 : 0;
		}
		if (!append(pool, &packet, frame + from, to - from, at_end && from == 0)) {
			rte_pktmbuf_free(packet);
			return NULL;
		}
	}
	return packet;
}
