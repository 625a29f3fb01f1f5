/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * The immutable model that workers read: configuration + health, compiled. The management core
 * builds one, publishes it (lath_snapshot) and frees it after a grace period. Consecutive models
 * share unchanged parts by reference count (counts are touched by the management core only).
 *
 * Objects are named by *stable index*: kept over reloads, reused only when no flow on any worker
 * holds it. Arrays are indexed by it and have NULL holes. Flow entries keep indexes, never
 * pointers.
 *
 * Reading functions are @thread any, allocate nothing, and cost no more than they say. Building
 * functions are at the end and are @thread mgmt.
 */
#pragma once

#include <lath_access.h>
#include <lath_config.h>
#include <lath_inet.h>

/** What flows name by stable index; also the rows of per-object counters. */
enum lath_object_kind {
	LATH_OBJECT_VPC,
	LATH_OBJECT_SERVICE,
	LATH_OBJECT_RULE,
	LATH_OBJECT_GROUP,
	LATH_OBJECT_TARGET,
	LATH_OBJECT_ATTACHMENT,
	LATH_OBJECT_KIND_COUNT,
};

#define LATH_MODEL_NONE UINT32_MAX
#define LATH_MODEL_PORTS_MAX 64
#define LATH_MODEL_ATTACHMENTS_MAX 4096
#define LATH_MODEL_ADDRESSES_MAX 16 /* gateway addresses an attachment may have */
#define LATH_MODEL_VLANS 4096       /* slot 0: untagged */
#define LATH_MODEL_HOST_VPC 0u      /* stable index of the host port's own VPC */

/** Why a flow must be looked at again: a right may have been lost (every flow), or a target is
 *  better left (UDP only: TCP stays where it is). Both count in one sequence, so a flow keeps one
 *  stamp: the higher of those that concern it.
 */
enum lath_generation {
	LATH_GENERATION_ACCESS,
	LATH_GENERATION_PICK,
	LATH_GENERATION_COUNT,
};

enum lath_target_state {
	LATH_TARGET_INITIAL, /* no result yet: traffic only while nobody in the group is healthy */
	LATH_TARGET_HEALTHY,
	LATH_TARGET_UNHEALTHY,
	LATH_TARGET_DRAINING, /* deregistered: no new flow, kept until the delay is over */
	LATH_TARGET_GONE,     /* the delay is over; kept while flows name it */
	/* As GONE or UNHEALTHY, and connectionTermination: flows are ended. Not while the group
	 * fails open (then UNHEALTHY). Also a removed target whose VPC is no more.
	 */
	LATH_TARGET_TERMINATED,
	LATH_TARGET_STATE_COUNT,
};

struct lath_model_route {
	struct lath_prefix prefix;
	struct lath_ip next_hop; /* family NONE: attached, the next hop is the address itself */
	uint32_t attachment;     /* stable index */
};

/** The far end of a tunnel, and the underlay's own address that it speaks to. */
struct lath_model_remote {
	struct lath_ip ip;
	struct lath_ip local;
};

/** What lies behind a remote. */
struct lath_model_behind {
	struct lath_prefix prefix;
	uint32_t remote;  /* index into remotes */
	uint32_t is_rest; /* 1: all that no other remote owns; `prefix` says nothing */
};

struct lath_model_attachment {
	uint32_t index;
	uint32_t vpc;                        /* of an underlay: one that no packet is from */
	uint16_t port;                       /* index into system.ports */
	uint16_t vlan;                       /* 0: untagged; with outer_vlan: the inner tag */
	uint16_t mtu;                        /* of the IP packet, bytes */
	uint16_t outer_vlan;                 /* 802.1ad tag around it; 0: none */
	uint16_t overhead;                   /* of a tunnel's headers around an inner IP packet */
	enum lath_config_tunnel_kind tunnel; /* NONE: what lies on a port */
	uint32_t underlay;                   /* of a tunnel: the attachment that carries it */
	uint32_t vni;
	struct lath_model_remote *remotes; /* by address */
	struct lath_model_behind *behind;  /* longest prefix first */
	uint32_t remote_count;
	uint32_t behind_count;
	uint64_t *endpoints; /* of a Gateway Load Balancer */
	uint32_t endpoint_count;
	bool inner_ethernet;
	bool is_underlay;
	uint16_t health_port; /* of an underlay: answers load balancers' checks; 0: none */
	bool whole_way;       /* no frame that enters here is a plain packet: host port, underlay */
	bool return_to_sender;
	bool announce;
	bool is_host;                                           /* the host port */
	struct lath_prefix addresses[LATH_MODEL_ADDRESSES_MAX]; /* host bits kept */
	uint32_t address_count;
	char name[LATH_CONFIG_NAME_MAX];
};

