/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * A worker: the packet's way from receive to transmit, and what it shares with management.
 *
 *     receive -> parse -> classify (VPC) -> lookup -> admit (first packets) -> translate -> transmit
 *
 * One worker is one thread's; it shares nothing that is written. Management talks to it by the
 * model pointer and the command mailbox, and hears of it by counters, the event mailbox and the row
 * mailbox. Time is an argument: lath_worker_run() is one turn of the loop at `now`.
 */
#pragma once

#include <lath_adjacency.h>
#include <lath_bucket.h>
#include <lath_counters.h>
#include <lath_ethdev.h>
#include <lath_flow.h>
#include <lath_mailbox.h>
#include <lath_model.h>
#include <lath_nd.h>
#include <lath_owner.h>
#include <lath_snapshot.h>
#include <lath_snat.h>

struct rte_mbuf;
struct rte_mempool;
struct rte_ring;

#define LATH_WORKERS_MAX LATH_OWNER_WORKERS_MAX
#define LATH_BURST_MAX 32u

/** The reason under which a worker drops what was decided so; NONE: it is allowed. @thread any */
enum lath_drop lath_allow_reason(enum lath_access_outcome outcome);

/* ---- messages ----------------------------------------------------------------------------- */

enum lath_command_type {
	LATH_COMMAND_NEIGHBOR_SET,  /* attachment, ip, mac */
	LATH_COMMAND_NEIGHBOR_LOST, /* attachment, ip */
	LATH_COMMAND_ARP,           /* attachment, arp: send it */
	LATH_COMMAND_DISCOVERY,     /* attachment, discovery: send it */
	LATH_COMMAND_BUDGET,        /* vpc, budget: this worker's share */
	LATH_COMMAND_ROWS,          /* rows: begin to list flows */
	LATH_COMMAND_TYPE_COUNT,
};

/** Which flows to list; LATH_MODEL_NONE and family NONE mean any. */
struct lath_flow_filter {
	uint32_t vpc; /* client's or target's */
	uint32_t service;
	uint32_t target;
	uint32_t client_port; /* host order, LATH_MODEL_NONE: any */
	struct lath_ip client;
	struct lath_ip nat;
};

/** Management to worker. */
struct lath_command {
	uint32_t type; /* enum lath_command_type */
	uint32_t attachment;
	union {
		struct {
			struct lath_ip ip;
			struct lath_mac mac;
		} neighbor;
		struct {
			lath_be32_t sender_ip_be;
			lath_be32_t target_ip_be;
			struct lath_mac dst;
		} arp;
		struct {
			struct lath_ip src; /* all zero: detects a duplicate */
			struct lath_ip target;
			struct lath_mac eth_dst;
			uint8_t type; /* solicitation or advertisement of a neighbour, 0: report */
			bool to_one;  /* to `eth_dst`, else to those whom it concerns */
		} discovery;
		struct {
			uint32_t vpc;
			uint32_t refusals_per_second;
		} budget;
		struct {
			struct lath_flow_filter filter;
			uint32_t request; /* echoed in every row */
			uint32_t pool;    /* enum lath_flow_pool_kind: where to go on */
			uint32_t cursor;
			uint32_t limit; /* rows */
		} rows;
	};
} LATH_ALIGNED(8);

enum lath_event_type {
	LATH_EVENT_NEIGHBOR_WANTED, /* attachment, ip */
	LATH_EVENT_NEIGHBOR_USED,   /* attachment, ip: still sent to */
	LATH_EVENT_ARP,             /* attachment, arp: seen on the wire */
	LATH_EVENT_QUERY,           /* attachment: who listens? */
	LATH_EVENT_DISCOVERY,       /* attachment, discovery: seen on the wire */
	LATH_EVENT_WRONG_WORKER,    /* port: 16 compared packets in a row that RSS put wrong */
	LATH_EVENT_NAT_NEARLY_FULL, /* attachment: the VPC; ip: NAT address; target_ip, port */
	LATH_EVENT_TYPE_COUNT,
};

/** Worker to management. */
struct lath_event {
	uint32_t type; /* enum lath_event_type */
	uint32_t attachment;
	uint32_t port;
	union {
		struct {
			struct lath_ip ip; /* ARP: sender's */
			struct lath_ip target_ip;
			struct lath_mac mac;
			uint8_t is_reply;
		};
		struct {
			struct lath_nd_message message;
			struct lath_mac sender;
		} discovery;
	};
} LATH_ALIGNED(8);

