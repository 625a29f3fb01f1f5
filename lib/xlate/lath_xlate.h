/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Rewriting a packet's addresses and ports, and its family, with checksum deltas that were worked
 * out once per flow (RFC 1624). Works on bytes; pure; any thread; allocates nothing.
 */
#pragma once

#include <lath_cksum.h>
#include <lath_parse.h>

/** What a packet gets, IPv4. ICMP echo: the identifier is src_port_be. */
struct lath_rewrite4 {
	lath_be32_t src_be;
	lath_be32_t dst_be;
	lath_be16_t src_port_be;
	lath_be16_t dst_port_be;
};

/** The same, IPv6. */
struct lath_rewrite6 {
	uint8_t src[16];
	uint8_t dst[16];
	lath_be16_t src_port_be;
	lath_be16_t dst_port_be;
};

/** For lath_cksum_apply(): of the IPv4 header (TTL minus one included) and of TCP, UDP or ICMP. */
struct lath_deltas {
	uint16_t ip;
	uint16_t l4;
};

_Static_assert(sizeof(struct lath_rewrite4) == 12, "a quarter of a half's line");
_Static_assert(sizeof(struct lath_deltas) == 4, "a quarter of a half's line");

/** Deltas for packets of `key` that become `rewrite`. @thread any */
struct lath_deltas lath_xlate_deltas4(const struct lath_key4 *key,
		const struct lath_rewrite4 *rewrite);

/** The same within IPv6; `ip` is 0, since that header has no sum. @thread any */
struct lath_deltas lath_xlate_deltas6(const struct lath_key6 *key,
		const struct lath_rewrite6 *rewrite);

/** Deltas across families; `ip` is 0, since the header is made anew. Echo: less what depends on the
 *  packet. @thread any
 */
struct lath_deltas lath_xlate_deltas_6to4(const struct lath_key6 *key,
		const struct lath_rewrite4 *rewrite);
struct lath_deltas lath_xlate_deltas_4to6(const struct lath_key4 *key,
		const struct lath_rewrite6 *rewrite);

/** IPv4 to IPv4 in place: the hit path's translation, so it is inline. `frame` is the packet's
 *  first byte. The caller has checked that the TTL is above 1.
 */
static inline void
lath_xlate_4to4(uint8_t *frame, const struct lath_packet *pkt, const struct lath_rewrite4 *rewrite,
		struct lath_deltas deltas)
{
	struct lath_ipv4_hdr *ip = (void *)(frame + pkt->l3_offset);
	uint8_t *l4 = frame + pkt->l4_offset;
	uint16_t cksum;

	ip->ttl--;
	memcpy(&cksum, &ip->cksum_be, sizeof(cksum));
	cksum = lath_cksum_apply(cksum, deltas.ip);
	memcpy(&ip->cksum_be, &cksum, sizeof(cksum));
	ip->src_be = rewrite->src_be;
	ip->dst_be = rewrite->dst_be;
	if (pkt->proto == LATH_PROTO_TCP) {
		struct lath_tcp_hdr *tcp = (void *)l4;

		memcpy(&cksum, &tcp->cksum_be, sizeof(cksum));
		cksum = lath_cksum_apply(cksum, deltas.l4);
		memcpy(&tcp->cksum_be, &cksum, sizeof(cksum));
		tcp->src_port_be = rewrite->src_port_be;
		tcp->dst_port_be = rewrite->dst_port_be;
	} else if (pkt->proto == LATH_PROTO_UDP) {
		struct lath_udp_hdr *udp = (void *)l4;

		memcpy(&cksum, &udp->cksum_be, sizeof(cksum));
		cksum = lath_cksum_apply_udp(cksum, deltas.l4);
		memcpy(&udp->cksum_be, &cksum, sizeof(cksum));
		udp->src_port_be = rewrite->src_port_be;
		udp->dst_port_be = rewrite->dst_port_be;
	} else {
		struct lath_icmp_echo_hdr *icmp = (void *)l4;

		memcpy(&cksum, &icmp->cksum_be, sizeof(cksum));
		cksum = lath_cksum_apply(cksum, deltas.l4);
		memcpy(&icmp->cksum_be, &cksum, sizeof(cksum));
		icmp->id_be = rewrite->src_port_be;
	}
}

/** IPv6 to IPv6 in place; extension headers and flow label stay. The caller has checked that the hop
 *  limit is above 1.
 */
static inline void
lath_xlate_6to6(uint8_t *frame, const struct lath_packet *pkt, const struct lath_rewrite6 *rewrite,
		struct lath_deltas deltas)
{
	struct lath_ipv6_hdr *ip = (void *)(frame + pkt->l3_offset);
	uint8_t *l4 = frame + pkt->l4_offset;
	uint16_t cksum;

	ip->hop_limit--;
	memcpy(ip->src, rewrite->src, 16);
	memcpy(ip->dst, rewrite->dst, 16);
	if (pkt->proto == LATH_PROTO_TCP) {
		struct lath_tcp_hdr *tcp = (void *)l4;

		memcpy(&cksum, &tcp->cksum_be, sizeof(cksum));
		cksum = lath_cksum_apply(cksum, deltas.l4);
		memcpy(&tcp->cksum_be, &cksum, sizeof(cksum));
		memcpy(&tcp->src_port_be, &rewrite->src_port_be, 4);
	} else if (pkt->proto == LATH_PROTO_UDP) {
		struct lath_udp_hdr *udp = (void *)l4;

		memcpy(&cksum, &udp->cksum_be, sizeof(cksum));
		cksum = lath_cksum_apply_udp(cksum, deltas.l4);
		memcpy(&udp->cksum_be, &cksum, sizeof(cksum));
		memcpy(&udp->src_port_be, &rewrite->src_port_be, 4);
	} else {
		struct lath_icmp_echo_hdr *icmp = (void *)l4;

		memcpy(&cksum, &icmp->cksum_be, sizeof(cksum));
		cksum = lath_cksum_apply(cksum, deltas.l4);
		memcpy(&icmp->cksum_be, &cksum, sizeof(cksum));
		icmp->id_be = rewrite->src_port_be;
	}
}

/**
 * IPv6 becomes IPv4 (RFC 7915 sections 5.1 and 5.2: TCP, UDP, echo). The new header lies right before
 * the transport's, extension headers are gone; pkt's l3_offset, ip_len, family and proto follow. `id`:
 * the identification of a packet that may be fragmented.
 */
void lath_xlate_6to4(uint8_t *frame, struct lath_packet *pkt, const struct lath_rewrite4 *rewrite,
		struct lath_deltas deltas, uint16_t id);

/**
 * IPv4 becomes IPv6 (RFC 7915 sections 4.1, 4.2 and 4.5). The new header begins 20 bytes before the
 * old one, so pkt->l3_offset must be at least 20 (the caller prepends); it, ip_len, family and proto
 * follow. UDP without a checksum gets one, so it must lie in one piece.
 */
void lath_xlate_4to6(uint8_t *frame, struct lath_packet *pkt, const struct lath_rewrite6 *rewrite,
		struct lath_deltas deltas);

/**
 * Lowers the MSS option of a SYN to `mss_max`, checksum included; leaves smaller ones and SYNs
 * without the option alone (RFC 9293 section 3.7.1: the default is then 536). `l4_len` bytes of
 * TCP header at `l4` at least up to its data offset. True when it changed something.
 */
bool lath_xlate_clamp_mss(uint8_t *l4, uint32_t l4_len, uint16_t mss_max);
