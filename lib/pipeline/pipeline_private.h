/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * What the stages share: the worker, a burst on its way, and the stages in the packet's order.
 * Every function here is @thread dp of one worker.
 */
#pragma once

#include <rte_mbuf.h>

#include <lath_craft.h>
#include <lath_hostaddr.h>

#include "lath_pipeline.h"

#define COMMANDS_PER_TURN 64u
#define DUE_PER_TURN 64u         /* flows whose timer is looked at */
#define RESTED_PER_TURN 64u      /* source ports that may come back */
#define ROWS_STEPS_PER_TURN 256u /* flow entries that a listing may look at */
#define WRONG_IN_A_ROW_MAX 16u
#define STEERING_SAMPLE 1024u /* one packet of so many is compared with owner() */
#define NAT_ADDRESSES_TRIED_MAX 256u
#define BOND_POLL_TICKS lath_ticks_from_ms(50)           /* 802.3ad wants a TX burst every 100 ms */
#define NEIGHBOR_ASK_TICKS LATH_TICKS_PER_SECOND         /* a waiting next hop is asked for again */
#define NEIGHBOR_RETRY_TICKS (3 * LATH_TICKS_PER_SECOND) /* a failed one */
#define NEIGHBOR_USED_TICKS (10 * LATH_TICKS_PER_SECOND) /* management hears that it is used */

/* Packets on their way out; empty between turns. */
struct tx_buffer {
	unsigned count;
	bool has_queue; /* of this worker's own: else finished packets are handed over */
	uint64_t bytes;
	struct rte_mbuf *packets[LATH_BURST_MAX];
	uint32_t vpcs[LATH_BURST_MAX]; /* where each came from, for those that cannot be sent */
};

struct handover_buffer {
	unsigned count;
	struct rte_mbuf *packets[LATH_BURST_MAX];
};

/* A VPC's share of what the gateway may answer. */
struct refusal_budget {
	struct lath_bucket bucket;
	uint64_t demand; /* dp: rw, mgmt: ro */
};

/* What a flow through a Gateway Load Balancer keeps (gwlb.c). */
struct gwlb_side {
	uint8_t header[LATH_ADJACENCY_HEADER_MAX]; /* of its answers: outer IP, UDP, GENEVE, options */
	uint8_t len;
	lath_be16_t src_port_be;
	uint32_t next; /* free list */
};

struct rows_job {
	bool active;
	uint32_t request;
	uint32_t pool;
	uint32_t cursor;
	uint32_t left;
	struct lath_flow_filter filter;
};

struct lath_worker {
	const struct lath_dataplane *plane;
	const struct lath_model *model; /* of this turn */
	lath_tick_t now;
	uint32_t index;
	uint32_t node;
	uint64_t routing_serial; /* of the model that the adjacencies were made by */
	struct lath_counters *counters;
	struct lath_flow_table flows;
	struct lath_adjacency_table adjacencies;
	struct lath_snat snat;
	struct gwlb_side *sides; /* [0] stands for none */
	uint32_t side_free;
	uint64_t flow_changes; /* flows made and ended: what was found before may be stale */
	uint64_t random;
	uint16_t next_ipv4_id; /* of packets that come out of IPv6; workers take turns */
	uint32_t sample;       /* counts down to the next packet compared with owner() */
	uint32_t wrong_in_a_row[LATH_MODEL_PORTS_MAX];
	struct tx_buffer tx[LATH_MODEL_PORTS_MAX];
	struct handover_buffer handover[LATH_WORKERS_MAX];
	struct refusal_budget *refusals; /* by VPC */
	struct lath_bucket *punts;       /* by attachment */
	uint32_t punts_per_second;       /* that the buckets were made for */
	lath_tick_t polled;              /* when bonds were last sent nothing */
	bool is_bond[LATH_MODEL_PORTS_MAX];
	struct rows_job rows_job;
	struct lath_mailbox *commands;
	struct lath_mailbox *events;
	struct lath_mailbox *rows;
	struct lath_worker_options options;
};

/* Packets that go through the stages together. */
struct burst {
	struct rte_mbuf *packets[LATH_BURST_MAX];
	lath_flow_ref_t refs[LATH_BURST_MAX];
	unsigned count;
	bool handed; /* by another worker, who has asked owner() */
};

static inline struct lath_packet *
packet_of(struct rte_mbuf *m)
{
	return rte_mbuf_to_priv(m);
}

