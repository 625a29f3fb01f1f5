/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * The configuration as a person wrote it: files read, joined, checked and turned into plain
 * structures with every default filled in and every reference resolved to an array index. Knows
 * nothing of health, indexes or packets; lath_model turns it into what workers read.
 *
 * A configuration is immutable once loaded. Whoever loads it frees it with lath_config_free().
 */
#pragma once

#include <lath_acl.h>
#include <lath_inet.h>
#include <lath_policy.h>

#define LATH_CONFIG_NAME_MAX 136 /* a target group's name has up to 128 characters */
#define LATH_CONFIG_ID_MAX 48    /* "listener-" and 17 characters, with room */
#define LATH_CONFIG_ARN_MAX 256
#define LATH_CONFIG_DEVICE_MAX 256
#define LATH_CONFIG_PATH_MAX 256
#define LATH_CONFIG_GROUPS_PER_ACTION_MAX 10 /* service model 1.4 */
#define LATH_CONFIG_GROUPS_PER_GATE_MAX 5    /* security groups of an association: 1.8 */
#define LATH_CONFIG_PATH_PRIORITY 1000u      /* of an association that gives none */
#define LATH_CONFIG_NONE UINT32_MAX          /* no such index */

/** What every object has. `id` is given or derived: Lattice's prefix and 17 characters of
 *  SHA-256 over account, kind, parent and name. `pointer` says where it was written.
 */
struct lath_config_identity {
	char name[LATH_CONFIG_NAME_MAX];
	char account[16]; /* 12 digits */
	char id[LATH_CONFIG_ID_MAX];
	char arn[LATH_CONFIG_ARN_MAX];
	uint64_t key; /* first 8 bytes of SHA-256 of the id: what consistent hashing takes */
};

/* ---- system: needs a restart ------------------------------------------------------------- */

enum lath_config_idle {
	LATH_CONFIG_IDLE_ADAPTIVE,
	LATH_CONFIG_IDLE_POLL,
	LATH_CONFIG_IDLE_COUNT,
};

struct lath_config_port {
	char name[32];
	char device[LATH_CONFIG_DEVICE_MAX]; /* PCI address or vdev string with arguments */
	bool has_mac;
	struct lath_mac mac;
	uint32_t rx_descriptors; /* default 1024 */
	uint32_t tx_descriptors; /* default 1024 */
	uint16_t mtu;            /* largest MTU of its attachments, at least 1500 */
};

struct lath_config_system {
	struct lath_config_port *ports;
	uint32_t port_count;
	uint32_t worker_count;      /* 1..64, default 1 */
	uint32_t worker_cores[64];  /* CPU of each worker */
	uint32_t worker_core_count; /* 0: chosen at start; else == worker_count */
	uint32_t management_core;   /* CPU of the management core; LATH_CONFIG_NONE: chosen */
	enum lath_config_idle idle;
	bool allow_shared_cores;         /* poll although two lcores share a CPU */
	bool hugepages;                  /* default false: --no-huge */
	uint32_t memory_mib;             /* EAL memory; 0: as much as the rest needs */
	uint32_t flows_per_worker;       /* IPv4 both ways; 0: default by hugepages */
	uint32_t mixed_flows_per_worker; /* any other mix; default 1/16 of the above, >= 1,024 */
	uint32_t packet_buffers;         /* mbufs; 0: computed from ports and workers */
	uint32_t max_vpcs;               /* default 1,024; bounds per-VPC counters */
	uint32_t max_services;           /* default 4,096 */
	uint32_t max_groups;             /* default 4,096 */
	uint32_t max_targets;            /* default 16,384 */
	uint32_t max_neighbors;          /* per worker, default 4,096 */
	char admin_socket[108];          /* default /run/lath/admin.sock */
	char runtime_directory[LATH_CONFIG_PATH_MAX];  /* default /run/lath */
	char state_directory[LATH_CONFIG_PATH_MAX];    /* default /var/lib/lath */
	bool host_port_enabled;                        /* default true */
	char host_port_device[LATH_CONFIG_DEVICE_MAX]; /* default "net_tap" with an own name */
	char host_port_namespace[64];   /* named network namespace to keep it in; "": anonymous */
	struct lath_prefix host_prefix; /* /64, default fd6c:6174:6800::/64 */
};

