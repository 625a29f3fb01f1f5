/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * How a configuration becomes a model, in two steps.
 *
 *   configuration + health --lath_registry_update()--> draft --lath_model_build()--> model
 *
 * The *draft* is the registry's own, on the heap, once per process. It holds one *image* per
 * object: the object as it will lie in a model, with offsets from its beginning where the model has
 * pointers. An image whose content has not changed keeps its *stamp*, so a build (one per NUMA
 * node) copies only what has another stamp than the previous model's part, and shares the rest.
 *
 * An update works on a clone of the draft and replaces it as its last act: that is what makes it
 * transactional. Images are immutable and counted, so a clone costs copies of plain arrays.
 */
#pragma once

#include <lath_model.h>

/* ---- images ------------------------------------------------------------------------------ */

struct image {
	uint64_t stamp; /* equal stamps: equal content; the registry never uses one twice */
	uint32_t refs;
	uint32_t size; /* of bytes */
	uint8_t bytes[] LATH_ALIGNED(16);
};

/** Zeroed, one reference, stamp 0 (lath_model_image_settle gives it one); NULL when memory is short. */
struct image *lath_model_image_create(size_t size);
struct image *lath_model_image_get(struct image *image);
void lath_model_image_put(struct image *image);

/** Puts `fresh` (ownership taken) into `*place`, unless what lies there has the same content. */
void lath_model_image_settle(struct image **place, struct image *fresh, uint64_t *next_stamp);

/** Bytes that `count` elements take in an image. */
#define IMAGE_ROOM(count, element_size) (((size_t)(count) * (element_size) + 7) & ~(size_t)7)

/** Takes room for `count` elements at `*used`, writes its offset into the pointer `field` (NULL
 *  for none) and returns where the elements lie now.
 */
#define IMAGE_CARVE(image, used, field, count)                                         \
	((__typeof__(field))lath_model_image_carve((image), (used), &(field), (count), \
			sizeof(*(field))))
void *lath_model_image_carve(struct image *image, size_t *used, void *field, size_t count,
		size_t size);

/** Reads an array of an image through its offset. */
#define IMAGE_AT(image, field) \
	((const __typeof__(*(field)) *)(const void *)((image)->bytes + (uintptr_t)(field)))

static inline const void *
image_read(const struct image *image)
{
	return image->bytes;
}

/* ---- stable indexes ---------------------------------------------------------------------- */

/** What an object is known by: the first half of SHA-256 over its identity. */
struct digest {
	uint8_t bytes[16];
};

struct digester;

struct digester *lath_model_digester_create(void);
void lath_model_digester_free(struct digester *digester);

/** 0 or -EIO. */
int lath_model_digester_run(struct digester *digester, const char *text, struct digest *out);

/** The first 8 bytes, as lath_config_identity.key has them. */
uint64_t lath_model_digest_key(const struct digest *digest);

enum slot_use {
	SLOT_FREE,     /* never given */
	SLOT_RESERVED, /* never to be given */
	SLOT_LIVE,
	SLOT_KEPT,     /* a target that drains or is gone but may be named by flows */
	SLOT_RELEASED, /* rests; the same object gets it back, another one as late as possible */
};

struct slot {
	struct digest digest;
	uint64_t released; /* serial of the update that released it */
	uint64_t seen;     /* serial of the update that found it configured */
	uint32_t use;      /* enum slot_use */
	uint32_t reserved;
};

struct draft;

/** Gives every digest a stable index. fresh[i]: the object was not there (live or kept) before.
 *  What is configured no more is released; targets become SLOT_KEPT instead.
 */
int lath_model_slots_assign(struct draft *draft, enum lath_object_kind kind,
		const struct digest *digests, uint32_t count, uint32_t *indexes, bool *fresh,
		struct lath_error *err);

/* ---- the draft --------------------------------------------------------------------------- */

enum target_phase {
	TARGET_FREE,
	TARGET_LIVE,
	TARGET_DRAINING,
	TARGET_ENDED, /* the delay is over */
};