static inline uint8_t *
frame_of(struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod(m, uint8_t *);
}

/* Of the IP packet as it is now: TTL or hop limit. */
static inline uint8_t
ttl_of(struct rte_mbuf *m)
{
	const struct lath_packet *pkt = packet_of(m);
	const uint8_t *l3 = frame_of(m) + pkt->l3_offset;

	if (pkt->family == LATH_FAMILY_IPV6)
		return ((const struct lath_ipv6_hdr *)(const void *)l3)->hop_limit;
	return ((const struct lath_ipv4_hdr *)(const void *)l3)->ttl;
}

/* Protocol and VPC of the packets that this half is for. */
static inline uint32_t
half_proto_vpc(const struct lath_worker *w, lath_flow_ref_t ref)
{
	const struct lath_half_mixed *half;

	if (!lath_flow_is_mixed(ref))
		return lath_flow4_at(&w->flows, ref)->half[ref & 1].key.proto_vpc;
	half = &lath_flow_mixed_at(&w->flows, ref)->half[ref & 1];
	return half->family_in == LATH_FAMILY_IPV4 ? half->key4.proto_vpc : half->key6.proto_vpc;
}

/* How much longer a packet gets by a change of family. */
static inline int
family_growth(uint8_t family_in, uint8_t family_out)
{
	if (family_in == family_out)
		return 0;
	return family_out == LATH_FAMILY_IPV6 ? 20 : -20;
}

static inline const struct lath_model_attachment *
attachment_of(const struct lath_worker *w, const struct lath_packet *pkt)
{
	return w->model->attachments[pkt->attachment];
}

/* Largest IP packet on the attachment: its own MTU, and what the port's driver can send. */
static inline uint16_t
leg_mtu(const struct lath_worker *w, const struct lath_model_attachment *attachment)
{
	int tx_mtu = w->plane->ports[attachment->port].tx_mtu - attachment->overhead;

	return attachment->mtu < tx_mtu ? attachment->mtu : (uint16_t)tx_mtu;
}

/* The gateway's own address of peer's family there, of peer's subnet if one is. False: it has none. */
static inline bool
own_address(const struct lath_model_attachment *attachment, const struct lath_ip *peer,
		struct lath_ip *own)
{
	bool found = false;

	for (uint32_t i = 0; i < attachment->address_count; i++) {
		const struct lath_prefix *address = &attachment->addresses[i];
		bool near = lath_prefix_contains(address, peer);

		if (address->ip.family != peer->family || (found && !near))
			continue;
		*own = address->ip;
		found = true;
		if (near)
			break;
	}
	return found;
}

/* Ends a packet: counts the reason for its VPC and frees it. */
static inline void
drop(struct lath_worker *w, struct rte_mbuf *m, uint32_t vpc, enum lath_drop reason)
{
	lath_counters_drop(w->counters, vpc, reason);
	rte_pktmbuf_free(m);
}

/* The same for a packet that was rewritten: its key no longer tells the VPC, its attachment does
 * while the model still has that.
 */
static inline uint32_t
vpc_entered(const struct lath_worker *w, struct rte_mbuf *m)
{
	uint32_t index = packet_of(m)->attachment;
	const struct lath_model_attachment *attachment = index < w->model->attachment_count
			? w->model->attachments[index]
			: NULL;

	return attachment == NULL ? LATH_MODEL_HOST_VPC : attachment->vpc;
}

static inline void
drop_late(struct lath_worker *w, struct rte_mbuf *m, enum lath_drop reason)
{
	drop(w, m, vpc_entered(w, m), reason);
}

/* The model's generation that a flow of this protocol must not be older than. */
static inline uint32_t
generation_for(const struct lath_model *model, uint8_t proto)
{
	uint32_t access = model->generation[LATH_GENERATION_ACCESS];
	uint32_t pick = model->generation[LATH_GENERATION_PICK];

	return proto == LATH_PROTO_UDP ? lath_max_u32(access, pick) : access;
}

/* receive.c: the gateway's MAC, ARP's broadcast, or a group that the gateway may be a member of. */
bool lath_stage_is_for_us(const struct lath_worker *w, const struct lath_mac *dst, uint16_t port,
		uint16_t ethertype);

/* receive.c: takes packets in, makes struct lath_packet, gives each to its owner. */
unsigned lath_stage_receive(struct lath_worker *w);

