/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Inside lath_admin: a call on its way from whoever asked to its method and back, what methods
 * share, and the socket's side. Everything is @thread mgmt.
 */
#pragma once

#include <sys/queue.h>
#include <time.h>

#include <lath_rpc.h>

#include "lath_admin.h"

#define LATH_ADMIN_PAGE_MAX 1000u
#define LATH_ADMIN_FLOWS_DEFAULT 100u

/* ---- calls -------------------------------------------------------------------------------- */

struct lath_admin_call;

enum lath_admin_kind {
	LATH_ADMIN_READ,
	LATH_ADMIN_CHANGE, /* logged at NOTICE */
	LATH_ADMIN_KIND_COUNT,
};

struct lath_admin_method {
	const char *name;
	enum lath_admin_kind kind;
	const char *params; /* names, separated by blanks */
	/* Ends by lath_admin_finish() or lath_admin_fail(), now or later. */
	void (*run)(struct lath_admin_call *call);
};

struct lath_admin_methods {
	const struct lath_admin_method *rows;
	unsigned count;
};

extern const struct lath_admin_methods lath_admin_methods;

#define LATH_ADMIN_METHOD(function, name, kind, params) \
	void lath_admin_##function(struct lath_admin_call *call);
#include "lath_admin_methods.def"
#undef LATH_ADMIN_METHOD

/** Who asks. */
struct lath_admin_peer {
	uid_t uid;
	pid_t pid;
};

/** On the heap from lath_admin_start() to lath_admin_finish() or lath_admin_fail(). */
struct lath_admin_call {
	LIST_ENTRY(lath_admin_call) next;
	struct lath_admin *admin;
	struct lath_control *control;
	const struct lath_admin_method *method;
	json_t *params; /* an object */
	struct lath_control_now now;
	struct lath_admin_peer peer;
	lath_admin_done_t done; /* NULL: whoever asked is gone */
	void *ctx;
};

LIST_HEAD(lath_admin_calls, lath_admin_call);

/** Listings of flows: one at a time, the others wait. */
struct lath_admin_listing;
STAILQ_HEAD(lath_admin_listings, lath_admin_listing);

struct lath_admin_connection;
LIST_HEAD(lath_admin_connections, lath_admin_connection);

struct lath_admin_files {
	bool known;
	char running[65]; /* sha256 that this was found for */
	struct timespec modified;
	off_t size;
	lath_tick_t checked;
	bool differ;
	bool broken; /* they would be refused: text says why */
	char text[512];
};

/** Where the configuration has what a stable index means. */
struct lath_admin_positions {
	const struct lath_config *cfg; /* found for these two */
	uint64_t serial;
	uint32_t *at[LATH_OBJECT_KIND_COUNT];
	uint32_t count[LATH_OBJECT_KIND_COUNT];
};

struct lath_admin {
	struct event_base *base;
	struct lath_control *control;
	const struct lath_admin_methods *methods;
	struct lath_admin_options options;
	struct lath_admin_calls calls;       /* that have not ended */
	struct lath_admin_listings listings; /* first: it runs */
	bool listing_runs;
	struct lath_admin_files files; /* do they say what runs? */
	struct lath_control_now started;
	struct lath_admin_positions positions;
	/* The socket. */
	char path[108];
	int fd;
	dev_t device; /* of the socket file, so that nobody else's is removed */
	ino_t inode;
	gid_t group;
	struct event *accept_event;
	struct event *pause_event; /* out of descriptors: accepting goes on later */
	struct lath_admin_connections connections;
	unsigned connection_count;
	bool refusal_logged;
	lath_tick_t refusal_tick; /* of the last one logged */
};

/** As lath_admin_create() with other methods (tests). */
struct lath_admin *lath_admin_create_with(struct event_base *base, struct lath_control *control,
		const struct lath_admin_options *options, const struct lath_admin_methods *methods,
		struct lath_error *err);

/** Finds the method, checks names of parameters, runs it. */
void lath_admin_start(struct lath_admin *admin, const char *method, const json_t *params,
		struct lath_admin_peer peer, lath_admin_done_t done, void *ctx);

/** Answers and frees the call. Takes `result`; NULL: memory was short. */
void lath_admin_finish(struct lath_admin_call *call, json_t *result);

/** Takes `data` (NULL: none). */
void lath_admin_fail(struct lath_admin_call *call, enum lath_rpc_code code, json_t *data,
		const char *fmt, ...) LATH_PRINTF(4, 5);

/** Fails with a configuration's mistake. */
void lath_admin_fail_config(struct lath_admin_call *call, const struct lath_error *err);

/** Whoever asked with this `ctx` is gone: their calls end unheard. */
void lath_admin_forget(struct lath_admin *admin, const void *ctx);

/** Fails every listing that waits or runs. */
void lath_admin_listings_end(struct lath_admin *admin);

/* ---- parameters: false when the call has been failed ---------------------------------------- */

bool lath_admin_param_text(struct lath_admin_call *call, const char *key, const char **text);
bool lath_admin_param_u32(struct lath_admin_call *call, const char *key, uint32_t min, uint32_t max,
		uint32_t *value);
bool lath_admin_param_bool(struct lath_admin_call *call, const char *key, bool *value);
bool lath_admin_param_ip(struct lath_admin_call *call, const char *key, struct lath_ip *ip);

/** Stable index by name, id or ARN; LATH_MODEL_NONE when not given. */
bool lath_admin_param_vpc(struct lath_admin_call *call, uint32_t *vpc);
bool lath_admin_param_service(struct lath_admin_call *call, uint32_t *service);

