/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Neighbour discovery on bytes (RFC 4861, RFC 4191): messages read with every check of the RFC, and
 * messages made. Who has which address, and when to say what, is lib/neigh's and the pipeline's.
 * Pure; any thread; allocates nothing; keeps no state.
 */
#pragma once

#include <lath_craft.h>
#include <lath_parse.h>

/* RFC 4861 sections 4.1 to 4.5: types of ICMPv6. */
#define LATH_ND_ROUTER_SOLICITATION 133
#define LATH_ND_ROUTER_ADVERTISEMENT 134
#define LATH_ND_NEIGHBOR_SOLICITATION 135
#define LATH_ND_NEIGHBOR_ADVERTISEMENT 136
#define LATH_ND_REDIRECT 137

#define LATH_ND_HOP_LIMIT 255 /* RFC 4861 section 3.1: no router forwards what arrives with it */

/* ---- addresses --------------------------------------------------------------------------- */

/** fe80::/64 and the modified EUI-64 of `mac` (RFC 4291 section 2.5.6, appendix A). */
struct lath_ip lath_nd_link_local(const struct lath_mac *mac);

/** The gateway's link-local address on a wire where it has `addresses`. False: none of them is IPv6,
 *  so IPv6 is not spoken there.
 */
bool lath_nd_own_link_local(const struct lath_prefix *addresses, uint32_t count,
		const struct lath_mac *mac, struct lath_ip *own);

/** True for fe80::/10. */
static inline bool
lath_nd_is_link_local(const struct lath_ip *ip)
{
	return ip->family == LATH_FAMILY_IPV6 && ip->bytes[0] == 0xfe &&
			(ip->bytes[1] & 0xc0) == 0x80;
}

/** ff02::1:ffXX:XXXX (RFC 4291 section 2.7.1). */
struct lath_ip lath_nd_solicited_node(const struct lath_ip *ip);

/** ff02::1, ff02::2. */
struct lath_ip lath_nd_all_nodes(void);
struct lath_ip lath_nd_all_routers(void);

/** 33:33 and the group's last four bytes (RFC 2464 section 7). */
struct lath_mac lath_nd_group_mac(const struct lath_ip *group);

/** True for 33:33:... */
static inline bool
lath_nd_is_group_mac(const struct lath_mac *mac)
{
	return mac->bytes[0] == 0x33 && mac->bytes[1] == 0x33;
}

/* ---- reading ------------------------------------------------------------------------------ */

/** A message that has passed every check. */
struct lath_nd_message {
	struct lath_ip src;
	struct lath_ip dst;
	struct lath_ip target; /* NEIGHBOR_SOLICITATION, NEIGHBOR_ADVERTISEMENT */
	struct lath_mac mac;   /* source's; NEIGHBOR_ADVERTISEMENT: target's */
	bool has_mac;
	uint8_t type;
	bool from_router; /* NEIGHBOR_ADVERTISEMENT: flags R, S, O */
	bool is_solicited;
	bool overrides;
	uint16_t ip_len; /* of the whole packet */
};

/** True for an IPv6 packet whose first header behind the fixed one is ICMPv6 of types 133 to 137. */
bool lath_nd_is(const uint8_t *ip, uint32_t len);

/**
 * Reads a packet that lath_nd_is(): LATH_DROP_NONE, or why it is silently to be discarded (RFC 4861
 * sections 6.1.1, 6.1.2, 7.1.1, 7.1.2, 8.1). `len` bytes are there; what follows the packet is
 * padding. `*message` is written only on success.
 */
enum lath_drop lath_nd_parse(const uint8_t *ip, uint32_t len, struct lath_nd_message *message);

/* ---- making ------------------------------------------------------------------------------- */

/** Room that a solicitation or advertisement of a neighbour takes, with Ethernet and a tag. */
#define LATH_ND_NEIGHBOR_MAX 90u

/** A solicitation or an advertisement of a neighbour. */
struct lath_nd_neighbor {
	uint8_t type;        /* NEIGHBOR_SOLICITATION or NEIGHBOR_ADVERTISEMENT */
	uint16_t vlan;       /* 0: untagged */
	struct lath_mac mac; /* ours: the frame's source, and the option's */
	struct lath_mac eth_dst;
	struct lath_ip src; /* unspecified: detects duplicates, and carries no option */
	struct lath_ip dst;
	struct lath_ip target;
	bool is_solicited; /* NEIGHBOR_ADVERTISEMENT; R is always set: the gateway is a router */
	bool overrides;
};

/** Writes the frame; returns its length. */
uint32_t lath_nd_make_neighbor(uint8_t *frame, const struct lath_nd_neighbor *msg);

/**
 * The advertisement of `mac` that answers a solicitation (RFC 4861 section 7.2.4): to who asked, or
 * unsolicited to all nodes when who asks has no address yet. `eth_dst`: the question's source.
 */
struct lath_nd_neighbor lath_nd_answer(const struct lath_nd_message *question, uint16_t vlan,
		const struct lath_mac *mac, const struct lath_mac *eth_dst);

/** Lifetimes that never end (RFC 4861 section 4.6.2). */
#define LATH_ND_FOREVER UINT32_MAX

struct lath_nd_prefix {
	struct lath_prefix prefix;
	bool on_link;
	bool autonomous; /* hosts make addresses of it (RFC 4862) */
	uint32_t valid_s;
	uint32_t preferred_s;
};

/** RFC 4191 section 2.3, of medium preference. */
struct lath_nd_route {
	struct lath_prefix prefix;
	uint32_t lifetime_s;
};

/** An advertisement of the router itself, always with its link-layer address. */
struct lath_nd_router {
	uint16_t vlan;
	struct lath_mac mac;
	struct lath_mac eth_dst;
	struct lath_ip src; /* link-local (RFC 4861 section 4.2) */
	struct lath_ip dst;
	uint16_t lifetime_s; /* as a default router; 0: it is none */
	uint8_t hop_limit;
	uint32_t mtu; /* 0: not told */
	const struct lath_nd_prefix *prefixes;
	uint32_t prefix_count;
	const struct lath_nd_route *routes;
	uint32_t route_count;
};

/** Writes the frame into `room` bytes; options that find no room are left out, the last ones first.
 *  Returns its length; 0: not even the header fits.
 */
uint32_t lath_nd_make_router(uint8_t *frame, uint32_t room, const struct lath_nd_router *msg);

/* ---- listeners ---------------------------------------------------------------------------- */

#define LATH_ND_REPORT_LEN 90u /* untagged */

/** True for a valid query of a multicast router (RFC 3810 sections 5.1, 6.2), whatever it asks for. */
bool lath_nd_is_query(const uint8_t *ip, uint32_t len);

/** Writes an untagged report that `group` is listened to (RFC 3810 section 5.2); returns
 *  LATH_ND_REPORT_LEN. `src`: link-local.
 */
uint32_t lath_nd_make_report(uint8_t *frame, const struct lath_mac *mac, const struct lath_ip *src,
		const struct lath_ip *group);
