/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Reads a line {"rules": [[number, protocol, first port, last port, peer, allows], ...], "packets":
 * [[peer, vpc, protocol, port], ...]} at a time and prints a list of [number, allows] for it; -1: no
 * rule. A rule's peer is null, a prefix, or the number of a VPC; protocols are those of lath_acl.h.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <lath_acl.h>

static json_int_t
number_at(const json_t *row, size_t i)
{
	return json_integer_value(json_array_get(row, i));
}

static struct lath_acl_rule
rule_of(const json_t *row)
{
	const json_t *peer = json_array_get(row, 4);
	struct lath_acl_rule rule = {
			.number = (uint32_t)number_at(row, 0),
			.protocol = (uint8_t)number_at(row, 1),
			.first_port = (uint16_t)number_at(row, 2),
			.last_port = (uint16_t)number_at(row, 3),
			.peer = LATH_ACL_PEER_ANY,
			.allows = json_is_true(json_array_get(row, 5)),
	};

	if (json_is_integer(peer)) {
		rule.peer = LATH_ACL_PEER_VPC;
		rule.vpc = (uint32_t)json_integer_value(peer);
	} else if (json_is_string(peer)) {
		rule.peer = LATH_ACL_PEER_PREFIX;
		if (lath_prefix_parse(json_string_value(peer), &rule.prefix) != 0)
			exit(2);
	}
	return rule;
}

static struct lath_acl *
build(const json_t *rows)
{
	struct lath_acl_rule *rules = calloc(json_array_size(rows) + 1, sizeof(*rules));
	struct lath_acl *acl;

	for (size_t i = 0; rules != NULL && i < json_array_size(rows); i++)
		rules[i] = rule_of(json_array_get(rows, i));
	acl = lath_acl_build(rules, (uint32_t)json_array_size(rows));
	free(rules);
	return acl;
}

static json_t *
answer_one(const struct lath_acl *acl, const json_t *row)
{
	struct lath_acl_packet packet = {
			.vpc = (uint32_t)number_at(row, 1),
			.protocol = (uint8_t)number_at(row, 2),
			.port = (uint16_t)number_at(row, 3),
	};
	bool allows;
	uint32_t number;

	if (lath_ip_parse(json_string_value(json_array_get(row, 0)), &packet.peer) != 0)
		exit(2);
	number = lath_acl_find(acl, &packet, &allows);
	return json_pack("[I, b]", number == LATH_ACL_NONE ? (json_int_t)-1 : (json_int_t)number,
			allows);
}

int
main(void)
{
	char *text = NULL;
	size_t room = 0;

	while (getline(&text, &room, stdin) > 0) {
		json_t *line = json_loads(text, 0, NULL);
		struct lath_acl *acl = line == NULL ? NULL : build(json_object_get(line, "rules"));
		json_t *out = json_array();
		const json_t *row;
		size_t i;

		if (acl == NULL)
			return 2;
		json_array_foreach(json_object_get(line, "packets"), i, row)
			json_array_append_new(out, answer_one(acl, row));
		if (json_dumpf(out, stdout, JSON_COMPACT) != 0)
			return 2;
		putchar('\n');
		json_decref(out);
		json_decref(line);
		free(acl);
	}
	free(text);
	return 0;
}