/** "10.0.0.5", "10.0.0.5:80", "[2001:db8::1]:80", each with "group/" in front if wanted. */
struct lath_admin_target_name {
	char group[LATH_CONFIG_NAME_MAX]; /* "": any */
	struct lath_ip ip;                /* family NONE: not given */
	uint16_t port;                    /* 0: any */
};

bool lath_admin_param_target(struct lath_admin_call *call, struct lath_admin_target_name *name);
bool lath_admin_target_is(const struct lath_model *model, const struct lath_model_target *target,
		const struct lath_admin_target_name *name);

/** Where a list goes on, and how long a page is. */
struct lath_admin_page {
	uint32_t at;    /* first element looked at */
	uint32_t limit; /* elements */
};

bool lath_admin_param_page(struct lath_admin_call *call, struct lath_admin_page *page);

/* ---- results: every function takes NULL for `object` and then does nothing, so that running out
 * of memory shows once, in lath_admin_finish(). ------------------------------------------------ */

void lath_admin_put(json_t *object, const char *key, json_t *value); /* takes value */
void lath_admin_put_text(json_t *object, const char *key, const char *text);
void lath_admin_put_u64(json_t *object, const char *key, uint64_t value);
void lath_admin_put_bool(json_t *object, const char *key, bool value);
void lath_admin_put_ip(json_t *object, const char *key, const struct lath_ip *ip); /* or null */
void lath_admin_put_mac(json_t *object, const char *key, const struct lath_mac *mac);
void lath_admin_append(json_t *array, json_t *value); /* takes value */
json_t *lath_admin_prefix(const struct lath_prefix *prefix);
json_t *lath_admin_prefixes(const struct lath_prefix *prefixes, uint32_t count);

/** {"items": array, "next": token or absent} under `key`: `at` where the next page begins, or
 *  LATH_MODEL_NONE. Takes `array`.
 */
json_t *lath_admin_list(const char *key, json_t *array, uint32_t at);

/** {"name", "id", "arn"} of a stable index, also of one that is no more. */
json_t *lath_admin_vpc_ref(struct lath_admin_call *call, uint32_t vpc);
json_t *lath_admin_service_ref(struct lath_admin_call *call, uint32_t service);
json_t *lath_admin_group_ref(struct lath_admin_call *call, uint32_t group);

/** name, id, arn, account of a configured object, put into `object`. */
void lath_admin_put_identity(json_t *object, const struct lath_config_identity *identity);

/** The configured object at a stable index, or NULL. */
const struct lath_config_vpc *lath_admin_config_vpc(struct lath_admin *admin, uint32_t vpc);
const struct lath_config_service *lath_admin_config_service(struct lath_admin *admin,
		uint32_t service);
const struct lath_config_group *lath_admin_config_group(struct lath_admin *admin, uint32_t group);
void lath_admin_positions_fini(struct lath_admin *admin);

/** Sums one object's counters over the workers into flows, flowsTotal, packets and bytes. */
void lath_admin_put_object_counters(json_t *object, const struct lath_control *control,
		enum lath_object_kind kind, uint32_t index);

/** Flows that name the object now, over all workers. */
uint64_t lath_admin_flows(const struct lath_control *control, enum lath_object_kind kind,
		uint32_t index);

const char *lath_admin_protocol(uint8_t proto);                    /* "TCP", ... */
const char *lath_admin_target_state(enum lath_target_state state); /* "healthy", ... */
const char *lath_admin_port_name(const struct lath_control *control, uint16_t port);

/** True when one of the service's rules forwards to the group. */
bool lath_admin_service_uses(const struct lath_model_service *service, uint32_t group);

/* ---- targets by group, counted once a call -------------------------------------------------- */

struct lath_admin_count {
	uint32_t total; /* initial, healthy, unhealthy */
	uint32_t healthy;
	uint32_t unhealthy;
};

/** By group's stable index; caller frees. NULL: memory is short. */
struct lath_admin_count *lath_admin_count_groups(const struct lath_model *model);

/** Sum over the distinct groups that the service's rules forward to. */
struct lath_admin_count lath_admin_count_service(const struct lath_model *model,
		const struct lath_model_service *service, const struct lath_admin_count *groups);

/* ---- NAT use ------------------------------------------------------------------------------- */

/** Flows that fit from one VPC's NAT addresses to one target of a family. */
uint64_t lath_admin_nat_capacity(const struct lath_control *control, uint32_t vpc, uint8_t family);

/* ---- what `status` warns of ------------------------------------------------------------------ */

struct lath_admin_report {
	struct lath_admin *admin;
	struct lath_control_now now;
	json_t *warnings; /* {"severity", "text"} */
	bool warning;
	bool critical;
};

void lath_admin_warn(struct lath_admin_report *report, bool critical, const char *fmt, ...)
		LATH_PRINTF(3, 4);

/** Everything that is not as it should be. */
void lath_admin_warn_all(struct lath_admin_report *report);

/* ---- the socket --------------------------------------------------------------------------- */

int lath_admin_listen(struct lath_admin *admin, mode_t mode, struct lath_error *err);
void lath_admin_unlisten(struct lath_admin *admin);

/** Who is at the other end, and whether they may come in: "" or why not. */
void lath_admin_peer_get(const struct lath_admin *admin, int fd, struct lath_admin_peer *peer,
		char why[256]);

/** Takes `fd`. A refusal `why` is sent before it is closed. */
void lath_admin_connection_open(struct lath_admin *admin, int fd,
		const struct lath_admin_peer *peer, const char *why);
void lath_admin_connection_close(struct lath_admin_connection *connection);
unsigned lath_admin_connections_of(const struct lath_admin *admin, uid_t uid);