struct target_record {
	uint32_t phase;    /* enum target_phase */
	lath_tick_t until; /* DRAINING: when the delay is over */
	bool termination;  /* the group had connectionTermination when the target left it */
	bool terminated;   /* its flows are ended already */
};

struct group_record {
	bool check_enabled;
	bool termination;
	uint32_t delay_s;
};

/** A service whose rules forward to a group now, or did while the group's targets lasted. */
struct forward_pair {
	uint32_t group;
	uint32_t service;
};

#define ADDRESS_IN_USE INT64_C(-1)

struct address_record {
	char service[LATH_CONFIG_ID_MAX];
	struct lath_ip ip;
	uint32_t reserved;
	int64_t released_s; /* since 1970; ADDRESS_IN_USE: the service exists */
};

/** Stable indexes by position in the configuration; images of uint32_t. */
struct positions {
	struct image *indexes;
	struct image *first; /* by parent: where its children begin, and the end; or NULL */
};

struct draft {
	struct lath_registry *registry;
	uint64_t serial;
	struct slot *slots[LATH_OBJECT_KIND_COUNT];
	uint32_t high[LATH_OBJECT_KIND_COUNT];         /* indexes ever given */
	struct image **images[LATH_OBJECT_KIND_COUNT]; /* by stable index; RULE: all NULL */
	struct image **group_heads;                    /* groups without targets and table */
	struct positions positions[LATH_OBJECT_KIND_COUNT];
	struct image *rows[LATH_MODEL_PORTS_MAX];
	struct image *entrances;
	struct image *address_map;
	struct image *probes;
	struct image *access;
	struct target_record *targets;
	struct group_record *groups;
	struct forward_pair *pairs; /* by group, then service */
	uint32_t pair_count;
	struct address_record *addresses; /* by service id, then family */
	uint32_t address_count;
	uint32_t generation[LATH_GENERATION_COUNT];
	uint32_t *service_lost[LATH_GENERATION_COUNT];
	uint32_t *vpc_lost;
	uint16_t host_port;
	struct lath_prefix host_prefix;
	struct lath_config_timeouts timeouts;
	struct lath_config_limits limits;
	uint64_t hash_seed;
	uint32_t node;
	char sha256[65];
};

struct lath_registry {
	struct lath_registry_limits limits;
	lath_registry_in_use_t in_use;
	void *in_use_ctx;
	uint64_t next_stamp;
	struct draft *draft;                  /* what was last taken in; serial 0: nothing yet */
	char directory[LATH_CONFIG_PATH_MAX]; /* of addresses.json; "": not kept */
};

struct draft *lath_model_draft_create(struct lath_registry *registry);
struct draft *lath_model_draft_clone(const struct draft *draft);
void lath_model_draft_free(struct draft *draft);

/** What the steps of one update share. */
struct update {
	struct draft *draft;
	const struct draft *old;
	const struct lath_config *cfg;
	struct digester *digester;
	struct lath_registry_now now;
	uint8_t *health; /* the caller's, replaced by what the update decides at its end */
	struct lath_ip (*addresses)[2]; /* by service position */
	uint64_t **visible;             /* by service position: bit per VPC index */
	uint32_t visible_words;
	struct lath_error *err;
};

/* Steps of an update, in this order; 0 or a negative errno with `err` filled. */
int lath_model_vpcs_take(struct update *u);
int lath_model_groups_take(struct update *u);
int lath_model_targets_take(struct update *u);
int lath_model_services_take(struct update *u);
int lath_model_probes_take(struct update *u);
int lath_model_access_take(struct update *u);
int lath_model_targets_drain(struct update *u);
int lath_model_groups_settle(struct update *u);
int lath_model_pairs_take(struct update *u);
void lath_model_generations_raise(struct update *u);

