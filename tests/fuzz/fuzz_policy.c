/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Any JSON is a policy or is refused with a sentence; a policy answers whatever is asked, the same
 * from another place in memory, and names a statement that is there.
 */

#include <lath_policy.h>

#include "fuzz.h"

static struct lath_policy_text
text_of(const char *text)
{
	return (struct lath_policy_text){text, strlen(text)};
}

static void
ask(const struct lath_policy *policy, const struct lath_policy *copy, uint32_t port)
{
	struct lath_policy_request request = {.port = port};
	uint32_t statement = 0;
	enum lath_policy_effect effect;

	must(lath_ip_parse("10.0.0.5", &request.source_ip) == 0);
	request.service_arn = text_of("arn:aws:vpc-lattice:local-1:111122223333:service/svc-1");
	if (port != 0) {
		request.source_vpc = text_of("vpc-1");
		request.source_account = text_of("111122223333");
		request.network_arn = text_of("arn:aws:vpc-lattice:a:111122223333:servicenetwork/"
					      "b");
	}
	effect = lath_policy_evaluate(policy, &request, &statement);
	must(effect < LATH_POLICY_EFFECT_COUNT);
	must((effect == LATH_POLICY_NO_MATCH) == (statement == LATH_POLICY_NONE));
	must(effect == lath_policy_evaluate(copy, &request, NULL));
	must(strlen(lath_policy_sid(policy, statement)) <= LATH_POLICY_SID_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lath_policy_complaint why = {.text = ""};
	json_t *json = json_loadb((const char *)data, size,
			JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	struct lath_policy *policy;
	struct lath_policy *copy;

	if (json == NULL)
		return 0;
	policy = lath_policy_compile(json, &why);
	json_decref(json);
	if (policy == NULL) {
		must(why.text[0] != '\0' && memchr(why.text, 0, sizeof(why.text)) != NULL);
		return 0;
	}
	copy = (void *)exact_copy((const void *)policy, lath_policy_size(policy));
	ask(policy, copy, 0);
	ask(policy, copy, 443);
	free(copy);
	free(policy);
	return 0;
}
