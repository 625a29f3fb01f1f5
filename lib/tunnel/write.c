/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Outer headers of what goes out. The header of a next hop is that of an empty packet with TOS 0, so
 * that a packet's own differs in three words of the IPv4 header at most and its checksum is one
 * addition on (RFC 1624).
 */

#include <lath_cksum.h>

#include "lath_tunnel.h"

#define UDP_LEN 8u
#define TUNNEL_LEN 8u
#define TTL 64u
#define SOURCE_PORTS_MASK (0xffffu - LATH_TUNNEL_SOURCE_PORT_MIN)

static uint32_t
ip_len_of(uint8_t family)
{
	return family == LATH_FAMILY_IPV6 ? sizeof(struct lath_ipv6_hdr)
					  : sizeof(struct lath_ipv4_hdr);
}

uint32_t
lath_tunnel_header_len(enum lath_tunnel_kind kind, uint8_t family, bool ethernet,
		uint32_t options_len)
{
	return ip_len_of(family) + UDP_LEN + TUNNEL_LEN +
			(kind == LATH_TUNNEL_VXLAN ? 0 : options_len) +
			(ethernet ? (uint32_t)sizeof(struct lath_eth_hdr) : 0);
}

static void
write_ip(uint8_t *out, const struct lath_tunnel_spec *spec, uint32_t len)
{
	struct lath_ipv6_hdr *ip6 = (void *)out;
	struct lath_ipv4_hdr *ip = (void *)out;
	uint16_t cksum;

	if (!lath_ip_is_v4(&spec->dst)) {
		*ip6 = (struct lath_ipv6_hdr){
				.version_class_label_be = lath_to_be32(UINT32_C(6) << 28),
				.payload_len_be = lath_to_be16((uint16_t)(len - sizeof(*ip6))),
				.next_header = LATH_PROTO_UDP,
				.hop_limit = TTL,
		};
		memcpy(ip6->src, spec->src.bytes, sizeof(ip6->src));
		memcpy(ip6->dst, spec->dst.bytes, sizeof(ip6->dst));
		return;
	}
	/* RFC 6864 section 4.1: the identification of what cannot be fragmented says nothing. */
	*ip = (struct lath_ipv4_hdr){
			.version_ihl = 0x45,
			.total_len_be = lath_to_be16((uint16_t)len),
			.fragment_be = lath_to_be16(LATH_IPV4_DF),
			.ttl = TTL,
			.proto = LATH_PROTO_UDP,
			.src_be = lath_ip_v4_be(&spec->src),
			.dst_be = lath_ip_v4_be(&spec->dst),
	};
	cksum = lath_cksum_ipv4_header(ip, sizeof(*ip));
	memcpy(&ip->cksum_be, &cksum, sizeof(cksum));
}

static uint32_t
write_tunnel(uint8_t *out, const struct lath_tunnel_spec *spec)
{
	memset(out, 0, TUNNEL_LEN);
	out[4] = (uint8_t)(spec->vni >> 16);
	out[5] = (uint8_t)(spec->vni >> 8);
	out[6] = (uint8_t)spec->vni;
	if (spec->kind == LATH_TUNNEL_VXLAN) {
		out[0] = 0x08; /* the VNI is valid */
		return TUNNEL_LEN;
	}
	out[0] = spec->options_len / 4u;
	out[2] = (uint8_t)(spec->protocol >> 8);
	out[3] = (uint8_t)spec->protocol;
	if (spec->options_len > 0)
		memcpy(out + TUNNEL_LEN, spec->options, spec->options_len);
	return TUNNEL_LEN + spec->options_len;
}

uint32_t
lath_tunnel_header(uint8_t *out, const struct lath_tunnel_spec *spec)
{
	uint32_t ip_len = ip_len_of(spec->dst.family);
	bool ethernet = spec->protocol == LATH_TUNNEL_ETHERNET;
	uint32_t len = lath_tunnel_header_len(spec->kind, spec->dst.family, ethernet,
			spec->options_len);
	struct lath_udp_hdr *udp = (void *)(out + ip_len);
	struct lath_eth_hdr *eth;

	write_ip(out, spec, len);
	*udp = (struct lath_udp_hdr){
			.src_port_be = lath_to_be16(LATH_TUNNEL_SOURCE_PORT_MIN),
			.dst_port_be = lath_to_be16(spec->kind == LATH_TUNNEL_VXLAN
							? LATH_TUNNEL_VXLAN_PORT
							: LATH_TUNNEL_GENEVE_PORT),
			.len_be = lath_to_be16((uint16_t)(len - ip_len)),
	};
	eth = (void *)(out + ip_len + UDP_LEN + write_tunnel(out + ip_len + UDP_LEN, spec));
	if (ethernet)
		*eth = (struct lath_eth_hdr){
				.dst = spec->inner_dst,
				.src = spec->inner_src,
				.type_be = lath_to_be16(spec->inner_ethertype),
		};
	return len;
}

