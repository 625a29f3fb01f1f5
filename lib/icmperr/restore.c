/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_cksum.h>

#include "icmperr_private.h"

/*
 * Inside the quote every checksum is updated by its delta (RFC 1624), since most of what the
 * transport's covers is not there; the message's own is worked out anew: parsing has found it
 * right, and errors are few.
 */

#define TCP_CKSUM_END 18u

static void
update_cksum(uint8_t *at, uint16_t delta)
{
	uint16_t cksum;

	memcpy(&cksum, at, sizeof(cksum));
	cksum = lath_cksum_apply(cksum, delta);
	memcpy(at, &cksum, sizeof(cksum));
}

void
lath_icmperr_restore_l4(uint8_t *l4, uint32_t present, uint8_t proto, lath_be16_t src_port_be,
		lath_be16_t dst_port_be, uint16_t delta)
{
	const lath_be16_t ports_be[2] = {src_port_be, dst_port_be};
	struct lath_icmp_echo_hdr *echo = (void *)l4;
	struct lath_udp_hdr *udp = (void *)l4;
	uint16_t cksum;

	if (proto == LATH_PROTO_ICMP || proto == LATH_PROTO_ICMPV6) {
		delta = lath_cksum_add(delta, lath_cksum_delta(&echo->id_be, &dst_port_be, 2));
		update_cksum(l4 + offsetof(struct lath_icmp_echo_hdr, cksum_be), delta);
		echo->id_be = dst_port_be;
		return;
	}
	delta = lath_cksum_add(delta, lath_cksum_delta(l4, ports_be, sizeof(ports_be)));
	memcpy(l4, ports_be, sizeof(ports_be));
	if (proto == LATH_PROTO_UDP) {
		memcpy(&cksum, &udp->cksum_be, sizeof(cksum));
		cksum = lath_cksum_apply_udp(cksum, delta);
		memcpy(&udp->cksum_be, &cksum, sizeof(cksum));
	} else if (present >= TCP_CKSUM_END) {
		update_cksum(l4 + offsetof(struct lath_tcp_hdr, cksum_be), delta);
	}
}

static uint32_t
quote_l4_present(const struct lath_icmperr *err)
{
	return err->quote_len - (uint32_t)(err->quote_l4_offset - err->quote_offset);
}

/* Lowers the MTU that a too big reports. One of 0 comes from a router older than RFC 1191 and lets
 * the receiver guess (section 5); it stays.
 */
static void
lower_mtu(struct error_hdr *icmp, uint32_t mtu, uint32_t mtu_max)
{
	if (mtu_max == 0 || mtu <= mtu_max)
		return;
	/* ICMPv4: the length field of RFC 4884 lies in the high half. */
	icmp->rest_be = lath_to_be32(lath_from_be32(icmp->rest_be) - (mtu - mtu_max));
}

void
lath_icmperr_4to4(uint8_t *ip, const struct lath_icmperr *err, const struct lath_rewrite4 *rewrite,
		const struct lath_icmperr_outer *outer)
{
	struct lath_ipv4_hdr *hdr = (void *)ip;
	struct lath_ipv4_hdr *quote = (void *)(ip + err->quote_offset);
	struct error_hdr *icmp = (void *)(ip + err->icmp_offset);
	const lath_be32_t addresses_be[2] = {rewrite->dst_be, rewrite->src_be};
	uint16_t delta = lath_cksum_delta(&quote->src_be, addresses_be, sizeof(addresses_be));
	uint16_t cksum;

	update_cksum((uint8_t *)&quote->cksum_be, delta);
	memcpy(&quote->src_be, addresses_be, sizeof(addresses_be));
	/* ICMP has no pseudo header. */
	lath_icmperr_restore_l4(ip + err->quote_l4_offset, quote_l4_present(err), err->quote_proto,
			rewrite->dst_port_be, rewrite->src_port_be,
			err->quote_proto == LATH_PROTO_ICMP ? 0 : delta);
	lower_mtu(icmp, err->mtu, outer->mtu_max);
	icmp->cksum_be = lath_to_be16(0);
	cksum = lath_cksum_message(icmp, (uint32_t)(err->len - err->icmp_offset));
	memcpy(&icmp->cksum_be, &cksum, sizeof(cksum));
	hdr->ttl--;
	hdr->src_be = lath_ip_v4_be(&outer->src);
	hdr->dst_be = lath_ip_v4_be(&outer->dst);
	hdr->cksum_be = lath_to_be16(0);
	cksum = lath_cksum_ipv4_header(hdr, err->icmp_offset);
	memcpy(&hdr->cksum_be, &cksum, sizeof(cksum));
}

void
lath_icmperr_6to6(uint8_t *ip, const struct lath_icmperr *err, const struct lath_rewrite6 *rewrite,
		const struct lath_icmperr_outer *outer)
{
	struct lath_ipv6_hdr *hdr = (void *)ip;
	struct lath_ipv6_hdr *quote = (void *)(ip + err->quote_offset);
	struct error_hdr *icmp = (void *)(ip + err->icmp_offset);
	uint8_t addresses[32];
	uint16_t delta;
	uint16_t cksum;

	memcpy(addresses, rewrite->dst, 16);
	memcpy(addresses + 16, rewrite->src, 16);
	delta = lath_cksum_delta(quote->src, addresses, sizeof(addresses));
	memcpy(quote->src, addresses, sizeof(addresses));
	lath_icmperr_restore_l4(ip + err->quote_l4_offset, quote_l4_present(err), err->quote_proto,
			rewrite->dst_port_be, rewrite->src_port_be, delta);
	lower_mtu(icmp, err->mtu, outer->mtu_max);
	hdr->hop_limit--;
	memcpy(hdr->src, outer->src.bytes, sizeof(hdr->src));
	memcpy(hdr->dst, outer->dst.bytes, sizeof(hdr->dst));
	icmp->cksum_be = lath_to_be16(0);
	cksum = lath_cksum_l4_v6(hdr, LATH_PROTO_ICMPV6, icmp,
			(uint32_t)(err->len - err->icmp_offset));
	memcpy(&icmp->cksum_be, &cksum, sizeof(cksum));
}
