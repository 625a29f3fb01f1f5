/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * The measured gateway: ring ports and buffers that live as long as the program, and on them one
 * whole gateway (model, management, one worker) after the other, a size and protocol each.
 */

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include <lath_craft.h>

#include "bench.h"
#include "world.h"

#define RING_SIZE 4096u
#define SPARE_BUFFERS 512u /* ARP */
#define START_TICK 100u
#define START_SECONDS 5u /* probes and announcements are over by then */
#define QUIET_ROUNDS 3u
#define MIXED_FLOWS 1024u
#define PORTS_A_POOL 64512u

static const char config_text[] =
		"{\"formatVersion\": 1,"
		" \"system\": {\"ports\": [{\"name\": \"left\", \"device\": \"net_ring_left\"},"
		"   {\"name\": \"right\", \"device\": \"net_ring_right\"}],"
		"  \"memory\": {\"flowsPerWorker\": %u, \"mixedFlowsPerWorker\": %u, "
		"\"hugepages\": %s},"
		"  \"hostPort\": {\"enabled\": false}},"
		" \"timeouts\": {\"tcpHalfOpenSeconds\": %u, \"udpUnansweredSeconds\": %u},"
		" \"vpcs\": ["
		"  {\"name\": \"blue\", \"prefixes\": [\"10.0.0.0/8\"],"
		"   \"attachments\": [{\"port\": \"left\", \"addresses\": [\"10.255.0.1/24\"]}],"
		"   \"routes\": [{\"prefix\": \"10.0.0.0/8\", \"nextHop\": \"10.255.0.2\"}]},"
		"  {\"name\": \"red\", \"prefixes\": [\"10.0.0.0/8\"], \"natPool\": "
		"[\"10.254.0.0/%u\"],"
		"   \"attachments\": [{\"port\": \"right\", \"addresses\": [\"10.255.0.1/24\"]}],"
		"   \"routes\": [{\"prefix\": \"10.0.0.0/8\", \"nextHop\": \"10.255.0.2\"}]}],"
		" \"serviceNetworks\": [{\"name\": \"main\"}],"
		" \"vpcAssociations\": [{\"serviceNetworkIdentifier\": \"main\","
		"   \"vpcIdentifier\": \"blue\"}],"
		" \"serviceAssociations\": [{\"serviceNetworkIdentifier\": \"main\","
		"   \"serviceIdentifier\": \"web\"}],"
		" \"services\": [{\"name\": \"web\", \"addresses\": [\"198.18.0.10\"], "
		"\"listeners\": [{"
		"   \"name\": \"front\", \"protocol\": \"%s\", \"port\": 80, \"defaultAction\":"
		"   {\"forward\": {\"targetGroups\": [{\"targetGroupIdentifier\": \"web\"}]}}}]}],"
		" \"targetGroups\": [{\"name\": \"web\", \"config\": {\"protocol\": \"%s\", "
		"\"port\": 8080,"
		"   \"vpcIdentifier\": \"red\", \"healthCheck\": {\"enabled\": false}},"
		"   \"targets\": [{\"id\": \"10.0.0.5\"}, {\"id\": \"10.0.0.6\"},"
		"    {\"id\": \"10.0.0.7\"}, {\"id\": \"10.0.0.8\"}]}]}";

