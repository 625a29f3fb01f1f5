/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "parse_private.h"

enum lath_drop
lath_parse_tcp(const uint8_t *l4, uint32_t l4_len, uint32_t present, struct lath_packet *pkt,
		lath_be16_t ports[2])
{
	const struct lath_tcp_hdr *tcp = (const void *)l4;
	uint32_t header_len;
	uint8_t flags;

	if (present < lath_min_u32(l4_len, 60) || l4_len < sizeof(*tcp))
		return LATH_DROP_l4_malformed;
	header_len = (uint32_t)(tcp->offset >> 4) * 4;
	if (header_len < sizeof(*tcp) || header_len > l4_len)
		return LATH_DROP_l4_malformed;
	flags = tcp->flags & (LATH_TCP_FIN | LATH_TCP_SYN | LATH_TCP_RST | LATH_TCP_ACK);
	if (flags == 0 || flags == LATH_TCP_FIN ||
			((flags & LATH_TCP_SYN) != 0 &&
					(flags & (LATH_TCP_FIN | LATH_TCP_RST)) != 0))
		return LATH_DROP_tcp_flags;
	pkt->tcp_flags = tcp->flags;
	ports[0] = tcp->src_port_be;
	ports[1] = tcp->dst_port_be;
	return LATH_DROP_NONE;
}

enum lath_drop
lath_parse_udp(const uint8_t *l4, uint32_t l4_len, uint32_t present, lath_be16_t ports[2])
{
	const struct lath_udp_hdr *udp = (const void *)l4;
	uint32_t udp_len;

	if (present < sizeof(*udp) || l4_len < sizeof(*udp))
		return LATH_DROP_l4_malformed;
	udp_len = lath_from_be16(udp->len_be);
	if (udp_len < sizeof(*udp) || udp_len > l4_len)
		return LATH_DROP_l4_malformed;
	ports[0] = udp->src_port_be;
	ports[1] = udp->dst_port_be;
	return LATH_DROP_NONE;
}
