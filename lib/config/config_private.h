/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Inside lath_config: the loader's state, nodes (a JSON value that knows where it was written)
 * and the typed readers. A reader leaves its output alone when the key is absent, so the caller
 * fills in defaults first. Every int function returns 0 or a negative errno with loader->err set;
 * all are @thread any.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <jansson.h>

#include "lath_config.h"

#define LATH_CONFIG_FILE_BYTES_MAX (64u << 20)
#define LATH_CONFIG_FILES_MAX 1024u
#define LATH_CONFIG_PLACE_MAX 320
#define LATH_CONFIG_VALUE_MAX 100
#define LATH_CONFIG_NEAR_MAX 3
#define LATH_CONFIG_NEAR_TEXT_MAX 480

/* Top-level lists that every file may hold a part of. */
enum lath_config_list {
	LATH_CONFIG_LIST_SERVICE_CIDRS,
	LATH_CONFIG_LIST_UNDERLAYS,
	LATH_CONFIG_LIST_VPCS,
	LATH_CONFIG_LIST_SECURITY_GROUPS,
	LATH_CONFIG_LIST_ACLS,
	LATH_CONFIG_LIST_NETWORKS,
	LATH_CONFIG_LIST_VPC_ASSOCIATIONS,
	LATH_CONFIG_LIST_SERVICE_ASSOCIATIONS,
	LATH_CONFIG_LIST_SERVICES,
	LATH_CONFIG_LIST_GROUPS,
	LATH_CONFIG_LIST_COUNT,
};

/* Top-level objects, written once in one of the files. */
enum lath_config_section {
	LATH_CONFIG_SECTION_SYSTEM,
	LATH_CONFIG_SECTION_GATEWAY,
	LATH_CONFIG_SECTION_TIMEOUTS,
	LATH_CONFIG_SECTION_LIMITS,
	LATH_CONFIG_SECTION_COUNT,
};

enum lath_config_kind {
	LATH_CONFIG_KIND_VPC,
	LATH_CONFIG_KIND_NETWORK,
	LATH_CONFIG_KIND_VPC_ASSOCIATION,
	LATH_CONFIG_KIND_SERVICE_ASSOCIATION,
	LATH_CONFIG_KIND_SERVICE,
	LATH_CONFIG_KIND_LISTENER,
	LATH_CONFIG_KIND_RULE,
	LATH_CONFIG_KIND_GROUP,
	LATH_CONFIG_KIND_SECURITY_GROUP,
	LATH_CONFIG_KIND_ACL,
	LATH_CONFIG_KIND_COUNT,
};

/* The text stays until loading ends: lines are found in it again. */
struct lath_config_file {
	char *path;
	char *text;
	size_t len;
	json_t *root;
	dev_t device;
	ino_t inode;
};

/* Where an element of a joined list was written. */
struct lath_config_place {
	uint32_t file;
	uint32_t index;
};

/* A place to complain about: a file and a JSON pointer into it. */
struct lath_config_at {
	uint32_t file;
	char pointer[256];
};

struct lath_config_loader {
	struct lath_config *cfg;
	struct lath_error err;
	struct lath_config_file *files;
	uint32_t file_count;
	uint32_t sections[LATH_CONFIG_SECTION_COUNT]; /* file of each; LATH_CONFIG_NONE: absent */
	struct lath_config_place *places[LATH_CONFIG_LIST_COUNT];
	uint32_t counts[LATH_CONFIG_LIST_COUNT];
	bool present[LATH_CONFIG_LIST_COUNT];
	json_t *ids[LATH_CONFIG_KIND_COUNT];   /* id -> "index file pointer" */
	json_t *names[LATH_CONFIG_KIND_COUNT]; /* "scope/name" -> "index file pointer" */
	json_t *plain[LATH_CONFIG_KIND_COUNT]; /* name -> index; -1: several */
	uint32_t target_count;
};

/* A JSON value and the way to it: parents live on the stack of the calling readers. */
struct lath_config_node {
	struct lath_config_loader *loader;
	const struct lath_config_node *parent; /* NULL: top level of its file */
	const char *key;                       /* member's name; NULL: an element of its parent */
	size_t index;                          /* element's index; SIZE_MAX: none */
	uint32_t file;
	json_t *json;
};

/* Candidates near a misspelt word, nearest first. */
struct lath_config_near {
	const char *word;
	const char *names[LATH_CONFIG_NEAR_MAX];
	unsigned distances[LATH_CONFIG_NEAR_MAX];
	unsigned count;
};

/* ---- load.c, join.c, locate.c ------------------------------------------------------------- */

/* Reads `path` (at most LATH_CONFIG_FILE_BYTES_MAX) and parses it into a new file. A file that is
 * already there is left out. `from` names the include, NULL for the first file.
 */
int lath_config_file_open(struct lath_config_loader *loader, const char *path,
		const struct lath_config_node *from);

/* Adds a file from `text` (takes ownership, also on failure). */
int lath_config_file_add(struct lath_config_loader *loader, const char *path, char *text,
		size_t len);

