/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * RFC 7915, sections 4.1 and 5.1: headers. The transport's checksum takes the flow's delta; for a
 * ping also what only one family's sum covers, the length, and the type, which is another number.
 */

#include "lath_xlate.h"

/* How many bytes longer the IPv6 header is. */
#define FAMILY_SHIFT (sizeof(struct lath_ipv6_hdr) - sizeof(struct lath_ipv4_hdr))

/* RFC 7915 section 5.1: up to this size a packet may be fragmented on its way. */
#define FRAGMENTABLE_MAX 1260u

static uint16_t
word(uint16_t host)
{
	return (LATH_FORCE uint16_t)lath_to_be16(host);
}

static void
apply(void *cksum_be, uint16_t delta)
{
	uint16_t cksum;

	memcpy(&cksum, cksum_be, sizeof(cksum));
	cksum = lath_cksum_apply(cksum, delta);
	memcpy(cksum_be, &cksum, sizeof(cksum));
}

/* RFC 7915 sections 4.2 and 5.2: echo and echo reply. */
static void
rewrite_echo(uint8_t *l4, uint32_t l4_len, uint8_t type, bool to_v6, lath_be16_t id_be,
		uint16_t delta)
{
	struct lath_icmp_echo_hdr *icmp = (void *)l4;
	uint16_t len = word((uint16_t)l4_len);

	delta = lath_cksum_add(delta, to_v6 ? len : (uint16_t)~len);
	delta = lath_cksum_add(delta, (uint16_t)~word((uint16_t)(icmp->type << 8)));
	delta = lath_cksum_add(delta, word((uint16_t)(type << 8)));
	apply(l4 + offsetof(struct lath_icmp_echo_hdr, cksum_be), delta);
	icmp->type = type;
	icmp->id_be = id_be;
}

static void
rewrite_tcp(uint8_t *l4, lath_be16_t src_port_be, lath_be16_t dst_port_be, uint16_t delta)
{
	struct lath_tcp_hdr *tcp = (void *)l4;

	apply(l4 + offsetof(struct lath_tcp_hdr, cksum_be), delta);
	tcp->src_port_be = src_port_be;
	tcp->dst_port_be = dst_port_be;
}

static void
rewrite_udp(uint8_t *l4, lath_be16_t src_port_be, lath_be16_t dst_port_be, uint16_t delta)
{
	struct lath_udp_hdr *udp = (void *)l4;
	uint16_t cksum;

	memcpy(&cksum, &udp->cksum_be, sizeof(cksum));
	cksum = lath_cksum_apply_udp(cksum, delta);
	memcpy(&udp->cksum_be, &cksum, sizeof(cksum));
	udp->src_port_be = src_port_be;
	udp->dst_port_be = dst_port_be;
}

/* RFC 7915 section 4.5: IPv6 has no UDP without a checksum. The header in front is the new one. */
static void
sum_udp(const struct lath_ipv6_hdr *ip, uint8_t *l4)
{
	struct lath_udp_hdr *udp = (void *)l4;
	uint16_t cksum = lath_cksum_l4_v6(ip, LATH_PROTO_UDP, l4, lath_from_be16(udp->len_be));

	if (cksum == 0)
		cksum = 0xffff;
	memcpy(&udp->cksum_be, &cksum, sizeof(cksum));
}

/* Of a packet that is whole and has a fragment header all the same (RFC 6946); its identification
 * stays and it may be fragmented again (RFC 7915 section 5.1.1). False: it has none.
 */
static bool
has_fragment_id(const uint8_t *ip, const struct lath_packet *pkt, uint16_t *id)
{
	const struct lath_ipv6_fragment_hdr *fragment;
	struct lath_ipv6_upper upper;

	if (pkt->l4_offset - pkt->l3_offset == sizeof(struct lath_ipv6_hdr) ||
			lath_parse_ipv6_walk(ip, pkt->ip_len, pkt->ip_len, &upper) !=
					LATH_DROP_NONE ||
			upper.fragment_offset == 0)
		return false;
	fragment = (const void *)(ip + upper.fragment_offset);
	*id = (uint16_t)lath_from_be32(fragment->id_be);
	return true;
}

