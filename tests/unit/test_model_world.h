/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * A gateway for tests of the model: a JSON document that a test edits, the registry that takes it
 * in, the health of its targets and the model of now. Single quotes stand for double ones.
 */
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include <lath_model.h>

#include "lath_test.h"

#define WORLD_TARGETS_MAX 65536u

struct world {
	json_t *doc;
	struct lath_registry *registry;
	struct lath_config *cfg;
	struct lath_model *model;
	struct lath_registry_now now;
	struct lath_registry_limits limits;
	struct lath_error err;
	char directory[64]; /* state; "": not kept */
	uint8_t health[WORLD_TARGETS_MAX];
	bool in_use[LATH_OBJECT_KIND_COUNT];   /* every index of a kind */
	void (*edit)(struct lath_config *cfg); /* what the loader would refuse; NULL: nothing */
};

/* Two VPCs with the same addresses and one without service, two services in one network. */
#define WORLD_BASE                                                                            \
	"{'formatVersion': 1,"                                                                \
	" 'system': {'ports': [{'name': 'p0', 'device': 'net_tap0,iface=a'},"                 \
	"                      {'name': 'p1', 'device': 'net_tap1,iface=b'}]},"               \
	" 'vpcs': ["                                                                          \
	"  {'name': 'blue', 'prefixes': ['10.0.0.0/16'], 'attachments': ["                    \
	"    {'name': 'b0', 'port': 'p0', 'vlan': 10, 'addresses': ['10.0.0.1/24']},"         \
	"    {'name': 'b1', 'port': 'p0', 'vlan': 11, 'addresses': ['10.0.1.1/24'],"          \
	"     'mtu': 9001}],"                                                                 \
	"   'routes': [{'prefix': '10.0.0.0/16', 'nextHop': '10.0.0.254'},"                   \
	"              {'prefix': '10.0.2.0/24', 'nextHop': '10.0.1.254'}]},"                 \
	"  {'name': 'red', 'prefixes': ['10.0.0.0/24'], 'natPool': ['10.0.0.240/29'],"        \
	"   'attachments': [{'name': 'r0', 'port': 'p1', 'addresses': ['10.0.0.1/24']}]},"    \
	"  {'name': 'grey', 'prefixes': ['10.0.0.0/24'],"                                     \
	"   'attachments': [{'name': 'g0', 'port': 'p1', 'vlan': 7,"                          \
	"                    'addresses': ['10.0.0.1/24', '192.0.2.1/28'],"                   \
	"                    'announce': false}]}],"                                          \
	" 'securityGroups': [{'name': 'some', 'inbound': [{'protocol': 'tcp'}]},"             \
	"                    {'name': 'other'}],"                                             \
	" 'networkAcls': [{'name': 'edge'}],"                                                 \
	" 'serviceNetworks': [{'name': 'net'}],"                                              \
	" 'vpcAssociations': ["                                                               \
	"  {'serviceNetworkIdentifier': 'net', 'vpcIdentifier': 'blue'}],"                    \
	" 'serviceAssociations': ["                                                           \
	"  {'serviceNetworkIdentifier': 'net', 'serviceIdentifier': 'web'},"                  \
	"  {'serviceNetworkIdentifier': 'net', 'serviceIdentifier': 'dns'}],"                 \
	" 'services': ["                                                                      \
	"  {'name': 'web', 'listeners': [{'name': 'http', 'protocol': 'TCP', 'port': 80,"     \
	"    'rules': [{'name': 'near', 'priority': 10,"                                      \
	"               'match': {'sourcePrefixes': ['10.0.0.0/25', '10.0.1.0/24']},"         \
	"               'action': {'forward': {'targetGroups': ["                             \
	"                 {'targetGroupIdentifier': 'one'}]}}}],"                             \
	"    'defaultAction': {'forward': {'targetGroups': ["                                 \
	"      {'targetGroupIdentifier': 'one', 'weight': 30},"                               \
	"      {'targetGroupIdentifier': 'two', 'weight': 10}]}}}]},"                         \
	"  {'name': 'dns', 'listeners': [{'name': 'dns', 'protocol': 'UDP', 'port': 53,"      \
	"    'defaultAction': {'forward': {'targetGroups': ["                                 \
	"      {'targetGroupIdentifier': 'udp'}]}}}]}],"                                      \
	" 'targetGroups': ["                                                                  \
	"  {'name': 'one', 'type': 'IP', 'config': {'port': 8080, 'protocol': 'TCP',"         \
	"    'vpcIdentifier': 'red'},"                                                        \
	"   'targets': [{'id': '10.0.0.5'}, {'id': '10.0.0.6', 'weight': 3},"                 \
	"               {'id': '10.0.0.7', 'port': 8081}, {'id': '10.0.0.8', 'weight': 0}]}," \
	"  {'name': 'two', 'type': 'IP', 'config': {'port': 8080, 'protocol': 'TCP',"         \
	"    'vpcIdentifier': 'red'}, 'connectionTermination': true,"                         \
	"   'deregistrationDelaySeconds': 5,"                                                 \
	"   'targets': [{'id': '10.0.0.9'}, {'id': '10.0.0.10'}]},"                           \
	"  {'name': 'udp', 'type': 'IP', 'config': {'port': 53, 'protocol': 'UDP',"           \
	"    'vpcIdentifier': 'red'}, 'targets': [{'id': '10.0.0.5'}]}]}"

