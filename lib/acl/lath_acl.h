/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Lists of rules about protocol, port and peer, compiled so that the first rule that matches is
 * found at a cost that does not grow with the list: security groups and network ACLs. A table is
 * one block of memory without pointers, which can be copied and laid into a model as it is.
 *
 * All functions are @thread any; finding allocates nothing. The table knows no default: what no
 * rule matches is the caller's to decide.
 */
#pragma once

#include <lath_inet.h>

#define LATH_ACL_RULES_MAX 16384u
#define LATH_ACL_NONE UINT32_MAX

enum lath_acl_protocol {
	LATH_ACL_TCP,
	LATH_ACL_UDP,
	LATH_ACL_ICMP, /* ICMP and ICMPv6: no ports */
	LATH_ACL_ANY,  /* every protocol and every port; only in a rule */
	LATH_ACL_PROTOCOL_COUNT,
};

enum lath_acl_peer {
	LATH_ACL_PEER_ANY,
	LATH_ACL_PEER_PREFIX,
	LATH_ACL_PEER_VPC,
};

/** A rule; the lowest `number` that matches decides. Rules of one number are one rule of several
 *  peers.
 */
struct lath_acl_rule {
	uint32_t number;  /* below 2^31 */
	uint8_t protocol; /* enum lath_acl_protocol */
	uint8_t peer;     /* enum lath_acl_peer */
	uint16_t first_port;
	uint16_t last_port;
	bool allows;
	uint32_t vpc;              /* PEER_VPC: any number that names one */
	struct lath_prefix prefix; /* PEER_PREFIX */
};

struct lath_acl; /* compiled; lath_acl_size() bytes, aligned to 8 */

/** Compiles at most LATH_ACL_RULES_MAX rules, none is fine; caller frees with free(). NULL: errno
 *  is ENOMEM or E2BIG.
 */
struct lath_acl *lath_acl_build(const struct lath_acl_rule *rules, uint32_t count);

size_t lath_acl_size(const struct lath_acl *acl);

struct lath_acl_packet {
	struct lath_ip peer;
	uint32_t vpc;     /* that the peer is in; LATH_ACL_NONE: no rule may ask for it */
	uint16_t port;    /* ICMP: 0 */
	uint8_t protocol; /* enum lath_acl_protocol, not ANY */
};

/** The number of the first rule that matches, or LATH_ACL_NONE; *allows is what it says (false for
 *  none). O(prefix lengths in the list x log of the ports that rules of one prefix name).
 */
uint32_t lath_acl_find(const struct lath_acl *acl, const struct lath_acl_packet *packet,
		bool *allows);
