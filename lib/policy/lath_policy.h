/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Auth policies in the IAM JSON language, for the one action that there is at layer 4,
 * `vpc-lattice-svcs:Connect`. A document is compiled into one block of memory that holds no
 * pointer: it can be copied, compared with memcmp and laid into a model as it is. Evaluation
 * allocates nothing and costs at most what the document's size allows (LATH_POLICY_BYTES_MAX).
 *
 * Who calls is anonymous: nothing is signed at layer 4. What is known is where the packet entered.
 * So a principal that is an account means *the account that owns the VPC the caller is in*, which
 * is what `vpc-lattice-svcs:SourceVpcOwnerAccount` says; users and roles cannot be known and are
 * refused, as is everything else that is not understood: a policy is never half applied.
 *
 * All functions are @thread any. Sources: IAM User Guide, "IAM JSON policy elements reference" and
 * "Grammar of the IAM JSON policy language"; Lattice guide, "Auth policies".
 */
#pragma once

#include <jansson.h>

#include <lath_inet.h>

#define LATH_POLICY_BYTES_MAX 10240 /* of compact JSON: the quota of Lattice's auth policies */
#define LATH_POLICY_VALUE_MAX 512   /* characters of one value or pattern */
#define LATH_POLICY_SID_MAX 64
#define LATH_POLICY_NONE UINT32_MAX

struct lath_policy; /* compiled; lath_policy_size() bytes, aligned to 8 */

/** Why a document was refused: a JSON pointer into it and a sentence with value and what is
 *  accepted.
 */
struct lath_policy_complaint {
	char pointer[192];
	char text[440];
};

/** Compiles a document; caller frees with free(). NULL: errno is EINVAL and `why` is filled, or
 *  ENOMEM.
 */
struct lath_policy *lath_policy_compile(const json_t *document, struct lath_policy_complaint *why);

/** Bytes of the block. */
size_t lath_policy_size(const struct lath_policy *policy);

struct lath_policy_text {
	const char *at; /* NULL: the key is absent */
	size_t len;
};

/** What is known of one attempt. An absent key makes a condition on it false, or true where it is
 *  negated or has IfExists, as IAM says.
 */
struct lath_policy_request {
	struct lath_policy_text source_vpc;     /* id */
	struct lath_policy_text source_account; /* 12 digits: who owns the source VPC */
	struct lath_policy_text service_arn;    /* also the resource */
	struct lath_policy_text network_arn;
	struct lath_ip source_ip; /* family NONE: absent */
	uint32_t port;            /* 0: absent (ping) */
};

enum lath_policy_effect {
	LATH_POLICY_NO_MATCH, /* no statement speaks of it: refused where a policy is in force */
	LATH_POLICY_ALLOW,
	LATH_POLICY_DENY,
	LATH_POLICY_EFFECT_COUNT,
};

/** The document's answer; any Deny that matches wins. `statement` (may be NULL): the number of the
 *  statement that decided, counted from 0 in the document, or LATH_POLICY_NONE.
 */
enum lath_policy_effect lath_policy_evaluate(const struct lath_policy *policy,
		const struct lath_policy_request *request, uint32_t *statement);

/** The Sid of a statement by its number in the document; "" when it has none. */
const char *lath_policy_sid(const struct lath_policy *policy, uint32_t statement);
