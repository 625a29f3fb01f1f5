/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * From bytes to `struct lath_packet`: what every later stage knows of a packet, one cache line
 * that travels in the mbuf's private area and survives a hand-over. Parsing checks every length
 * and names the reason when something does not fit. Pure; any thread; allocates nothing.
 */
#pragma once

#include <lath_verdict.h>
#include <lath_wire.h>

/** What a packet is to the gateway. Seams: SERVICE, OWN, FLOW, TUNNEL and CONSUME are told apart by
 *  the stage that a packet is in for now; tunnels will need the mark to come back to classify.
 */
enum lath_packet_kind {
	LATH_PACKET_UNKNOWN, /* parsed, not classified */
	LATH_PACKET_HIDDEN,  /* the same; extension headers hid its ports from the NIC */
	LATH_PACKET_FLOW,    /* found in the flow table: service or reply */
	LATH_PACKET_SERVICE, /* first packet towards a service address */
	LATH_PACKET_OWN,     /* to one of the gateway's own addresses */
	LATH_PACKET_HOST,    /* from the host port */
	LATH_PACKET_ARP,
	LATH_PACKET_ERROR,   /* ICMP error; its key is that of the flow it speaks of */
	LATH_PACKET_TUNNEL,  /* to an underlay address (later) */
	LATH_PACKET_CONSUME, /* used up by the gateway itself */
	LATH_PACKET_KIND_COUNT,
};

/** How far a packet has got when it is handed to another worker. */
enum lath_packet_stage {
	LATH_STAGE_LOOKUP,   /* parsed and classified by the worker that received it */
	LATH_STAGE_TRANSMIT, /* finished; the other worker owns the port's transmit queue */
	LATH_STAGE_COUNT,
};

/** A direction's key, IPv4: 16 bytes, compared in one vector instruction. */
struct lath_key4 {
	lath_be32_t src_be;
	lath_be32_t dst_be;
	lath_be16_t src_port_be; /* ICMP echo: the identifier, in both */
	lath_be16_t dst_port_be;
	uint32_t proto_vpc; /* proto << 24 | stable index of the VPC it entered from */
} LATH_ALIGNED(8);

static inline bool
lath_key4_is(const struct lath_key4 *key, const struct lath_key4 *other)
{
	return lath_equal16(key, other);
}

/** A direction's key, IPv6: 40 bytes. */
struct lath_key6 {
	uint8_t src[16];
	uint8_t dst[16];
	lath_be16_t src_port_be;
	lath_be16_t dst_port_be;
	uint32_t proto_vpc;
} LATH_ALIGNED(8);

#define LATH_KEY_VPC_MASK 0x00ffffffu

static inline uint32_t
lath_key_proto_vpc(uint8_t proto, uint32_t vpc)
{
	return (uint32_t)proto << 24 | (vpc & LATH_KEY_VPC_MASK);
}

/** One cache line. Offsets count from the frame's first byte. */
struct lath_packet {
	union {
		struct lath_key4 key4; /* family IPV4 */
		struct lath_key6 key6; /* family IPV6 */
	};
	uint32_t attachment; /* stable index */
	uint16_t l3_offset;
	uint16_t l4_offset;
	uint16_t ip_len; /* whole IP packet, bytes; what follows it is padding */
	uint16_t vlan;   /* as received; 0: untagged; the inner of two tags */
	uint8_t family;  /* enum lath_family */
	uint8_t proto;   /* of the IP header */
	uint8_t tcp_flags;
	uint8_t icmp_type;
	uint8_t kind;        /* enum lath_packet_kind */
	uint8_t stage;       /* enum lath_packet_stage */
	uint8_t port;        /* where it came in; LATH_STAGE_TRANSMIT: where it goes */
	uint8_t owner;       /* worker */
	uint16_t outer_vlan; /* 802.1ad tag as received; 0: none */
};

_Static_assert(sizeof(struct lath_key4) == 16, "compared as one vector");
_Static_assert(sizeof(struct lath_key6) == 40, "mixed halves rely on it");
_Static_assert(sizeof(struct lath_packet) == LATH_CACHE_LINE, "one line in the mbuf");

static inline uint32_t
lath_packet_vpc(const struct lath_packet *pkt)
{
	uint32_t proto_vpc = pkt->family == LATH_FAMILY_IPV6 ? pkt->key6.proto_vpc
							     : pkt->key4.proto_vpc;

	return proto_vpc & LATH_KEY_VPC_MASK;
}

static inline struct lath_ip
lath_packet_src(const struct lath_packet *pkt)
{
	return pkt->family == LATH_FAMILY_IPV6 ? lath_ip_from_v6(pkt->key6.src)
					       : lath_ip_from_v4_be(pkt->key4.src_be);
}

