/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Inside lathctl: what commands share. A command is one row of commands.c and, where it is more
 * than a list to show, one file.
 */
#pragma once

#include <stdio.h>

#include <jansson.h>

#include <lath_base.h>
#include <lath_rpc.h>

#define LATHCTL_SOCKET "/run/lath/admin.sock"
#define LATHCTL_TIMEOUT_S 60

/* Exit codes; `status` has its own: 0 ok, 1 warning, 2 critical or no answer. */
enum {
	LATHCTL_OK,
	LATHCTL_FAILED,
	LATHCTL_USAGE,
};

struct lathctl {
	const char *socket;
	bool json;
	int fd; /* -1: not connected yet */
	json_int_t id;
	char *input; /* what came and was not used */
	size_t input_len;
	size_t input_size;
};

/** Words behind the command, options taken out. */
struct lathctl_args {
	json_t *options; /* by name of the parameter; values are strings, numbers or true */
	char **words;
	int word_count;
};

struct lathctl_option {
	const char *name;  /* "client-port" */
	const char *param; /* "clientPort" */
	const char *value; /* "PORT" in the help; NULL: none, true */
	bool number;
	const char *help;
};

struct lathctl_command {
	const char *name;
	const char *words; /* "FILE" in the help; "": none */
	const char *help;  /* one line */
	const struct lathctl_option *options;
	unsigned option_count;
	int min_words;
	int max_words;
	int (*run)(struct lathctl *ctl, const struct lathctl_command *command,
			const struct lathctl_args *args);
	const void *view; /* show: what to show */
};

extern const struct lathctl_command lathctl_commands[];
extern const unsigned lathctl_command_count;
extern const struct lathctl_command lathctl_shows[]; /* "show ..." */
extern const unsigned lathctl_show_count;

/* ---- args.c -------------------------------------------------------------------------------- */

/** The command that the first words mean; unambiguous beginnings will do. *used: how many words it
 *  took. NULL: said what is wrong.
 */
const struct lathctl_command *lathctl_find(struct lathctl *ctl, char **words, int count, int *used);

/** 0, or LATHCTL_USAGE after it said what is wrong, or -1 after it printed the help. */
int lathctl_args_read(struct lathctl *ctl, const struct lathctl_command *command, char **words,
		int count, struct lathctl_args *args);

void lathctl_usage(FILE *out);

/* ---- client.c ------------------------------------------------------------------------------ */

/** Result of a method (caller's reference), or NULL after it said what is wrong. Takes params. */
json_t *lathctl_call(struct lathctl *ctl, const char *method, json_t *params);
void lathctl_close(struct lathctl *ctl);

/* ---- print.c ------------------------------------------------------------------------------- */

/** An error, as text to stderr or as JSON to stdout. Takes data. */
void lathctl_error(const struct lathctl *ctl, int code, json_t *data, const char *fmt, ...)
		LATH_PRINTF(4, 5);
/** A configuration's mistake: "file:line: pointer: text". */
void lathctl_error_config(const struct lathctl *ctl, const struct lath_error *err);
void lathctl_print_json(const json_t *json);
void lathctl_print_warnings(const json_t *result);

/* Text forms; each returns `out`. */
#define LATHCTL_TEXT_MAX 64
const char *lathctl_bytes_text(uint64_t bytes, char out[LATHCTL_TEXT_MAX]);
const char *lathctl_seconds_text(uint64_t seconds, char out[LATHCTL_TEXT_MAX]);

/** A value by a path like "check.reason"; NULL: absent. */
const json_t *lathctl_at(const json_t *json, const char *path);
uint64_t lathctl_u64_at(const json_t *json, const char *path);
const char *lathctl_text_at(const json_t *json, const char *path); /* "" */

/* ---- table.c ------------------------------------------------------------------------------- */

struct lathctl_table;

struct lathctl_table *lathctl_table_create(unsigned columns);
void lathctl_table_free(struct lathctl_table *table);
/** `right`: numbers. */
void lathctl_table_column(struct lathctl_table *table, unsigned column, const char *title,
		bool right);
/** Cells fill rows from left to right. "" shows as "-". */
void lathctl_table_cell(struct lathctl_table *table, const char *text);
void lathctl_table_print(const struct lathctl_table *table, FILE *out);

/* ---- show.c, views.c ------------------------------------------------------------------------- */

enum lathctl_form {
	LATHCTL_FORM_TEXT,
	LATHCTL_FORM_NUMBER,
	LATHCTL_FORM_BYTES,
	LATHCTL_FORM_SECONDS,
	LATHCTL_FORM_ENDPOINT, /* {"address", "port"} */
	LATHCTL_FORM_LIST,     /* texts, or objects with a name; joined by commas */
	LATHCTL_FORM_MARK,     /* a boolean: "yes" or "no" */
	LATHCTL_FORM_LINK,     /* a boolean: "up" or "down" */
	LATHCTL_FORM_PERMILLE, /* as a percentage */
	LATHCTL_FORM_COUNT,
};

struct lathctl_column {
	const char *title;
	const char *path;
	enum lathctl_form form;
};

/** A list of a method's result as a table. */
struct lathctl_view {
	const char *method;
	const char *list; /* the member that holds the rows */
	const struct lathctl_column *columns;
	unsigned column_count;
	const char *empty; /* said when there is no row */
	/* Rows made out of the list (a new array), where one element is several rows; NULL: as is. */
	json_t *(*rows)(const json_t *list);
	/* Text behind the table; NULL: none. */
	void (*tail)(const json_t *result);
};

int lathctl_show(struct lathctl *ctl, const struct lathctl_command *command,
		const struct lathctl_args *args);

/* ---- save.c -------------------------------------------------------------------------------- */

/** A new version of a file beside the old one, not in its place yet. */
struct lathctl_draft {
	char path[4096];  /* what it will replace */
	char draft[4104]; /* "" : none */
};

/** Writes the text of `from` beside `path`; what it makes there must have `sha256`. */
int lathctl_draft_write(struct lathctl *ctl, struct lathctl_draft *draft, const char *path,
		const char *from, const char *sha256);
int lathctl_draft_keep(struct lathctl *ctl, struct lathctl_draft *draft);
void lathctl_draft_drop(struct lathctl_draft *draft);

/* ---- commands ------------------------------------------------------------------------------ */

#define LATHCTL_RUN(name)                                                                  \
	int lathctl_run_##name(struct lathctl *ctl, const struct lathctl_command *command, \
			const struct lathctl_args *args)

LATHCTL_RUN(status);
LATHCTL_RUN(reload);
LATHCTL_RUN(apply);
LATHCTL_RUN(check);
LATHCTL_RUN(version);
LATHCTL_RUN(config);
LATHCTL_RUN(explain);
