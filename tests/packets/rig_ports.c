/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * The ports of lath-packets: rings in memory, a bond over two of them, and what a NIC would do with
 * a frame. A port may be told to spread frames over its queues as RSS does (rte_softrss, which is
 * not the gateway's own arithmetic), and a frame may be put on a wrong queue all the same.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_thash.h>

#include "rig.h"

#define RING_SIZE 8192u
#define BUFFERS 3072u
#define BUFFERS_OF_PIECES (4 * BUFFERS) /* a frame takes up to four */
#define DATA_ROOM 10240
#define ALARM_US 100000u /* longest time between two looks at a bond's members */
#define LINK_TRIES 200u  /* of 10 ms: a bond's members come up by an alarm of EAL */

/* In ethdev's place, for the bonding driver: net_ring cannot set a MAC, without which a bond does
 * not start. Rings take every frame anyway.
 */
int
rte_eth_dev_default_mac_addr_set(uint16_t port_id, struct rte_ether_addr *mac)
{
	(void)port_id;
	(void)mac;
	return 0;
}

/* ---- ports --------------------------------------------------------------------------------- */

static struct rte_ring *
make_ring(const char *kind, const char *device, uint32_t queue, uint32_t size)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "%s_%s_%u", kind, device, queue);
	return rte_ring_create(name, size, 0, 0);
}

static uint16_t
make_ring_port(struct rig_port *test, unsigned member, const char *device, uint32_t workers,
		uint32_t tx_size)
{
	int port_id;

	for (uint32_t q = 0; q < workers; q++) {
		test->rx[member][q] = make_ring("rx", device, q, RING_SIZE);
		test->tx[member][q] = make_ring("tx", device, q, tx_size);
	}
	port_id = rte_eth_from_rings(device, test->rx[member], workers, test->tx[member], workers,
			0);
	if (port_id < 0)
		rte_exit(EXIT_FAILURE, "no ring port %s\n", device);
	test->members = member + 1;
	return (uint16_t)port_id;
}

/* A bond of two ring ports; `args` are the driver's ("mode=1"). */
static uint16_t
make_bond(struct rig_port *test, uint32_t index, const char *args, uint32_t workers,
		uint32_t tx_size)
{
	const struct rte_eth_conf conf = {0};
	char member[RIG_MEMBERS_MAX][16];
	char device[128];
	char name[32];
	uint16_t port_id;

	for (unsigned m = 0; m < RIG_MEMBERS_MAX; m++) {
		snprintf(member[m], sizeof(member[m]), "test%u%c", index, 'a' + (char)m);
		(void)make_ring_port(test, m, member[m], workers, tx_size);
	}
	snprintf(name, sizeof(name), "net_bonding%u", index);
	snprintf(device, sizeof(device), "%s,%s,slave=net_ring_%s,slave=net_ring_%s", name, args,
			member[0], member[1]);
	if (rte_dev_probe(device) < 0 || rte_eth_dev_get_port_by_name(name, &port_id) < 0 ||
			rte_eth_dev_configure(port_id, 1, 1, &conf) < 0)
		rte_exit(EXIT_FAILURE, "no bond %s\n", device);
	test->bond = true;
	return port_id;
}

void
rig_close_bonds(struct rig *rig)
{
	struct rte_eth_dev_info info = {0};

	for (uint32_t i = 0; i < rig->gateway.plane.port_count; i++) {
		uint16_t port_id = rig->gateway.ports[i].port_id;

		if (!rig->ports[i].bond || rte_eth_dev_info_get(port_id, &info) != 0)
			continue;
		(void)rte_eth_dev_stop(port_id);
		usleep(2 * ALARM_US); /* one more alarm may be under way, it ends by itself now */
		(void)rte_eth_dev_close(port_id);
		(void)rte_dev_remove(info.device);
	}
}

static void
start_port(uint16_t port_id, uint32_t workers, struct rte_mempool *pool)
{
	const struct rte_eth_conf conf = {0};
	struct rte_eth_link link = {0};

	rte_eth_dev_configure(port_id, (uint16_t)workers, (uint16_t)workers, &conf);
	for (uint16_t q = 0; q < workers; q++) {
		rte_eth_rx_queue_setup(port_id, q, 512, 0, NULL, pool);
		rte_eth_tx_queue_setup(port_id, q, 512, 0, NULL);
	}
	rte_eth_dev_start(port_id);
	for (unsigned i = 0; i < LINK_TRIES && link.link_status != RTE_ETH_LINK_UP; i++) {
		if (i > 0)
			usleep(10000);
		(void)rte_eth_link_get_nowait(port_id, &link);
	}
}