/* hit.c: a port's burst: plain packets of known flows are sent on, the rest takes the whole way. */
void lath_hit_run(struct lath_worker *w, uint16_t port, struct rte_mbuf **packets, unsigned n);

/* The same for parsed packets that other workers handed over. */
void lath_hit_run_handed(struct lath_worker *w, struct rte_mbuf **packets, unsigned n);

/* The whole way of packets that came in on a port. */
void lath_stage_take(struct lath_worker *w, uint16_t port, struct rte_mbuf **packets, unsigned n);

/* A packet of a port that RSS steers was compared with owner(). */
void lath_stage_count_steering(struct lath_worker *w, uint16_t port, bool wrong);

/* Which worker owns the packet's flow. */
unsigned lath_stage_owner(const struct lath_worker *w, const struct lath_packet *pkt);

/* path.c: the way of a burst that is parsed, classified and ours. */
void lath_path_run(struct lath_worker *w, struct burst *b);

/* known.c: flows that were found: still allowed, TCP state. False: the packet is gone. */
bool lath_known_pass(struct lath_worker *w, struct rte_mbuf *m, lath_flow_ref_t *ref);

/* revalidate.c: the flow is older than the model's generation. False: the packet is gone. */
bool lath_revalidate(struct lath_worker *w, struct rte_mbuf *m, lath_flow_ref_t *ref);

/* Why the flow would end with its next packet, or LATH_DROP_NONE. Changes nothing. */
enum lath_drop lath_revalidate_ask(const struct lath_worker *w, lath_flow_ref_t ref, uint8_t proto);

/* admit.c: first packets. The new flow, or LATH_FLOW_NONE: the packet is gone. */
lath_flow_ref_t lath_admit(struct lath_worker *w, struct rte_mbuf *m);

/* What admit decides and adopt makes a flow of. */
struct admission {
	const struct lath_model_service *service; /* NULL: from the host port */
	const struct lath_model_rule *rule;
	const struct lath_model_group *group;
	const struct lath_model_target *target; /* NULL: from the host port */
	struct lath_ip target_ip;
	uint32_t target_vpc;
	lath_be16_t target_port_be;
	struct lath_ip nat_ip; /* of the target's family */
	uint16_t nat_port;
	const struct lath_snat_pool *nat_pool; /* not of probes */
	bool is_probe;
};

/* What a flow's own keys say about who talks to whom. */
struct flow_ends {
	uint32_t client_vpc;
	uint32_t target_vpc;
	struct lath_ip client;
	struct lath_ip service;
	struct lath_ip nat; /* what the target sees */
	uint16_t client_port;
	uint16_t service_port;
	uint16_t nat_port;
	uint16_t target_port;
	uint8_t proto;
};

/* end.c: the packets of one half, as they come in. */
struct flow_end {
	struct lath_ip src;
	struct lath_ip dst;
	uint16_t src_port;
	uint16_t dst_port;
	uint32_t proto_vpc;
};

struct flow_end lath_flow_end(const struct lath_worker *w, lath_flow_ref_t ref);

/* allow.c: groups, policies and ACLs. A first packet; false: it is gone. Then the target's edge;
 * at last a flow when rights were lost.
 */
bool lath_allow(struct lath_worker *w, struct rte_mbuf *m, const struct lath_model_service *service,
		const struct lath_ip *client, const struct lath_ip *address);
enum lath_drop lath_allow_edge(const struct lath_model *model, uint32_t vpc, uint8_t proto,
		const struct lath_ip *nat, uint16_t nat_port, uint16_t target_port);
bool lath_allow_flow(const struct lath_model *model, const struct flow_ends *ends,
		uint32_t service);

/* adopt.c: source address and port, entry, index. 0 or the reason why not. */
enum lath_drop lath_adopt(struct lath_worker *w, struct rte_mbuf *m, struct admission *admission,
		lath_flow_ref_t *ref);

/* host.c: first packets from the host port. */
lath_flow_ref_t lath_admit_host(struct lath_worker *w, struct rte_mbuf *m);

/* error.c: ICMP errors. First the flow that one speaks of becomes its key, which makes that flow's
 * worker its own; there it is passed on. False: the packet is gone; lath_error_pass() ends it.
 */
bool lath_error_take(struct lath_worker *w, struct rte_mbuf *m);
void lath_error_pass(struct lath_worker *w, struct rte_mbuf *m, lath_flow_ref_t ref);

