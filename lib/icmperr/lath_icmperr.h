/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * ICMP errors, IPv4 and IPv6: making them, finding the flow that one speaks of, and turning one
 * that comes from beyond the gateway into what its receiver can believe: about the packet that the
 * receiver itself sent. Works on whole IP packets in one piece; pure; allocates nothing; keeps no
 * state, so an error can neither end nor refresh a flow here. Rate limits, routes and frames are
 * the caller's.
 *
 * The quoted packet travelled against the error. So its tuple with the ends swapped is the key of
 * the direction that the error travels in, and that half's rewrite is what restores the quote:
 *
 *      client C --> gateway --> N:p to T:80 --> router
 *                                  <-- error about N:p to T:80 --
 *      key of the error: T:80 to N:p;  that half's rewrite: S:80 to C:q
 *      the quote becomes C:q to S:80, which is what the client sent
 */
#pragma once

#include <lath_parse.h>
#include <lath_xlate.h>

/* RFC 792, RFC 1812 section 5.2.7. */
#define LATH_ICMPERR_V4_UNREACHABLE LATH_ICMP_UNREACHABLE
#define LATH_ICMPERR_V4_HOST_CODE 1
#define LATH_ICMPERR_V4_PORT_CODE 3
#define LATH_ICMPERR_V4_TOO_BIG_CODE 4 /* of UNREACHABLE: "fragmentation needed and DF set" */
#define LATH_ICMPERR_V4_PROHIBITED_CODE 13
#define LATH_ICMPERR_V4_TIME_EXCEEDED LATH_ICMP_TIME_EXCEEDED
#define LATH_ICMPERR_V4_PARAMETER LATH_ICMP_PARAMETER

/* RFC 4443 section 3. */
#define LATH_ICMPERR_V6_UNREACHABLE 1
#define LATH_ICMPERR_V6_TOO_BIG 2
#define LATH_ICMPERR_V6_TIME_EXCEEDED 3
#define LATH_ICMPERR_V6_PARAMETER 4

#define LATH_ICMPERR_V4_LEN_MAX 576u  /* RFC 1812 section 4.3.2.3: the whole IP packet */
#define LATH_ICMPERR_V6_LEN_MAX 1280u /* RFC 4443 section 2.4(c) */
#define LATH_ICMPERR_V4_FRONT 28u     /* IP and ICMP header: what stands before the quote */
#define LATH_ICMPERR_V6_FRONT 48u

/* ---- making ----------------------------------------------------------------------------- */

/** What an error of the gateway's own says. */
struct lath_icmperr_cause {
	struct lath_ip src; /* an address of the gateway, of the packet's family */
	uint8_t type;
	uint8_t code;
	uint32_t detail; /* too big: the MTU; ICMPv6 parameter problem: the pointer; else 0 */
};

/** True for types that are errors, which no error may be sent about. ICMPv4: those that RFC 1122
 *  section 3.2.2 lists and all that nobody knows; ICMPv6: below 128 and Redirect (RFC 4443 sections
 *  2.1, 2.4(e)). @thread any
 */
bool lath_icmperr_is_error_v4(uint8_t type);
bool lath_icmperr_is_error_v6(uint8_t type);

/**
 * Whether an error may be sent about the packet of `len` bytes at `ip` (RFC 1122 section 3.2.2, RFC
 * 4443 section 2.4(e)): not about an ICMP error, a fragment that is not the first, nor about what
 * was sent to many or by nobody. `link_group`: the frame was a broadcast or multicast.
 * LIMIT: a subnet's directed broadcast is the caller's to know. @thread any
 */
bool lath_icmperr_may_answer_v4(const uint8_t *ip, uint32_t len, bool link_group);
bool lath_icmperr_may_answer_v6(const uint8_t *ip, uint32_t len, bool link_group);

/**
 * Writes the error about the packet at `ip`, as it was received, towards its sender; returns the
 * error's length. `len` bytes of the packet are there, at least its fixed IP header. As much of it
 * is quoted as fits. `out` takes LATH_ICMPERR_V4_LEN_MAX or LATH_ICMPERR_V6_LEN_MAX bytes and may
 * lie just before: out + LATH_ICMPERR_V4_FRONT == ip makes the error around the packet in place.
 * @thread any
 */
