/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * The block: rows of fixed size, and what they point to by offset from the block's beginning.
 * Offset 0: nothing.
 */
#pragma once

#include <stdlib.h>

#include "lath_access.h"

struct text {
	uint32_t at;
	uint32_t len;
};

struct vpc_row {
	uint32_t first_gate;
	uint32_t gate_count;
	struct text id; /* at 0: no such VPC */
	struct text account;
	uint32_t acl; /* acl_row's place + 1 */
	uint32_t reserved;
};

struct gate_row {
	uint64_t key;
	uint32_t network;
	uint32_t priority;
	uint32_t name;
	uint32_t group_count;
	uint32_t groups[LATH_ACCESS_GROUPS_MAX];
	uint32_t reserved;
};

struct group_row {
	uint64_t key;
	uint32_t name;
	uint32_t table;
	uint32_t rules; /* lath_acl_rule without numbers, sorted by bytes */
	uint32_t rule_count;
};

struct acl_row {
	uint32_t name;
	uint32_t in; /* tables */
	uint32_t out;
	uint32_t reserved;
};

struct network_row {
	uint64_t key;
	uint32_t name;
	uint32_t policy;
	struct text arn;
	uint32_t asks;
	uint32_t reserved;
};

struct service_row {
	struct text arn; /* at 0: no such service */
	uint32_t first_member;
	uint32_t member_count;
	uint32_t policy;
	uint32_t asks;
	uint32_t finishes;
	uint32_t reserved;
};

struct lath_access {
	uint32_t size;
	uint32_t vpc_rows;
	uint32_t service_rows;
	uint32_t vpcs;
	uint32_t gates;
	uint32_t groups;
	uint32_t acls;
	uint32_t networks;
	uint32_t services;
	uint32_t members; /* numbers of networks, ascending for each service */
};

#define ACCESS_AT(access, type, offset) \
	((const type *)(const void *)((const char *)(access) + (offset)))

static inline const struct vpc_row *
vpc_at(const struct lath_access *access, uint32_t vpc)
{
	return ACCESS_AT(access, struct vpc_row, access->vpcs) + vpc;
}

static inline const struct service_row *
service_at(const struct lath_access *access, uint32_t service)
{
	return ACCESS_AT(access, struct service_row, access->services) + service;
}

static inline const struct network_row *
network_at(const struct lath_access *access, uint32_t network)
{
	return ACCESS_AT(access, struct network_row, access->networks) + network;
}

static inline const struct gate_row *
gate_at(const struct lath_access *access, uint32_t gate)
{
	return ACCESS_AT(access, struct gate_row, access->gates) + gate;
}

static inline const struct group_row *
group_at(const struct lath_access *access, uint32_t group)
{
	return ACCESS_AT(access, struct group_row, access->groups) + group;
}

static inline const uint32_t *
members_of(const struct lath_access *access, const struct service_row *service)
{
	return ACCESS_AT(access, uint32_t, access->members) + service->first_member;
}

static inline const char *
string_at(const struct lath_access *access, uint32_t offset)
{
	return ACCESS_AT(access, char, offset);
}

static inline bool
is_member(const struct lath_access *access, const struct service_row *service, uint32_t network)
{
	const uint32_t *members = members_of(access, service);
	uint32_t low = 0;
	uint32_t high = service->member_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (members[middle] == network)
			return true;
		if (members[middle] < network)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}
