/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Any list of the daemon's: pages are fetched until the end or --limit, then shown as one. */

#include <inttypes.h>
#include <string.h>

#include "lathctl.h"

#define PAGE_MAX 1000

static void
form_list(const json_t *value, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < json_array_size(value); i++) {
		const json_t *element = json_array_get(value, i);
		const char *text = json_is_object(element) ? lathctl_text_at(element, "name")
							   : json_string_value(element);
		int n = snprintf(out + used, size - used, "%s%s", i == 0 ? "" : ",",
				text == NULL ? "?" : text);

		if (n < 0 || (size_t)n >= size - used) {
			snprintf(out + size - 4, 4, "...");
			return;
		}
		used += (size_t)n;
	}
}

static void
form_endpoint(const json_t *value, char *out, size_t size)
{
	const char *address = lathctl_text_at(value, "address");
	const char *format = strchr(address, ':') == NULL ? "%s:%" PRIu64 : "[%s]:%" PRIu64;

	if (address[0] == '\0')
		snprintf(out, size, "-");
	else
		snprintf(out, size, format, address, lathctl_u64_at(value, "port"));
}

/* A cell's text. */
static void
form(const json_t *value, enum lathctl_form form, char *out, size_t size)
{
	uint64_t number = (uint64_t)json_integer_value(value);
	char text[LATHCTL_TEXT_MAX];

	out[0] = '\0';
	if (value == NULL || json_is_null(value))
		return;
	switch (form) {
	case LATHCTL_FORM_TEXT:
		snprintf(out, size, "%s", json_is_string(value) ? json_string_value(value) : "?");
		return;
	case LATHCTL_FORM_NUMBER:
		snprintf(out, size, "%" PRId64, (int64_t)json_integer_value(value));
		return;
	case LATHCTL_FORM_BYTES:
		snprintf(out, size, "%s", lathctl_bytes_text(number, text));
		return;
	case LATHCTL_FORM_SECONDS:
		snprintf(out, size, "%s", lathctl_seconds_text(number, text));
		return;
	case LATHCTL_FORM_ENDPOINT:
		form_endpoint(value, out, size);
		return;
	case LATHCTL_FORM_LIST:
		form_list(value, out, size);
		return;
	case LATHCTL_FORM_MARK:
		snprintf(out, size, "%s", json_is_true(value) ? "yes" : "no");
		return;
	case LATHCTL_FORM_LINK:
		snprintf(out, size, "%s", json_is_true(value) ? "up" : "down");
		return;
	case LATHCTL_FORM_PERMILLE:
		snprintf(out, size, "%" PRIu64 ".%" PRIu64 " %%", number / 10, number % 10);
		return;
	case LATHCTL_FORM_COUNT:
		return;
	}
}

static bool
is_right(enum lathctl_form form)
{
	return form == LATHCTL_FORM_NUMBER || form == LATHCTL_FORM_BYTES ||
			form == LATHCTL_FORM_SECONDS || form == LATHCTL_FORM_PERMILLE;
}

static void
print_table(const struct lathctl_view *view, const json_t *rows)
{
	struct lathctl_table *table;
	char text[512];

	if (json_array_size(rows) == 0) {
		puts(view->empty);
		return;
	}
	table = lathctl_table_create(view->column_count);
	for (unsigned i = 0; i < view->column_count; i++)
		lathctl_table_column(table, i, view->columns[i].title,
				is_right(view->columns[i].form));
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		for (unsigned j = 0; j < view->column_count; j++) {
			form(lathctl_at(row, view->columns[j].path), view->columns[j].form, text,
					sizeof(text));
			lathctl_table_cell(table, text);
		}
	}
	lathctl_table_print(table, stdout);
	lathctl_table_free(table);
}

/* All pages as one result; NULL: said what is wrong. */
static json_t *
fetch(struct lathctl *ctl, const struct lathctl_view *view, const json_t *options)
{
	json_int_t limit = json_integer_value(json_object_get(options, "limit"));
	json_t *result = NULL;
	json_t *cursor = NULL;

	do {
		json_t *params = json_deep_copy(options);
		json_int_t have = (json_int_t)json_array_size(json_object_get(result, view->list));
		json_t *page;

		if (limit > 0)
			json_object_set_new(params, "limit",
					json_integer(limit - have < PAGE_MAX ? limit - have
									     : PAGE_MAX));
		if (cursor != NULL)
			json_object_set(params, "cursor", cursor);
		page = lathctl_call(ctl, view->method, params);
		if (page == NULL) {
			json_decref(result);
			return NULL;
		}
		if (result == NULL) {
			result = page;
		} else {
			json_array_extend(json_object_get(result, view->list),
					json_object_get(page, view->list));
			json_object_del(result, "next");
			cursor = json_object_get(page, "next");
			if (cursor != NULL)
				json_object_set(result, "next", cursor);
			json_decref(page);
		}
		cursor = json_object_get(result, "next");
		have = (json_int_t)json_array_size(json_object_get(result, view->list));
		/* Without a limit a list is shown whole, but flows: the daemon's default page. */
		if (cursor == NULL || (limit > 0 && have >= limit) ||
				(limit == 0 && strcmp(view->list, "flows") == 0))
			return result;
	} while (true);
}

int
lathctl_show(struct lathctl *ctl, const struct lathctl_command *command,
		const struct lathctl_args *args)
{
	const struct lathctl_view *view = command->view;
	json_int_t limit = json_integer_value(json_object_get(args->options, "limit"));
	json_t *result;
	json_t *rows;

	if (json_object_get(args->options, "limit") != NULL && limit < 1) {
		lathctl_error(ctl, LATH_RPC_INVALID_PARAMS, NULL, "--limit must be 1 or more");
		return LATHCTL_USAGE;
	}
	result = fetch(ctl, view, args->options);
	if (result == NULL)
		return LATHCTL_FAILED;
	if (ctl->json) {
		lathctl_print_json(result);
		json_decref(result);
		return LATHCTL_OK;
	}
	rows = json_object_get(result, view->list);
	rows = view->rows == NULL ? json_incref(rows) : view->rows(rows);
	print_table(view, rows);
	if (view->tail != NULL)
		view->tail(result);
	if (json_object_get(result, "next") != NULL)
		fprintf(stderr, "lathctl: there are more; --limit N shows more of them\n");
	json_decref(rows);
	json_decref(result);
	return LATHCTL_OK;
}
