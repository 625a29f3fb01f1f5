/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <stdlib.h>
#include <string.h>

#include "lath_rpc.h"

/* {"jsonrpc": "2.0"} and one more member, taken; NULL when memory is short. */
static json_t *
message_make(const char *key, json_t *value)
{
	json_t *message = json_object();
	int rc = json_object_set_new(message, "jsonrpc", json_string("2.0"));

	/* Sets take the value and fail for NULL ones, so one check at the end is enough. */
	rc |= json_object_set_new(message, key, value);
	if (rc == 0)
		return message;
	json_decref(message);
	return lath_null(ENOMEM);
}

static json_t *
with_id(json_t *message, json_t *id)
{
	if (message == NULL)
		return NULL;
	if (json_object_set(message, "id", id == NULL ? json_null() : id) == 0)
		return message;
	json_decref(message);
	return lath_null(ENOMEM);
}

json_t *
lath_rpc_request_make(json_int_t id, const char *method, json_t *params)
{
	json_t *message = message_make("method", json_string(method));
	int rc = json_object_set_new(message, "id", json_integer(id));

	if (params != NULL)
		rc |= json_object_set_new(message, "params", params);
	if (rc == 0)
		return message;
	json_decref(message);
	return lath_null(ENOMEM);
}

json_t *
lath_rpc_result_make(json_t *id, json_t *result)
{
	return with_id(message_make("result", result), id);
}

json_t *
lath_rpc_text(const char *text)
{
	json_t *json = json_string(text);
	char *copy;

	if (json != NULL)
		return json;
	copy = strdup(text);
	for (char *c = copy; c != NULL && *c != '\0'; c++) {
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	}
	json = copy == NULL ? NULL : json_string(copy);
	free(copy);
	return json;
}

json_t *
lath_rpc_fault_json(const struct lath_rpc_fault *fault, json_t *data)
{
	json_t *error = json_object();
	int rc = json_object_set_new(error, "code", json_integer(fault->code));

	rc |= json_object_set_new(error, "message", lath_rpc_text(fault->text));
	if (data != NULL)
		rc |= json_object_set_new(error, "data", data);
	if (rc == 0)
		return error;
	json_decref(error);
	return lath_null(ENOMEM);
}

json_t *
lath_rpc_error_make(json_t *id, const struct lath_rpc_fault *fault, json_t *data)
{
	return with_id(message_make("error", lath_rpc_fault_json(fault, data)), id);
}

char *
lath_rpc_encode(json_t *message, size_t *len)
{
	char *text = message == NULL ? NULL : json_dumps(message, JSON_COMPACT);
	char *line = NULL;

	json_decref(message);
	if (text != NULL) {
		*len = strlen(text) + 1;
		line = realloc(text, *len + 1);
	}
	if (line == NULL) {
		free(text);
		return lath_null(ENOMEM);
	}
	line[*len - 1] = '\n';
	line[*len] = '\0';
	return line;
}

static bool
is_error(const json_t *error)
{
	return json_is_object(error) && json_is_integer(json_object_get(error, "code")) &&
			json_is_string(json_object_get(error, "message"));
}

int
lath_rpc_reply_parse(const char *line, size_t len, json_int_t id, json_t **result, json_t **error,
		struct lath_rpc_fault *fault)
{
	json_t *root = json_loadb(line, len, 0, NULL);
	json_t *got = json_object_get(root, "id");
	json_t *fine = json_object_get(root, "result");
	json_t *bad = json_object_get(root, "error");
	bool is_mine = json_is_integer(got) && json_integer_value(got) == id;

	*result = NULL;
	*error = NULL;
	if (is_mine && fine != NULL && bad == NULL)
		*result = json_incref(fine);
	else if ((is_mine || json_is_null(got)) && fine == NULL && is_error(bad))
		*error = json_incref(bad);
	json_decref(root);
	if (*result != NULL || *error != NULL)
		return 0;
	lath_rpc_fault_set(fault, LATH_RPC_PARSE_ERROR, "this is no answer of JSON-RPC 2.0");
	return lath_err(EINVAL);
}
