/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* The block is written from front to back; `failed` once memory was short. */

#include "access_private.h"

struct blob {
	char *bytes;
	size_t size;
	size_t room;
	bool failed;
};

/* Zeroed room for `size` bytes, aligned to 8; its offset, 0 on failure. */
static uint32_t
carve(struct blob *blob, size_t size)
{
	size_t at = blob->size;
	size_t end = (at + size + 7) & ~(size_t)7;

	if (end > UINT32_MAX)
		blob->failed = true;
	if (!blob->failed && end > blob->room) {
		char *more = realloc(blob->bytes, 2 * end);

		if (more == NULL) {
			blob->failed = true;
		} else {
			blob->bytes = more;
			blob->room = 2 * end;
		}
	}
	if (blob->failed)
		return 0;
	memset(blob->bytes + at, 0, end - at);
	blob->size = end;
	return (uint32_t)at;
}

static uint32_t
put(struct blob *blob, const void *bytes, size_t size)
{
	uint32_t at = carve(blob, size);

	if (at != 0 && size > 0)
		memcpy(blob->bytes + at, bytes, size);
	return at;
}

static struct text
put_text(struct blob *blob, const char *text)
{
	size_t len = strlen(text);

	return (struct text){put(blob, text, len + 1), (uint32_t)len};
}

/* Row `i` of rows at `offset`; only good until the next put. */
#define ROW(blob, type, offset, i) ((type *)(void *)((blob)->bytes + (offset)) + (i))

static struct lath_access *
head_of(struct blob *blob)
{
	return (struct lath_access *)(void *)blob->bytes;
}

static uint32_t
put_table(struct blob *blob, const struct lath_acl_rule *rules, uint32_t count)
{
	struct lath_acl *acl = blob->failed ? NULL : lath_acl_build(rules, count);
	uint32_t at;

	if (acl == NULL) {
		blob->failed = true;
		return 0;
	}
	at = put(blob, acl, lath_acl_size(acl));
	free(acl);
	return at;
}

static uint32_t
put_policy(struct blob *blob, const struct lath_policy *policy)
{
	return policy == NULL ? 0 : put(blob, policy, lath_policy_size(policy));
}

/* ---- the parts --------------------------------------------------------------------------- */

static int
compare_rules(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct lath_acl_rule));
}

/* For comparing: what each rule admits, whatever its place. */
static uint32_t
put_plain_rules(struct blob *blob, const struct lath_acl_rule *rules, uint32_t count)
{
	uint32_t at = carve(blob, count * sizeof(*rules));
	struct lath_acl_rule *to;

	if (at == 0)
		return 0;
	to = ROW(blob, struct lath_acl_rule, at, 0);
	for (uint32_t i = 0; i < count; i++) {
		/* Member by member: bytes between them stay zero. */
		to[i].protocol = rules[i].protocol;
		to[i].peer = rules[i].peer;
		to[i].first_port = rules[i].first_port;
		to[i].last_port = rules[i].last_port;
		to[i].allows = rules[i].allows;
		to[i].vpc = rules[i].vpc;
		to[i].prefix = rules[i].prefix;
	}
	qsort(to, count, sizeof(*to), compare_rules);
	return at;
}

static void
put_groups(struct blob *blob, const struct lath_access_in *in)
{
	uint32_t rows = carve(blob, in->group_count * sizeof(struct group_row));

	for (uint32_t i = 0; i < in->group_count && !blob->failed; i++) {
		const struct lath_access_group_in *from = &in->groups[i];
		struct group_row row = {.key = from->key, .rule_count = from->rule_count};

		row.name = put_text(blob, from->name).at;
		row.table = put_table(blob, from->rules, from->rule_count);
		row.rules = put_plain_rules(blob, from->rules, from->rule_count);
		*ROW(blob, struct group_row, rows, i) = row;
	}
	head_of(blob)->groups = rows;
}

static void
put_acls(struct blob *blob, const struct lath_access_in *in)
{
	uint32_t rows = carve(blob, in->acl_count * sizeof(struct acl_row));

	for (uint32_t i = 0; i < in->acl_count && !blob->failed; i++) {
		const struct lath_access_acl_in *from = &in->acls[i];
		struct acl_row row = {.name = put_text(blob, from->name).at};

		row.in = put_table(blob, from->in, from->in_count);
		row.out = put_table(blob, from->out, from->out_count);
		*ROW(blob, struct acl_row, rows, i) = row;
	}
	head_of(blob)->acls = rows;
}

static void
put_networks(struct blob *blob, const struct lath_access_in *in)
{
	uint32_t rows = carve(blob, in->network_count * sizeof(struct network_row));

	for (uint32_t i = 0; i < in->network_count && !blob->failed; i++) {
		const struct lath_access_network_in *from = &in->networks[i];
		struct network_row row = {.key = from->key, .asks = from->asks};

		row.name = put_text(blob, from->name).at;
		row.arn = put_text(blob, from->arn);
		row.policy = put_policy(blob, from->policy);
		*ROW(blob, struct network_row, rows, i) = row;
	}
	head_of(blob)->networks = rows;
}