void
lath_xlate_6to4(uint8_t *frame, struct lath_packet *pkt, const struct lath_rewrite4 *rewrite,
		struct lath_deltas deltas, uint16_t id)
{
	struct lath_ipv6_hdr *old = (void *)(frame + pkt->l3_offset);
	uint8_t *l4 = frame + pkt->l4_offset;
	struct lath_ipv4_hdr *ip = (void *)(l4 - sizeof(*ip));
	uint32_t l4_len = pkt->ip_len - (uint32_t)(pkt->l4_offset - pkt->l3_offset);
	uint16_t ip_len = (uint16_t)(l4_len + sizeof(*ip));
	uint32_t first = lath_from_be32(old->version_class_label_be);
	uint8_t hop_limit = old->hop_limit;
	bool may_fragment = has_fragment_id((const void *)old, pkt, &id) ||
			ip_len <= FRAGMENTABLE_MAX;
	uint16_t cksum;

	if (pkt->proto == LATH_PROTO_TCP) {
		rewrite_tcp(l4, rewrite->src_port_be, rewrite->dst_port_be, deltas.l4);
	} else if (pkt->proto == LATH_PROTO_UDP) {
		rewrite_udp(l4, rewrite->src_port_be, rewrite->dst_port_be, deltas.l4);
	} else {
		rewrite_echo(l4, l4_len,
				l4[0] == LATH_ICMPV6_ECHO ? LATH_ICMP_ECHO : LATH_ICMP_ECHO_REPLY,
				false, rewrite->src_port_be, deltas.l4);
		pkt->proto = LATH_PROTO_ICMP;
	}
	/* RFC 7915 section 5.1; what may not be fragmented is atomic and needs no identification
	 * (RFC 6864 section 4.1). Extension headers are left out.
	 */
	*ip = (struct lath_ipv4_hdr){
			.version_ihl = 0x45,
			.tos = (uint8_t)(first >> 20),
			.total_len_be = lath_to_be16(ip_len),
			.id_be = lath_to_be16(may_fragment ? id : 0),
			.fragment_be = lath_to_be16(may_fragment ? 0 : LATH_IPV4_DF),
			.ttl = (uint8_t)(hop_limit - 1),
			.proto = pkt->proto,
			.src_be = rewrite->src_be,
			.dst_be = rewrite->dst_be,
	};
	cksum = lath_cksum_ipv4_header(ip, sizeof(*ip));
	memcpy(&ip->cksum_be, &cksum, sizeof(cksum));
	pkt->l3_offset = (uint16_t)(pkt->l4_offset - sizeof(*ip));
	pkt->ip_len = ip_len;
	pkt->family = LATH_FAMILY_IPV4;
}

void
lath_xlate_4to6(uint8_t *frame, struct lath_packet *pkt, const struct lath_rewrite6 *rewrite,
		struct lath_deltas deltas)
{
	struct lath_ipv4_hdr *old = (void *)(frame + pkt->l3_offset);
	struct lath_ipv6_hdr *ip = (void *)(frame + pkt->l3_offset - FAMILY_SHIFT);
	uint8_t *l4 = frame + pkt->l4_offset;
	uint16_t payload_len = (uint16_t)(pkt->ip_len - sizeof(*old));
	uint8_t tos = old->tos;
	uint8_t ttl = old->ttl;

	if (pkt->proto == LATH_PROTO_TCP) {
		rewrite_tcp(l4, rewrite->src_port_be, rewrite->dst_port_be, deltas.l4);
	} else if (pkt->proto == LATH_PROTO_UDP) {
		rewrite_udp(l4, rewrite->src_port_be, rewrite->dst_port_be, deltas.l4);
	} else {
		rewrite_echo(l4, payload_len,
				l4[0] == LATH_ICMP_ECHO ? LATH_ICMPV6_ECHO : LATH_ICMPV6_ECHO_REPLY,
				true, rewrite->src_port_be, deltas.l4);
		pkt->proto = LATH_PROTO_ICMPV6;
	}
	/* RFC 7915 section 4.1; the flow label is 0. */
	ip->version_class_label_be = lath_to_be32(6u << 28 | (uint32_t)tos << 20);
	ip->payload_len_be = lath_to_be16(payload_len);
	ip->next_header = pkt->proto;
	ip->hop_limit = (uint8_t)(ttl - 1);
	memcpy(ip->src, rewrite->src, 16);
	memcpy(ip->dst, rewrite->dst, 16);
	if (pkt->proto == LATH_PROTO_UDP &&
			((const struct lath_udp_hdr *)(const void *)l4)->cksum_be ==
					lath_to_be16(0))
		sum_udp(ip, l4);
	pkt->l3_offset -= FAMILY_SHIFT;
	pkt->ip_len = (uint16_t)(payload_len + sizeof(*ip));
	pkt->family = LATH_FAMILY_IPV6;
}
