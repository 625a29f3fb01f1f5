/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * A TCP server that remembers nothing, for the health checks of load balancers: a connect, or one
 * HTTP request.
 *
 *     SYN            -> SYN, ACK   the sequence number is the caller's, of the tuple
 *     data           -> the answer and a FIN, from where the client says it is
 *     FIN            -> FIN, ACK
 *     ACK, RST       -> nothing
 *
 * Each answer follows from the segment alone, so a lost one is made again by the retransmission.
 */

#include <lath_cksum.h>

#include "lath_craft.h"

#define ANSWER_TTL 64
#define WINDOW 65535

static const char http_answer[] = "HTTP/1.1 200 OK\r\n"
				  "Content-Type: text/plain\r\n"
				  "Content-Length: 6\r\n"
				  "Connection: close\r\n"
				  "\r\n"
				  "ready\n";

_Static_assert(sizeof(http_answer) - 1 <= LATH_CRAFT_HEALTH_MAX - 40, "announced in the header");

static void
set_addresses(struct lath_ipv4_hdr *ip, struct lath_tcp_hdr *tcp)
{
	lath_be32_t ip_be = ip->src_be;
	lath_be16_t port_be = tcp->src_port_be;

	ip->src_be = ip->dst_be;
	ip->dst_be = ip_be;
	tcp->src_port_be = tcp->dst_port_be;
	tcp->dst_port_be = port_be;
}

static void
finish(struct lath_ipv4_hdr *ip, struct lath_tcp_hdr *tcp, uint32_t data_len)
{
	uint32_t l4_len = (uint32_t)sizeof(*tcp) + data_len;
	uint16_t cksum;

	ip->tos = 0;
	ip->id_be = lath_to_be16(0);
	ip->fragment_be = lath_to_be16(LATH_IPV4_DF);
	ip->ttl = ANSWER_TTL;
	ip->total_len_be = lath_to_be16((uint16_t)(sizeof(*ip) + l4_len));
	ip->cksum_be = lath_to_be16(0);
	cksum = lath_cksum_ipv4_header(ip, sizeof(*ip));
	memcpy(&ip->cksum_be, &cksum, sizeof(cksum));
	tcp->offset = (uint8_t)(sizeof(*tcp) / 4 << 4);
	tcp->window_be = lath_to_be16(WINDOW);
	tcp->urgent_be = lath_to_be16(0);
	tcp->cksum_be = lath_to_be16(0);
	cksum = lath_cksum_l4_v4(ip, tcp, l4_len);
	memcpy(&tcp->cksum_be, &cksum, sizeof(cksum));
}

bool
lath_craft_health_answer(uint8_t *frame, struct lath_packet *pkt, uint32_t sequence)
{
	struct lath_ipv4_hdr *ip = (void *)(frame + pkt->l3_offset);
	struct lath_tcp_hdr *tcp = (void *)(frame + pkt->l4_offset);
	uint32_t data_len = pkt->ip_len - (uint32_t)(pkt->l4_offset - pkt->l3_offset) -
			(uint32_t)(tcp->offset >> 4) * 4;
	bool is_syn = (tcp->flags & LATH_TCP_SYN) != 0;
	bool is_fin = (tcp->flags & LATH_TCP_FIN) != 0;
	uint32_t next = lath_from_be32(tcp->seq_be) + data_len + is_syn + is_fin;
	uint32_t answer_len = 0;

	if ((tcp->flags & LATH_TCP_RST) != 0 || (data_len == 0 && !is_syn && !is_fin) ||
			(is_syn && (tcp->flags & LATH_TCP_ACK) != 0))
		return false;
	tcp->seq_be = is_syn ? lath_to_be32(sequence) : tcp->ack_be;
	tcp->ack_be = lath_to_be32(next);
	tcp->flags = is_syn ? LATH_TCP_SYN | LATH_TCP_ACK : LATH_TCP_FIN | LATH_TCP_ACK;
	if (data_len > 0 && !is_syn) {
		answer_len = sizeof(http_answer) - 1;
		memcpy(tcp + 1, http_answer, answer_len);
		tcp->flags |= LATH_TCP_PSH;
	}
	set_addresses(ip, tcp);
	finish(ip, tcp, answer_len);
	pkt->ip_len = (uint16_t)(sizeof(*ip) + sizeof(*tcp) + answer_len);
	return true;
}