/* Opens what the first file includes. */
int lath_config_include(struct lath_config_loader *loader);

/* Checks the top level of every file and fills sections, places and counts. */
int lath_config_join(struct lath_config_loader *loader);

/* Writes the canonical JSON text of the joined files and its hashes. Cuts comments out of the
 * trees, so it comes last.
 */
int lath_config_canonical(struct lath_config_loader *loader);

/* The line (1..) of what `pointer` names in valid JSON, or of the nearest ancestor found. */
unsigned lath_config_locate(const char *text, size_t len, const char *pointer);

extern const char *const lath_config_list_keys[LATH_CONFIG_LIST_COUNT];
extern const char *const lath_config_section_keys[LATH_CONFIG_SECTION_COUNT];

/* ---- place.c ------------------------------------------------------------------------------ */

struct lath_config_at lath_config_at_node(const struct lath_config_node *node);

/* An element of a joined list and a pointer into it (printf format, "" for the element). */
struct lath_config_at lath_config_at_list(const struct lath_config_loader *loader,
		enum lath_config_list list, uint32_t index, const char *fmt, ...) LATH_PRINTF(4, 5);

/* "file:line (pointer)". */
const char *lath_config_place_text(const struct lath_config_loader *loader,
		const struct lath_config_at *at, char out[LATH_CONFIG_PLACE_MAX]);

/* Both return -EINVAL, so that `return lath_config_fail(...)` reads well. */
int lath_config_fail(const struct lath_config_node *node, const char *fmt, ...) LATH_PRINTF(2, 3);
int lath_config_fail_at(struct lath_config_loader *loader, const struct lath_config_at *at,
		const char *fmt, ...) LATH_PRINTF(3, 4);

/* Returns -ENOMEM. */
int lath_config_no_memory(struct lath_config_loader *loader);

/* Adds a sentence for `check` and the log: "file:line: pointer: text". */
int lath_config_warn(struct lath_config_loader *loader, const struct lath_config_at *at,
		const char *fmt, ...) LATH_PRINTF(3, 4);

/* ---- near.c ------------------------------------------------------------------------------- */

/* `candidate` must outlive `near`. */
void lath_config_near_offer(struct lath_config_near *near, const char *candidate);

/* `; near: "blue", "red"`, or "" without a candidate. */
const char *lath_config_near_text(const struct lath_config_near *near,
		char out[LATH_CONFIG_NEAR_TEXT_MAX]);

/* True when the nearest is so near that it is surely meant. */
bool lath_config_near_sure(const struct lath_config_near *near);

/* ---- read.c ------------------------------------------------------------------------------- */

/* The offending value as JSON, shortened. */
const char *lath_config_value(const json_t *json, char out[LATH_CONFIG_VALUE_MAX]);

/* The node must be an object with known keys ($schema and $comment are always known). */
int lath_config_read_keys(const struct lath_config_node *node, const char *const *keys,
		size_t key_count);

/* False when absent. */
bool lath_config_member(const struct lath_config_node *object, const char *key,
		struct lath_config_node *member);
int lath_config_need(const struct lath_config_node *object, const char *key,
		struct lath_config_node *member);
struct lath_config_node lath_config_element(const struct lath_config_node *list, size_t index);
struct lath_config_node lath_config_list_node(struct lath_config_loader *loader,
		enum lath_config_list list, uint32_t index);
bool lath_config_section_node(struct lath_config_loader *loader, enum lath_config_section section,
		struct lath_config_node *node);

int lath_config_read_u64(const struct lath_config_node *object, const char *key, uint64_t min,
		uint64_t max, uint64_t *out);
int lath_config_read_u32(const struct lath_config_node *object, const char *key, uint32_t min,
		uint32_t max, uint32_t *out);
int lath_config_read_u16(const struct lath_config_node *object, const char *key, uint16_t min,
		uint16_t max, uint16_t *out);
int lath_config_read_bool(const struct lath_config_node *object, const char *key, bool *out);

/* `out` has room for `max` characters and a terminator. */
int lath_config_read_text(const struct lath_config_node *object, const char *key, size_t min,
		size_t max, char *out);

/* An absolute path. */
int lath_config_read_path(const struct lath_config_node *object, const char *key, size_t max,
		char *out);

/* A word of `words`; `*out` becomes its index. */
int lath_config_read_word(const struct lath_config_node *object, const char *key,
		const char *const *words, size_t word_count, unsigned *out);

/* A list of min..max elements; `*list` is an empty node (json NULL) when absent. */
int lath_config_read_list(const struct lath_config_node *object, const char *key, size_t min,
		size_t max, struct lath_config_node *list);

/* Letters, digits and `others`, with neither of these at the ends: a port's or region's name. */
bool lath_config_is_word(const char *text, const char *others);

/* ---- address.c ---------------------------------------------------------------------------- */

/* The node's own value, of either family. */
int lath_config_read_prefix(const struct lath_config_node *node, struct lath_prefix *prefix);
int lath_config_read_ip(const struct lath_config_node *node, struct lath_ip *ip);

/* The same but for link-local addresses, which mean nothing beyond their link. */
int lath_config_read_host(const struct lath_config_node *node, struct lath_ip *ip);

