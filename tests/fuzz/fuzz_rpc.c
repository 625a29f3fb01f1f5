/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Any line: a request or a fault with a sentence; either way it can be answered on one line, and
 * the answer is read back as what it was.
 */

#include <stdlib.h>
#include <string.h>

#include <lath_rpc.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
check_line(json_t *message, const json_t *id)
{
	struct lath_rpc_fault fault = {0};
	json_t *result = NULL;
	json_t *error = NULL;
	size_t len = 0;
	char *line = lath_rpc_encode(message, &len);
	int rc;

	must(line != NULL && len == strlen(line) && memchr(line, '\n', len) == line + len - 1);
	rc = lath_rpc_reply_parse(line, len, json_integer_value(id), &result, &error, &fault);
	must(!json_is_integer(id) || rc == 0);
	must(rc == 0 ? (result == NULL) != (error == NULL) : fault.text[0] != '\0');
	json_decref(result);
	json_decref(error);
	free(line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lath_rpc_request request;
	struct lath_rpc_fault fault = {0};
	json_t *result = NULL;
	json_t *error = NULL;

	if (lath_rpc_request_parse(&request, (const char *)data, size, &fault) != 0) {
		must(fault.code != 0 && fault.text[0] != '\0' && request.id != NULL);
		check_line(lath_rpc_error_make(request.id, &fault, NULL), request.id);
	} else {
		must(request.method != NULL && strlen(request.method) < LATH_RPC_METHOD_MAX);
		check_line(lath_rpc_result_make(request.id, json_object()), request.id);
	}
	lath_rpc_request_fini(&request);
	if (lath_rpc_reply_parse((const char *)data, size, 1, &result, &error, &fault) == 0)
		must((result == NULL) != (error == NULL));
	json_decref(result);
	json_decref(error);
	return 0;
}
