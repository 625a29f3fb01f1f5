/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Outer headers, front to back:
 *
 *     IPv4 (20, no options) or IPv6 (40) | UDP 8 | VXLAN 8
 *                                                | GENEVE 8 | options, up to 252 | inner
 *
 * Each length is checked against the one in front of it, the first against the frame. What is no
 * tunnel's at all (another protocol or port) is not an error: the underlay's addresses answer pings.
 */

#include <lath_cksum.h>

#include "lath_tunnel.h"

#define VXLAN_FLAG_VNI 0x08u
#define GENEVE_VERSION_SHIFT 6u
#define GENEVE_WORDS_MASK 0x3fu
#define GENEVE_CONTROL 0x80u
#define UDP_LEN 8u
#define TUNNEL_LEN 8u

/* Where the outer IP packet's payload lies. */
struct payload {
	uint32_t offset;
	uint32_t len;
	uint8_t proto;
};

static enum lath_drop
parse_outer_v4(const uint8_t *data, uint32_t len, uint32_t frame_len, uint32_t l3_offset,
		struct lath_tunnel_outer *outer, struct payload *payload)
{
	const struct lath_ipv4_hdr *ip = (const void *)(data + l3_offset);
	uint32_t ip_len;

	if (len < l3_offset + sizeof(*ip) || ip->version_ihl >> 4 != 4 ||
			(ip->version_ihl & 0xf) < 5)
		return LATH_DROP_ip_malformed;
	ip_len = lath_from_be16(ip->total_len_be);
	if (ip_len < sizeof(*ip) || ip_len > frame_len - l3_offset)
		return LATH_DROP_ip_malformed;
	if (ip->version_ihl != 0x45)
		return LATH_DROP_ip_options;
	if (!lath_cksum_ipv4_holds(ip))
		return LATH_DROP_ip_cksum;
	outer->src = lath_ip_from_v4_be(ip->src_be);
	outer->dst = lath_ip_from_v4_be(ip->dst_be);
	outer->tos = ip->tos;
	if ((lath_from_be16(ip->fragment_be) & (LATH_IPV4_MF | LATH_IPV4_OFFSET_MASK)) != 0)
		return LATH_DROP_tunnel_fragment;
	*payload = (struct payload){
			.offset = l3_offset + (uint32_t)sizeof(*ip),
			.len = ip_len - (uint32_t)sizeof(*ip),
			.proto = ip->proto,
	};
	return LATH_DROP_NONE;
}

static enum lath_drop
parse_outer_v6(const uint8_t *data, uint32_t len, uint32_t frame_len, uint32_t l3_offset,
		struct lath_tunnel_outer *outer, struct payload *payload)
{
	static const uint8_t fragment_header = 44;
	const struct lath_ipv6_hdr *ip = (const void *)(data + l3_offset);
	uint32_t payload_len;

	if (len < l3_offset + sizeof(*ip))
		return LATH_DROP_ip_malformed;
	payload_len = lath_from_be16(ip->payload_len_be);
	if (payload_len + sizeof(*ip) > frame_len - l3_offset ||
			payload_len + sizeof(*ip) > UINT16_MAX)
		return LATH_DROP_ip_malformed;
	outer->src = lath_ip_from_v6(ip->src);
	outer->dst = lath_ip_from_v6(ip->dst);
	outer->tos = (uint8_t)(lath_from_be32(ip->version_class_label_be) >> 20);
	if (ip->next_header == fragment_header)
		return LATH_DROP_tunnel_fragment;
	*payload = (struct payload){
			.offset = l3_offset + (uint32_t)sizeof(*ip),
			.len = payload_len,
			.proto = ip->next_header,
	};
	return LATH_DROP_NONE;
}

/* RFC 7348 section 5: the I flag must be set, all other bits are ignored. */
static enum lath_drop
parse_vxlan(const uint8_t *header, struct lath_tunnel_outer *outer)
{
	if ((header[0] & VXLAN_FLAG_VNI) == 0)
		return LATH_DROP_tunnel_flags;
	outer->kind = LATH_TUNNEL_VXLAN;
	outer->protocol = LATH_TUNNEL_ETHERNET;
	return LATH_DROP_NONE;
}

/* RFC 8926 section 3.4. A control packet (O) is for the endpoint and not to be passed on; we speak no
 * such protocol. Options are walked by lath_tunnel_options().
 */
static enum lath_drop
parse_geneve(const uint8_t *header, uint32_t present, uint32_t body_len,
		struct lath_tunnel_outer *outer)
{
	uint32_t options_len = (header[0] & GENEVE_WORDS_MASK) * 4u;

	if (header[0] >> GENEVE_VERSION_SHIFT != 0)
		return LATH_DROP_tunnel_flags;
	if (options_len > body_len - TUNNEL_LEN || options_len > present - TUNNEL_LEN)
		return LATH_DROP_tunnel_malformed;
	if ((header[1] & GENEVE_CONTROL) != 0)
		return LATH_DROP_tunnel_control;
	outer->kind = LATH_TUNNEL_GENEVE;
	outer->protocol = (uint16_t)(header[2] << 8 | header[3]);
	outer->options_offset = outer->inner_offset;
	outer->options_len = (uint8_t)options_len;
	outer->inner_offset = (uint16_t)(outer->inner_offset + options_len);
	return LATH_DROP_NONE;
}