/** A run of NAT addresses, host order. */
struct lath_model_nat_range {
	uint32_t first;
	uint32_t count;
};

/** The same of IPv6, network order. A prefix leaves out its own first address, which is the
 *  routers' anycast address when it is a subnet (RFC 4291 section 2.6.1). The first `count` - 1
 *  steps never carry beyond the last four bytes.
 */
struct lath_model_nat6_range {
	uint8_t first[16];
	uint32_t count;
};

struct lath_model_vpc {
	uint32_t index;
	uint64_t key; /* SHA-256 of the id: equal on every gateway */
	struct lath_prefix *prefixes;
	uint32_t prefix_count;
	struct lath_model_route *routes; /* longest prefix first */
	uint32_t route_count;
	struct lath_model_nat_range *nat_ranges;
	uint32_t nat_range_count;
	uint32_t nat_address_count; /* sum over nat_ranges */
	struct lath_model_nat6_range *nat6_ranges;
	uint32_t nat6_range_count;
	uint32_t nat6_address_count;
	struct lath_ip *own; /* the gateway's addresses on all of its attachments */
	uint32_t own_count;
	char id[LATH_CONFIG_ID_MAX];
	char name[LATH_CONFIG_NAME_MAX];
	char account[16];
};

struct lath_model_forward {
	uint32_t group; /* stable index */
	uint32_t weight;
	uint64_t key;
};

struct lath_model_rule {
	uint32_t index;
	uint32_t priority;           /* UINT32_MAX: the default action */
	struct lath_prefix *sources; /* any of these; none: everything */
	uint32_t source_count;
	struct lath_model_forward forwards[LATH_CONFIG_GROUPS_PER_ACTION_MAX];
	uint32_t forward_count;
	char name[LATH_CONFIG_NAME_MAX];
};

struct lath_model_listener {
	uint8_t proto;                 /* IPPROTO_TCP or IPPROTO_UDP */
	uint16_t port;                 /* host order */
	struct lath_model_rule *rules; /* by priority, default action last */
	uint32_t rule_count;
	char id[LATH_CONFIG_ID_MAX];
	char name[LATH_CONFIG_NAME_MAX];
};

struct lath_model_service {
	uint32_t index;
	uint64_t key;
	struct lath_ip addresses[2]; /* IPv4, IPv6; family NONE: none */
	struct lath_model_listener *listeners;
	uint32_t listener_count;
	uint32_t idle_timeout_s; /* 0: the gateway's */
	enum lath_config_refuse refuse;
	enum lath_config_echo icmp_echo;
	uint64_t *visible_vpcs; /* bit per VPC's stable index: an association leads there */
	uint32_t visible_words;
	char id[LATH_CONFIG_ID_MAX];
	char name[LATH_CONFIG_NAME_MAX];
	char account[16];
};

/** Which target a hash goes to: one Maglev table a group, shared between consecutive models while
 *  the group's eligible targets stay the same.
 */
struct lath_model_group {
	uint32_t index;
	uint64_t key;
	uint32_t *targets;     /* stable indexes of eligible targets, ordered by identity */
	uint32_t target_count; /* 0: no target at all */
	uint16_t *table;       /* table_size positions in `targets`; NULL for one target or none */
	uint32_t table_size;
	bool fail_open; /* nobody is healthy, so everybody is eligible */
	char id[LATH_CONFIG_ID_MAX];
	char name[LATH_CONFIG_NAME_MAX];
};