/* TOS and length are the header's first two words. */
static void
finish_v4(struct lath_ipv4_hdr *ip, const struct lath_tunnel_packet *packet)
{
	uint8_t old[4];
	uint16_t cksum;

	memcpy(old, ip, sizeof(old));
	ip->tos = packet->tos;
	ip->total_len_be = lath_to_be16((uint16_t)packet->len);
	memcpy(&cksum, &ip->cksum_be, sizeof(cksum));
	cksum = lath_cksum_apply(cksum, lath_cksum_delta(old, ip, sizeof(old)));
	memcpy(&ip->cksum_be, &cksum, sizeof(cksum));
}

void
lath_tunnel_finish(uint8_t *outer, const struct lath_tunnel_packet *packet)
{
	bool is_v6 = outer[0] >> 4 == 6;
	uint32_t ip_len = ip_len_of(is_v6 ? LATH_FAMILY_IPV6 : LATH_FAMILY_IPV4);
	struct lath_udp_hdr *udp = (void *)(outer + ip_len);
	uint8_t *tunnel = outer + ip_len + UDP_LEN;

	if (is_v6) {
		struct lath_ipv6_hdr *ip = (void *)outer;

		ip->version_class_label_be = lath_to_be32(UINT32_C(6) << 28 |
				(uint32_t)packet->tos << 20);
		ip->payload_len_be = lath_to_be16((uint16_t)(packet->len - ip_len));
	} else {
		finish_v4((void *)outer, packet);
	}
	udp->len_be = lath_to_be16((uint16_t)(packet->len - ip_len));
	udp->src_port_be = lath_to_be16((uint16_t)(LATH_TUNNEL_SOURCE_PORT_MIN +
			((packet->entropy ^ packet->entropy >> 16) & SOURCE_PORTS_MASK)));
	if (lath_from_be16(packet->src_port_be) != 0)
		udp->src_port_be = packet->src_port_be;
	if (packet->protocol != 0) {
		tunnel[2] = (uint8_t)(packet->protocol >> 8);
		tunnel[3] = (uint8_t)packet->protocol;
	}
}

void
lath_tunnel_answer(const uint8_t *outer, bool keep, struct lath_tunnel_spec *spec)
{
	bool is_v6 = outer[0] >> 4 == 6;
	const struct lath_ipv6_hdr *ip6 = (const void *)outer;
	const struct lath_ipv4_hdr *ip4 = (const void *)outer;
	const struct lath_udp_hdr *udp = (const void *)(outer +
			ip_len_of(is_v6 ? LATH_FAMILY_IPV6 : LATH_FAMILY_IPV4));
	const uint8_t *tunnel = (const uint8_t *)(udp + 1);
	bool is_vxlan = lath_from_be16(udp->dst_port_be) == LATH_TUNNEL_VXLAN_PORT;

	*spec = (struct lath_tunnel_spec){
			.kind = is_vxlan ? LATH_TUNNEL_VXLAN : LATH_TUNNEL_GENEVE,
			.src = is_v6 ? lath_ip_from_v6(ip6->dst) : lath_ip_from_v4_be(ip4->dst_be),
			.dst = is_v6 ? lath_ip_from_v6(ip6->src) : lath_ip_from_v4_be(ip4->src_be),
			.vni = (uint32_t)tunnel[4] << 16 | (uint32_t)tunnel[5] << 8 | tunnel[6],
			.protocol = is_vxlan ? LATH_TUNNEL_ETHERNET
					     : (uint16_t)(tunnel[2] << 8 | tunnel[3]),
			.src_port_be = udp->src_port_be,
	};
	if (keep && !is_vxlan) {
		spec->options = tunnel + TUNNEL_LEN;
		spec->options_len = (uint8_t)((tunnel[0] & 0x3f) * 4);
	}
}
