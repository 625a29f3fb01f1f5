/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* lathctl: the operator's tool. Talks to lathd's admin socket; `check` needs no daemon. */

#include <stdlib.h>
#include <string.h>

#include "lathctl.h"

static bool
is_word(const char *word, const char *brief, const char *full)
{
	return strcmp(word, brief) == 0 || strcmp(word, full) == 0;
}

/* Options before the command. Index of the first word behind them; -1: done; -2: wrong. */
static int
read_globals(struct lathctl *ctl, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (is_word(argv[i], "-j", "--json")) {
			ctl->json = true;
		} else if (is_word(argv[i], "-h", "--help")) {
			lathctl_usage(stdout);
			return -1;
		} else if (is_word(argv[i], "-V", "--version")) {
			printf("lathctl %s\n", LATH_VERSION);
			return -1;
		} else if (is_word(argv[i], "-s", "--socket") && i + 1 < argc) {
			ctl->socket = argv[++i];
		} else if (strncmp(argv[i], "--socket=", 9) == 0) {
			ctl->socket = argv[i] + 9;
		} else {
			lathctl_error(ctl, LATH_RPC_INVALID_REQUEST, NULL,
					is_word(argv[i], "-s", "--socket")
							? "%s needs the path of a socket"
							: "there is no option %s (see --help)",
					argv[i]);
			return -2;
		}
	}
	return i;
}

static int
run(struct lathctl *ctl, char **words, int count)
{
	struct lathctl_args args = {.options = json_object()};
	const struct lathctl_command *command;
	int used = 0;
	int rc = LATHCTL_USAGE;

	/* -j anywhere also decides how mistakes in the words are told. */
	for (int i = 0; i < count; i++) {
		if (is_word(words[i], "-j", "--json"))
			ctl->json = true;
	}
	command = lathctl_find(ctl, words, count, &used);
	args.words = calloc((size_t)count + 1, sizeof(*args.words));
	if (command != NULL && args.words != NULL && args.options != NULL)
		rc = lathctl_args_read(ctl, command, words + used, count - used, &args);
	if (rc == 0)
		rc = command->run(ctl, command, &args);
	free(args.words);
	json_decref(args.options);
	return rc < 0 ? LATHCTL_OK : rc;
}

int
main(int argc, char **argv)
{
	const char *socket = getenv("LATH_SOCKET");
	struct lathctl ctl = {
			.socket = socket == NULL || socket[0] == '\0' ? LATHCTL_SOCKET : socket,
			.fd = -1,
	};
	int first = read_globals(&ctl, argc, argv);
	int rc;

	if (first < 0)
		return first == -1 ? LATHCTL_OK : LATHCTL_USAGE;
	if (first == argc) {
		lathctl_usage(stderr);
		return LATHCTL_USAGE;
	}
	if (strcmp(argv[first], "help") == 0) {
		lathctl_usage(stdout);
		return LATHCTL_OK;
	}
	rc = run(&ctl, argv + first, argc - first);
	lathctl_close(&ctl);
	if (fflush(stdout) != 0 && rc == LATHCTL_OK)
		rc = LATHCTL_FAILED; /* a full disk behind a redirection */
	return rc;
}
