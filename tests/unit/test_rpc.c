/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_rpc.h>

#include "lath_test.h"

static const struct {
	const char *name;
	const char *line;
	int code;       /* 0: accepted */
	const char *id; /* as JSON; NULL: a notification */
} request_rows[] = {
		{"plain", "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"status\"}", 0, "7"},
		{"text id", "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"x\"}", 0, "\"a\""},
		{"null id", "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"x\"}", 0, "null"},
		{"notification", "{\"jsonrpc\":\"2.0\",\"method\":\"x\"}", 0, NULL},
		{"params", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":{}}", 0, "1"},
		{"empty", "", LATH_RPC_PARSE_ERROR, "null"},
		{"no JSON", "status", LATH_RPC_PARSE_ERROR, "null"},
		{"two values", "{} {}", LATH_RPC_PARSE_ERROR, "null"},
		{"batch", "[]", LATH_RPC_INVALID_REQUEST, "null"},
		{"twice", "{\"id\":1,\"id\":2}", LATH_RPC_PARSE_ERROR, "null"},
		{"version", "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"x\"}",
				LATH_RPC_INVALID_REQUEST, "1"},
		{"no version", "{\"id\":1,\"method\":\"x\"}", LATH_RPC_INVALID_REQUEST, "1"},
		{"no method", "{\"jsonrpc\":\"2.0\",\"id\":1}", LATH_RPC_INVALID_REQUEST, "1"},
		{"empty method", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\"}",
				LATH_RPC_INVALID_REQUEST, "1"},
		{"list id", "{\"jsonrpc\":\"2.0\",\"id\":[],\"method\":\"x\"}",
				LATH_RPC_INVALID_REQUEST, "null"},
		{"real id", "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"x\"}",
				LATH_RPC_INVALID_REQUEST, "null"},
		{"by position",
				"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":"
				"[]}",
				LATH_RPC_INVALID_PARAMS, "1"},
		{"more members", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"y\":1}",
				LATH_RPC_INVALID_REQUEST, "1"},
};

static void
requests_are_read_or_refused_by_code(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(request_rows); i++) {
		struct lath_rpc_request request;
		struct lath_rpc_fault fault = {0};
		int rc = lath_rpc_request_parse(&request, request_rows[i].line,
				strlen(request_rows[i].line), &fault);
		char *id = request.id == NULL ? NULL : json_dumps(request.id, JSON_ENCODE_ANY);

		if (fault.code != request_rows[i].code)
			print_error("row \"%s\": %s\n", request_rows[i].name, fault.text);
		assert_int_equal(fault.code, request_rows[i].code);
		assert_int_equal(rc, request_rows[i].code == 0 ? 0 : -EINVAL);
		assert_true((fault.text[0] == '\0') == (rc == 0));
		assert_true((id == NULL) == (request_rows[i].id == NULL));
		if (id != NULL)
			assert_string_equal(id, request_rows[i].id);
		free(id);
		lath_rpc_request_fini(&request);
	}
}

static void
long_method_names_are_refused(void **state)
{
	char line[256];
	struct lath_rpc_request request;
	struct lath_rpc_fault fault = {0};

	(void)state;
	snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%0*d\"}",
			LATH_RPC_METHOD_MAX, 0);
	assert_int_equal(lath_rpc_request_parse(&request, line, strlen(line), &fault), -EINVAL);
	assert_int_equal(fault.code, LATH_RPC_INVALID_REQUEST);
	lath_rpc_request_fini(&request);
}

/* What one side makes the other reads. */
static void
messages_pass_both_ways(void **state)
{
	struct lath_rpc_request request;
	struct lath_rpc_fault fault = {LATH_RPC_BUSY, "later"};
	json_t *result = NULL;
	json_t *error = NULL;
	size_t len = 0;
	char *line = lath_rpc_encode(lath_rpc_request_make(3, "show.flows",
						     json_pack("{s:s}", "vpc", "a\nb")),
			&len);

	(void)state;
	assert_ptr_equal(strchr(line, '\n'), line + len - 1);
	assert_int_equal(lath_rpc_request_parse(&request, line, len - 1, &fault), 0);
	assert_string_equal(json_string_value(json_object_get(request.params, "vpc")), "a\nb");
	free(line);
	line = lath_rpc_encode(lath_rpc_result_make(request.id, json_pack("{s:i}", "n", 5)), &len);
	assert_int_equal(lath_rpc_reply_parse(line, len, 3, &result, &error, &fault), 0);
	assert_int_equal(json_integer_value(json_object_get(result, "n")), 5);
	assert_null(error);
	json_decref(result);
	free(line);
	line = lath_rpc_encode(lath_rpc_error_make(request.id, &fault, json_true()), &len);
	assert_int_equal(lath_rpc_reply_parse(line, len, 3, &result, &error, &fault), 0);
	assert_null(result);
	assert_int_equal(json_integer_value(json_object_get(error, "code")), LATH_RPC_BUSY);
	assert_true(json_is_true(json_object_get(error, "data")));
	json_decref(error);
	free(line);
	lath_rpc_request_fini(&request);
}

static void
strange_answers_are_refused(void **state)
{
	static const char *const lines[] = {
			"",
			"{}",
			"[]",
			"{\"id\":1}",
			"{\"id\":2,\"result\":{}}",
			"{\"id\":null,\"result\":{}}",
			"{\"id\":1,\"result\":{},\"error\":{\"code\":1,\"message\":\"x\"}}",
			"{\"id\":1,\"error\":{\"code\":1}}",
			"{\"id\":1,\"error\":{\"code\":\"1\",\"message\":\"x\"}}",
			"{\"id\":1,\"error\":\"x\"}",
	};

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(lines); i++) {
		struct lath_rpc_fault fault = {0};
		json_t *result;
		json_t *error;

		assert_int_equal(lath_rpc_reply_parse(lines[i], strlen(lines[i]), 1, &result,
						 &error, &fault),
				-EINVAL);
		assert_null(result);
		assert_null(error);
		assert_int_not_equal(fault.code, 0);
	}
}

static void
text_that_is_no_utf8_is_shown_as_far_as_it_goes(void **state)
{
	json_t *text = lath_rpc_text("caf\xc3");

	(void)state;
	assert_string_equal(json_string_value(text), "caf?");
	json_decref(text);
}

static void
near_names_are_offered(void **state)
{
	static const struct {
		const char *word;
		const char *text;
	} rows[] = {
			{"show.flosw", "; did you mean \"show.flows\"?"},
			{"statsu", "; did you mean \"status\"?"},
			{"STATUS", "; did you mean \"status\"?"},
			{"destroy", ""},
			{"", ""},
	};

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_rpc_near near = {.word = rows[i].word};
		char text[LATH_RPC_NEAR_MAX];

		lath_rpc_near_offer(&near, "status");
		lath_rpc_near_offer(&near, "show.flows");
		assert_string_equal(lath_rpc_near_text(&near, text), rows[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(requests_are_read_or_refused_by_code),
			cmocka_unit_test(long_method_names_are_refused),
			cmocka_unit_test(messages_pass_both_ways),
			cmocka_unit_test(strange_answers_are_refused),
			cmocka_unit_test(text_that_is_no_utf8_is_shown_as_far_as_it_goes),
			cmocka_unit_test(near_names_are_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
