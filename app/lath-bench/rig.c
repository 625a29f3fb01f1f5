/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * The measured gateway: ring ports and buffers that live as long as the program, and on them one
 * whole gateway (model, management, workers) after the other, a size and protocol each.
 *
 * A port's queue q is worker q's, as with a NIC that steers. The generator stands in for that NIC:
 * it makes only flows that the measured worker owns, and puts them on that worker's queue.
 */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include "world.h"

#define RING_SIZE 4096u
#define SPARE_BUFFERS 1024u /* ARP, on every VLAN */
#define TAILROOM 64u
#define START_TICK 100u
#define START_SECONDS 5u /* probes and announcements are over by then */
#define EMPTY_TURNS 1024u

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

static struct rte_ring *
make_ring(const char *kind, unsigned side, unsigned queue)
{
	char name[RTE_RING_NAMESIZE];
	struct rte_ring *ring;

	snprintf(name, sizeof(name), "bench_%s_%u_%u", kind, side, queue);
	ring = rte_ring_create(name, RING_SIZE, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (ring == NULL)
		rig_die("no memory for rings");
	return ring;
}

static void
make_port(struct rig *rig, unsigned side)
{
	struct rte_eth_conf conf = {0};
	struct rte_ring *rx[QUEUES];
	struct rte_ring *tx[QUEUES];
	char name[RTE_RING_NAMESIZE];
	int port_id;

	for (unsigned queue = 0; queue < QUEUES; queue++) {
		rx[queue] = rig->rx[queue][side] = make_ring("rx", side, queue);
		tx[queue] = rig->tx[queue][side] = make_ring("tx", side, queue);
	}
	snprintf(name, sizeof(name), "bench%u", side);
	port_id = rte_eth_from_rings(name, rx, QUEUES, tx, QUEUES, 0);
	if (port_id < 0 || rte_eth_dev_configure((uint16_t)port_id, QUEUES, QUEUES, &conf) < 0)
		rig_die("no ring port %s", name);
	for (uint16_t queue = 0; queue < QUEUES; queue++)
		if (rte_eth_rx_queue_setup((uint16_t)port_id, queue, 512, 0, NULL, rig->pool) < 0 ||
				rte_eth_tx_queue_setup((uint16_t)port_id, queue, 512, 0, NULL) < 0)
			rig_die("no queues at ring port %s", name);
	if (rte_eth_dev_start((uint16_t)port_id) < 0)
		rig_die("ring port %s does not start", name);
	rig->port_ids[side] = (uint16_t)port_id;
}

/* The largest frame in one piece, as lathd has it; no more, so that small ones lie close. */
static uint16_t
data_room(const struct options *options)
{
	uint32_t largest = 1518;

	for (unsigned i = 0; i < options->sizes_count; i++)
		largest = lath_max_u32(largest, options->sizes[i]);
	if (largest == 1518)
		return RTE_MBUF_DEFAULT_BUF_SIZE;
	return (uint16_t)(RTE_PKTMBUF_HEADROOM + ((largest + 4 + TAILROOM + 63) & ~63u));
}

void
rig_init(struct rig *rig, const struct options *options)
{
	*rig = (struct rig){.options = options, .random = options->seed, .burst = options->burst};
	/* Two generators' buffers. */
	rig->pool = rte_pktmbuf_pool_create("bench_packets", 2 * BUFFERS + SPARE_BUFFERS, 0,
			LATH_PACKET_PRIVATE_SIZE, data_room(options), 0);
	if (rig->pool == NULL || rte_pktmbuf_alloc_bulk(rig->pool, rig->all_buffers, BUFFERS) != 0)
		rig_die("no memory for packet buffers");
	rig->buffers = rig->all_buffers;
	for (unsigned side = 0; side < SIDES; side++)
		make_port(rig, side);
}

void
rig_twin(struct rig *twin, const struct rig *rig, uint32_t worker)
{
	*twin = *rig;
	twin->plan.measured = worker;
	twin->queue_in = twin->queue_out = worker;
	twin->random = rig->random ^ UINT64_C(0x9e3779b97f4a7c15) * (worker + 1);
	twin->flows = calloc(twin->flow_count, sizeof(*twin->flows));
	if (twin->flows == NULL ||
			rte_pktmbuf_alloc_bulk(twin->pool, twin->all_buffers, BUFFERS) != 0)
		rig_die("no memory for a second generator");
	twin->buffers = twin->all_buffers;
}

void
rig_twin_end(struct rig *twin)
{
	rte_pktmbuf_free_bulk(twin->all_buffers, BUFFERS);
	free(twin->flows);
}

/* ---- a gateway ------------------------------------------------------------------------------- */

struct lath_worker *
rig_worker(const struct rig *rig)
{
	return rig->gateway->workers[rig->plan.measured];
}

unsigned
rig_turn(void *ctx)
{
	const struct rig *rig = ctx;

	return lath_worker_run(rig_worker(rig), rig->now);
}

static void
fill_ports(struct rig *rig)
{
	for (unsigned side = 0; side < SIDES; side++) {
		struct lath_port *port = &rig->gateway->ports[side];

		*port = (struct lath_port){
				.driver = "net_ring",
				.port_id = rig->port_ids[side],
				.rx_queue_count = (uint16_t)rig->plan.workers,
				.tx_queue_count = (uint16_t)rig->plan.workers,
				.mtu = 9600,
				.tx_mtu = 9600,
				.mac = {{0x02, 0, 0, 0, 0, (uint8_t)(side + 1)}},
				.steering = LATH_STEER_NIC,
				.link_up = true,
		};
		snprintf(port->name, sizeof(port->name), "%s", side == 0 ? "left" : "right");
	}
}

static struct rte_mbuf *
take_one(const struct rig *rig, unsigned side)
{
	struct rte_mbuf *m;

	if (rte_ring_dequeue(rig->tx[rig->queue_out][side], (void **)&m) != 0)
		rig_die("the first packet of a VPC did not come out");
	(void)frame_check(rig, m);
	return m;
}

/* Opens a flow, answers it and lets management resolve both routers: no later packet is held. */
static void
warm_up(struct rig *rig, unsigned vpc)
{
	uint64_t serial = vpc;
	struct bench_flow flow = frame_next_client(rig, &serial);
	struct rte_mbuf *m = rig->buffers[0];

	flow.vpc = (uint16_t)vpc;
	/* Nobody else's port; the reply is looked for where the measured worker is. */
	do {
		flow.client_port_be = lath_to_be16((uint16_t)(80 + serial++ % 900));
	} while (lath_owner_of_v4(rig->gateway->plane.owner, flow.client_be,
				 world_service(flow.service), flow.client_port_be,
				 lath_to_be16(SERVICE_PORT)) != rig->plan.measured);
	frame_write(rig, m, &flow, 0, FRAME_OPEN, 0);
	rte_ring_enqueue(rig->rx[rig->queue_in][0], m);
	rig_settle(rig);
	m = take_one(rig, 1);
	hit_learn(&flow, m);
	frame_write(rig, m, &flow, 0, FRAME_ANSWER, 1);
	rte_ring_enqueue(rig->rx[rig->queue_in][1], m);
	rig_settle(rig);
	rig->buffers[0] = take_one(rig, 0);
}

static void
measure_empty_turn(struct rig *rig)
{
	double cycles[REPEATS_MAX];

	for (unsigned i = 0; i < EMPTY_TURNS; i++) {
		uint64_t began = rte_rdtsc_precise();

		(void)rig_turn(rig);
		cycles[i % REPEATS_MAX] = (double)(rte_rdtsc_precise() - began);
	}
	rig->empty_cycles = run_median(cycles, REPEATS_MAX);
}

static void
start_gateway(struct rig *rig)
{
	struct gateway_options options = {
			.own_ports = true, .seed = rig->options->seed | 1, .now = rig_now(rig)};
	struct lath_config *cfg;
	struct lath_error err = {0};
	char why[1200];

	rig->gateway = aligned_alloc(_Alignof(struct gateway), sizeof(*rig->gateway));
	if (rig->gateway == NULL)
		rig_die("no memory for a gateway");
	*rig->gateway = (struct gateway){0};
	rig->gateway->plane.pool = rig->pool;
	fill_ports(rig);
	cfg = world_config(rig, false);
	if (gateway_start(rig->gateway, cfg, &options, &err) != 0) {
		lath_error_format(&err, why, sizeof(why));
		rig_die("%s", why);
	}
}

void
rig_start(struct rig *rig)
{
	/* Flows fill two thirds: below 80 %, where early reclaiming begins, with room for those of
	 * a lap that are due and not looked at yet.
	 */
	rig->capacity = (uint32_t)((uint64_t)rig->flow_count * 3 / 2) + BUFFERS;
	rig->timeout_s = lath_min_u32(lath_max_u32(rig->flow_count / 4096, 8), 240);
	rig->now = START_TICK;
	rig->queue_in = rig->queue_out = rig->plan.measured;
	rig->burst = rig->options->burst;
	rig->buffers = rig->all_buffers;
	rig->flows = calloc(rig->flow_count, sizeof(*rig->flows));
	if (rig->flows == NULL)
		rig_die("no memory for %u flows of the generator", rig->flow_count);
	start_gateway(rig);
	for (unsigned w = 0; w < rig->plan.workers; w++)
		lath_worker_online(rig->gateway->workers[w]);
	for (unsigned i = 0; i < START_SECONDS * LATH_TICKS_PER_SECOND; i++) {
		rig->now++;
		rig_settle(rig);
	}
	for (unsigned vpc = 0; vpc < rig->plan.vpcs; vpc++)
		warm_up(rig, vpc);
	measure_empty_turn(rig);
}

void
rig_stop(struct rig *rig)
{
	for (unsigned w = 0; w < rig->plan.workers; w++)
		lath_worker_offline(rig->gateway->workers[w]);
	rig->gateway->plane.pool = NULL; /* ours, for the next one */
	gateway_stop(rig->gateway);
	free(rig->gateway);
	rig->gateway = NULL;
	free(rig->flows);
	rig->flows = NULL;
}