struct lath_model_target {
	uint32_t index;
	uint64_t key; /* SHA-256 over group id, VPC id, protocol, address, port */
	struct lath_ip ip;
	uint16_t port; /* host order */
	uint8_t proto; /* IPPROTO_TCP or IPPROTO_UDP */
	uint32_t vpc;
	uint32_t group;
	uint32_t weight;
	enum lath_target_state state;
	struct lath_ip check_ip;
	uint16_t check_port; /* 0: no health check */
};

/** How a packet entered that (port, VLAN) does not name an attachment for. */
enum lath_model_entrance {
	LATH_MODEL_ENTRANCE_VXLAN,    /* place: the underlay, id: the VNI */
	LATH_MODEL_ENTRANCE_GENEVE,   /* the same */
	LATH_MODEL_ENTRANCE_ENDPOINT, /* place: the underlay, id: a load balancer's endpoint */
	LATH_MODEL_ENTRANCE_TAGS,     /* place: the port, id: lath_model_tags() */
	LATH_MODEL_ENTRANCE_COUNT,
};

struct lath_model_entrance_map; /* entrance -> attachment, private to the library */
struct lath_model_address_map;  /* address -> services, private to the library */
struct lath_model_probe_set;    /* (VPC, address, port) that the host port may reach */

struct lath_model {
	uint64_t serial;         /* counts publications */
	uint64_t routing_serial; /* the publication that last changed attachments or routes */
	uint32_t generation[LATH_GENERATION_COUNT];
	/* By stable index, *_count long; NULL: no such object now. */
	struct lath_model_vpc **vpcs;
	struct lath_model_service **services;
	struct lath_model_group **groups;
	struct lath_model_target **targets;
	struct lath_model_attachment **attachments;
	uint32_t vpc_count;
	uint32_t service_count;
	uint32_t group_count;
	uint32_t target_count;
	uint32_t attachment_count;
	/* Generation at which each last lost something, by stable index. */
	uint32_t *service_lost[LATH_GENERATION_COUNT];
	uint32_t *vpc_lost;
	/* attachment_of[port][vlan]: stable index or LATH_MODEL_NONE; NULL: port without any. */
	uint32_t *attachment_of[LATH_MODEL_PORTS_MAX];
	/* A target is healthy or is not checked: what load balancers are told. */
	bool is_ready;
	uint16_t host_port; /* index of the host port, behind the configured ones; or UINT16_MAX */
	struct lath_prefix host_prefix; /* /64 */
	struct lath_model_entrance_map *entrances;
	struct lath_model_address_map *addresses;
	struct lath_model_probe_set *probes;
	const struct lath_access *access; /* who may call what */
	struct lath_config_timeouts timeouts;
	struct lath_config_limits limits;
	uint64_t hash_seed;
	uint32_t node;
	char sha256[65];
};

/* ---- reading ----------------------------------------------------------------------------- */

/** The attachment that a frame of `vlan` (0: untagged) on `port` belongs to, or NULL. O(1).
 *  @thread any
 */
static inline const struct lath_model_attachment *
lath_model_attachment_at(const struct lath_model *model, uint16_t port, uint16_t vlan)
{
	const uint32_t *row = model->attachment_of[port];

	if (row == NULL || row[vlan] == LATH_MODEL_NONE)
		return NULL;
	return model->attachments[row[vlan]];
}

/** Two tags as one number. */
static inline uint32_t
lath_model_tags(uint16_t outer_vlan, uint16_t vlan)
{
	return (uint32_t)outer_vlan << 12 | vlan;
}

/** The attachment of an entrance, or NULL. O(1). @thread any */
const struct lath_model_attachment *lath_model_enter(const struct lath_model *model,
		enum lath_model_entrance kind, uint32_t place, uint64_t id);

/** The remote of that address, or NULL. O(log remotes). @thread any */
const struct lath_model_remote *lath_model_remote(const struct lath_model_attachment *attachment,
		const struct lath_ip *ip);