/* ---- live -------------------------------------------------------------------------------- */

struct lath_config_gateway {
	char name[LATH_CONFIG_NAME_MAX]; /* default "gateway" */
	char account[16];                /* accountId, default 000000000000 */
	char partition[32];              /* default "aws" */
	char region[32];                 /* default "local-1" */
	uint64_t hash_seed;              /* default 0; equal on every gateway */
	uint32_t node; /* 0..255: owner of NAT addresses and flow ids, default 0 */
};

/** Seconds; ranges and origins in docs/configuration.md. */
struct lath_config_timeouts {
	uint32_t tcp_half_open_s;        /* 240: RFC 5382 REQ-5, RFC 7857 section 2.1 */
	uint32_t tcp_established_s;      /* 7440: RFC 5382 REQ-5 */
	uint32_t tcp_closing_s;          /* 240: RFC 7857 section 2.1 */
	uint32_t udp_unanswered_s;       /* 120: RFC 4787 REQ-5 */
	uint32_t udp_s;                  /* 300: RFC 4787 REQ-5c */
	uint32_t icmp_echo_s;            /* 60: RFC 5508 REQ-2 */
	uint32_t port_rest_s;            /* 2 */
	uint32_t port_rest_time_wait_s;  /* 60: the target sits in TIME_WAIT */
	uint32_t neighbor_s;             /* 30: a used neighbour is asked again after this */
	uint32_t service_address_hold_s; /* 86400 */
};

struct lath_config_limits {
	uint32_t refusals_per_second; /* per VPC: RSTs and ICMP errors made, default 1,000 */
	uint32_t punts_per_second;    /* per attachment: ARP seen by management, default 1,000 */
};

enum lath_config_return {
	LATH_CONFIG_RETURN_ROUTE,
	LATH_CONFIG_RETURN_SENDER,
	LATH_CONFIG_RETURN_COUNT,
};

enum lath_config_tunnel_kind {
	LATH_CONFIG_TUNNEL_NONE, /* a port and a VLAN */
	LATH_CONFIG_TUNNEL_VXLAN,
	LATH_CONFIG_TUNNEL_GENEVE,
	LATH_CONFIG_TUNNEL_GWLB, /* AWS's Gateway Load Balancer: GENEVE, the VPC by its endpoint */
	LATH_CONFIG_TUNNEL_KIND_COUNT,
};

/** The far end of a tunnel and what lies behind it. */
struct lath_config_remote {
	struct lath_ip ip;
	struct lath_prefix *prefixes; /* none: all that no other remote owns */
	uint32_t prefix_count;
};

struct lath_config_tunnel {
	enum lath_config_tunnel_kind kind;
	uint32_t underlay; /* index into underlays */
	uint32_t vni;
	bool inner_ethernet; /* else bare IP */
	struct lath_config_remote *remotes;
	uint32_t remote_count;
	uint64_t *endpoints; /* GWLB: vpce-... */
	uint32_t endpoint_count;
};

struct lath_config_attachment {
	char name[LATH_CONFIG_NAME_MAX];
	struct lath_config_tunnel tunnel;
	uint32_t port;                 /* index into system.ports; of a tunnel: the underlay's */
	uint16_t vlan;                 /* 1..4094; 0: untagged; with outer_vlan: the inner tag */
	uint16_t outer_vlan;           /* 802.1ad tag around it; 0: none */
	uint16_t mtu;                  /* 576..9600, default 1500 */
	struct lath_prefix *addresses; /* gateway's addresses with their subnet, host bits kept */
	uint32_t address_count;
	enum lath_config_return return_to;
	bool is_underlay;
	uint16_t health_port; /* of an underlay: where load balancers ask; 0: nowhere */
	bool announce; /* gratuitous ARP and proxy ARP; false where a fabric answers itself */
};