/* A member that lists min..max prefixes; caller frees `*prefixes`, also on failure. */
int lath_config_read_prefixes(const struct lath_config_node *object, const char *key, size_t min,
		size_t max, struct lath_prefix **prefixes, uint32_t *count);

/* fe80::/10 */
bool lath_config_is_link_local(const struct lath_ip *ip);

/* NULL when a host may have the address, else why not ("multicast"). Link-local ones pass. */
const char *lath_config_ip_unusable(const struct lath_ip *ip);

/* NULL when `ip` may be a host of the subnet, else "network", "broadcast" or
 * "subnet-router anycast".
 */
const char *lath_config_subnet_reserves(const struct lath_prefix *host, const struct lath_ip *ip);

/* ---- identity.c --------------------------------------------------------------------------- */

/* The node's `name`, `account` and `id`, defaults and derivation. `parent` is NULL for objects of
 * their own, which may have an account. `name` (may be NULL) is the default name and `scope` (may
 * be NULL) stands for the parent in the derived id.
 */
struct lath_config_naming {
	enum lath_config_kind kind;
	const struct lath_config_identity *parent;
	const char *name;
	const char *scope;
};

int lath_config_identify(const struct lath_config_node *node,
		const struct lath_config_naming *naming, uint32_t index,
		struct lath_config_identity *identity);

/* The `account` member or the gateway's. */
int lath_config_read_account(const struct lath_config_node *node, char account[16]);

/* An id without a node: the default rule of a listener. */
void lath_config_derive(const struct lath_config *cfg, const struct lath_config_naming *naming,
		struct lath_config_identity *identity);

/* Resolves a required member (name, id or ARN) to an index. */
int lath_config_refer(const struct lath_config_node *object, const char *key,
		enum lath_config_kind kind, const char *account, uint32_t *out);

/* The same for a node that is the reference itself: an element of a list. */
int lath_config_refer_to(const struct lath_config_node *member, enum lath_config_kind kind,
		const char *account, uint32_t *out);

void lath_config_sha256(const char *text, size_t len, char hex[65]);

/* ---- one reader per section or list -------------------------------------------------------- */

int lath_config_read_system(struct lath_config_loader *loader);
int lath_config_read_gateway(struct lath_config_loader *loader);
int lath_config_read_underlays(struct lath_config_loader *loader);
int lath_config_read_vpcs(struct lath_config_loader *loader);
int lath_config_read_networks(struct lath_config_loader *loader);
int lath_config_read_groups(struct lath_config_loader *loader);
int lath_config_read_services(struct lath_config_loader *loader);
int lath_config_read_associations(struct lath_config_loader *loader);

/* Parts of an attachment or underlay: `port`, `addresses`; `routes` of a VPC or underlay. */
int lath_config_refer_port(const struct lath_config_node *node,
		struct lath_config_attachment *attachment);
int lath_config_read_addresses(const struct lath_config_node *node,
		struct lath_config_attachment *attachment);
int lath_config_read_routes(const struct lath_config_node *node, struct lath_config_vpc *vpc);

/* `vxlan` or `geneve` of an attachment, if there is one; its MTU, by that of the underlay. */
int lath_config_read_tunnel(const struct lath_config_node *node,
		struct lath_config_attachment *attachment, bool *found);
int lath_config_read_tunnel_mtu(const struct lath_config_node *node,
		struct lath_config_attachment *attachment);

int lath_config_read_acls(struct lath_config_loader *loader);
int lath_config_read_security_groups(struct lath_config_loader *loader);

/* `authType` and `authPolicy`. */
int lath_config_read_auth(const struct lath_config_node *node, struct lath_config_auth *auth);

/* `networkAclIdentifier` of a VPC; `securityGroupIds` and `priority` of an association. */
int lath_config_read_vpc_acl(const struct lath_config_node *node, struct lath_config_vpc *vpc);
int lath_config_read_gate(const struct lath_config_node *node,
		struct lath_config_vpc_association *association);

/* `protocol` of a listener or group: required, TCP or UDP. */
int lath_config_read_protocol(const struct lath_config_node *object,
		enum lath_config_protocol *out);

/* The group's `healthCheck`; defaults by protocol when absent. */
int lath_config_read_health(const struct lath_config_node *config, struct lath_config_group *group);

/* A rule's or listener's action. */
int lath_config_read_action(const struct lath_config_node *action, const char *account,
		enum lath_config_protocol protocol, struct lath_config_rule *rule);

/* ---- checks over everything ---------------------------------------------------------------- */

int lath_config_check_tunnels(struct lath_config_loader *loader);
int lath_config_check_vpcs(struct lath_config_loader *loader);
int lath_config_check_targets(struct lath_config_loader *loader);
int lath_config_check_visibility(struct lath_config_loader *loader);
int lath_config_check_warnings(struct lath_config_loader *loader);

/* NAT addresses of the VPC: its pool's, or the gateway's own there. */
uint64_t lath_config_pool_size(const struct lath_config_vpc *vpc, uint8_t family);
