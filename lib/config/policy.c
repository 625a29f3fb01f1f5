/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* `authType` and `authPolicy` of networks and services. */

#include "config_private.h"

static int
read_policy(const struct lath_config_node *member, struct lath_config_auth *auth)
{
	struct lath_policy_complaint why = {.text = ""};
	struct lath_config_at at = lath_config_at_node(member);
	size_t used = strlen(at.pointer);

	auth->policy = lath_policy_compile(member->json, &why);
	if (auth->policy != NULL)
		return 0;
	if (errno == ENOMEM)
		return lath_config_no_memory(member->loader);
	snprintf(at.pointer + used, sizeof(at.pointer) - used, "%s", why.pointer);
	return lath_config_fail_at(member->loader, &at, "%s", why.text);
}

int
lath_config_read_auth(const struct lath_config_node *node, struct lath_config_auth *auth)
{
	static const char *const types[] = {"NONE", "AWS_IAM"};
	struct lath_config_at at = lath_config_at_node(node);
	struct lath_config_node member;
	unsigned type = 0;

	if (lath_config_read_word(node, "authType", types, LATH_ARRAY_SIZE(types), &type) != 0)
		return lath_err(EINVAL);
	auth->asks = type == 1;
	if (lath_config_member(node, "authPolicy", &member)) {
		if (read_policy(&member, auth) != 0)
			return lath_err(EINVAL);
		at = lath_config_at_node(&member);
		if (!auth->asks)
			return lath_config_warn(node->loader, &at,
					"the policy is not asked: authType is not \"AWS_IAM\"");
		return 0;
	}
	if (!auth->asks)
		return 0;
	return lath_config_warn(node->loader, &at,
			"authType is \"AWS_IAM\" and there is no authPolicy: nobody may call");
}