/** One flow, as `show flows` tells it. The last row of a request has `end` set and says where to
 *  go on (pool COUNT: nowhere).
 */
struct lath_flow_row {
	uint32_t request;
	uint32_t end;
	uint32_t pool;
	uint32_t cursor;
	uint64_t id;
	struct lath_ip client;
	struct lath_ip service_ip;
	struct lath_ip nat;
	struct lath_ip target_ip;
	uint16_t client_port;
	uint16_t service_port;
	uint16_t nat_port;
	uint16_t target_port;
	uint32_t client_vpc; /* stable indexes */
	uint32_t target_vpc;
	uint32_t service;
	uint32_t rule;
	uint32_t group;
	uint32_t target;
	uint32_t age_s;
	uint32_t idle_s;
	uint64_t packets[2];
	uint64_t bytes[2];
	uint8_t proto;
	uint8_t tcp_state;
	uint8_t class;
	uint8_t worker;
} LATH_ALIGNED(8);

/* ---- what workers share, read only after start --------------------------------------------- */

struct lath_dataplane {
	uint32_t worker_count;
	uint32_t port_count; /* configured ports, and the host port last when there is one */
	struct lath_port *ports;
	uint16_t host_port; /* index, or UINT16_MAX */
	bool whole_way;     /* tests: every packet takes it, also those that the hit path would */
	struct lath_mac host_kernel_mac;
	struct lath_mac gateway_mac[LATH_MODEL_PORTS_MAX]; /* source of what we send */
	const struct lath_owner *owner;
	struct lath_snapshot *snapshot;
	struct rte_mempool *pool;
	/* handover[from * worker_count + to]: one sender, one receiver; NULL on the diagonal. */
	struct rte_ring **handover;
};

struct lath_worker_options {
	uint32_t index;
	uint32_t node;         /* NUMA node, for the snapshot and memory */
	uint32_t gateway_node; /* of flow ids */
	uint32_t flows[LATH_FLOW_POOL_COUNT];
	uint32_t neighbors;
	struct lath_registry_limits limits;
	struct lath_siphash_key table_key; /* secret */
	uint64_t seed;
	const struct lath_allocator *allocator;
};

struct lath_worker;

/** Bytes a worker of these options takes. @thread any */
uint64_t lath_worker_memory(const struct lath_dataplane *plane,
		const struct lath_worker_options *options);

/** NULL and errno ENOMEM. `plane` is borrowed for life. @thread init */
struct lath_worker *lath_worker_create(const struct lath_dataplane *plane,
		const struct lath_worker_options *options, lath_tick_t now);

/** Frees held packets and all memory; accepts NULL. @thread init, after the loop has ended */
void lath_worker_free(struct lath_worker *worker);

/** Counts what the worker still holds as dropped (`shutdown`), so that the sums come out. */
void lath_worker_drain(struct lath_worker *worker);

/** One turn of the loop; returns packets taken in (0: idle). @thread dp */
unsigned lath_worker_run(struct lath_worker *worker, lath_tick_t now);

/** Adds what a busy turn cost, as the thread that runs the loop measured it. @thread dp */
void lath_worker_count_cycles(struct lath_worker *worker, uint64_t cycles);

/** True while a ring that the worker feeds or reads holds packets: no time to sleep. @thread dp */
bool lath_worker_is_pending(const struct lath_worker *worker);

/** Reader state for the idle policy: around a sleep. @thread dp */
void lath_worker_online(struct lath_worker *worker);
void lath_worker_offline(struct lath_worker *worker);

/** Management's ends. @thread mgmt */
struct lath_mailbox *lath_worker_commands(struct lath_worker *worker); /* send */
struct lath_mailbox *lath_worker_events(struct lath_worker *worker);   /* receive */
struct lath_mailbox *lath_worker_rows(struct lath_worker *worker);     /* receive */

/** @thread any */
const struct lath_counters *lath_worker_counters(const struct lath_worker *worker);

/** Refusals that were wanted in a VPC so far, sent or not: the demand for its budget.
 *  @thread mgmt
 */
uint64_t lath_worker_refusal_demand(const struct lath_worker *worker, uint32_t vpc);

/** Size of the private area that the mbuf pool must have. */
#define LATH_PACKET_PRIVATE_SIZE LATH_CACHE_LINE
