/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Who may call what: associations with their security groups, the auth policies of networks and
 * services, and network ACLs, in one block of memory without pointers that a model holds as it is.
 *
 * A VPC reaches a service by *paths*, one for each network that is associated with both. A path is
 * open when the association's security groups and the network's policy allow. The service's own
 * policy is asked with each open path: a Deny is final, and the first open path on which it allows
 * is the one that is used. First: lowest priority, then name. An ACL is asked before all that, for
 * what leaves the client's VPC and what comes back.
 *
 * Objects have the numbers that the caller gives: VPCs and services their stable indexes, all
 * others their places in `struct lath_access_in`. All functions are @thread any.
 */
#pragma once

#include <lath_acl.h>
#include <lath_policy.h>

#define LATH_ACCESS_GROUPS_MAX 5u /* of an association: service model 1.8 */
#define LATH_ACCESS_NONE UINT32_MAX

struct lath_access;

/* ---- building ---------------------------------------------------------------------------- */

/** Rules whose numbers are their places; all allow. */
struct lath_access_group_in {
	uint64_t key; /* of the id */
	const char *name;
	const struct lath_acl_rule *rules;
	uint32_t rule_count;
};

/** In: what enters the VPC, by who sent it. Out: what leaves it, by whom it goes to. */
struct lath_access_acl_in {
	const char *name;
	const struct lath_acl_rule *in;
	const struct lath_acl_rule *out;
	uint32_t in_count;
	uint32_t out_count;
};

struct lath_access_network_in {
	uint64_t key;
	const char *name;
	const char *arn;
	bool asks;                        /* authType AWS_IAM */
	const struct lath_policy *policy; /* NULL: none, which allows nothing when it is asked */
};

struct lath_access_vpc_in {
	uint32_t vpc;
	uint32_t acl; /* LATH_ACCESS_NONE: none */
	const char *id;
	const char *account;
};

struct lath_access_service_in {
	uint32_t service;
	bool asks;
	bool finishes; /* flows that lost their right may go on to their end */
	const char *arn;
	const struct lath_policy *policy;
};

/** An association of a VPC with a network. */
struct lath_access_gate_in {
	uint64_t key;
	const char *name;
	uint32_t vpc;
	uint32_t network;
	uint32_t priority;
	const uint32_t *groups;
	uint32_t group_count; /* 0: the whole VPC may call */
};

/** An association of a service with a network. */
struct lath_access_member_in {
	uint32_t service;
	uint32_t network;
};

struct lath_access_in {
	const struct lath_access_group_in *groups;
	const struct lath_access_acl_in *acls;
	const struct lath_access_network_in *networks;
	const struct lath_access_vpc_in *vpcs;
	const struct lath_access_service_in *services;
	struct lath_access_gate_in *gates;     /* sorted by the call */
	struct lath_access_member_in *members; /* sorted by the call */
	uint32_t group_count;
	uint32_t acl_count;
	uint32_t network_count;
	uint32_t vpc_count;
	uint32_t service_count;
	uint32_t gate_count;
	uint32_t member_count;
	uint32_t vpc_rows;     /* above every VPC's number */
	uint32_t service_rows; /* above every service's number */
};

/** Caller frees with free(). NULL: ENOMEM. */
struct lath_access *lath_access_build(const struct lath_access_in *in);

size_t lath_access_size(const struct lath_access *access);

/* ---- deciding ---------------------------------------------------------------------------- */

struct lath_access_call {
	uint32_t vpc;
	uint32_t service;
	struct lath_ip client;
	struct lath_ip address; /* the service's, that the client calls */
	uint16_t client_port;   /* ICMP: 0 */
	uint16_t port;          /* ICMP: 0 */
	uint8_t protocol;       /* enum lath_acl_protocol, not ANY */
};

enum lath_access_outcome {
	LATH_ACCESS_ALLOWED,
	LATH_ACCESS_NO_PATH, /* no network is associated with both */
	LATH_ACCESS_ACL,     /* the ACL of the client's VPC lets the call not out */
	LATH_ACCESS_REPLY,   /* or no reply in */
	LATH_ACCESS_GROUP,   /* no path whose security groups allow */
	LATH_ACCESS_NETWORK, /* none of those whose network's policy allows */
	LATH_ACCESS_SERVICE, /* paths are open, and the service's policy refuses */
	LATH_ACCESS_OUTCOME_COUNT,
};

/** How one path, or the whole, was decided. Names are inside the block. */
struct lath_access_detail {
	enum lath_access_outcome outcome;
	const char *association; /* NULL: no path decided */
	const char *network;
	uint32_t priority;
	const char *group;   /* that allowed; NULL: none is attached, or none allowed */
	uint32_t group_rule; /* its place */
	const char *acl;     /* NULL: none is attached */
	uint32_t acl_rule;   /* number, or LATH_ACL_NONE: the deny at the end */
	enum lath_policy_effect network_effect;
	uint32_t network_statement; /* LATH_POLICY_NONE: no statement matched, or none was asked */
	const char *network_sid;
	enum lath_policy_effect service_effect;
	uint32_t service_statement;
	const char *service_sid;
};

/** May the call be made? Costs the VPC's associations, and for each path its groups and policies.
 *  `path` (may be NULL): the association that is used, by number for lath_access_path().
 */
enum lath_access_outcome lath_access_decide(const struct lath_access *access,
		const struct lath_access_call *call, uint32_t *path);

/** The same told in full. */
void lath_access_explain(const struct lath_access *access, const struct lath_access_call *call,
		struct lath_access_detail *detail);

/** Path number `i` of the VPC to the service, in their order, as if it were the only one. False:
 *  there is no such path.
 */
bool lath_access_path(const struct lath_access *access, const struct lath_access_call *call,
		uint32_t i, struct lath_access_detail *detail);

/** The other edge: may packets from `peer` (an address of the gateway's) enter the target's VPC to
 *  `port` and replies leave it to the peer's `peer_port`? ALLOWED, ACL or REPLY.
 */
enum lath_access_outcome lath_access_edge(const struct lath_access *access, uint32_t vpc,
		const struct lath_ip *peer, uint16_t peer_port, uint16_t port, uint8_t protocol);

/** True when flows of the service that lost their right may go on. */
bool lath_access_finishes(const struct lath_access *access, uint32_t service);

/* ---- comparing --------------------------------------------------------------------------- */

/** May somebody in the VPC, or calling the service, have lost a right from `was` to `is`? Answers
 *  true when in doubt, and false for what was only added. `was` NULL: false.
 */
bool lath_access_vpc_lost(const struct lath_access *was, const struct lath_access *is,
		uint32_t vpc);
bool lath_access_service_lost(const struct lath_access *was, const struct lath_access *is,
		uint32_t service);
