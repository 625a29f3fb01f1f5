/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* A call's way: lath_admin_start() finds the row of the method table and checks the names of the
 * parameters; the method ends it by lath_admin_finish() or lath_admin_fail(), at once or, where
 * workers must be asked, later. Both answer, log what changed something, and free the call.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lath_log.h>

#include "admin_private.h"

LATH_LOG_REGISTER(admin);

struct lath_admin *
lath_admin_create_with(struct event_base *base, struct lath_control *control,
		const struct lath_admin_options *options, const struct lath_admin_methods *methods,
		struct lath_error *err)
{
	struct lath_admin *admin = calloc(1, sizeof(*admin));
	int rc = 0;

	if (admin == NULL) {
		lath_error_set(err, "", "memory is short for the admin socket");
		return lath_null(ENOMEM);
	}
	admin->base = base;
	admin->control = control;
	admin->methods = methods;
	admin->options = *options;
	admin->fd = -1;
	admin->started = options->now(options->now_ctx);
	LIST_INIT(&admin->calls);
	STAILQ_INIT(&admin->listings);
	LIST_INIT(&admin->connections);
	if (options->path != NULL)
		rc = lath_admin_listen(admin, options->mode == 0 ? 0660 : options->mode, err);
	if (rc == 0)
		return admin;
	lath_admin_free(admin);
	return lath_null(-rc);
}

struct lath_admin *
lath_admin_create(struct event_base *base, struct lath_control *control,
		const struct lath_admin_options *options, struct lath_error *err)
{
	return lath_admin_create_with(base, control, options, &lath_admin_methods, err);
}

void
lath_admin_free(struct lath_admin *admin)
{
	struct lath_admin_connection *connection;

	if (admin == NULL)
		return;
	while ((connection = LIST_FIRST(&admin->connections)) != NULL)
		lath_admin_connection_close(connection);
	lath_admin_listings_end(admin);
	lath_admin_unlisten(admin);
	lath_admin_positions_fini(admin);
	free(admin);
}

/* True when `key` is one of the blank-separated `names`. */
static bool
is_named(const char *names, const char *key)
{
	size_t len = strlen(key);

	for (const char *at = names; *at != '\0';) {
		size_t word = strcspn(at, " ");

		if (word == len && memcmp(at, key, len) == 0)
			return true;
		at += word + (at[word] == ' ' ? 1 : 0);
	}
	return false;
}

static bool
check_names(struct lath_admin_call *call)
{
	const char *key;
	json_t *value;

	json_object_foreach(call->params, key, value) {
		if (is_named(call->method->params, key))
			continue;
		lath_admin_fail(call, LATH_RPC_INVALID_PARAMS, NULL,
				"%s has no parameter \"%.64s\"; it has: %s", call->method->name,
				key,
				call->method->params[0] == '\0' ? "none" : call->method->params);
		return false;
	}
	return true;
}

static const struct lath_admin_method *
find_method(const struct lath_admin_methods *methods, struct lath_rpc_near *near)
{
	for (unsigned i = 0; i < methods->count; i++) {
		if (strcmp(methods->rows[i].name, near->word) == 0)
			return &methods->rows[i];
		lath_rpc_near_offer(near, methods->rows[i].name);
	}
	return NULL;
}

void
lath_admin_start(struct lath_admin *admin, const char *name, const json_t *params,
		struct lath_admin_peer peer, lath_admin_done_t done, void *ctx)
{
	struct lath_rpc_near near = {.word = name};
	const struct lath_admin_method *method = find_method(admin->methods, &near);
	struct lath_admin_call *call = calloc(1, sizeof(*call));
	char text[LATH_RPC_NEAR_MAX];

	LATH_ASSERT_ROLE(MGMT);
	if (call == NULL) {
		done(ctx, NULL, NULL);
		return;
	}
	*call = (struct lath_admin_call){
			.admin = admin,
			.control = admin->control,
			.method = method,
			.params = params == NULL ? json_object()
						 : json_incref((json_t *)(uintptr_t)params),
			.now = admin->options.now(admin->options.now_ctx),
			.peer = peer,
			.done = done,
			.ctx = ctx,
	};
	LIST_INSERT_HEAD(&admin->calls, call, next);
	if (method == NULL)
		lath_admin_fail(call, LATH_RPC_METHOD_NOT_FOUND, NULL,
				"there is no method \"%s\"%s", name,
				lath_rpc_near_text(&near, text));
	else if (call->params == NULL)
		lath_admin_finish(call, NULL);
	else if (check_names(call))
		method->run(call);
}

void
lath_admin_forget(struct lath_admin *admin, const void *ctx)
{
	struct lath_admin_call *call;

	/* A listing goes on to its end: control could not begin another before that anyway. */
	LIST_FOREACH(call, &admin->calls, next)
	{
		if (call->ctx == ctx)
			call->done = NULL;
	}
}

void
lath_admin_call(struct lath_admin *admin, const char *method, const json_t *params,
		lath_admin_done_t done, void *ctx)
{
	lath_admin_start(admin, method, params, (struct lath_admin_peer){0}, done, ctx);
}

static bool
is_change(const struct lath_admin_call *call)
{
	return call->method != NULL && call->method->kind == LATH_ADMIN_CHANGE;
}

static void
end(struct lath_admin_call *call, json_t *result, json_t *error)
{
	LIST_REMOVE(call, next);
	if (call->done != NULL)
		call->done(call->ctx, result, error);
	json_decref(result);
	json_decref(error);
	json_decref(call->params);
	free(call);
}

void
lath_admin_finish(struct lath_admin_call *call, json_t *result)
{
	if (result == NULL ||
			json_object_set_new(result, "schemaVersion",
					json_integer(LATH_ADMIN_SCHEMA_VERSION)) != 0) {
		json_decref(result);
		lath_admin_fail(call, LATH_RPC_INTERNAL, NULL, "memory is short");
		return;
	}
	if (is_change(call))
		LATH_LOG(NOTICE, "%s done uid=%u pid=%d", call->method->name,
				(unsigned)call->peer.uid, (int)call->peer.pid);
	end(call, result, NULL);
}

void
lath_admin_fail(struct lath_admin_call *call, enum lath_rpc_code code, json_t *data,
		const char *fmt, ...)
{
	struct lath_rpc_fault fault = {.code = code};
	va_list args;

	va_start(args, fmt);
	vsnprintf(fault.text, sizeof(fault.text), fmt, args);
	va_end(args);
	if (is_change(call))
		LATH_LOG(NOTICE, "%s refused: %s uid=%u pid=%d", call->method->name, fault.text,
				(unsigned)call->peer.uid, (int)call->peer.pid);
	end(call, NULL, lath_rpc_fault_json(&fault, data));
}

void
lath_admin_fail_config(struct lath_admin_call *call, const struct lath_error *err)
{
	char text[sizeof(err->file) + sizeof(err->pointer) + sizeof(err->text) + 32];
	json_t *data = json_object();

	lath_admin_put_text(data, "file", err->file);
	lath_admin_put_u64(data, "line", err->line);
	lath_admin_put_text(data, "pointer", err->pointer);
	lath_admin_put_text(data, "text", err->text);
	lath_error_format(err, text, sizeof(text));
	lath_admin_fail(call, LATH_RPC_REFUSED, data, "%s", text);
}
