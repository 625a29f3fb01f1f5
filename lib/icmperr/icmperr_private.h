/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * What the files of lib/icmperr share.
 */
#pragma once

#include "lath_icmperr.h"

#define QUOTE_L4_MIN 8u         /* RFC 792: "64 bits of data" */
#define EXTENDED_QUOTE_MIN 128u /* RFC 4884 section 3: what stands before an extension */

#define ECHO_V6_REQUEST 128 /* RFC 4443 section 4 */
#define ECHO_V6_REPLY 129

/* RFC 8200 section 4.5. */
struct fragment_hdr {
	uint8_t next_header;
	uint8_t reserved;
	lath_be16_t offset_more_be; /* 13 bits of 8-byte units, 2 reserved, "more" */
	lath_be32_t id_be;
} LATH_PACKED;

#define FRAGMENT_MORE 0x0001
#define FRAGMENT_OFFSET_MASK 0xfff8

/* RFC 792, RFC 4443 section 2.1, RFC 4884 section 4. */
struct error_hdr {
	uint8_t type;
	uint8_t code;
	lath_be16_t cksum_be;
	union {
		lath_be32_t rest_be;
		uint8_t rest[4]; /* length of the quote: [1] of ICMPv4, [0] of ICMPv6 */
	};
} LATH_PACKED;

/* Where the upper header of an IPv6 packet lies. */
struct walk {
	uint32_t l4_offset;
	uint32_t fragment; /* offset of the fragment header; 0: none */
	uint8_t proto;
};

/* Walks the extension headers of the IPv6 packet of `len` bytes at `ip`, at least its fixed
 * header. False when they do not fit, are too many, or no upper header follows: a later fragment,
 * or a routing header that has not come to its end.
 */
bool lath_icmperr_walk(const uint8_t *ip, uint32_t len, struct walk *walk);

/* Of the `body_len` bytes behind the ICMP header, how many are the quote's with its padding, when
 * the length field says `stated` bytes; `*extension_len` gets what valid structure follows, or 0.
 */
uint32_t lath_icmperr_split(const uint8_t *body, uint32_t body_len, uint32_t stated,
		uint32_t *extension_len);

/* Puts ports and checksum of the transport header at `l4`, of which `present` (8 or more) bytes
 * are quoted. `delta` has what else its sum covers and has changed. Echo: the identifier is
 * dst_port_be.
 */
void lath_icmperr_restore_l4(uint8_t *l4, uint32_t present, uint8_t proto, lath_be16_t src_port_be,
		lath_be16_t dst_port_be, uint16_t delta);