static void
make_port(struct rig *rig, uint32_t index, const char *name, const struct lath_config_port *cfg,
		json_t *wishes, uint32_t workers)
{
	struct lath_port *port = &rig->gateway.ports[index];
	struct rig_port *test = &rig->ports[index];
	json_t *tx_ring = json_object_get(json_object_get(wishes, "tx_ring"), name);
	json_t *bond = json_object_get(json_object_get(wishes, "bonds"), name);
	uint32_t tx_size = tx_ring != NULL ? (uint32_t)json_integer_value(tx_ring) : RING_SIZE;
	char device[16];

	snprintf(device, sizeof(device), "test%u", index);
	test->rss = json_is_true(json_object_get(json_object_get(wishes, "rss"), name));
	*port = (struct lath_port){
			.rx_queue_count = (uint16_t)workers,
			.tx_queue_count = (uint16_t)workers,
			.mtu = 9600,
			.tx_mtu = 9600,
			.mac = {{0x02, 0, 0, 0, 0, (uint8_t)(index + 1)}},
			.steering = test->rss ? LATH_STEER_NIC : LATH_STEER_SOFTWARE,
			.link_up = true,
	};
	port->port_id = bond != NULL
			? make_bond(test, index, json_string_value(bond), workers, tx_size)
			: make_ring_port(test, 0, device, workers, tx_size);
	start_port(port->port_id, workers, rig->gateway.plane.pool);
	snprintf(port->driver, sizeof(port->driver), "%s",
			bond != NULL ? "net_bonding" : "net_ring");
	snprintf(port->name, sizeof(port->name), "%s", name);
	if (json_is_true(json_object_get(json_object_get(wishes, "verifies"), name))) {
		port->offloads[LATH_OFFLOAD_RX_IP_CKSUM] = true;
		port->offloads[LATH_OFFLOAD_RX_L4_CKSUM] = true;
	}
	if (cfg != NULL && cfg->has_mac)
		port->mac = cfg->mac;
}

void
rig_make_ports(struct rig *rig, const struct lath_config *cfg, json_t *wishes)
{
	json_t *buffers = json_object_get(wishes, "buffers");
	json_t *room = json_object_get(wishes, "room");
	uint32_t workers = cfg->system.worker_count;

	rig->segments = (uint64_t)json_integer_value(json_object_get(wishes, "segments"));
	rig->gateway.plane.pool = rte_pktmbuf_pool_create("test_packets",
			buffers != NULL                      ? (unsigned)json_integer_value(buffers)
					: rig->segments != 0 ? BUFFERS_OF_PIECES
							     : BUFFERS,
			0, LATH_PACKET_PRIVATE_SIZE,
			(uint16_t)(RTE_PKTMBUF_HEADROOM +
					(room != NULL ? json_integer_value(room) : DATA_ROOM)),
			0);
	for (uint32_t i = 0; i < cfg->system.port_count; i++)
		make_port(rig, i, cfg->system.ports[i].name, &cfg->system.ports[i], wishes,
				workers);
	if (cfg->system.host_port_enabled)
		make_port(rig, cfg->system.port_count, "host", NULL, wishes, workers);
}

