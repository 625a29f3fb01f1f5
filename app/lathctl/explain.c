/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* `lathctl explain`: may this client call, by which path, and who says so. */

#include <inttypes.h>
#include <string.h>

#include "lathctl.h"

static void
print_policy(const char *what, const json_t *policy)
{
	const char *effect = lathctl_text_at(policy, "effect");
	const char *sid = lathctl_text_at(policy, "sid");

	if (strcmp(effect, "notReached") == 0)
		return;
	if (strcmp(effect, "notAsked") == 0)
		printf("  %s policy: not asked\n", what);
	else if (strcmp(effect, "none") == 0)
		printf("  %s policy: no statement allows it\n", what);
	else
		printf("  %s policy: %s by statement %" PRIu64 "%s%s%s\n", what, effect,
				lathctl_u64_at(policy, "statement"), sid[0] == '\0' ? "" : " \"",
				sid, sid[0] == '\0' ? "" : "\"");
}

static void
print_path(const json_t *path)
{
	const char *groups = lathctl_text_at(path, "securityGroups");

	printf("path %s, network %s, priority %" PRIu64 ": %s\n",
			lathctl_text_at(path, "association"),
			lathctl_text_at(path, "serviceNetwork"), lathctl_u64_at(path, "priority"),
			json_is_true(json_object_get(path, "open")) ? "open" : "closed");
	if (strcmp(groups, "allow") == 0)
		printf("  security group %s, rule %" PRIu64 ": allow\n",
				lathctl_text_at(path, "securityGroup"),
				lathctl_u64_at(path, "securityGroupRule"));
	else
		printf("  security groups: %s\n",
				strcmp(groups, "none") == 0 ? "none admits this client and port"
							    : "none is attached");
	print_policy("network", json_object_get(path, "networkPolicy"));
	print_policy("service", json_object_get(path, "servicePolicy"));
}

static void
print_acl(const json_t *result)
{
	if (json_object_get(result, "networkAcl") == NULL)
		return;
	printf("network ACL %s: ", lathctl_text_at(result, "networkAcl"));
	if (json_object_get(result, "networkAclRule") == NULL)
		printf("no rule matches\n");
	else
		printf("rule %" PRIu64 " decides\n", lathctl_u64_at(result, "networkAclRule"));
}

static void
print_answer(const json_t *result)
{
	const char *target = lathctl_text_at(result, "targetVpc.name");

	if (json_is_true(json_object_get(result, "allowed"))) {
		printf("allowed by path %s, listener %s, rule %s\n",
				lathctl_text_at(result, "path.association"),
				lathctl_text_at(result, "listener"),
				lathctl_text_at(result, "rule"));
		return;
	}
	printf("refused: %s%s%s\n", lathctl_text_at(result, "drop"),
			target[0] == '\0' ? "" : " at the edge of VPC ", target);
}

int
lathctl_run_explain(struct lathctl *ctl, const struct lathctl_command *command,
		const struct lathctl_args *args)
{
	json_t *result = lathctl_call(ctl, command->name, json_incref(args->options));
	const json_t *paths;
	bool allowed;

	if (result == NULL)
		return LATHCTL_FAILED;
	paths = json_object_get(result, "paths");
	allowed = json_is_true(json_object_get(result, "allowed"));
	if (ctl->json) {
		lathctl_print_json(result);
	} else {
		print_acl(result);
		for (size_t i = 0; i < json_array_size(paths); i++)
			print_path(json_array_get(paths, i));
		if (json_array_size(paths) == 0)
			printf("no service network is associated with both\n");
		print_answer(result);
	}
	json_decref(result);
	return allowed ? LATHCTL_OK : LATHCTL_FAILED;
}
