/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * JSON-RPC 2.0, one object a line ("\n") both ways: reading and building of messages, for the
 * daemon's admin socket and for lathctl. No sockets, no methods, no state; any thread. Messages
 * are jansson values on the heap.
 *
 * LIMIT: no batches (section 6): an array is answered by "invalid request".
 */
#pragma once

#include <jansson.h>

#include <lath_base.h>

#define LATH_RPC_LINE_MAX (16u << 20)      /* an `apply` carries a configuration */
#define LATH_RPC_PLAIN_LINE_MAX (1u << 20) /* every other request */
#define LATH_RPC_METHOD_MAX 64
#define LATH_RPC_NEAR_MAX 96

/** Section 5.1, and ours from -32000 down. */
enum lath_rpc_code {
	LATH_RPC_PARSE_ERROR = -32700,
	LATH_RPC_INVALID_REQUEST = -32600,
	LATH_RPC_METHOD_NOT_FOUND = -32601,
	LATH_RPC_INVALID_PARAMS = -32602,
	LATH_RPC_INTERNAL = -32603,
	LATH_RPC_REFUSED = -32000,   /* a configuration with a mistake; data says where */
	LATH_RPC_BUSY = -32001,      /* ask again later */
	LATH_RPC_DENIED = -32002,    /* this uid may not */
	LATH_RPC_TOO_LARGE = -32003, /* longer than LATH_RPC_*_LINE_MAX */
};

/** Why something was refused, as it goes into the "error" member. */
struct lath_rpc_fault {
	int code; /* enum lath_rpc_code, or what the other side sent; 0: none */
	char text[768];
};

struct lath_rpc_request {
	json_t *root; /* owns what follows */
	const char *method;
	const json_t *params; /* an object; NULL: none given */
	json_t *id;           /* a string, an integer or null; NULL: a notification, not answered */
};

/** Writes code and sentence. @thread any */
void lath_rpc_fault_set(struct lath_rpc_fault *fault, int code, const char *fmt, ...)
		LATH_PRINTF(3, 4);

/**
 * Reads one line (without its end). On error `fault` says why, and request->id is what the answer
 * should carry (null when it could not be read). Call lath_rpc_request_fini() in either case.
 * 0 or -EINVAL. @thread any
 */
int lath_rpc_request_parse(struct lath_rpc_request *request, const char *line, size_t len,
		struct lath_rpc_fault *fault);

/** Accepts a zeroed one. @thread any */
void lath_rpc_request_fini(struct lath_rpc_request *request);

/** A request; takes `params` (NULL: none). Caller frees; NULL when memory is short. @thread any */
json_t *lath_rpc_request_make(json_int_t id, const char *method, json_t *params);

/** An answer; takes `result`, borrows `id` (NULL: null). @thread any */
json_t *lath_rpc_result_make(json_t *id, json_t *result);

/** An error; takes `data` (NULL: none), borrows `id` (NULL: null). @thread any */
json_t *lath_rpc_error_make(json_t *id, const struct lath_rpc_fault *fault, json_t *data);

/** A string; bytes that are no UTF-8 (a sentence cut inside a character) become '?'. NULL when
 *  memory is short. @thread any
 */
json_t *lath_rpc_text(const char *text);

/** {"code", "message", "data"}: the "error" member alone; takes `data`. @thread any */
json_t *lath_rpc_fault_json(const struct lath_rpc_fault *fault, json_t *data);

/** One line with its end, takes `message`; caller frees. NULL when memory is short. @thread any */
char *lath_rpc_encode(json_t *message, size_t *len);

/**
 * Reads an answer to request `id`. Exactly one of *result and *error is set on success (new
 * references); an error is an object with an integer "code" and a string "message". An answer
 * with id null is accepted as an error only. -EINVAL and `fault` for anything else. @thread any
 */
int lath_rpc_reply_parse(const char *line, size_t len, json_int_t id, json_t **result,
		json_t **error, struct lath_rpc_fault *fault);

/* ---- did you mean ------------------------------------------------------------------------- */

/** The nearest to `word` of the names offered so far. Zeroed but for `word`: none yet. */
struct lath_rpc_near {
	const char *word;
	const char *name; /* NULL: nothing near enough; borrowed from lath_rpc_near_offer() */
	unsigned distance;
};

/** Considers `name`, which must outlive `near`. @thread any */
void lath_rpc_near_offer(struct lath_rpc_near *near, const char *name);

/** `; did you mean "show.flows"?`, or "". Returns `out`. @thread any */
const char *lath_rpc_near_text(const struct lath_rpc_near *near, char out[LATH_RPC_NEAR_MAX]);
