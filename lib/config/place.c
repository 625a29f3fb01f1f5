/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <stdarg.h>

#include "config_private.h"

#define WARNINGS_MAX 100u /* each costs a pass over its file to find the line */

static void
append(char *out, size_t size, size_t *used, const char *token)
{
	for (; *token != '\0' && *used + 3 < size; token++) {
		if (*token == '~' || *token == '/') { /* RFC 6901, section 4 */
			out[(*used)++] = '~';
			out[(*used)++] = *token == '~' ? '0' : '1';
		} else {
			out[(*used)++] = (unsigned char)*token < 0x20 ? '?' : *token;
		}
	}
	out[*used] = '\0';
}

static void
append_node(const struct lath_config_node *node, char *out, size_t size, size_t *used)
{
	char number[24];

	if (node->parent != NULL)
		append_node(node->parent, out, size, used);
	if (node->key != NULL && *used + 1 < size) {
		out[(*used)++] = '/';
		append(out, size, used, node->key);
	}
	if (node->index != SIZE_MAX && *used + 1 < size) {
		out[(*used)++] = '/';
		snprintf(number, sizeof(number), "%zu", node->index);
		append(out, size, used, number);
	}
}

struct lath_config_at
lath_config_at_node(const struct lath_config_node *node)
{
	struct lath_config_at at = {.file = node->file};
	size_t used = 0;

	append_node(node, at.pointer, sizeof(at.pointer), &used);
	at.pointer[used] = '\0';
	return at;
}

struct lath_config_at
lath_config_at_list(const struct lath_config_loader *loader, enum lath_config_list list,
		uint32_t index, const char *fmt, ...)
{
	const struct lath_config_place *place = &loader->places[list][index];
	struct lath_config_at at = {.file = place->file};
	va_list args;
	int used = snprintf(at.pointer, sizeof(at.pointer), "/%s/%u", lath_config_list_keys[list],
			place->index);

	va_start(args, fmt);
	vsnprintf(at.pointer + used, sizeof(at.pointer) - (size_t)used, fmt, args);
	va_end(args);
	return at;
}

static unsigned
line_of(const struct lath_config_loader *loader, const struct lath_config_at *at)
{
	const struct lath_config_file *file = &loader->files[at->file];

	return lath_config_locate(file->text, file->len, at->pointer);
}

const char *
lath_config_place_text(const struct lath_config_loader *loader, const struct lath_config_at *at,
		char out[LATH_CONFIG_PLACE_MAX])
{
	snprintf(out, LATH_CONFIG_PLACE_MAX, "%s:%u (%s)", loader->files[at->file].path,
			line_of(loader, at), at->pointer);
	return out;
}

static int
fail(struct lath_config_loader *loader, const struct lath_config_at *at, const char *fmt,
		va_list args)
{
	struct lath_error *err = &loader->err;
	char text[sizeof(err->text)];

	if (err->text[0] != '\0')
		return lath_err(EINVAL);
	vsnprintf(text, sizeof(text), fmt, args);
	lath_error_set(err, at->pointer, "%s", text);
	snprintf(err->file, sizeof(err->file), "%s", loader->files[at->file].path);
	err->line = line_of(loader, at);
	return lath_err(EINVAL);
}

int
lath_config_fail_at(struct lath_config_loader *loader, const struct lath_config_at *at,
		const char *fmt, ...)
{
	va_list args;
	int rc;

	va_start(args, fmt);
	rc = fail(loader, at, fmt, args);
	va_end(args);
	return rc;
}

int
lath_config_fail(const struct lath_config_node *node, const char *fmt, ...)
{
	struct lath_config_at at = lath_config_at_node(node);
	va_list args;
	int rc;

	va_start(args, fmt);
	rc = fail(node->loader, &at, fmt, args);
	va_end(args);
	return rc;
}

int
lath_config_no_memory(struct lath_config_loader *loader)
{
	lath_error_set(&loader->err, "", "there is no memory left to read the configuration");
	return lath_err(ENOMEM);
}

int
lath_config_warn(struct lath_config_loader *loader, const struct lath_config_at *at,
		const char *fmt, ...)
{
	struct lath_config *cfg = loader->cfg;
	struct lath_error warning = {0};
	char text[sizeof(warning.text)];
	char **grown;
	va_list args;
	size_t size = sizeof(warning) + 32;

	if (cfg->warning_count > WARNINGS_MAX)
		return 0;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (cfg->warning_count == WARNINGS_MAX)
		snprintf(text, sizeof(text), "there are more warnings than these %u", WARNINGS_MAX);
	lath_error_set(&warning, at->pointer, "%s", text);
	snprintf(warning.file, sizeof(warning.file), "%s", loader->files[at->file].path);
	warning.line = line_of(loader, at);
	grown = realloc(cfg->warnings, (cfg->warning_count + 1) * sizeof(*grown));
	if (grown == NULL)
		return lath_config_no_memory(loader);
	cfg->warnings = grown;
	grown[cfg->warning_count] = malloc(size);
	if (grown[cfg->warning_count] == NULL)
		return lath_config_no_memory(loader);
	lath_error_format(&warning, grown[cfg->warning_count++], size);
	return 0;
}
