/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lathctl.h"

void
lathctl_print_json(const json_t *json)
{
	char *text = json_dumps(json, JSON_INDENT(2));

	if (text != NULL)
		puts(text);
	free(text);
}

void
lathctl_error(const struct lathctl *ctl, int code, json_t *data, const char *fmt, ...)
{
	struct lath_rpc_fault fault = {.code = code};
	va_list args;

	va_start(args, fmt);
	vsnprintf(fault.text, sizeof(fault.text), fmt, args);
	va_end(args);
	if (ctl->json) {
		json_t *json = json_object();

		json_object_set_new(json, "schemaVersion", json_integer(1));
		json_object_set_new(json, "error", lath_rpc_fault_json(&fault, data));
		lathctl_print_json(json);
		json_decref(json);
		return;
	}
	json_decref(data);
	fprintf(stderr, "lathctl: %s\n", fault.text);
}

void
lathctl_error_config(const struct lathctl *ctl, const struct lath_error *err)
{
	char text[sizeof(err->file) + sizeof(err->pointer) + sizeof(err->text) + 32];
	json_t *data = json_pack("{s:o, s:i, s:o, s:o}", "file", lath_rpc_text(err->file), "line",
			(int)err->line, "pointer", lath_rpc_text(err->pointer), "text",
			lath_rpc_text(err->text));

	lath_error_format(err, text, sizeof(text));
	lathctl_error(ctl, LATH_RPC_REFUSED, data, "%s", text);
}

void
lathctl_print_warnings(const json_t *result)
{
	const json_t *warnings = json_object_get(result, "warnings");

	for (size_t i = 0; i < json_array_size(warnings); i++)
		printf("warning: %s\n", json_string_value(json_array_get(warnings, i)));
}

const char *
lathctl_bytes_text(uint64_t bytes, char out[LATHCTL_TEXT_MAX])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	unsigned unit = 0;
	double value = (double)bytes;

	while (value >= 1024 && unit + 1 < LATH_ARRAY_SIZE(units)) {
		value /= 1024;
		unit++;
	}
	snprintf(out, LATHCTL_TEXT_MAX, unit == 0 || value >= 100 ? "%.0f %s" : "%.1f %s", value,
			units[unit]);
	return out;
}

const char *
lathctl_seconds_text(uint64_t seconds, char out[LATHCTL_TEXT_MAX])
{
	if (seconds < 60)
		snprintf(out, LATHCTL_TEXT_MAX, "%" PRIu64 "s", seconds);
	else if (seconds < 3600)
		snprintf(out, LATHCTL_TEXT_MAX, "%" PRIu64 "m%02" PRIu64 "s", seconds / 60,
				seconds % 60);
	else if (seconds < 86400)
		snprintf(out, LATHCTL_TEXT_MAX, "%" PRIu64 "h%02" PRIu64 "m", seconds / 3600,
				seconds / 60 % 60);
	else
		snprintf(out, LATHCTL_TEXT_MAX, "%" PRIu64 "d%02" PRIu64 "h", seconds / 86400,
				seconds / 3600 % 24);
	return out;
}

const json_t *
lathctl_at(const json_t *json, const char *path)
{
	char key[64];

	while (json != NULL && *path != '\0') {
		size_t len = strcspn(path, ".");

		snprintf(key, sizeof(key), "%.*s", (int)len, path);
		json = json_object_get(json, key);
		path += len + (path[len] == '.' ? 1 : 0);
	}
	return json;
}

uint64_t
lathctl_u64_at(const json_t *json, const char *path)
{
	return (uint64_t)json_integer_value(lathctl_at(json, path));
}

const char *
lathctl_text_at(const json_t *json, const char *path)
{
	const char *text = json_string_value(lathctl_at(json, path));

	return text == NULL ? "" : text;
}