static int
port_by_name(const struct rig *rig, const char *name)
{
	for (uint32_t i = 0; i < rig->gateway.plane.port_count; i++)
		if (name != NULL && strcmp(rig->gateway.ports[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* ---- what a NIC does ----------------------------------------------------------------------- */

/* IPv4 behind at most one tag: addresses, and ports of whole TCP and UDP packets. Queue 0 takes
 * what a NIC does not hash.
 */
static uint32_t
nic_queue(const struct rig *rig, const uint8_t *frame, size_t len)
{
	const struct lath_owner *owner = rig->gateway.owner;
	size_t at = len > 18 && frame[12] == 0x81 && frame[13] == 0x00 ? 18 : 14;
	const struct rte_ipv4_hdr *ip = (const void *)(frame + at);
	uint32_t words[3];
	uint32_t count = 2;
	size_t l4;

	if (len < at + sizeof(*ip) + 4 || frame[at - 2] != 0x08 || frame[at - 1] != 0x00)
		return 0;
	words[0] = rte_be_to_cpu_32(ip->src_addr);
	words[1] = rte_be_to_cpu_32(ip->dst_addr);
	l4 = at + rte_ipv4_hdr_len(ip);
	if ((ip->next_proto_id == IPPROTO_TCP || ip->next_proto_id == IPPROTO_UDP) &&
			len >= l4 + 4) {
		memcpy(&words[2], frame + l4, 4);
		words[2] = rte_be_to_cpu_32(words[2]);
		count = 3;
	}
	return owner->map[rte_softrss(words, count, owner->toeplitz.key) & owner->mask];
}

/* ---- packets ------------------------------------------------------------------------------- */

static int
nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static void
from_hex(const char *hex, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
}

json_t *
rig_queue_of(struct rig *rig, json_t *command)
{
	const char *hex = json_string_value(json_object_get(command, "hex"));
	uint8_t frame[64] = {0};
	size_t len = hex == NULL ? 0 : strlen(hex) / 2;

	if (len > sizeof(frame))
		len = sizeof(frame);
	from_hex(hex, frame, len);
	return json_pack("{s:i}", "queue", (int)nic_queue(rig, frame, len));
}

/* A number; "wrong": the one after the right one; without, RSS decides or chance. */
static uint32_t
choose_queue(struct rig *rig, const struct rig_port *test, json_t *queue, const uint8_t *frame,
		size_t len)
{
	uint32_t workers = rig->gateway.plane.worker_count;

	if (json_is_integer(queue))
		return (uint32_t)json_integer_value(queue) % workers;
	if (json_is_string(queue))
		return (nic_queue(rig, frame, len) + 1) % workers;
	return test->rss ? nic_queue(rig, frame, len) : lath_random_below(&rig->random, workers);
}

/* What a NIC's checksum unit says of the frame: `verdicts` is {"ip": word, "l4": word}. */
static uint64_t
cksum_flags(json_t *verdicts)
{
	static const struct {
		const char *layer;
		const char *word;
		uint64_t flag;
	} rows[] = {
			{"ip", "good", RTE_MBUF_F_RX_IP_CKSUM_GOOD},
			{"ip", "bad", RTE_MBUF_F_RX_IP_CKSUM_BAD},
			{"l4", "good", RTE_MBUF_F_RX_L4_CKSUM_GOOD},
			{"l4", "bad", RTE_MBUF_F_RX_L4_CKSUM_BAD},
	};
	uint64_t flags = 0;

	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		const char *word = json_string_value(json_object_get(verdicts, rows[i].layer));

		if (word != NULL && strcmp(word, rows[i].word) == 0)
			flags |= rows[i].flag;
	}
	return flags;
}

static const char *
inject_one(struct rig *rig, json_t *packet)
{
	const char *hex = json_string_value(json_object_get(packet, "hex"));
	int port = port_by_name(rig, json_string_value(json_object_get(packet, "port")));
	json_t *member = json_object_get(packet, "member");
	struct rig_port *test;
	struct rte_mbuf *m;
	uint8_t *frame;
	uint32_t queue;
	size_t len;

	if (port < 0 || hex == NULL || strlen(hex) % 2 != 0)
		return "a packet has a known port and an even number of hex digits";
	test = &rig->ports[port];
	len = strlen(hex) / 2;
	frame = malloc(len + 1);
	from_hex(hex, frame, len);
	queue = choose_queue(rig, test, json_object_get(packet, "queue"), frame, len);
	m = rig_packet(rig, json_object_get(packet, "cuts"), frame, len);
	free(frame);
	if (m == NULL)
		return "no buffer for the packet";
	m->ol_flags |= cksum_flags(json_object_get(packet, "cksum"));
	if (rte_ring_enqueue(test->rx[(size_t)json_integer_value(member) % test->members][queue],
			    m) == 0)
		return NULL;
	rte_pktmbuf_free(m);
	return "the receive ring is full";
}

json_t *
rig_inject(struct rig *rig, json_t *command)
{
	json_t *packets = json_object_get(command, "packets");
	const char *problem = NULL;
	json_t *packet;
	size_t i;

	if (packets == NULL)
		problem = inject_one(rig, command);
	else
		json_array_foreach(packets, i, packet)
			problem = problem == NULL ? inject_one(rig, packet) : problem;
	return problem == NULL ? json_pack("{s:b}", "ok", 1) : rig_refuse(problem);
}

static void
take_out(struct rig *rig, uint32_t port, unsigned member, struct rte_mbuf *m)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t len = rte_pktmbuf_pkt_len(m);
	char *hex = malloc(2 * len + 1);
	uint8_t *copy = malloc(len);
	const uint8_t *data = rte_pktmbuf_read(m, 0, len, copy);

	for (uint32_t i = 0; i < len; i++) {
		hex[2 * i] = digits[data[i] >> 4];
		hex[2 * i + 1] = digits[data[i] & 15];
	}
	hex[2 * len] = '\0';
	json_array_append_new(rig->out,
			json_pack("{s:s, s:s, s:i, s:i}", "port", rig->gateway.ports[port].name,
					"hex", hex, "member", (int)member, "at_ms",
					(int)((rig->now - RIG_START_TICK) * LATH_TICK_MS)));
	free(copy);
	free(hex);
	rte_pktmbuf_free(m);
}

unsigned
rig_drain(struct rig *rig)
{
	unsigned n = 0;
	struct rte_mbuf *m;

	for (uint32_t p = 0; p < rig->gateway.plane.port_count; p++)
		for (unsigned member = 0; member < rig->ports[p].members; member++)
			for (uint32_t q = 0; q < rig->gateway.plane.worker_count; q++)
				while (rte_ring_dequeue(rig->ports[p].tx[member][q], (void **)&m) ==
						0) {
					take_out(rig, p, member, m);
					n++;
				}
	return n;
}
