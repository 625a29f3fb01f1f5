/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Tunnels over UDP: VXLAN (RFC 7348) and GENEVE (RFC 8926), with the options of AWS's Gateway Load
 * Balancer. Reads the outer headers of a packet, and writes those of one that goes out, in two
 * steps: lath_tunnel_header() once for a next hop, lath_tunnel_finish() for each packet.
 *
 * Decided here:
 *  - Outer packets are never fragments: DF is set on what goes out (RFC 7348 section 4.3), what comes
 *    in pieces is dropped (`tunnel_fragment`).
 *  - The outer UDP checksum goes out as zero, over IPv4 (RFC 7348 section 5, RFC 8926 section 3.3)
 *    and over IPv6 too (RFC 6935 section 5): the inner packet has its own, and remote and VNI are
 *    checked before anything is believed (RFC 6936 section 5). Whoever gets it must accept zero.
 *    One that is not zero is verified, zero is accepted in both families.
 *  - ECN goes by RFC 6040: copied out, and combined on the way in. DSCP is copied out, and the inner
 *    one stands on the way in (the pipe of RFC 2983 section 3.1).
 *
 * Pure; any thread; allocates nothing. Knows nothing of remotes and VPCs.
 */
#pragma once

#include <lath_verdict.h>
#include <lath_wire.h>

#define LATH_TUNNEL_VXLAN_PORT 4789u  /* RFC 7348 section 8 */
#define LATH_TUNNEL_GENEVE_PORT 6081u /* RFC 8926 section 12 */
#define LATH_TUNNEL_VNI_MAX 0xffffffu
#define LATH_TUNNEL_OPTIONS_MAX 252u /* RFC 8926 section 3.4: six bits of four bytes */
#define LATH_TUNNEL_HEADER_MAX (40u + 8u + 8u + LATH_TUNNEL_OPTIONS_MAX + 14u)
#define LATH_TUNNEL_ETHERNET 0x6558u       /* inner protocol: Transparent Ethernet Bridging */
#define LATH_TUNNEL_SOURCE_PORT_MIN 49152u /* RFC 7348 section 5, RFC 6335 section 6 */

enum lath_tunnel_kind {
	LATH_TUNNEL_NONE, /* a packet to the underlay itself */
	LATH_TUNNEL_VXLAN,
	LATH_TUNNEL_GENEVE,
	LATH_TUNNEL_GWLB, /* GENEVE whose options name an endpoint */
	LATH_TUNNEL_KIND_COUNT,
};

/** What AWS's Gateway Load Balancer tells with each packet: options of class 0x0108. */
struct lath_tunnel_gwlb {
	uint64_t endpoint;   /* type 1: vpce-... */
	uint64_t attachment; /* type 2 */
	uint32_t cookie;     /* type 3: its name for the flow */
	bool has_endpoint;
};

/** The outer headers of a packet. Offsets count from the frame's first byte. */
struct lath_tunnel_outer {
	struct lath_ip src;
	struct lath_ip dst;
	enum lath_tunnel_kind kind; /* VXLAN, GENEVE, or NONE: then only what is above holds */
	uint32_t vni;
	uint16_t protocol;       /* inner ethertype, LATH_TUNNEL_ETHERNET for a frame */
	uint16_t inner_offset;   /* of the inner frame or packet */
	uint16_t udp_offset;     /* of the outer UDP header */
	uint16_t udp_len;        /* with its header */
	uint16_t options_offset; /* GENEVE */
	uint8_t options_len;
	uint8_t tos;    /* or traffic class */
	bool has_cksum; /* not zero: lath_tunnel_cksum_holds() is to be asked */
	lath_be16_t src_port_be;
	lath_be16_t dst_port_be;
};

/**
 * Reads an outer IPv4 or IPv6 packet at `l3_offset`. `data` holds `len` bytes in one piece,
 * `frame_len` is the whole frame's. LATH_DROP_NONE or the reason; kind NONE when the packet is fine
 * and no tunnel's. IPv6 extension headers are not walked: such packets are no tunnel's.
 */
enum lath_drop lath_tunnel_parse(const uint8_t *data, uint32_t len, uint32_t frame_len,
		uint32_t l3_offset, struct lath_tunnel_outer *outer);

/** True when the outer UDP checksum is right. `data` holds the whole outer packet in one piece. */
bool lath_tunnel_cksum_holds(const uint8_t *data, uint32_t l3_offset,
		const struct lath_tunnel_outer *outer);

/** Walks GENEVE options: lengths, and options with the critical bit, of which those of the Gateway
 *  Load Balancer are known only when `gwlb` is not NULL, which is then filled in.
 */
enum lath_drop lath_tunnel_options(const uint8_t *options, uint32_t len,
		struct lath_tunnel_gwlb *gwlb);

/** RFC 6040 section 4.2: what the inner TOS becomes after the outer one's ECN; -1: to be dropped. */
int lath_tunnel_ecn_in(uint8_t outer_tos, uint8_t inner_tos);

/** Applies that to an inner IPv4 (checksum included) or IPv6 packet. False: to be dropped. */
bool lath_tunnel_apply_ecn(uint8_t *ip, uint8_t outer_tos);

/* ---- writing ------------------------------------------------------------------------------ */

/** What a next hop's headers are made of. */
struct lath_tunnel_spec {
	enum lath_tunnel_kind kind;
	struct lath_ip src; /* both of one family */
	struct lath_ip dst;
	uint32_t vni;
	uint16_t protocol; /* LATH_TUNNEL_ETHERNET: an inner Ethernet header follows */
	uint16_t inner_ethertype;
	struct lath_mac inner_dst;
	struct lath_mac inner_src;
	const uint8_t *options; /* GENEVE; whole words */
	uint8_t options_len;
	lath_be16_t src_port_be; /* of lath_tunnel_answer(): the packet's own */
};

/** Bytes that lath_tunnel_header() writes. @thread any */
uint32_t lath_tunnel_header_len(enum lath_tunnel_kind kind, uint8_t family, bool ethernet,
		uint32_t options_len);

/** Outer IP, UDP, VXLAN or GENEVE and, if so, inner Ethernet; lengths, source port and IPv4
 *  checksum are those of an empty packet. Returns the length.
 */
uint32_t lath_tunnel_header(uint8_t *out, const struct lath_tunnel_spec *spec);

/** What answers a packet whose outer IP header is at `outer` (one that lath_tunnel_parse() has
 *  accepted): ends swapped, the same VNI and inner protocol; `keep`: and the same options, where they
 *  lie, else none. Inner MACs are the caller's.
 */
void lath_tunnel_answer(const uint8_t *outer, bool keep, struct lath_tunnel_spec *spec);

/** What differs from packet to packet. */
struct lath_tunnel_packet {
	uint32_t len;            /* with the outer IP header */
	uint16_t protocol;       /* 0: as in the header; else GENEVE's inner protocol */
	uint8_t tos;             /* the inner packet's */
	uint32_t entropy;        /* hash of the inner flow; its source port is made of it */
	lath_be16_t src_port_be; /* not 0: the source port itself */
};

/** Makes headers at `outer` right for a packet that follows them. */
void lath_tunnel_finish(uint8_t *outer, const struct lath_tunnel_packet *packet);