/** The remote behind which the inner address lies, or NULL. @thread any */
const struct lath_model_remote *lath_model_remote_of(const struct lath_model_attachment *attachment,
		const struct lath_ip *inner);

/** True where neighbours are asked for: not inside a tunnel of bare IP, nor at the host port.
 *  @thread any
 */
static inline bool
lath_model_has_neighbors(const struct lath_model_attachment *attachment)
{
	return !attachment->is_host &&
			(attachment->tunnel == LATH_CONFIG_TUNNEL_NONE ||
					attachment->inner_ethernet);
}

/** True when an association leads from the VPC to the service. O(1). @thread any */
static inline bool
lath_model_service_visible(const struct lath_model_service *service, uint32_t vpc)
{
	uint32_t word = vpc / 64;

	return word < service->visible_words &&
			(service->visible_vpcs[word] >> (vpc % 64) & 1) != 0;
}

enum lath_model_found {
	LATH_MODEL_NO_SERVICE,  /* no service of that address is visible in this VPC */
	LATH_MODEL_NO_LISTENER, /* visible, but nothing listens there; *service is set */
	LATH_MODEL_FOUND,
};

/** Finds the listener that `vpc` means by an address, protocol and port (host order). For ICMP
 *  (proto 1) every visible service of the address counts as found and *listener is its first, or
 *  NULL. O(services that share the address). @thread any
 */
enum lath_model_found lath_model_find(const struct lath_model *model, uint32_t vpc,
		const struct lath_ip *ip, uint8_t proto, uint16_t port,
		const struct lath_model_service **service,
		const struct lath_model_listener **listener);

/** The first rule whose sources hold `client`; never NULL (the default action has
 *  none). @thread any
 */
const struct lath_model_rule *lath_model_match(const struct lath_model_listener *listener,
		const struct lath_ip *client);

/** Group by weighted rendezvous over those that have an eligible target, target by the group's
 *  table. NULL: no target at all. @thread any
 */
const struct lath_model_target *lath_model_pick(const struct lath_model *model,
		const struct lath_model_rule *rule, uint64_t hash,
		const struct lath_model_group **group);

/** True when `ip` lies in one of the VPC's prefixes. @thread any */
bool lath_model_vpc_holds(const struct lath_model_vpc *vpc, const struct lath_ip *ip);

/** Longest prefix over all attachments of the VPC, or NULL. @thread any */
const struct lath_model_route *lath_model_route(const struct lath_model_vpc *vpc,
		const struct lath_ip *ip);

/** NAT address number `i` of the VPC's pool, 0 <= i < nat_address_count, host order.
 *  @thread any
 */
uint32_t lath_model_nat_address(const struct lath_model_vpc *vpc, uint32_t i);

/** The same of IPv6, 0 <= i < nat6_address_count. @thread any */
struct lath_ip lath_model_nat6_address(const struct lath_model_vpc *vpc, uint32_t i);

/** How many NAT addresses of a family the VPC's pool has. @thread any */
static inline uint32_t
lath_model_nat_count(const struct lath_model_vpc *vpc, uint8_t family)
{
	return family == LATH_FAMILY_IPV6 ? vpc->nat6_address_count : vpc->nat_address_count;
}

/** True when `ip` is one of the VPC's NAT addresses. @thread any */
bool lath_model_vpc_has_nat(const struct lath_model_vpc *vpc, const struct lath_ip *ip);

/** True when `ip` is one of the gateway's own addresses on this attachment.
 *  @thread any
 */
bool lath_model_is_own(const struct lath_model_attachment *attachment, const struct lath_ip *ip);

/** The same on any attachment of the VPC. O(its own addresses). @thread any */
bool lath_model_vpc_owns(const struct lath_model_vpc *vpc, const struct lath_ip *ip);

/** True when the gateway answers ARP for `ip` on this attachment: own address, or a NAT address or
 *  visible service address that lies in an attached subnet (only where `announce`).
 *  @thread any
 */
