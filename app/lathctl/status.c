/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* One line, and 0, 1 or 2 as monitoring systems want it: ok, warning, critical. A gateway that does
 * not answer is critical.
 */

#include <string.h>

#include "lathctl.h"

int
lathctl_run_status(struct lathctl *ctl, const struct lathctl_command *command,
		const struct lathctl_args *args)
{
	json_t *result = lathctl_call(ctl, command->name, NULL);
	const json_t *warnings;
	const char *state;
	int code;

	if (result == NULL) {
		if (!ctl->json)
			puts("CRITICAL lathd does not answer");
		return 2;
	}
	warnings = json_object_get(result, "warnings");
	state = lathctl_text_at(result, "state");
	code = strcmp(state, "ok") == 0 ? 0 : strcmp(state, "warning") == 0 ? 1 : 2;
	if (ctl->json)
		lathctl_print_json(result);
	else
		puts(lathctl_text_at(result, "text"));
	for (size_t i = 0; !ctl->json && json_object_get(args->options, "all") != NULL &&
			i < json_array_size(warnings);
			i++) {
		const json_t *warning = json_array_get(warnings, i);

		printf("  %s: %s\n", lathctl_text_at(warning, "severity"),
				lathctl_text_at(warning, "text"));
	}
	json_decref(result);
	return code;
}
