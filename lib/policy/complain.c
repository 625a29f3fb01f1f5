/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <stdarg.h>

#include "policy_private.h"

/* Appends "/key" with '~' and '/' escaped (RFC 6901 section 3). */
static void
append_key(char *out, size_t len, size_t used, const char *key)
{
	const char *piece;

	if (used + 1 < len)
		out[used++] = '/';
	for (; *key != '\0' && used + 3 < len; key++) {
		piece = *key == '~' ? "~0" : *key == '/' ? "~1" : NULL;
		if (piece == NULL) {
			out[used++] = *key;
			continue;
		}
		out[used++] = piece[0];
		out[used++] = piece[1];
	}
	out[used] = '\0';
}

static void
write_pointer(const struct place *place, char *out, size_t len)
{
	char number[24];

	if (place->parent == NULL) {
		out[0] = '\0';
		return;
	}
	write_pointer(place->parent, out, len);
	snprintf(number, sizeof(number), "%zu", place->index);
	append_key(out, len, strlen(out), place->key == NULL ? number : place->key);
}

int
lath_policy_refuse(struct compile *c, const struct place *place, const char *fmt, ...)
{
	va_list args;

	write_pointer(place, c->why->pointer, sizeof(c->why->pointer));
	va_start(args, fmt);
	vsnprintf(c->why->text, sizeof(c->why->text), fmt, args);
	va_end(args);
	return lath_err(EINVAL);
}

const char *
lath_policy_value(const struct place *place, char out[80])
{
	char *text = place->json == NULL
			? NULL
			: json_dumps(place->json,
					  JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);
	size_t len = text == NULL ? 0 : strlen(text);

	snprintf(out, 80, "%.72s%s", text == NULL ? "null" : text, len > 72 ? "..." : "");
	free(text);
	return out;
}

void *
lath_policy_grow(struct grown *grown, size_t size, uint32_t count)
{
	char *at;

	if (grown->count + count > grown->capacity) {
		uint32_t capacity = 2 * (grown->count + count) + 8;
		void *more = realloc(grown->at, capacity * size);

		if (more == NULL)
			return NULL;
		grown->at = more;
		grown->capacity = capacity;
	}
	at = (char *)grown->at + grown->count * size;
	memset(at, 0, count * size);
	grown->count += count;
	return at;
}

int
lath_policy_add_item(struct compile *c, const struct item *item)
{
	struct item *added = lath_policy_grow(&c->items, sizeof(*added), 1);

	if (added == NULL)
		return lath_err(ENOMEM);
	*added = *item;
	return 0;
}

int
lath_policy_add_text(struct compile *c, const struct place *place, struct range *range)
{
	const char *text = json_string_value(place->json);
	size_t len = json_string_length(place->json);
	char value[80];
	char *copy;

	if (text == NULL)
		return lath_policy_refuse(c, place, "%s is not text",
				lath_policy_value(place, value));
	if (len == 0 || len > LATH_POLICY_VALUE_MAX)
		return lath_policy_refuse(c, place, "%s has not 1 to %u characters",
				lath_policy_value(place, value), LATH_POLICY_VALUE_MAX);
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return lath_policy_refuse(c, place, "%s holds a control character",
					lath_policy_value(place, value));
	}
	if (strstr(text, "${") != NULL)
		return lath_policy_refuse(c, place,
				"%s holds a policy variable, and there are none: write the value "
				"itself",
				lath_policy_value(place, value));
	range->first = c->text.count;
	range->count = (uint32_t)len;
	copy = lath_policy_grow(&c->text, 1, (uint32_t)len);
	if (copy == NULL)
		return lath_err(ENOMEM);
	memcpy(copy, text, len);
	return 0;
}
