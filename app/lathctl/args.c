/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Words to commands. Every word may be shortened as long as it means one thing. */

#include <stdlib.h>
#include <string.h>

#include "lathctl.h"

/* One of a list of commands by its name or an unambiguous beginning of it. */
static const struct lathctl_command *
match(struct lathctl *ctl, const struct lathctl_command *commands, unsigned count, const char *word,
		const char *what)
{
	const struct lathctl_command *found = NULL;
	struct lath_rpc_near near = {.word = word};
	char text[LATH_RPC_NEAR_MAX];
	unsigned hits = 0;

	for (unsigned i = 0; i < count; i++) {
		if (strcmp(commands[i].name, word) == 0)
			return &commands[i];
		lath_rpc_near_offer(&near, commands[i].name);
		if (strncmp(commands[i].name, word, strlen(word)) != 0)
			continue;
		found = &commands[i];
		hits++;
	}
	if (hits == 1)
		return found;
	if (hits > 1)
		lathctl_error(ctl, LATH_RPC_INVALID_REQUEST, NULL,
				"\"%s\" may mean several %s; write more of it", word, what);
	else
		lathctl_error(ctl, LATH_RPC_METHOD_NOT_FOUND, NULL,
				"there is no %s \"%s\"%s (lathctl --help lists all)", what, word,
				lath_rpc_near_text(&near, text));
	return NULL;
}

const struct lathctl_command *
lathctl_find(struct lathctl *ctl, char **words, int count, int *used)
{
	const struct lathctl_command *command;

	command = match(ctl, lathctl_commands, lathctl_command_count, words[0], "command");
	*used = 1;
	if (command == NULL || command->run != NULL)
		return command;
	if (count < 2 || words[1][0] == '-') {
		if (count >= 2 && (strcmp(words[1], "-h") == 0 || strcmp(words[1], "--help") == 0))
			return command;
		lathctl_error(ctl, LATH_RPC_INVALID_REQUEST, NULL,
				"show what? (lathctl --help lists all)");
		return NULL;
	}
	*used = 2;
	return match(ctl, lathctl_shows, lathctl_show_count, words[1], "show command");
}

static void
print_options(const struct lathctl_command *command)
{
	char name[64];

	for (unsigned i = 0; i < command->option_count; i++) {
		const struct lathctl_option *option = &command->options[i];

		snprintf(name, sizeof(name), "--%s%s%s", option->name,
				option->value == NULL ? "" : " ",
				option->value == NULL ? "" : option->value);
		printf("  %-24s %s\n", name, option->help);
	}
	printf("  %-24s %s\n", "-j, --json", "JSON, errors too");
}

static void
print_help(const struct lathctl_command *command)
{
	bool is_show = command->view != NULL || command->run == NULL;

	if (command->run == NULL) {
		lathctl_usage(stdout);
		return;
	}
	printf("usage: lathctl %s%s [OPTIONS]%s%s\n\n%s.\n\n", is_show ? "show " : "",
			command->name, command->words[0] == '\0' ? "" : " ", command->words,
			command->help);
	print_options(command);
}

void
lathctl_usage(FILE *out)
{
	char name[64];

	fputs("usage: lathctl [-s SOCKET] [-j] COMMAND ...\n\n", out);
	for (unsigned i = 0; i < lathctl_command_count; i++) {
		snprintf(name, sizeof(name), "%s %s", lathctl_commands[i].name,
				lathctl_commands[i].words);
		fprintf(out, "  %-22s %s\n", name, lathctl_commands[i].help);
	}
	fputs("\nshow WHAT is one of:\n", out);
	for (unsigned i = 0; i < lathctl_show_count; i++)
		fprintf(out, "  %-22s %s\n", lathctl_shows[i].name, lathctl_shows[i].help);
	fputs("\n  -s, --socket SOCKET    lathd's admin socket; else $LATH_SOCKET, "
	      "else " LATHCTL_SOCKET "\n"
	      "  -j, --json             JSON, errors too\n"
	      "  -h, --help             this, or with a command its options\n"
	      "  -V, --version          lathctl's version\n\n"
	      "Words may be shortened: `lathctl sh ser`. `status` exits with 0, 1 or 2: ok, "
	      "warning,\n"
	      "critical. Others exit with 0, 1 (failed) or 2 (not understood).\n",
			out);
}