static inline bool
world_in_use(void *ctx, enum lath_object_kind kind, uint32_t index)
{
	struct world *world = ctx;

	(void)index;
	return world->in_use[kind];
}

static inline json_t *
world_json(const char *text)
{
	json_error_t why;
	char *copy = strdup(text);
	json_t *json;

	for (char *at = copy; *at != '\0'; at++) {
		if (*at == '\'')
			*at = '"';
	}
	json = json_loads(copy, JSON_DECODE_ANY, &why);
	if (json == NULL)
		fail_msg("%s near %d: %s", why.text, why.position, copy);
	free(copy);
	return json;
}

/* The container of the last name of a pointer like "/services/0/name". */
static inline json_t *
world_parent(struct world *world, const char *pointer, char last[128])
{
	json_t *json = world->doc;
	char copy[256];
	char *save = NULL;
	char *name;
	char *next;

	snprintf(copy, sizeof(copy), "%s", pointer);
	name = strtok_r(copy, "/", &save);
	for (; (next = strtok_r(NULL, "/", &save)) != NULL; name = next) {
		json = json_is_array(json) ? json_array_get(json, (size_t)atoi(name))
					   : json_object_get(json, name);
		assert_non_null(json);
	}
	snprintf(last, 128, "%s", name);
	return json;
}

/* ---- edits ------------------------------------------------------------------------------- */

static inline void
world_set(struct world *world, const char *pointer, const char *text)
{
	char last[128];
	json_t *parent = world_parent(world, pointer, last);

	if (json_is_array(parent))
		assert_int_equal(0,
				json_array_set_new(parent, (size_t)atoi(last), world_json(text)));
	else
		assert_int_equal(0, json_object_set_new(parent, last, world_json(text)));
}

static inline void
world_remove(struct world *world, const char *pointer)
{
	char last[128];
	json_t *parent = world_parent(world, pointer, last);

	if (json_is_array(parent))
		assert_int_equal(0, json_array_remove(parent, (size_t)atoi(last)));
	else
		assert_int_equal(0, json_object_del(parent, last));
}

static inline void
world_add(struct world *world, const char *pointer, const char *text)
{
	char last[128];
	json_t *parent = world_parent(world, pointer, last);
	json_t *list = json_is_array(parent) ? json_array_get(parent, (size_t)atoi(last))
					     : json_object_get(parent, last);

	assert_int_equal(0, json_array_append_new(list, world_json(text)));
}

/* Another service in the place of one of the base, seen by the same VPCs. */
static inline void
world_rename_service(struct world *world, uint32_t position, const char *name)
{
	char pointer[64];
	char text[64];

	snprintf(text, sizeof(text), "'%s'", name);
	snprintf(pointer, sizeof(pointer), "/services/%u/name", position);
	world_set(world, pointer, text);
	snprintf(pointer, sizeof(pointer), "/serviceAssociations/%u/serviceIdentifier", position);
	world_set(world, pointer, text);
}

/* ---- life -------------------------------------------------------------------------------- */