struct lath_config_route {
	struct lath_prefix prefix;
	struct lath_ip next_hop;
	uint32_t attachment; /* index into the VPC's attachments */
};

struct lath_config_vpc {
	struct lath_config_identity identity;
	struct lath_prefix *prefixes;
	uint32_t prefix_count;
	struct lath_prefix *nat_pool; /* empty: the gateway's own addresses there */
	uint32_t nat_pool_count;
	struct lath_config_attachment *attachments;
	uint32_t attachment_count;
	struct lath_config_route *routes;
	uint32_t route_count;
	uint32_t acl; /* index into acls; LATH_CONFIG_NONE: none */
};

/** Rules whose numbers are their places; `vpc` of a rule is an index into vpcs. */
struct lath_config_security_group {
	struct lath_config_identity identity;
	struct lath_acl_rule *rules;
	uint32_t rule_count;
};

/** In and out of the VPC that it is attached to. */
struct lath_config_acl {
	struct lath_config_identity identity;
	struct lath_acl_rule *inbound;
	struct lath_acl_rule *outbound;
	uint32_t inbound_count;
	uint32_t outbound_count;
};

/** `policy` is kept, and checked, where it is not asked as well. */
struct lath_config_auth {
	bool asks; /* authType AWS_IAM */
	struct lath_policy *policy;
};

struct lath_config_network {
	struct lath_config_identity identity;
	struct lath_config_auth auth;
};

struct lath_config_vpc_association {
	struct lath_config_identity identity;
	uint32_t network; /* index into networks */
	uint32_t vpc;
	uint32_t priority; /* of several paths to a service the lowest is used, then the name */
	uint32_t security_groups[LATH_CONFIG_GROUPS_PER_GATE_MAX]; /* indexes */
	uint32_t security_group_count;                             /* 0: the whole VPC may call */
};

struct lath_config_service_association {
	struct lath_config_identity identity;
	uint32_t network;
	uint32_t service;
};

struct lath_config_forward {
	uint32_t group;  /* index into groups */
	uint32_t weight; /* 0..999 */
};

struct lath_config_rule {
	struct lath_config_identity identity;
	uint32_t priority; /* 1..2000, lowest first; LATH_CONFIG_NONE: the default action */
	struct lath_prefix *sources; /* any of these; empty: everything */
	uint32_t source_count;
	struct lath_config_forward forwards[LATH_CONFIG_GROUPS_PER_ACTION_MAX];
	uint32_t forward_count;
};

enum lath_config_protocol {
	LATH_CONFIG_TCP,
	LATH_CONFIG_UDP,
	LATH_CONFIG_PROTOCOL_COUNT,
};

struct lath_config_listener {
	struct lath_config_identity identity;
	enum lath_config_protocol protocol;
	uint16_t port;
	struct lath_config_rule *rules; /* by priority; the last one is the default action */
	uint32_t rule_count;            /* at least 1 */
};

enum lath_config_refuse {
	LATH_CONFIG_REFUSE_ICMP,
	LATH_CONFIG_REFUSE_RESET,
	LATH_CONFIG_REFUSE_SILENT,
	LATH_CONFIG_REFUSE_COUNT,
};

enum lath_config_echo {
	LATH_CONFIG_ECHO_ANSWER,
	LATH_CONFIG_ECHO_FORWARD,
	LATH_CONFIG_ECHO_DROP,
	LATH_CONFIG_ECHO_COUNT,
};