static inline struct lath_ip
lath_packet_dst(const struct lath_packet *pkt)
{
	return pkt->family == LATH_FAMILY_IPV6 ? lath_ip_from_v6(pkt->key6.dst)
					       : lath_ip_from_v4_be(pkt->key4.dst_be);
}

static inline lath_be16_t
lath_packet_dst_port_be(const struct lath_packet *pkt)
{
	return pkt->family == LATH_FAMILY_IPV6 ? pkt->key6.dst_port_be : pkt->key4.dst_port_be;
}

/** True for ICMP of either family. */
static inline bool
lath_proto_is_icmp(uint8_t proto)
{
	return proto == LATH_PROTO_ICMP || proto == LATH_PROTO_ICMPV6;
}

/** True for ICMP of either family; of an accepted packet. */
static inline bool
lath_packet_is_icmp(const struct lath_packet *pkt)
{
	return lath_proto_is_icmp(pkt->proto);
}

/** True for a ping's question, false for its answer and for what is no ping. */
static inline bool
lath_packet_is_echo_request(const struct lath_packet *pkt)
{
	return pkt->proto == LATH_PROTO_ICMPV6 ? pkt->icmp_type == LATH_ICMPV6_ECHO
					       : pkt->icmp_type == LATH_ICMP_ECHO;
}

/** True for an ICMP error; of an accepted packet. */
static inline bool
lath_packet_is_error(const struct lath_packet *pkt)
{
	if (pkt->proto == LATH_PROTO_ICMPV6)
		return pkt->icmp_type < LATH_ICMPV6_ECHO; /* RFC 4443 section 2.1 */
	/* 0, echo reply, stands for what is no ICMP as well. */
	return pkt->icmp_type != LATH_ICMP_ECHO_REPLY && pkt->icmp_type != LATH_ICMP_ECHO;
}

/**
 * Ethernet, at most one 802.1ad tag and at most one 802.1Q tag behind it: sets l3_offset, outer_vlan,
 * vlan (both 0 also for a priority tag) and `*ethertype` (host order). LATH_DROP_NONE or the reason. @thread any
 */
enum lath_drop lath_parse_frame(const uint8_t *data, uint32_t len, struct lath_packet *pkt,
		uint16_t *ethertype);

/**
 * IPv4 with TCP, UDP, ICMP echo or an ICMP error behind it, from pkt->l3_offset: sets family, proto,
 * l4_offset, ip_len, tcp_flags, icmp_type and the key but for its VPC. Of an error only the type is
 * looked at, and the key has its own addresses and no ports: lib/icmperr reads the rest. `data` must
 * hold `len` bytes in one piece; `frame_len` is the whole frame's length, which may go on in further
 * segments. `verified`: the NIC has found the header's checksum right.
 */
enum lath_drop lath_parse_ipv4(const uint8_t *data, uint32_t len, uint32_t frame_len, bool verified,
		struct lath_packet *pkt);

/** Where the upper header of an IPv6 packet lies; offsets count from the IPv6 header. */
struct lath_ipv6_upper {
	uint16_t l4_offset;
	uint16_t fragment_offset; /* of struct lath_ipv6_fragment_hdr; 0: there is none */
	uint8_t proto;
};

/**
 * Walks the extension headers of the IPv6 packet of `ip_len` bytes at `ip`, `present` of which (at
 * least the fixed header) are there in one piece. Of a later fragment l4_offset is where its data
 * begins. LATH_DROP_NONE or why not. @thread any
 */
enum lath_drop lath_parse_ipv6_walk(const uint8_t *ip, uint32_t ip_len, uint32_t present,
		struct lath_ipv6_upper *upper);

/** What no host of a VPC is to another one: unspecified, loopback, multicast, link-local,
 *  IPv4-mapped and IPv4-compatible. @thread any
 */
bool lath_parse_is_martian_v6(const uint8_t ip[16]);

/**
 * IPv6 with TCP, UDP, ICMPv6 echo or an ICMPv6 error behind any extension headers that
 * lath_parse_ipv6_walk() takes; as lath_parse_ipv4(). A fragment that is the whole packet passes
 * (RFC 6946).
 */
enum lath_drop lath_parse_ipv6(const uint8_t *data, uint32_t len, uint32_t frame_len,
		struct lath_packet *pkt);

/** ARP for Ethernet and IPv4. `*arp` points into `data` on success. */
enum lath_drop lath_parse_arp(const uint8_t *data, uint32_t len, const struct lath_packet *pkt,
		const struct lath_arp_hdr **arp);

/** Loopback, multicast, 0/8, 240/4 and broadcast: no host of a VPC has such an address. */
static inline bool
lath_parse_is_martian_v4(lath_be32_t ip_be)
{
	uint32_t first = lath_from_be32(ip_be) >> 24;

	/* RFC 6890 section 2.2.2: "this network", loopback; RFC 5771 and RFC 1112 section 4:
	 * multicast and class E, with the limited broadcast.
	 */
	return first == 0 || first == 127 || first >= 224;
}
