/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Headers as they lie on the wire, everything in network order, byte aligned. Pure libraries use
 * these in place of DPDK's. Constants only; nothing to call.
 */
#pragma once

#include <lath_inet.h>

#define LATH_ETHERTYPE_IPV4 0x0800
#define LATH_ETHERTYPE_ARP 0x0806
#define LATH_ETHERTYPE_VLAN 0x8100
#define LATH_ETHERTYPE_QINQ 0x88a8
#define LATH_ETHERTYPE_IPV6 0x86dd

#define LATH_PROTO_ICMP 1
#define LATH_PROTO_TCP 6
#define LATH_PROTO_UDP 17
#define LATH_PROTO_ICMPV6 58

#define LATH_VLAN_ID_MASK 0x0fff

struct lath_eth_hdr {
	struct lath_mac dst;
	struct lath_mac src;
	lath_be16_t type_be;
} LATH_PACKED;

struct lath_vlan_hdr {
	lath_be16_t tci_be;
	lath_be16_t type_be;
} LATH_PACKED;

/* RFC 826, for Ethernet and IPv4. */
struct lath_arp_hdr {
	lath_be16_t hardware_be; /* 1 */
	lath_be16_t protocol_be; /* LATH_ETHERTYPE_IPV4 */
	uint8_t hardware_len;    /* 6 */
	uint8_t protocol_len;    /* 4 */
	lath_be16_t op_be;
	struct lath_mac sender_mac;
	lath_be32_t sender_ip_be;
	struct lath_mac target_mac;
	lath_be32_t target_ip_be;
} LATH_PACKED;

#define LATH_ARP_REQUEST 1
#define LATH_ARP_REPLY 2

/* RFC 791 section 3.1. */
struct lath_ipv4_hdr {
	uint8_t version_ihl;
	uint8_t tos;
	lath_be16_t total_len_be;
	lath_be16_t id_be;
	lath_be16_t fragment_be;
	uint8_t ttl;
	uint8_t proto;
	lath_be16_t cksum_be;
	lath_be32_t src_be;
	lath_be32_t dst_be;
} LATH_PACKED;

#define LATH_IPV4_DF 0x4000
#define LATH_IPV4_MF 0x2000
#define LATH_IPV4_OFFSET_MASK 0x1fff
#define LATH_IPV4_OPTION_END 0 /* RFC 791 section 3.1 */
#define LATH_IPV4_OPTION_NOP 1
#define LATH_IPV4_OPTION_LSRR 131
#define LATH_IPV4_OPTION_SSRR 137

/* RFC 8200 section 3. */
struct lath_ipv6_hdr {
	lath_be32_t version_class_label_be;
	lath_be16_t payload_len_be;
	uint8_t next_header;
	uint8_t hop_limit;
	uint8_t src[16];
	uint8_t dst[16];
} LATH_PACKED;

/* Extension headers, RFC 8200 section 4: next header, length, ... */
#define LATH_IPV6_HOP_BY_HOP 0
#define LATH_IPV6_ROUTING 43
#define LATH_IPV6_FRAGMENT 44
#define LATH_IPV6_DESTINATION 60

/* RFC 8200 section 4.5. */
struct lath_ipv6_fragment_hdr {
	uint8_t next_header;
	uint8_t reserved;
	lath_be16_t offset_more_be; /* 13 bits of 8-byte units, 2 reserved, "more" */
	lath_be32_t id_be;
} LATH_PACKED;

#define LATH_IPV6_MORE 0x0001
#define LATH_IPV6_OFFSET_MASK 0xfff8

/* RFC 9293 section 3.1. */
struct lath_tcp_hdr {
	lath_be16_t src_port_be;
	lath_be16_t dst_port_be;
	lath_be32_t seq_be;
	lath_be32_t ack_be;
	uint8_t offset; /* high four bits: words */
	uint8_t flags;
	lath_be16_t window_be;
	lath_be16_t cksum_be;
	lath_be16_t urgent_be;
} LATH_PACKED;

#define LATH_TCP_FIN 0x01
#define LATH_TCP_SYN 0x02
#define LATH_TCP_RST 0x04
#define LATH_TCP_PSH 0x08
#define LATH_TCP_ACK 0x10

#define LATH_TCP_OPTION_END 0
#define LATH_TCP_OPTION_NOP 1
#define LATH_TCP_OPTION_MSS 2

/* RFC 768. */
struct lath_udp_hdr {
	lath_be16_t src_port_be;
	lath_be16_t dst_port_be;
	lath_be16_t len_be;
	lath_be16_t cksum_be; /* 0 on IPv4: none was computed */
} LATH_PACKED;

/* RFC 792, echo and echo reply. */
struct lath_icmp_echo_hdr {
	uint8_t type;
	uint8_t code;
	lath_be16_t cksum_be;
	lath_be16_t id_be;
	lath_be16_t seq_be;
} LATH_PACKED;

#define LATH_ICMP_ECHO_REPLY 0
#define LATH_ICMP_UNREACHABLE 3
#define LATH_ICMP_ECHO 8
#define LATH_ICMP_TIME_EXCEEDED 11
#define LATH_ICMP_PARAMETER 12

/* RFC 4443 sections 2.1 and 4: errors are below. */
#define LATH_ICMPV6_ECHO 128
#define LATH_ICMPV6_ECHO_REPLY 129

_Static_assert(sizeof(struct lath_arp_hdr) == 28, "RFC 826");
_Static_assert(sizeof(struct lath_ipv4_hdr) == 20, "RFC 791");
_Static_assert(sizeof(struct lath_ipv6_hdr) == 40, "RFC 8200");
_Static_assert(sizeof(struct lath_ipv6_fragment_hdr) == 8, "RFC 8200");
_Static_assert(sizeof(struct lath_tcp_hdr) == 20, "RFC 9293");