/* The option that `--name` means; NULL: said what is wrong. */
static const struct lathctl_option *
match_option(struct lathctl *ctl, const struct lathctl_command *command, const char *name,
		size_t len)
{
	const struct lathctl_option *found = NULL;
	char word[32];
	struct lath_rpc_near near = {.word = word};
	char text[LATH_RPC_NEAR_MAX];
	unsigned hits = 0;

	snprintf(word, sizeof(word), "%.*s", (int)len, name);
	for (unsigned i = 0; i < command->option_count; i++) {
		const struct lathctl_option *option = &command->options[i];

		lath_rpc_near_offer(&near, option->name);
		if (strncmp(option->name, name, len) != 0)
			continue;
		if (strlen(option->name) == len)
			return option;
		found = option;
		hits++;
	}
	if (hits == 1)
		return found;
	lathctl_error(ctl, LATH_RPC_INVALID_PARAMS, NULL,
			hits == 0 ? "%s has no option --%.*s%s (see --help)"
				  : "%s: --%.*s may mean several options; write more of it%s",
			command->name, (int)len, name,
			hits == 0 ? lath_rpc_near_text(&near, text) : "");
	return NULL;
}

static int
set_option(struct lathctl *ctl, const struct lathctl_option *option, const char *value,
		struct lathctl_args *args)
{
	char *end = NULL;
	long long number;

	if (!option->number) {
		json_object_set_new(args->options, option->param,
				value == NULL ? json_true() : lath_rpc_text(value));
		return 0;
	}
	number = strtoll(value, &end, 10);
	if (end == value || *end != '\0') {
		lathctl_error(ctl, LATH_RPC_INVALID_PARAMS, NULL, "--%s: \"%s\" is not a number",
				option->name, value);
		return LATHCTL_USAGE;
	}
	json_object_set_new(args->options, option->param, json_integer(number));
	return 0;
}

/* "--name=value", "--name value" or "--name"; *i moves on over a value. */
static int
read_option(struct lathctl *ctl, const struct lathctl_command *command, char **words, int count,
		int *i, struct lathctl_args *args)
{
	const char *name = words[*i] + 2;
	size_t len = strcspn(name, "=");
	const char *value = name[len] == '=' ? name + len + 1 : NULL;
	const struct lathctl_option *option = match_option(ctl, command, name, len);

	if (option == NULL)
		return LATHCTL_USAGE;
	if (option->value == NULL && value != NULL) {
		lathctl_error(ctl, LATH_RPC_INVALID_PARAMS, NULL, "--%s takes no value",
				option->name);
		return LATHCTL_USAGE;
	}
	if (option->value != NULL && value == NULL && *i + 1 < count)
		value = words[++*i];
	if (option->value != NULL && value == NULL) {
		lathctl_error(ctl, LATH_RPC_INVALID_PARAMS, NULL, "--%s needs a value: %s",
				option->name, option->value);
		return LATHCTL_USAGE;
	}
	return set_option(ctl, option, value, args);
}

int
lathctl_args_read(struct lathctl *ctl, const struct lathctl_command *command, char **words,
		int count, struct lathctl_args *args)
{
	bool only_words = false;
	int rc = 0;

	for (int i = 0; i < count && rc == 0; i++) {
		const char *word = words[i];

		if (only_words || word[0] != '-' || word[1] == '\0')
			args->words[args->word_count++] = words[i];
		else if (strcmp(word, "--") == 0)
			only_words = true;
		else if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
			print_help(command);
			return -1;
		} else if (strcmp(word, "-j") == 0 || strcmp(word, "--json") == 0)
			ctl->json = true;
		else if (word[1] == '-')
			rc = read_option(ctl, command, words, count, &i, args);
		else {
			lathctl_error(ctl, LATH_RPC_INVALID_PARAMS, NULL,
					"%s has no option %s (see --help)", command->name, word);
			rc = LATHCTL_USAGE;
		}
	}
	if (rc != 0 ||
			(args->word_count >= command->min_words &&
					args->word_count <= command->max_words))
		return rc;
	lathctl_error(ctl, LATH_RPC_INVALID_PARAMS, NULL, "usage: lathctl %s%s %s",
			command->view != NULL ? "show " : "", command->name, command->words);
	return LATHCTL_USAGE;
}
