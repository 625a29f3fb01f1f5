/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Who may have lost a right between two blocks.
 *
 *   lost                                                          whom it touches
 *   an association of a VPC                                       the VPC
 *   a security group's rule; an association's group, unless       the VPC
 *     none is left; the first group of one that had none
 *   an ACL that is attached or says something else                the VPC
 *   an association of a service                                   the service
 *   a policy that is asked and says something else, or is asked   the service; a network's: all of
 *     where none was                                                its services
 *   what policies know it by: an owner, an ARN                    the VPC, the service
 *
 * Objects are compared by their keys, numbers are another block's. A policy with another text counts
 * as lost without a look at what it says.
 */

#include "access_private.h"

static bool
same_block(const struct lath_access *a, uint32_t at, const struct lath_access *b, uint32_t bt)
{
	uint32_t size;

	if (at == 0 || bt == 0)
		return at == bt;
	/* Tables and policies begin with their size. */
	size = *ACCESS_AT(a, uint32_t, at);
	return size == *ACCESS_AT(b, uint32_t, bt) &&
			memcmp(ACCESS_AT(a, char, at), ACCESS_AT(b, char, bt), size) == 0;
}

static bool
same_text(const struct lath_access *a, struct text at, const struct lath_access *b, struct text bt)
{
	return at.len == bt.len &&
			memcmp(ACCESS_AT(a, char, at.at), ACCESS_AT(b, char, bt.at), at.len) == 0;
}

/* ---- VPCs -------------------------------------------------------------------------------- */

/* Both are sorted: every rule of before is there. */
static bool
rules_lost(const struct lath_access *was, const struct group_row *before,
		const struct lath_access *is, const struct group_row *after)
{
	const struct lath_acl_rule *one = ACCESS_AT(was, struct lath_acl_rule, before->rules);
	const struct lath_acl_rule *two = ACCESS_AT(is, struct lath_acl_rule, after->rules);
	uint32_t j = 0;

	for (uint32_t i = 0; i < before->rule_count; i++) {
		while (j < after->rule_count && memcmp(&two[j], &one[i], sizeof(*one)) < 0)
			j++;
		if (j == after->rule_count || memcmp(&two[j], &one[i], sizeof(*one)) != 0)
			return true;
	}
	return false;
}

static bool
gate_lost(const struct lath_access *was, const struct gate_row *before,
		const struct lath_access *is, const struct gate_row *after)
{
	if (network_at(was, before->network)->key != network_at(is, after->network)->key)
		return true;
	if (after->group_count == 0)
		return false;
	if (before->group_count == 0)
		return true;
	for (uint32_t i = 0; i < before->group_count; i++) {
		const struct group_row *one = group_at(was, before->groups[i]);
		const struct group_row *two = NULL;

		for (uint32_t j = 0; j < after->group_count && two == NULL; j++) {
			if (group_at(is, after->groups[j])->key == one->key)
				two = group_at(is, after->groups[j]);
		}
		if (one->rule_count > 0 && (two == NULL || rules_lost(was, one, is, two)))
			return true;
	}
	return false;
}

static bool
acl_lost(const struct lath_access *was, uint32_t before, const struct lath_access *is,
		uint32_t after)
{
	const struct acl_row *one = ACCESS_AT(was, struct acl_row, was->acls) + (before - 1);
	const struct acl_row *two = ACCESS_AT(is, struct acl_row, is->acls) + (after - 1);

	if (after == 0)
		return false;
	return before == 0 || !same_block(was, one->in, is, two->in) ||
			!same_block(was, one->out, is, two->out);
}

bool
lath_access_vpc_lost(const struct lath_access *was, const struct lath_access *is, uint32_t vpc)
{
	const struct vpc_row *before;
	const struct vpc_row *after;

	if (was == NULL || vpc >= was->vpc_rows || vpc_at(was, vpc)->id.at == 0)
		return false;
	if (vpc >= is->vpc_rows || vpc_at(is, vpc)->id.at == 0)
		return true;
	before = vpc_at(was, vpc);
	after = vpc_at(is, vpc);
	if (acl_lost(was, before->acl, is, after->acl) ||
			!same_text(was, before->account, is, after->account))
		return true;
	for (uint32_t i = 0; i < before->gate_count; i++) {
		const struct gate_row *one = gate_at(was, before->first_gate + i);
		uint32_t j = 0;

		while (j < after->gate_count && gate_at(is, after->first_gate + j)->key != one->key)
			j++;
		if (j == after->gate_count ||
				gate_lost(was, one, is, gate_at(is, after->first_gate + j)))
			return true;
	}
	return false;
}

/* ---- services ---------------------------------------------------------------------------- */

static bool
policy_lost(const struct lath_access *was, uint32_t asked, uint32_t before,
		const struct lath_access *is, uint32_t asks, uint32_t after)
{
	if (asks == 0)
		return false;
	/* Where nothing was allowed nothing is lost. */
	if (asked != 0 && before == 0)
		return false;
	return asked == 0 || !same_block(was, before, is, after);
}

bool
lath_access_service_lost(const struct lath_access *was, const struct lath_access *is,
		uint32_t service)
{
	const struct service_row *before;
	const struct service_row *after;

	if (was == NULL || service >= was->service_rows || service_at(was, service)->arn.at == 0)
		return false;
	if (service >= is->service_rows || service_at(is, service)->arn.at == 0)
		return true;
	before = service_at(was, service);
	after = service_at(is, service);
	if (policy_lost(was, before->asks, before->policy, is, after->asks, after->policy) ||
			!same_text(was, before->arn, is, after->arn))
		return true;
	for (uint32_t i = 0; i < before->member_count; i++) {
		const struct network_row *one = network_at(was, members_of(was, before)[i]);
		const struct network_row *two = NULL;

		for (uint32_t j = 0; j < after->member_count && two == NULL; j++) {
			const struct network_row *other = network_at(is, members_of(is, after)[j]);

			if (other->key == one->key)
				two = other;
		}
		if (two == NULL || !same_text(was, one->arn, is, two->arn) ||
				policy_lost(was, one->asks, one->policy, is, two->asks,
						two->policy))
			return true;
	}
	return false;
}