/** Chooses, keeps and checks service addresses; called by lath_model_services_take. */
int lath_model_addresses_take(struct update *u);
int lath_model_addresses_check(const struct update *u);
int lath_model_address_map_take(struct update *u);

/** Stable indexes of positions for one kind; `firsts` NULL for a kind without parent. */
int lath_model_positions_set(struct positions *positions, const uint32_t *indexes, uint32_t count,
		const uint32_t *firsts, uint32_t parent_count);
uint32_t lath_model_positions_get(const struct positions *positions, uint32_t position,
		uint32_t child);

/** Gives target `index` this state; a copy of its image is made only when it differs. */
int lath_model_target_set_state(struct draft *draft, uint32_t index, enum lath_target_state state);

/** Reads and writes addresses.json. A missing file is an empty one. */
int lath_model_ledger_read(const char *directory, struct address_record **records, uint32_t *count,
		struct lath_error *err);
int lath_model_ledger_write(const char *directory, const struct address_record *records,
		uint32_t count, struct lath_error *err);
int lath_model_address_record_compare(const void *a, const void *b);

struct nat_ranges {
	struct lath_model_nat_range *items;
	uint32_t count;
	uint32_t capacity;
	struct lath_model_nat6_range *items6;
	uint32_t count6;
};

/** Fills `ranges` (zeroed before); caller frees items and items6. 0 or -ENOMEM. */
int lath_model_nat_ranges_of_vpc(struct nat_ranges *ranges, const struct lath_config_vpc *vpc);

static inline const struct lath_model_target *
draft_target(const struct draft *draft, uint32_t index)
{
	return image_read(draft->images[LATH_OBJECT_TARGET][index]);
}

/** An attachment's image with room for its remotes; lath_model_tunnel_fill() fills that in. `underlay`:
 *  stable index of `wire`, the underlay's attachment.
 */
struct image *lath_model_attachment_image(const struct lath_config_attachment *cfg);
void lath_model_tunnel_fill(struct image *image, const struct lath_config_attachment *cfg,
		const struct lath_config_attachment *wire, uint32_t underlay);

/** The table of entrances, from the draft's attachments. */
int lath_model_entrances_take(struct update *u);

/* ---- flat tables of a model -------------------------------------------------------------- */

/** Open addressing; count 0: an empty slot. */
struct lath_model_address_slot {
	struct lath_ip ip;
	uint32_t first; /* in `services` */
	uint32_t count;
};

struct lath_model_address_map {
	uint32_t mask;
	uint32_t reserved;
	struct lath_model_address_slot *slots;
	uint32_t *services; /* stable indexes, by address, then key */
};

/** Open addressing; attachment_after 0: an empty slot. */
struct lath_model_entrance_slot {
	uint64_t id;
	uint32_t where;            /* place and kind */
	uint32_t attachment_after; /* stable index + 1 */
};

struct lath_model_entrance_map {
	uint32_t mask;
	uint32_t reserved;
	struct lath_model_entrance_slot *slots;
};

/** Open addressing; port 0: an empty slot. */
struct lath_model_probe_slot {
	struct lath_ip ip;
	uint32_t vpc;
	uint32_t port;
};

struct lath_model_probe_set {
	uint32_t mask;
	uint32_t reserved;
	struct lath_model_probe_slot *slots;
};

/* Where an address begins its search. The tables hold what is configured, so a sender can choose
 * where it looks but not how long the runs are: mixing is enough, no key is needed.
 */
static inline uint32_t
address_hash(const struct lath_ip *ip, uint64_t more)
{
	uint64_t words[2];
	uint64_t state;

	memcpy(words, ip->bytes, sizeof(words));
	state = words[0] ^ more;
	state = lath_random_next(&state) ^ words[1];
	return (uint32_t)lath_random_next(&state);
}

/** A power of two with at least half of the slots empty. */
static inline uint32_t
table_slots_for(uint32_t count)
{
	uint32_t slots = 4;

	while (slots < 2 * count)
		slots *= 2;
	return slots;
}