/* receive.c: the parts of taking a packet in that are the same inside a tunnel. `len`: of the first
 * segment, `end`: of the frame. The second returns false when the packet is gone.
 */
enum lath_drop lath_stage_parse(struct rte_mbuf *m, uint16_t ethertype, uint32_t len, uint32_t end,
		bool verified);
bool lath_stage_classify(struct lath_worker *w, struct rte_mbuf *m,
		const struct lath_model_attachment *attachment);

/* tunnel.c. A frame to an underlay: false, the packet is gone; else it is the inner one. */
bool lath_tunnel_take(struct lath_worker *w, struct rte_mbuf *m, uint16_t ethertype,
		const struct lath_model_attachment *underlay);

/* The header of a tunnel's adjacency, in front of packets to `ip` (inner Ethernet: at `mac`), or to the
 * remote `ip`. Returns its length; 0: no remote.
 */
uint32_t lath_tunnel_ready(struct lath_worker *w, uint32_t idx,
		const struct lath_model_attachment *attachment, const struct lath_ip *ip,
		const struct lath_mac *mac, uint8_t *header);

/* Ends a packet that has the adjacency's header in front. */
void lath_tunnel_send(struct lath_worker *w, struct rte_mbuf *m, uint32_t idx);

/* The same for one whose flow keeps the header, which this puts in front. */
void lath_tunnel_send_kept(struct lath_worker *w, struct rte_mbuf *m, uint32_t idx,
		const uint8_t *header, uint32_t len, lath_be16_t src_port_be);

/* gwlb.c. `*number`: what the first packet's flow keeps, 0 for most; given back at the flow's end. */
uint64_t lath_gwlb_memory(const struct lath_worker_options *options);
int lath_gwlb_init(struct lath_worker *w);
void lath_gwlb_fini(struct lath_worker *w);
enum lath_drop lath_gwlb_keep(struct lath_worker *w, struct rte_mbuf *m, uint32_t *number);
void lath_gwlb_release(struct lath_worker *w, uint32_t number);
void lath_gwlb_send(struct lath_worker *w, struct rte_mbuf *m, lath_flow_ref_t ref, uint32_t idx);

/* An answer to a packet out of a tunnel, its outer Ethernet turned already: the rest turns too. */
void lath_tunnel_turn(struct lath_worker *w, struct rte_mbuf *m,
		const struct lath_model_attachment *attachment);

/* An untagged frame inside a tunnel, of neighbour discovery or ARP: to the remote that owns the address,
 * or to all about one of ours.
 */
void lath_tunnel_say(struct lath_worker *w, const struct lath_model_attachment *attachment,
		const struct lath_ip *target, const uint8_t *frame, uint32_t len,
		enum lath_generated kind);

/* local.c: for the gateway itself. All end the packet. */
void lath_local_arp(struct lath_worker *w, struct rte_mbuf *m,
		const struct lath_model_attachment *attachment);
void lath_local_echo(struct lath_worker *w, struct rte_mbuf *m);

/* discovery.c: neighbour discovery, and what else came to a group. False: the packet is gone. `end`:
 * where it ends in its frame; `dst`: the Ethernet header's in front of it. From the host port true
 * means that it was the kernel's question, and is answered.
 */
bool lath_discovery_pass(struct lath_worker *w, struct rte_mbuf *m, uint32_t end,
		const struct lath_mac *dst, const struct lath_model_attachment *attachment);
bool lath_discovery_take_host(struct lath_worker *w, struct rte_mbuf *m,
		const struct lath_model_attachment *attachment);
bool lath_discovery_answers(const struct lath_worker *w,
		const struct lath_model_attachment *attachment, const struct lath_ip *ip);
void lath_discovery_say(struct lath_worker *w, const struct lath_model_attachment *attachment,
		const uint8_t *frame, uint32_t len, enum lath_generated kind);
void lath_discovery_send(struct lath_worker *w, const struct lath_command *command);

/* refuse.c: ends the packet, with an answer where the table of refusals says so. */
void lath_refuse(struct lath_worker *w, struct rte_mbuf *m, uint32_t vpc, enum lath_drop reason);

/* The same for what a rule, policy or limit of the service refuses: `how` is the service's. */
void lath_refuse_policy(struct lath_worker *w, struct rte_mbuf *m, uint32_t vpc,
		enum lath_drop reason, enum lath_config_refuse how);

