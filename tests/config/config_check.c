/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Loads each file named on the command line and prints one JSON object a line: what the loader
 * said about it. tests/config/test_schema.py compares that with the schema.
 */

#include <stdio.h>

#include <jansson.h>

#include <lath_config.h>

static json_t *
describe(const struct lath_config *cfg)
{
	json_t *warnings = json_array();

	for (uint32_t i = 0; i < cfg->warning_count; i++)
		json_array_append_new(warnings, json_string(cfg->warnings[i]));
	return json_pack("{s:b, s:s, s:s, s:o}", "ok", 1, "sha256", cfg->sha256, "json", cfg->json,
			"warnings", warnings);
}

int
main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++) {
		struct lath_error err = {0};
		struct lath_config *cfg = lath_config_load(argv[i], &err);
		json_t *answer;

		if (cfg != NULL)
			answer = describe(cfg);
		else
			answer = json_pack("{s:b, s:s, s:i, s:s, s:s}", "ok", 0, "file", err.file,
					"line", (int)err.line, "pointer", err.pointer, "text",
					err.text);
		failed |= cfg == NULL;
		if (answer == NULL || json_dumpf(answer, stdout, JSON_COMPACT) != 0)
			return 2;
		putchar('\n');
		json_decref(answer);
		lath_config_free(cfg);
	}
	return failed;
}