static inline struct world *
world_create(const char *text, const char *directory)
{
	struct world *world = calloc(1, sizeof(*world));

	world->doc = world_json(text);
	world->now.wall_s = 1000000;
	world->limits.max[LATH_OBJECT_VPC] = 1025;
	world->limits.max[LATH_OBJECT_SERVICE] = 4096;
	world->limits.max[LATH_OBJECT_RULE] = 16384;
	world->limits.max[LATH_OBJECT_GROUP] = 4096;
	world->limits.max[LATH_OBJECT_TARGET] = WORLD_TARGETS_MAX;
	world->limits.max[LATH_OBJECT_ATTACHMENT] = LATH_MODEL_ATTACHMENTS_MAX;
	snprintf(world->directory, sizeof(world->directory), "%s", directory);
	return world;
}

static inline void
world_free(struct world *world)
{
	lath_model_free(world->model, &lath_heap);
	lath_registry_free(world->registry);
	lath_config_free(world->cfg);
	json_decref(world->doc);
	free(world);
}

/* The process ends and begins again with the same state directory. */
static inline void
world_restart(struct world *world)
{
	lath_model_free(world->model, &lath_heap);
	lath_registry_free(world->registry);
	world->model = NULL;
	world->registry = NULL;
	memset(world->health, 0, sizeof(world->health));
}

/* Takes the document and health in; the model is not built. */
static inline int
world_update(struct world *world)
{
	char *text = json_dumps(world->doc, 0);
	struct lath_config *cfg;
	int rc;

	memset(&world->err, 0, sizeof(world->err));
	cfg = lath_config_parse(text, strlen(text), "test", &world->err);
	free(text);
	if (cfg == NULL)
		fail_msg("%s: %s", world->err.pointer, world->err.text);
	if (world->edit != NULL)
		world->edit(cfg);
	if (world->registry == NULL)
		world->registry = lath_registry_create(&world->limits, world->directory,
				world_in_use, world, &world->err);
	if (world->registry == NULL) {
		lath_config_free(cfg);
		return -errno;
	}
	rc = lath_registry_update(world->registry, cfg, world->health, world->now, &world->err);
	if (rc < 0) {
		lath_config_free(cfg);
		return rc;
	}
	lath_config_free(world->cfg);
	world->cfg = cfg;
	return 0;
}

/* Takes in and builds; the previous model is returned, the caller frees it. */
static inline struct lath_model *
world_step(struct world *world)
{
	struct lath_model *prev = world->model;

	if (world_update(world) < 0)
		fail_msg("%s: %s", world->err.pointer, world->err.text);
	world->model = lath_model_build(world->registry, prev, &lath_heap);
	assert_non_null(world->model);
	return prev;
}

static inline void
world_apply(struct world *world)
{
	lath_model_free(world_step(world), &lath_heap);
}

/* The base, all targets healthy. */
static inline struct world *
world_base(void)
{
	struct world *world = world_create(WORLD_BASE, "");

	world_apply(world);
	memset(world->health, LATH_TARGET_HEALTHY, sizeof(world->health));
	world_apply(world);
	return world;
}

/* ---- looking ----------------------------------------------------------------------------- */

static inline uint32_t
world_index(const struct world *world, enum lath_object_kind kind, uint32_t position,
		uint32_t child)
{
	uint32_t index = lath_registry_index(world->registry, kind, position, child);

	assert_int_not_equal(LATH_MODEL_NONE, index);
	return index;
}

static inline const struct lath_model_vpc *
world_vpc(const struct world *world, uint32_t position)
{
	return world->model->vpcs[world_index(world, LATH_OBJECT_VPC, position, 0)];
}

static inline const struct lath_model_service *
world_service(const struct world *world, uint32_t position)
{
	return world->model->services[world_index(world, LATH_OBJECT_SERVICE, position, 0)];
}

static inline const struct lath_model_group *
world_group(const struct world *world, uint32_t position)
{
	return world->model->groups[world_index(world, LATH_OBJECT_GROUP, position, 0)];
}

static inline const struct lath_model_target *
world_target(const struct world *world, uint32_t group, uint32_t child)
{
	return world->model->targets[world_index(world, LATH_OBJECT_TARGET, group, child)];
}

static inline struct lath_ip
world_ip(const char *text)
{
	struct lath_ip ip;

	assert_int_equal(0, lath_ip_parse(text, &ip));
	return ip;
}

/* A fresh state directory in /tmp; remove with world_directory_remove(). */
static inline void
world_directory_create(char out[64])
{
	snprintf(out, 64, "/tmp/lath-test-model-XXXXXX");
	assert_non_null(mkdtemp(out));
}

static inline void
world_directory_remove(const char *directory)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/addresses.json", directory);
	unlink(path);
	assert_int_equal(0, rmdir(directory));
}