/* The same for a packet larger than `mtu`. */
void lath_refuse_oversize(struct lath_worker *w, struct rte_mbuf *m, uint32_t vpc, uint32_t mtu);

/* Ends a flow's packet that lost its right: RST onward and RST back, or a drop. */
void lath_refuse_flow(struct lath_worker *w, struct rte_mbuf *m, lath_flow_ref_t ref,
		enum lath_drop reason);

/* segment.c: packets in several segments. Brings the headers, and the whole packet if a buffer holds
 * it, into the first one. False: that has no room for them.
 */
bool lath_segments_gather(struct rte_mbuf *m);

/* Cuts to the first `len` bytes; segments behind are freed. Never makes a packet longer. */
void lath_segments_cut(struct rte_mbuf *m, uint32_t len);

/* The Internet checksum over these bytes is right. */
bool lath_segments_sum_holds(const struct rte_mbuf *m, uint32_t offset, uint32_t len);

/* translate.c: rewrites, finds the next hop, sends. Ends the packet. */
void lath_translate(struct lath_worker *w, struct rte_mbuf *m, lath_flow_ref_t ref);

/* nexthop.c */
uint32_t lath_nexthop_of(struct lath_worker *w, lath_flow_ref_t ref, enum lath_drop *reason);
void lath_nexthop_send(struct lath_worker *w, struct rte_mbuf *m, uint32_t adjacency);

/* The same for a flow's packet, whose header may be the flow's own. */
static inline void
lath_nexthop_send_flow(struct lath_worker *w, struct rte_mbuf *m, lath_flow_ref_t ref,
		uint32_t adjacency)
{
	const struct lath_adjacency *entry = &w->adjacencies.entries[adjacency];

	if (entry->is_tunnel && entry->inner == LATH_ADJACENCY_KEPT)
		lath_gwlb_send(w, m, ref, adjacency);
	else
		lath_nexthop_send(w, m, adjacency);
}
void lath_nexthop_set(struct lath_worker *w, uint32_t attachment, const struct lath_ip *ip,
		const struct lath_mac *mac);
void lath_nexthop_lost(struct lath_worker *w, uint32_t attachment, const struct lath_ip *ip);
uint32_t lath_nexthop_by_route(struct lath_worker *w, uint32_t vpc, const struct lath_ip *dst,
		enum lath_drop *reason);
void lath_nexthop_retire_all(struct lath_worker *w);
uint32_t lath_nexthop_sender(struct lath_worker *w, struct rte_mbuf *m);

/* transmit.c */
void lath_transmit(struct lath_worker *w, struct rte_mbuf *m, uint16_t port);
void lath_transmit_generated(struct lath_worker *w, struct rte_mbuf *m, uint16_t port,
		enum lath_generated kind);

/* An answer, back where the packet came from; Ethernet is turned. */
void lath_transmit_back(struct lath_worker *w, struct rte_mbuf *m, enum lath_generated kind);
void lath_transmit_port(struct lath_worker *w, uint16_t port);
void lath_transmit_flush(struct lath_worker *w);

/* Into the buffer of a port that the worker has a queue of; `vpc`: where the packet came from. */
static inline void
lath_transmit_put(struct lath_worker *w, struct rte_mbuf *m, uint16_t port, uint32_t vpc,
		uint32_t bytes)
{
	struct tx_buffer *buffer = &w->tx[port];

	buffer->packets[buffer->count] = m;
	buffer->vpcs[buffer->count] = vpc;
	buffer->bytes += bytes;
	if (++buffer->count == LATH_BURST_MAX)
		lath_transmit_port(w, port);
}
void lath_handover(struct lath_worker *w, struct rte_mbuf *m, uint32_t to, enum lath_handover why);

/* expire.c */
void lath_expire(struct lath_worker *w);
void lath_flow_finish(struct lath_worker *w, lath_flow_ref_t ref, enum lath_flow_end why);
lath_tick_t lath_flow_timeout(const struct lath_worker *w, lath_flow_ref_t ref);

/* rows.c, command.c */
void lath_rows_begin(struct lath_worker *w, const struct lath_command *command);
void lath_rows_run(struct lath_worker *w);
void lath_commands_run(struct lath_worker *w);

/* Tells management; a full mailbox is counted and nothing waits. */
void lath_event_send(struct lath_worker *w, const struct lath_event *event);
