/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Any bytes: parse or refuse with a sentence. What is accepted comes back from its canonical text
 * as the same configuration.
 */

#include <stdlib.h>
#include <string.h>

#include <lath_config.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lath_error err = {0};
	struct lath_config *cfg = lath_config_parse((const char *)data, size, "fuzz", &err);
	struct lath_config *again;

	if (cfg == NULL) {
		if (err.text[0] == '\0')
			abort();
		return 0;
	}
	again = lath_config_parse(cfg->json, strlen(cfg->json), "again", &err);
	if (again == NULL || strcmp(cfg->json, again->json) != 0 ||
			strcmp(cfg->sha256, again->sha256) != 0 ||
			strcmp(cfg->system_sha256, again->system_sha256) != 0)
		abort();
	lath_config_free(again);
	lath_config_free(cfg);
	return 0;
}
