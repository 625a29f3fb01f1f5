/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * A compiled policy, and what compiling works with.
 *
 *   | header | statements | tests | items | Sids | text |
 *
 * Statements are sorted: those that deny come first. So the first that matches decides. A range is
 * a run of items: accounts, patterns or values.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "lath_policy.h"

struct range {
	uint32_t first;
	uint32_t count;
};

struct item {
	union {
		struct range text; /* in the text, without a terminator */
		int64_t number;    /* also an account or a truth value */
		struct lath_prefix prefix;
	};
};

enum key {
	KEY_SOURCE_VPC,
	KEY_SOURCE_ACCOUNT,
	KEY_PORT,
	KEY_SERVICE_ARN,
	KEY_NETWORK_ARN,
	KEY_SOURCE_IP,
	KEY_PRINCIPAL_TYPE,
	KEY_IS_AWS_SERVICE,
	KEY_COUNT,
};

/* What values of a key are; also which operators go with it. */
enum type {
	TYPE_TEXT,
	TYPE_ARN, /* operators of text as well */
	TYPE_NUMBER,
	TYPE_IP,
	TYPE_BOOL,
	TYPE_COUNT,
};

enum relation {
	RELATION_EQUAL,
	RELATION_EQUAL_CASELESS,
	RELATION_LIKE,
	RELATION_ARN_LIKE,
	RELATION_NUMBER_EQUAL,
	RELATION_LESS,
	RELATION_LESS_EQUAL,
	RELATION_GREATER,
	RELATION_GREATER_EQUAL,
	RELATION_IN_PREFIX,
	RELATION_BOOL,
	RELATION_NULL,
};

enum set {
	SET_NONE,
	SET_ANY, /* ForAnyValue: */
	SET_ALL, /* ForAllValues: */
};

struct test {
	struct range values;
	uint8_t key;      /* enum key */
	uint8_t relation; /* enum relation */
	uint8_t set;      /* enum set */
	bool negated;
	bool if_exists;
	uint8_t reserved[3];
};

struct statement {
	uint32_t number; /* in the document */
	bool denies;
	bool not_principal;
	bool not_resource;
	bool any_principal;
	struct range accounts;
	struct range resources;
	struct range tests;
};

struct lath_policy {
	uint32_t size;
	uint32_t statement_count;
	uint32_t document_count; /* statements in the document: some may never match */
	uint32_t statements;     /* offsets from the beginning */
	uint32_t tests;
	uint32_t items;
	uint32_t sids; /* by number in the document: where in the text */
	uint32_t text;
};

#define POLICY_AT(policy, type, offset) \
	((const type *)(const void *)((const char *)(policy) + (policy)->offset))

/* ---- word.c: the tables of the language ---------------------------------------------------- */

struct operator_word {
	const char *name;
	uint8_t type; /* enum type; TYPE_COUNT: any */
	uint8_t relation;
	bool negated;
};

struct key_word {
	const char *name;
	uint8_t type;
};

extern const struct key_word lath_policy_keys[KEY_COUNT];

/* KEY_COUNT when there is none of that name. */
enum key lath_policy_key_find(const char *name);

/* Reads "ForAnyValue:StringLikeIfExists" into `test`; NULL when it is none. */
const struct operator_word *lath_policy_operator_find(const char *name, struct test *test);

/* Names of what goes with a type, or of all: "A, B, C". */
void lath_policy_operators_list(enum type type, char *out, size_t len);
void lath_policy_keys_list(char *out, size_t len);

/* `, near: "X"` or "". */
const char *lath_policy_operator_near(const char *name, char out[64]);

/* ---- pattern.c ----------------------------------------------------------------------------- */

/* * for any run, ? for any one character. */
bool lath_policy_like(struct lath_policy_text pattern, struct lath_policy_text text);

/* The same for each of the six parts of an ARN by itself. */
bool lath_policy_arn_like(struct lath_policy_text pattern, struct lath_policy_text arn);
bool lath_policy_equal(struct lath_policy_text a, struct lath_policy_text b, bool caseless);

/* ---- compiling ----------------------------------------------------------------------------- */

/* A growing array. */
struct grown {
	void *at;
	uint32_t count;
	uint32_t capacity;
};

struct compile {
	struct lath_policy_complaint *why;
	struct grown statements;
	struct grown tests;
	struct grown items;
	struct grown text;
	struct grown sids;
	uint32_t document_count;
};

/* A value and the way to it; parents live on the callers' stacks. */
struct place {
	const struct place *parent;
	const char *key; /* NULL: an element */
	size_t index;
	const json_t *json;
};

/* Returns -EINVAL, so that `return lath_policy_refuse(...)` reads well. */
int lath_policy_refuse(struct compile *c, const struct place *place, const char *fmt, ...)
		LATH_PRINTF(3, 4);

/* The offending value as JSON, shortened. */
const char *lath_policy_value(const struct place *place, char out[80]);

/* A new zeroed element, or NULL. */
void *lath_policy_grow(struct grown *grown, size_t size, uint32_t count);
int lath_policy_add_item(struct compile *c, const struct item *item);

/* The place's own text, checked for length, control characters and variables; into the text. */
int lath_policy_add_text(struct compile *c, const struct place *place, struct range *range);

static inline struct place
member_of(const struct place *parent, const char *key)
{
	return (struct place){parent, key, 0, json_object_get(parent->json, key)};
}

/* Element i of a list, or the one value itself that stands for a list of one. */
static inline size_t
one_or_more(const struct place *place)
{
	return json_is_array(place->json) ? json_array_size(place->json) : 1;
}

static inline struct place
element_of(const struct place *place, size_t i)
{
	if (!json_is_array(place->json))
		return *place;
	return (struct place){place, NULL, i, json_array_get(place->json, i)};
}

/* principal.c, condition.c: parts of a statement. */
int lath_policy_read_principal(struct compile *c, const struct place *statement,
		struct statement *out);
int lath_policy_read_conditions(struct compile *c, const struct place *statement,
		struct statement *out);