struct lath_config_service {
	struct lath_config_identity identity;
	struct lath_ip addresses[2]; /* given; IPv4 first; family NONE: chosen from serviceCidrs */
	uint8_t address_places[2];   /* which element of the list each was */
	struct lath_config_listener *listeners;
	uint32_t listener_count;
	uint32_t idle_timeout_s; /* 0: the gateway's timeouts */
	enum lath_config_refuse refuse;
	enum lath_config_echo icmp_echo;
	bool revoked_finish; /* flows that lost their right go on to their end */
	struct lath_config_auth auth;
};

enum lath_config_check_protocol {
	LATH_CONFIG_CHECK_TCP,
	LATH_CONFIG_CHECK_HTTP,
	LATH_CONFIG_CHECK_HTTPS,
	LATH_CONFIG_CHECK_PROTOCOL_COUNT,
};

struct lath_config_health_check {
	bool enabled;
	enum lath_config_check_protocol protocol;
	uint16_t port; /* 0: the target's own */
	uint32_t interval_s;
	uint32_t timeout_s;
	uint32_t healthy_count;
	uint32_t unhealthy_count;
	char path[2049];
	char matcher[256]; /* "200", "200,202", "200-299" */
};

struct lath_config_target {
	struct lath_ip ip;
	uint16_t port;   /* the group's when not given */
	uint32_t weight; /* 0..999, default 1 */
	char pointer[128];
};

struct lath_config_group {
	struct lath_config_identity identity;
	enum lath_config_protocol protocol;
	uint32_t vpc;
	uint8_t family; /* enum lath_family, ipAddressType */
	uint16_t port;
	struct lath_config_health_check health_check;
	struct lath_config_target *targets;
	uint32_t target_count;
	uint32_t deregistration_delay_s; /* 0..3600, default 60 */
	bool connection_termination;
};

struct lath_config {
	struct lath_config_system system;
	struct lath_config_gateway gateway;
	struct lath_config_timeouts timeouts;
	struct lath_config_limits limits;
	struct lath_prefix *service_cidrs; /* default 198.18.0.0/16 and fd6c:6174:6801::/64 */
	uint32_t service_cidr_count;
	struct lath_config_vpc *underlays; /* without prefixes; one attachment each */
	uint32_t underlay_count;
	struct lath_config_vpc *vpcs;
	uint32_t vpc_count;
	struct lath_config_security_group *security_groups;
	uint32_t security_group_count;
	struct lath_config_acl *acls;
	uint32_t acl_count;
	struct lath_config_network *networks;
	uint32_t network_count;
	struct lath_config_vpc_association *vpc_associations;
	uint32_t vpc_association_count;
	struct lath_config_service_association *service_associations;
	uint32_t service_association_count;
	struct lath_config_service *services;
	uint32_t service_count;
	struct lath_config_group *groups;
	uint32_t group_count;
	char sha256[65];        /* of the canonical joined configuration, hex */
	char system_sha256[65]; /* of its `system` part: differs = restart */
	char *json;             /* the joined configuration, canonical JSON text */
	char **warnings;        /* sentences for `check` and the log */
	uint32_t warning_count;
};

/**
 * Reads `path` and what it includes, checks everything that can be checked without a running
 * gateway and returns the configuration; caller frees. NULL on error: `err` says file, line, JSON
 * pointer, value and what is accepted.
 * @thread any
 */
struct lath_config *lath_config_load(const char *path, struct lath_error *err);

/**
 * The same from text in memory (an `apply` over the admin socket). `name` stands for the file in
 * messages; `include` is refused.
 * @thread any
 */
struct lath_config *lath_config_parse(const char *text, size_t len, const char *name,
		struct lath_error *err);

/** Bytes of outer and tunnel headers around an inner IP packet to a remote of this family.
 *  @thread any
 */
uint16_t lath_config_tunnel_overhead(const struct lath_config_tunnel *tunnel, uint8_t family);

/** "vxlan". @thread any */
const char *lath_config_tunnel_word(enum lath_config_tunnel_kind kind);

/** Accepts NULL. @thread any */
void lath_config_free(struct lath_config *cfg);