uint32_t lath_icmperr_make_v4(uint8_t *out, const struct lath_icmperr_cause *cause,
		const uint8_t *ip, uint32_t len);
uint32_t lath_icmperr_make_v6(uint8_t *out, const struct lath_icmperr_cause *cause,
		const uint8_t *ip, uint32_t len);

/* ---- parsing ---------------------------------------------------------------------------- */

/** What an error says. Offsets count from the outer IP header's first byte. */
struct lath_icmperr {
	union {
		struct lath_key4 key4; /* of the direction that the error travels in; VPC 0 */
		struct lath_key6 key6;
	};
	uint32_t mtu;     /* too big: as reported, may be 0; else 0 */
	uint32_t pointer; /* parameter problem; else 0 */
	uint16_t len;     /* the whole IP packet */
	uint16_t icmp_offset;
	uint16_t quote_offset;    /* the quoted IP header */
	uint16_t quote_l4_offset; /* behind options or extension headers */
	uint16_t quote_len; /* bytes of the quoted packet that are there; less padding, if its length tells */
	uint16_t extension_offset;
	uint16_t extension_len;  /* RFC 4884 structure; 0: there is none that is valid */
	uint16_t quote_fragment; /* offset of IPv6's fragment header in the error; 0: none */
	uint8_t family;          /* enum lath_family */
	uint8_t type;
	uint8_t code;
	uint8_t quote_proto;
};

/**
 * Reads the ICMP error in the IP packet of `len` bytes at `ip`. LATH_DROP_NONE, or why it is not to
 * be believed: its checksum (RFC 5508 REQ-3), a type that is not passed on (redirects, source
 * quench), a quote that is short, malformed, a later fragment, or neither TCP, UDP nor echo, or
 * whose IP header's checksum is wrong. The quote's transport checksum is not looked at. Eight bytes
 * behind the quoted IP header are enough. `*err` is written only on success. The outer IPv4
 * header's own checksum is lath_parse_ipv4()'s to check. @thread any
 */
enum lath_drop lath_icmperr_parse_v4(const uint8_t *ip, uint32_t len, struct lath_icmperr *err);
enum lath_drop lath_icmperr_parse_v6(const uint8_t *ip, uint32_t len, struct lath_icmperr *err);

/* ---- passing on ------------------------------------------------------------------------- */

/** What the caller decides about an error that is passed on. */
struct lath_icmperr_outer {
	struct lath_ip src; /* both of the family that comes out */
	struct lath_ip dst;
	uint32_t mtu_max; /* in units of that family; a too big reports no more; 0: no bound */
};

/**
 * Turns the parsed error at `ip` in place into one about what its receiver sent. `rewrite` is that
 * of the half that err's key finds. The outer TTL goes down by one (the caller has checked that it
 * is above 1); an RFC 4884 extension stays as it is. @thread any
 */
void lath_icmperr_4to4(uint8_t *ip, const struct lath_icmperr *err,
		const struct lath_rewrite4 *rewrite, const struct lath_icmperr_outer *outer);
void lath_icmperr_6to6(uint8_t *ip, const struct lath_icmperr *err,
		const struct lath_rewrite6 *rewrite, const struct lath_icmperr_outer *outer);

/**
 * The same across families (RFC 7915 sections 4.2, 4.3, 5.2, 5.3), written to `out`, which takes
 * LATH_ICMPERR_V6_LEN_MAX or LATH_ICMPERR_V4_LEN_MAX bytes and does not overlap the error. Returns
 * the length, or 0 for what has no counterpart and is to be dropped. @thread any
 */
uint32_t lath_icmperr_4to6(uint8_t *out, const uint8_t *ip, const struct lath_icmperr *err,
		const struct lath_rewrite6 *rewrite, const struct lath_icmperr_outer *outer);
uint32_t lath_icmperr_6to4(uint8_t *out, const uint8_t *ip, const struct lath_icmperr *err,
		const struct lath_rewrite4 *rewrite, const struct lath_icmperr_outer *outer);
