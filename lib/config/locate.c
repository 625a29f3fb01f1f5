/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* jansson keeps no lines after parsing. So when something is wrong with a value, its JSON pointer
 * is followed once more through the text: skipping values costs one pass, no memory and no
 * recursion, and only errors and warnings pay for it. The text has been parsed before, so this
 * scanner need not find faults, only never run past the end.
 */

#include "config_private.h"

struct cursor {
	const char *at;
	const char *end;
};

static void
skip_space(struct cursor *cursor)
{
	while (cursor->at < cursor->end && strchr(" \t\r\n", *cursor->at) != NULL &&
			*cursor->at != 0)
		cursor->at++;
}

static bool
skip_char(struct cursor *cursor, char expected)
{
	skip_space(cursor);
	if (cursor->at >= cursor->end || *cursor->at != expected)
		return false;
	cursor->at++;
	skip_space(cursor);
	return true;
}

/* From the opening quote to behind the closing one. */
static void
skip_string(struct cursor *cursor)
{
	cursor->at++;
	while (cursor->at < cursor->end && *cursor->at != '"')
		cursor->at += *cursor->at == '\\' && cursor->at + 1 < cursor->end ? 2 : 1;
	if (cursor->at < cursor->end)
		cursor->at++;
}

static void
skip_value(struct cursor *cursor)
{
	size_t depth = 0;

	while (cursor->at < cursor->end) {
		char c = *cursor->at;

		if (depth == 0 && (c == ',' || c == ']' || c == '}'))
			return;
		if (c == '"') {
			skip_string(cursor);
			continue;
		}
		if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
		cursor->at++;
	}
}

/* Compares a quoted JSON string with plain text; only one with escapes needs a parser. */
static bool
string_is(const char *quoted, size_t len, const char *text)
{
	json_t *json;
	bool same;

	if (len < 2)
		return false;
	if (memchr(quoted, '\\', len) == NULL)
		return strlen(text) == len - 2 && memcmp(quoted + 1, text, len - 2) == 0;
	json = json_loadb(quoted, len, JSON_DECODE_ANY, NULL);
	same = json_is_string(json) && strcmp(json_string_value(json), text) == 0;
	json_decref(json);
	return same;
}

/* To the member's value; `*found` is its key. */
static bool
enter_member(struct cursor *cursor, const char *key, const char **found)
{
	if (!skip_char(cursor, '{'))
		return false;
	while (cursor->at < cursor->end && *cursor->at == '"') {
		const char *start = cursor->at;
		bool same;

		skip_string(cursor);
		same = string_is(start, (size_t)(cursor->at - start), key);
		if (!skip_char(cursor, ':'))
			return false;
		if (same) {
			*found = start;
			return true;
		}
		skip_value(cursor);
		if (!skip_char(cursor, ','))
			return false;
	}
	return false;
}

static bool
enter_element(struct cursor *cursor, const char *token, const char **found)
{
	char *end;
	unsigned long index = strtoul(token, &end, 10);

	if (*token == '\0' || *end != '\0' || !skip_char(cursor, '['))
		return false;
	for (; index > 0; index--) {
		skip_value(cursor);
		if (!skip_char(cursor, ','))
			return false;
	}
	*found = cursor->at;
	return true;
}

/* The next token of the pointer, ~1 and ~0 undone (RFC 6901, section 4). */
static const char *
next_token(const char *pointer, char *token, size_t size)
{
	size_t used = 0;

	for (pointer++; *pointer != '\0' && *pointer != '/'; pointer++) {
		char c = *pointer;

		if (c == '~' && (pointer[1] == '0' || pointer[1] == '1'))
			c = *++pointer == '1' ? '/' : '~';
		if (used + 1 < size)
			token[used++] = c;
	}
	token[used] = '\0';
	return pointer;
}

unsigned
lath_config_locate(const char *text, size_t len, const char *pointer)
{
	struct cursor cursor = {.at = text, .end = text + len};
	const char *found = text;
	char token[256];
	unsigned line = 1;

	skip_space(&cursor);
	while (*pointer == '/') {
		bool inside;

		pointer = next_token(pointer, token, sizeof(token));
		skip_space(&cursor);
		if (cursor.at < cursor.end && *cursor.at == '[')
			inside = enter_element(&cursor, token, &found);
		else
			inside = enter_member(&cursor, token, &found);
		if (!inside)
			break;
	}
	for (const char *at = text; at < found; at++)
		line += *at == '\n';
	return line;
}