void
rig_die(const char *fmt, ...)
{
	va_list args;

	fputs("lath-bench: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

/* ---- ports and buffers, once ---------------------------------------------------------------- */

static void
make_port(struct rig *rig, unsigned side)
{
	struct rte_eth_conf conf = {0};
	char name[RTE_RING_NAMESIZE];
	int port_id;

	snprintf(name, sizeof(name), "bench_rx_%u", side);
	rig->rx[side] = rte_ring_create(name, RING_SIZE, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	snprintf(name, sizeof(name), "bench_tx_%u", side);
	rig->tx[side] = rte_ring_create(name, RING_SIZE, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (rig->rx[side] == NULL || rig->tx[side] == NULL)
		rig_die("no memory for rings");
	snprintf(name, sizeof(name), "bench%u", side);
	port_id = rte_eth_from_rings(name, &rig->rx[side], 1, &rig->tx[side], 1, 0);
	if (port_id < 0 || rte_eth_dev_configure((uint16_t)port_id, 1, 1, &conf) < 0 ||
			rte_eth_rx_queue_setup((uint16_t)port_id, 0, 512, 0, NULL, rig->pool) < 0 ||
			rte_eth_tx_queue_setup((uint16_t)port_id, 0, 512, 0, NULL) < 0 ||
			rte_eth_dev_start((uint16_t)port_id) < 0)
		rig_die("no ring port %s", name);
	rig->port_ids[side] = (uint16_t)port_id;
}

void
rig_init(struct rig *rig, const struct options *options)
{
	*rig = (struct rig){.options = options, .random = options->seed};
	rig->pool = rte_pktmbuf_pool_create("bench_packets", BUFFERS + SPARE_BUFFERS, 0,
			LATH_PACKET_PRIVATE_SIZE, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	if (rig->pool == NULL || rte_pktmbuf_alloc_bulk(rig->pool, rig->buffers, BUFFERS) != 0)
		rig_die("no memory for packet buffers");
	for (unsigned side = 0; side < SIDES; side++)
		make_port(rig, side);
}

/* ---- a gateway ------------------------------------------------------------------------------- */

static struct lath_control_now
now_of(const struct rig *rig)
{
	return (struct lath_control_now){
			.tick = rig->now, .wall_s = 1700000000 + rig->now / LATH_TICKS_PER_SECOND};
}

static void
fill_ports(struct rig *rig)
{
	for (unsigned side = 0; side < SIDES; side++) {
		struct lath_port *port = &rig->gateway.ports[side];

		*port = (struct lath_port){
				.driver = "net_ring",
				.port_id = rig->port_ids[side],
				.rx_queue_count = 1,
				.tx_queue_count = 1,
				.mtu = 9600,
				.tx_mtu = 9600,
				.mac = {{0x02, 0, 0, 0, 0, (uint8_t)(side + 1)}},
				.steering = LATH_STEER_SOFTWARE,
				.link_up = true,
		};
		snprintf(port->name, sizeof(port->name), "%s", side == 0 ? "left" : "right");
	}
}

/* Twice the source ports that the flows need, so that clients spread unevenly do not matter. */
static unsigned
nat_prefix_bits(uint32_t flows)
{
	unsigned bits = 32;

	while ((uint64_t)PORTS_A_POOL << (32 - bits) < 2ull * flows)
		bits--;
	return bits;
}

static struct lath_config *
make_config(const struct rig *rig)
{
	const char *proto = rig->proto == LATH_PROTO_TCP ? "TCP" : "UDP";
	struct lath_error err = {0};
	struct lath_config *cfg;
	char text[4096];
	char why[1200];

	snprintf(text, sizeof(text), config_text, rig->capacity, MIXED_FLOWS,
			rig->options->hugepages ? "true" : "false", rig->timeout_s, rig->timeout_s,
			nat_prefix_bits(rig->flow_count), proto, proto);
	cfg = lath_config_parse(text, strlen(text), "lath-bench", &err);
	if (cfg == NULL) {
		lath_error_format(&err, why, sizeof(why));
		rig_die("%s", why);
	}
	cfg->system.state_directory[0] = '\0'; /* nothing is kept */
	return cfg;
}

/* Opens a flow, answers it and lets management resolve both routers: no later packet is held. */
static void
warm_up(struct rig *rig)
{
	struct bench_flow flow = frame_client(0);
	struct rte_mbuf *m = rig->buffers[0];

	flow.client_port_be = lath_to_be16(80); /* nobody else's */
	frame_write(rig, m, &flow, 0, FRAME_OPEN, 0);
	rte_ring_enqueue(rig->rx[0], m);
	rig_settle(rig);
	if (rte_ring_dequeue(rig->tx[1], (void **)&m) != 0)
		rig_die("the first packet did not come out");
	flow.nat_be = frame_check(rig, m)->src_be;
	flow.target_be = frame_check(rig, m)->dst_be;
	flow.nat_port_be = frame_ports(m)[0];
	frame_write(rig, m, &flow, 0, FRAME_ANSWER, 1);
	rte_ring_enqueue(rig->rx[1], m);
	rig_settle(rig);
	if (rte_ring_dequeue(rig->tx[0], (void **)&m) != 0)
		rig_die("the first answer did not come out");
	(void)frame_check(rig, m);
	rig->buffers[0] = m;
}

void
rig_start(struct rig *rig, uint8_t proto, uint32_t flows)
{
	struct gateway_options options = {.own_ports = true, .seed = rig->options->seed | 1};
	struct lath_error err = {0};
	struct lath_config *cfg;
	char why[1200];

	rig->proto = proto;
	rig->flow_count = flows;
	/* Flows fill two thirds: below 80 %, where early reclaiming begins, with room for those of
	 * a lap that are due and not looked at yet.
	 */
	rig->capacity = (uint32_t)((uint64_t)flows * 3 / 2) + BUFFERS;
	rig->timeout_s = lath_min_u32(lath_max_u32(flows / 4096, 8), 240);
	rig->now = START_TICK;
	rig->flows = calloc(flows, sizeof(*rig->flows));
	if (rig->flows == NULL)
		rig_die("no memory for %u flows of the generator", flows);
	options.now = now_of(rig);
	rig->gateway.plane.pool = rig->pool;
	fill_ports(rig);
	cfg = make_config(rig);
	if (gateway_start(&rig->gateway, cfg, &options, &err) != 0) {
		lath_error_format(&err, why, sizeof(why));
		rig_die("%s", why);
	}
	lath_worker_online(rig->gateway.workers[0]);
	for (unsigned i = 0; i < START_SECONDS * LATH_TICKS_PER_SECOND; i++) {
		rig->now++;
		rig_settle(rig);
	}
	warm_up(rig);
}

void
rig_stop(struct rig *rig)
{
	lath_worker_offline(rig->gateway.workers[0]);
	rig->gateway.plane.pool = NULL; /* ours, for the next one */
	gateway_stop(&rig->gateway);
	free(rig->flows);
	rig->flows = NULL;
}

/* ---- management and the routers -------------------------------------------------------------- */

/* What a router says to an ARP request for it; everything else is let go. */
static void
answer_arp(struct rig *rig, struct rte_mbuf *m, unsigned side)
{
	const struct lath_arp_hdr *arp = rte_pktmbuf_mtod_offset(m, const struct lath_arp_hdr *,
			sizeof(struct lath_eth_hdr));
	struct lath_craft_arp reply = {
			.op = LATH_ARP_REPLY,
			.eth_dst = arp->sender_mac,
			.sender_mac = frame_router_mac(side),
			.target_mac = arp->sender_mac,
			.sender_ip_be = arp->target_ip_be,
			.target_ip_be = arp->sender_ip_be,
	};
	uint32_t len;

	if (lath_from_be16(arp->op_be) != LATH_ARP_REQUEST ||
			lath_from_be32(arp->target_ip_be) != ROUTER_IP) {
		rte_pktmbuf_free(m);
		return;
	}
	rte_pktmbuf_reset(m);
	len = lath_craft_arp(rte_pktmbuf_mtod(m, uint8_t *), &reply);
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	if (rte_ring_enqueue(rig->rx[side], m) != 0)
		rig_die("the receive ring is full");
}

/* Takes ARP off the transmit rings and leaves all else in its order. */
static unsigned
route(struct rig *rig)
{
	unsigned did = 0;

	for (unsigned side = 0; side < SIDES; side++) {
		for (unsigned left = rte_ring_count(rig->tx[side]); left > 0; left--) {
			const struct lath_eth_hdr *eth;
			struct rte_mbuf *m;

			if (rte_ring_dequeue(rig->tx[side], (void **)&m) != 0)
				break;
			eth = rte_pktmbuf_mtod(m, const struct lath_eth_hdr *);
			if (lath_from_be16(eth->type_be) != LATH_ETHERTYPE_ARP) {
				(void)rte_ring_enqueue(rig->tx[side], m);
				continue;
			}
			answer_arp(rig, m, side);
			did++;
		}
	}
	return did;
}

void
rig_settle(struct rig *rig)
{
	unsigned quiet = 0;

	while (quiet < QUIET_ROUNDS) {
		unsigned did = lath_worker_run(rig->gateway.workers[0], rig->now);

		did += lath_worker_is_pending(rig->gateway.workers[0]);
		did += lath_control_run(rig->gateway.control, now_of(rig));
		did += route(rig);
		quiet = did == 0 ? quiet + 1 : 0;
	}
}

const struct lath_worker_counters *
rig_counters(const struct rig *rig)
{
	return &lath_worker_counters(rig->gateway.workers[0])->worker;
}

void
rig_check(const struct rig *rig, const char *when)
{
	const struct lath_counters *counters = lath_worker_counters(rig->gateway.workers[0]);
	int64_t imbalance = lath_counters_imbalance(counters);

	for (unsigned i = 1; i < LATH_DROP_COUNT; i++) {
		uint64_t drops = lath_counters_drops(counters, (enum lath_drop)i);

		if (drops > 0)
			rig_die("%s: %" PRIu64 " packets dropped: %s (%s)", when, drops,
					lath_drop_name((enum lath_drop)i),
					lath_drop_help((enum lath_drop)i));
	}
	if (counters->worker.held != 0)
		rig_die("%s: %" PRIu64 " packets are still held", when, counters->worker.held);
	if (imbalance != 0)
		rig_die("%s: conservation is off by %" PRId64 " packets", when, imbalance);
}