/* The UDP header and what is behind it. */
static enum lath_drop
parse_udp(const uint8_t *data, uint32_t len, const struct payload *payload,
		struct lath_tunnel_outer *outer)
{
	const struct lath_udp_hdr *udp = (const void *)(data + payload->offset);
	const uint8_t *header = data + payload->offset + UDP_LEN;
	uint32_t port;
	uint32_t udp_len;

	if (payload->len < UDP_LEN || len < payload->offset + UDP_LEN)
		return LATH_DROP_l4_malformed;
	port = lath_from_be16(udp->dst_port_be);
	if (port != LATH_TUNNEL_VXLAN_PORT && port != LATH_TUNNEL_GENEVE_PORT)
		return LATH_DROP_NONE;
	udp_len = lath_from_be16(udp->len_be);
	if (udp_len < UDP_LEN + TUNNEL_LEN || udp_len > payload->len ||
			len < payload->offset + UDP_LEN + TUNNEL_LEN)
		return LATH_DROP_tunnel_malformed;
	outer->udp_offset = (uint16_t)payload->offset;
	outer->udp_len = (uint16_t)udp_len;
	outer->has_cksum = lath_from_be16(udp->cksum_be) != 0;
	outer->src_port_be = udp->src_port_be;
	outer->dst_port_be = udp->dst_port_be;
	outer->inner_offset = (uint16_t)(payload->offset + UDP_LEN + TUNNEL_LEN);
	outer->vni = (uint32_t)header[4] << 16 | (uint32_t)header[5] << 8 | header[6];
	if (port == LATH_TUNNEL_VXLAN_PORT)
		return parse_vxlan(header, outer);
	return parse_geneve(header, len - payload->offset - UDP_LEN, udp_len - UDP_LEN, outer);
}

enum lath_drop
lath_tunnel_parse(const uint8_t *data, uint32_t len, uint32_t frame_len, uint32_t l3_offset,
		struct lath_tunnel_outer *outer)
{
	struct payload payload;
	enum lath_drop drop;

	*outer = (struct lath_tunnel_outer){.kind = LATH_TUNNEL_NONE};
	if (len <= l3_offset)
		return LATH_DROP_ip_malformed;
	drop = data[l3_offset] >> 4 == 6
			? parse_outer_v6(data, len, frame_len, l3_offset, outer, &payload)
			: parse_outer_v4(data, len, frame_len, l3_offset, outer, &payload);
	if (drop != LATH_DROP_NONE || payload.proto != LATH_PROTO_UDP)
		return drop;
	return parse_udp(data, len, &payload, outer);
}

bool
lath_tunnel_cksum_holds(const uint8_t *data, uint32_t l3_offset,
		const struct lath_tunnel_outer *outer)
{
	const uint8_t *ip = data + l3_offset;
	const uint8_t *udp = data + outer->udp_offset;

	if (lath_ip_is_v4(&outer->src))
		return lath_cksum_l4_v4((const void *)ip, udp, outer->udp_len) == 0;
	return lath_cksum_l4_v6((const void *)ip, LATH_PROTO_UDP, udp, outer->udp_len) == 0;
}

int
lath_tunnel_ecn_in(uint8_t outer_tos, uint8_t inner_tos)
{
	enum {
		NOT_ECT,
		ECT1,
		ECT0,
		CE,
		MASK = 3
	};
	unsigned outer = outer_tos & MASK;
	unsigned inner = inner_tos & MASK;
	unsigned ecn = inner;

	/* RFC 6040 section 4.2, figure 4. */
	if (inner == NOT_ECT)
		return outer == CE ? -1 : inner_tos;
	if (outer == CE)
		ecn = CE;
	else if (inner == ECT0 && outer == ECT1)
		ecn = ECT1;
	return (int)((inner_tos & ~(unsigned)MASK) | ecn);
}

bool
lath_tunnel_apply_ecn(uint8_t *ip, uint8_t outer_tos)
{
	bool is_v6 = ip[0] >> 4 == 6;
	uint8_t inner_tos = is_v6 ? (uint8_t)(ip[0] << 4 | ip[1] >> 4) : ip[1];
	int tos = lath_tunnel_ecn_in(outer_tos, inner_tos);
	uint8_t old[2] = {ip[0], ip[1]};
	uint16_t cksum;

	if (tos < 0 || tos == inner_tos)
		return tos >= 0;
	if (is_v6) {
		ip[1] = (uint8_t)((ip[1] & 0x0f) | tos << 4);
		return true;
	}
	ip[1] = (uint8_t)tos;
	memcpy(&cksum, ip + offsetof(struct lath_ipv4_hdr, cksum_be), sizeof(cksum));
	cksum = lath_cksum_apply(cksum, lath_cksum_delta(old, ip, sizeof(old)));
	memcpy(ip + offsetof(struct lath_ipv4_hdr, cksum_be), &cksum, sizeof(cksum));
	return true;
}