bool lath_model_answers_arp(const struct lath_model *model,
		const struct lath_model_attachment *attachment, const struct lath_ip *ip);

/** True when the host port may open a connection to this address and port. O(1).
 *  @thread any
 */
bool lath_model_probe_allowed(const struct lath_model *model, uint32_t vpc,
		const struct lath_ip *ip, uint16_t port);

/* ---- building (management core) ---------------------------------------------------------- */

struct lath_registry;

/** Stable indexes of each kind. VPCs: one more than may be configured, for the host port's. */
struct lath_registry_limits {
	uint32_t max[LATH_OBJECT_KIND_COUNT];
};

/** Asked before an index is given to another object: does a flow on any worker still name it, or
 *  may a worker still make one from an older model? Also asked for a target that is GONE or
 *  TERMINATED before it leaves the model; the indexes of its group and VPC rest with it.
 */
typedef bool (*lath_registry_in_use_t)(void *ctx, enum lath_object_kind kind, uint32_t index);

/** What survives from one model to the next: stable indexes, chosen service addresses (kept in
 *  `state_directory`/addresses.json, "" = not kept), draining targets, generations. Caller frees.
 *  @thread mgmt
 */
struct lath_registry *lath_registry_create(const struct lath_registry_limits *limits,
		const char *state_directory, lath_registry_in_use_t in_use, void *in_use_ctx,
		struct lath_error *err);

/** Accepts NULL. @thread mgmt */
void lath_registry_free(struct lath_registry *registry);

/** Time for whoever builds: ticks for draining, seconds since 1970 for held addresses. */
struct lath_registry_now {
	lath_tick_t tick;
	int64_t wall_s;
};

/**
 * Takes a configuration in: gives indexes and addresses, starts and ends draining, works out who
 * lost what and raises generations. On error nothing has changed. `cfg` is not kept. One of the
 * same `sha256` (not empty) as last time is taken for the same configuration: then only health and
 * draining are looked at, so this is cheap enough for every health change.
 * `health[i]`: enum lath_target_state INITIAL, HEALTHY or UNHEALTHY by target index, `limits`
 * long; the registry resets the entry of an index that it gives to a new target to INITIAL (or to
 * HEALTHY where the group has no check).
 * @thread mgmt
 */
int lath_registry_update(struct lath_registry *registry, const struct lath_config *cfg,
		uint8_t *health, struct lath_registry_now now, struct lath_error *err);

/** Ticks until the registry changes by itself (a drain ends), from `now`; UINT32_MAX: never.
 *  @thread mgmt
 */
uint32_t lath_registry_next_change(const struct lath_registry *registry, lath_tick_t now);

/** A model of what lath_registry_update() last took in. Unchanged parts are shared with `prev`
 *  (of the same registry, node and allocator; NULL: none). NULL and errno when memory is short
 *  (ENOMEM) or nothing was taken in (EINVAL). @thread mgmt
 */
struct lath_model *lath_model_build(const struct lath_registry *registry,
		const struct lath_model *prev, const struct lath_allocator *allocator);

/** Drops the references; accepts NULL. @thread mgmt, after the grace period */
void lath_model_free(struct lath_model *model, const struct lath_allocator *allocator);

/** How many parts the two have in common (the same object at the same place).
 *  @thread mgmt
 */
unsigned lath_model_shared_parts(const struct lath_model *a, const struct lath_model *b);

/** How many parts a model has: objects, rows of attachment_of, the address map, the probe set.
 *  @thread mgmt
 */
unsigned lath_model_parts(const struct lath_model *model);

/** The stable index of a configured object by its position in `cfg` as last taken in, or
 *  LATH_MODEL_NONE. Targets: group position and target position in it. Attachments: VPC position
 *  and attachment position in it. Rules: service position and number of the rule counted over the
 *  service's listeners. Others: position and 0. @thread mgmt
 */
uint32_t lath_registry_index(const struct lath_registry *registry, enum lath_object_kind kind,
		uint32_t position, uint32_t position_in_parent);