static int
compare_members(const void *a, const void *b)
{
	const struct lath_access_member_in *one = a;
	const struct lath_access_member_in *two = b;

	if (one->service != two->service)
		return one->service < two->service ? -1 : 1;
	return one->network < two->network ? -1 : one->network > two->network;
}

static void
put_services(struct blob *blob, const struct lath_access_in *in)
{
	uint32_t rows = carve(blob, in->service_rows * sizeof(struct service_row));
	uint32_t members = carve(blob, in->member_count * sizeof(uint32_t));

	if (in->member_count > 1)
		qsort(in->members, in->member_count, sizeof(*in->members), compare_members);
	for (uint32_t i = 0; i < in->service_count && !blob->failed; i++) {
		const struct lath_access_service_in *from = &in->services[i];
		struct service_row row = {.asks = from->asks, .finishes = from->finishes};

		row.arn = put_text(blob, from->arn);
		row.policy = put_policy(blob, from->policy);
		if (!blob->failed)
			*ROW(blob, struct service_row, rows, from->service) = row;
	}
	for (uint32_t i = 0; i < in->member_count && !blob->failed; i++) {
		struct service_row *row = ROW(blob, struct service_row, rows,
				in->members[i].service);

		if (row->member_count++ == 0)
			row->first_member = i;
		*ROW(blob, uint32_t, members, i) = in->members[i].network;
	}
	head_of(blob)->services = rows;
	head_of(blob)->members = members;
}

/* By VPC, then in the order in which paths are tried. */
static int
compare_gates(const void *a, const void *b)
{
	const struct lath_access_gate_in *one = a;
	const struct lath_access_gate_in *two = b;
	int order;

	if (one->vpc != two->vpc)
		return one->vpc < two->vpc ? -1 : 1;
	if (one->priority != two->priority)
		return one->priority < two->priority ? -1 : 1;
	order = strcmp(one->name, two->name);
	if (order != 0)
		return order;
	return one->key < two->key ? -1 : one->key > two->key;
}

static void
put_vpcs(struct blob *blob, const struct lath_access_in *in)
{
	uint32_t rows = carve(blob, in->vpc_rows * sizeof(struct vpc_row));
	uint32_t gates = carve(blob, in->gate_count * sizeof(struct gate_row));

	if (in->gate_count > 1)
		qsort(in->gates, in->gate_count, sizeof(*in->gates), compare_gates);
	for (uint32_t i = 0; i < in->vpc_count && !blob->failed; i++) {
		const struct lath_access_vpc_in *from = &in->vpcs[i];
		struct vpc_row row = {.acl = from->acl == LATH_ACCESS_NONE ? 0 : from->acl + 1};

		row.id = put_text(blob, from->id);
		row.account = put_text(blob, from->account);
		if (!blob->failed)
			*ROW(blob, struct vpc_row, rows, from->vpc) = row;
	}
	for (uint32_t i = 0; i < in->gate_count && !blob->failed; i++) {
		const struct lath_access_gate_in *from = &in->gates[i];
		struct gate_row gate = {.key = from->key,
				.network = from->network,
				.priority = from->priority,
				.group_count = from->group_count};
		struct vpc_row *row = ROW(blob, struct vpc_row, rows, from->vpc);

		if (row->gate_count++ == 0)
			row->first_gate = i;
		for (uint32_t j = 0; j < from->group_count; j++)
			gate.groups[j] = from->groups[j];
		gate.name = put_text(blob, from->name).at;
		if (!blob->failed)
			*ROW(blob, struct gate_row, gates, i) = gate;
	}
	head_of(blob)->vpcs = rows;
	head_of(blob)->gates = gates;
}

struct lath_access *
lath_access_build(const struct lath_access_in *in)
{
	struct blob blob = {.room = 65536, .bytes = malloc(65536)};

	if (blob.bytes == NULL)
		return lath_null(ENOMEM);
	carve(&blob, sizeof(struct lath_access));
	head_of(&blob)->vpc_rows = in->vpc_rows;
	head_of(&blob)->service_rows = in->service_rows;
	put_groups(&blob, in);
	put_acls(&blob, in);
	put_networks(&blob, in);
	put_services(&blob, in);
	put_vpcs(&blob, in);
	if (blob.failed) {
		free(blob.bytes);
		return lath_null(ENOMEM);
	}
	head_of(&blob)->size = (uint32_t)blob.size;
	return head_of(&blob);
}

size_t
lath_access_size(const struct lath_access *access)
{
	return access->size;
}
