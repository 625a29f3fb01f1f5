/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lath_rpc.h"

void
lath_rpc_fault_set(struct lath_rpc_fault *fault, int code, const char *fmt, ...)
{
	va_list args;

	fault->code = code;
	va_start(args, fmt);
	vsnprintf(fault->text, sizeof(fault->text), fmt, args);
	va_end(args);
}

/* jansson quotes the text near the mistake, which may hold anything. */
static void
fail_parse(struct lath_rpc_fault *fault, const json_error_t *error)
{
	lath_rpc_fault_set(fault, LATH_RPC_PARSE_ERROR, "not JSON: %.*s (byte %d)",
			(int)strnlen(error->text, sizeof(error->text)), error->text,
			error->position);
	for (char *c = fault->text; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			*c = '?';
	}
}

static int
fail(struct lath_rpc_fault *fault, const char *why)
{
	lath_rpc_fault_set(fault, LATH_RPC_INVALID_REQUEST, "%s", why);
	return lath_err(EINVAL);
}

/* The members' values; the id is known by now. */
static int
check_members(struct lath_rpc_request *request, struct lath_rpc_fault *fault)
{
	const json_t *version = json_object_get(request->root, "jsonrpc");
	const json_t *method = json_object_get(request->root, "method");
	json_t *params = json_object_get(request->root, "params");
	const char *key;
	json_t *value;

	if (!json_is_string(version) || strcmp(json_string_value(version), "2.0") != 0)
		return fail(fault, "\"jsonrpc\" must be \"2.0\"");
	if (!json_is_string(method) || json_string_length(method) == 0)
		return fail(fault, "\"method\" must be a string");
	if (json_string_length(method) >= LATH_RPC_METHOD_MAX ||
			strlen(json_string_value(method)) != json_string_length(method))
		return fail(fault, "\"method\" is no name of a method");
	json_object_foreach(request->root, key, value) {
		if (strcmp(key, "jsonrpc") != 0 && strcmp(key, "method") != 0 &&
				strcmp(key, "params") != 0 && strcmp(key, "id") != 0)
			return fail(fault,
					"only \"jsonrpc\", \"method\", \"params\" and \"id\" are "
					"members of a request");
	}
	if (params != NULL && !json_is_object(params)) {
		lath_rpc_fault_set(fault, LATH_RPC_INVALID_PARAMS,
				"\"params\" must be an object: parameters have names");
		return lath_err(EINVAL);
	}
	request->method = json_string_value(method);
	request->params = params;
	return 0;
}

int
lath_rpc_request_parse(struct lath_rpc_request *request, const char *line, size_t len,
		struct lath_rpc_fault *fault)
{
	json_error_t error = {0};
	json_t *id;

	/* null until an id was read (section 5, "id"). */
	*request = (struct lath_rpc_request){.id = json_null()};
	request->root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	if (request->root == NULL) {
		fail_parse(fault, &error);
		return lath_err(EINVAL);
	}
	if (!json_is_object(request->root))
		return fail(fault, "a request is one object; batches are not supported");
	id = json_object_get(request->root, "id");
	if (id != NULL && !json_is_string(id) && !json_is_integer(id) && !json_is_null(id))
		return fail(fault, "\"id\" must be a string, an integer or null");
	if (id != NULL)
		request->id = id;
	if (check_members(request, fault) != 0)
		return lath_err(EINVAL);
	request->id = id;
	return 0;
}

void
lath_rpc_request_fini(struct lath_rpc_request *request)
{
	json_decref(request->root);
	*request = (struct lath_rpc_request){0};
}
