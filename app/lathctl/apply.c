/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* FILE is read and checked here, with what it includes, and sent joined: the daemon needs no right
 * to read it. With --save the new file lies ready beside the old one before anything is asked of
 * the daemon, and takes its place when the daemon has said yes.
 */

#include <string.h>

#include <lath_config.h>

#include "lathctl.h"

/* The daemon's configuration file, into `out`; 0 or LATHCTL_FAILED. */
static int
config_path(struct lathctl *ctl, char *out, size_t size)
{
	json_t *status = lathctl_call(ctl, "status", NULL);
	const char *path = lathctl_text_at(status, "config.path");
	int rc = LATHCTL_OK;

	if (status == NULL)
		return LATHCTL_FAILED;
	if (path[0] == '\0' || strlen(path) >= size) {
		lathctl_error(ctl, LATH_RPC_REFUSED, NULL,
				"lathd was started without a configuration file: there is nowhere "
				"to "
				"save to");
		rc = LATHCTL_FAILED;
	} else {
		memcpy(out, path, strlen(path) + 1);
	}
	json_decref(status);
	return rc;
}

static json_t *
send_config(struct lathctl *ctl, const struct lath_config *cfg, const char *name)
{
	/* As an object: text in a string would double every quote. */
	json_t *params = json_pack("{s:o, s:o}", "config", json_loads(cfg->json, 0, NULL), "name",
			lath_rpc_text(name));

	return lathctl_call(ctl, "apply", params);
}

static void
print_result(const struct lathctl *ctl, json_t *result, const char *name,
		const struct lathctl_draft *draft)
{
	bool saved = draft->path[0] != '\0';

	json_object_set_new(result, "saved", json_boolean(saved));
	if (ctl->json) {
		lathctl_print_json(result);
		return;
	}
	lathctl_print_warnings(result);
	printf("%s %s, config %.6s", name,
			json_is_true(json_object_get(result, "changed")) ? "runs now"
									 : "was running already",
			lathctl_text_at(result, "sha256"));
	if (saved)
		printf("; saved as %s\n", draft->path);
	else
		printf("; only the running configuration: a reload or restart goes back to the "
		       "files "
		       "(--save writes them)\n");
}

static int
apply(struct lathctl *ctl, const struct lath_config *cfg, const char *file, bool save)
{
	struct lathctl_draft draft = {0};
	char path[sizeof(draft.path)];
	json_t *result;
	int rc = LATHCTL_OK;

	if (save) {
		rc = config_path(ctl, path, sizeof(path));
		if (rc == LATHCTL_OK)
			rc = lathctl_draft_write(ctl, &draft, path, file, cfg->sha256);
		if (rc != LATHCTL_OK)
			return rc;
	}
	result = send_config(ctl, cfg, file);
	if (result == NULL) {
		lathctl_draft_drop(&draft);
		return LATHCTL_FAILED;
	}
	if (save)
		rc = lathctl_draft_keep(ctl, &draft);
	if (rc == LATHCTL_OK)
		print_result(ctl, result, file, &draft);
	json_decref(result);
	return rc;
}

int
lathctl_run_apply(struct lathctl *ctl, const struct lathctl_command *command,
		const struct lathctl_args *args)
{
	const char *file = args->words[0];
	struct lath_error err = {0};
	struct lath_config *cfg = lath_config_load(file, &err);
	int rc;

	(void)command;
	if (cfg == NULL) {
		lathctl_error_config(ctl, &err);
		return LATHCTL_FAILED;
	}
	rc = apply(ctl, cfg, file, json_object_get(args->options, "save") != NULL);
	lath_config_free(cfg);
	return rc;
}
