/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Ports, the owner map, packet buffers and the rings between workers. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "gateway.h"

#define HANDOVER_RING 2048u
#define TAILROOM 64u        /* architecture: 128 bytes of headroom and 64 of tailroom are kept */
#define LINK_OVERHEAD 22u   /* Ethernet and two tags */
#define BUFFERS_SPARE 4096u /* held, in rings, in bursts */

static uint32_t
largest_mtu(const struct lath_config *cfg)
{
	uint32_t mtu = 1500;

	for (uint32_t i = 0; i < cfg->system.port_count; i++)
		mtu = lath_max_u32(mtu, cfg->system.ports[i].mtu);
	return mtu;
}

/* The whole of the largest frame in one piece: no chains on the packet's way. */
static uint32_t
data_room(const struct lath_config *cfg)
{
	uint32_t frame = largest_mtu(cfg) + 20 + LINK_OVERHEAD;

	return RTE_PKTMBUF_HEADROOM + ((frame + TAILROOM + 63) & ~63u);
}

static uint32_t
buffer_count(const struct lath_config *cfg)
{
	const struct lath_config_system *system = &cfg->system;
	uint32_t count = BUFFERS_SPARE;

	if (system->packet_buffers != 0)
		return system->packet_buffers;
	for (uint32_t i = 0; i < system->port_count; i++)
		count += (system->ports[i].rx_descriptors + system->ports[i].tx_descriptors) *
				system->worker_count;
	count += 2048 * system->worker_count; /* the host port's, and bursts */
	count += lath_min_u32(system->max_neighbors, 4096);
	return count;
}

uint32_t
plane_memory_mib(const struct lath_config *cfg)
{
	uint64_t buffer = sizeof(struct rte_mbuf) + LATH_PACKET_PRIVATE_SIZE + data_room(cfg) + 192;
	uint64_t bytes = buffer * buffer_count(cfg);
	uint32_t workers = cfg->system.worker_count;

	bytes += (uint64_t)workers * workers * HANDOVER_RING * sizeof(void *) * 2;
	bytes += (uint64_t)workers * (2u << 20); /* mailboxes */
	return (uint32_t)(bytes >> 20) + 64;
}

static void
describe_host_port(struct gateway *gateway, const struct lath_config *cfg)
{
	struct lath_config_port *host = &gateway->port_cfgs[cfg->system.port_count];

	*host = (struct lath_config_port){
			.name = "host",
			.rx_descriptors = 256,
			.tx_descriptors = 256,
			.mtu = (uint16_t)(largest_mtu(cfg) + 20),
	};
	snprintf(host->device, sizeof(host->device), "%s", cfg->system.host_port_device);
}

static int
probe_ports(struct gateway *gateway, const struct lath_config *cfg, struct lath_error *err)
{
	for (uint32_t i = 0; i < gateway->plane.port_count; i++) {
		int rc = lath_ethdev_probe(&gateway->ports[i], &gateway->port_cfgs[i],
				cfg->system.worker_count, err);

		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
make_buffers(struct gateway *gateway, const struct lath_config *cfg, struct lath_error *err)
{
	uint32_t room = data_room(cfg);
	uint32_t count = buffer_count(cfg);
	int socket = gateway->ports[0].socket;

	for (uint32_t i = 0; i < gateway->plane.port_count; i++)
		room = lath_max_u32(room, lath_ethdev_data_room(&gateway->ports[i]));
	gateway->plane.pool = rte_pktmbuf_pool_create("lath_packets", count, 256,
			LATH_PACKET_PRIVATE_SIZE, (uint16_t)lath_min_u32(room, UINT16_MAX), socket);
	if (gateway->plane.pool != NULL)
		return 0;
	lath_error_set(err, "/system/memory",
			"no memory for %u packet buffers of %u bytes; raise sizeMiB (now %u) or "
			"lower "
			"packetBuffers",
			count, room, cfg->system.memory_mib);
	return lath_err(ENOMEM);
}

static int
open_ports(struct gateway *gateway, const struct lath_config *cfg, struct lath_error *err)
{
	struct lath_ethdev_setup setup = {
			.workers = cfg->system.worker_count,
			.owner = gateway->owner,
			.pool = gateway->plane.pool,
			.plain_buffers = true,
	};

	for (uint32_t i = 0; i < gateway->plane.port_count; i++)
		setup.plain_buffers = setup.plain_buffers &&
				lath_ethdev_is_plain(&gateway->ports[i], &gateway->port_cfgs[i],
						setup.pool);
	for (uint32_t i = 0; i < gateway->plane.port_count; i++) {
		struct lath_port *port = &gateway->ports[i];
		int rc = lath_port_open(port, &gateway->port_cfgs[i], &setup, err);

		if (rc == 0)
			rc = lath_port_start(port, gateway->owner, err);
		if (rc != 0)
			return rc;
		fprintf(stderr, "lathd: port %s: %s, %u queues, steered by %s%s%s\n", port->name,
				port->driver, port->rx_queue_count,
				port->steering == LATH_STEER_NIC ? "RSS" : "software",
				port->steering_reason[0] != '\0' ? ": " : "",
				port->steering_reason);
	}
	return 0;
}

static int
make_rings(struct gateway *gateway, struct lath_error *err)
{
	uint32_t workers = gateway->plane.worker_count;
	char name[RTE_RING_NAMESIZE];

	gateway->plane.handover = calloc((size_t)workers * workers, sizeof(struct rte_ring *));
	if (gateway->plane.handover == NULL)
		return lath_err(ENOMEM);
	for (uint32_t i = 0; i < workers * workers; i++) {
		if (i / workers == i % workers)
			continue;
		snprintf(name, sizeof(name), "lath_handover_%u", i);
		gateway->plane.handover[i] = rte_ring_create(name, HANDOVER_RING,
				(int)gateway->worker_nodes[i % workers],
				RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (gateway->plane.handover[i] == NULL) {
			lath_error_set(err, "/system/memory",
					"no memory for the rings between %u workers; raise sizeMiB",
					workers);
			return lath_err(ENOMEM);
		}
	}
	return 0;
}

/*
 * The device's own MAC, but on net_tap: there the kernel's interface has that one, and a wire with
 * one MAC on both ends is none. The gateway takes the configured one, or a neighbour of the
 * kernel's; a TAP lets every frame through.
 */
static struct lath_mac
gateway_mac_of(const struct lath_port *port, const struct lath_config_port *cfg)
{
	struct lath_mac mac = port->mac;

	if (strcmp(port->driver, "net_tap") != 0)
		return mac;
	if (cfg->has_mac)
		return cfg->mac;
	mac.bytes[0] = (uint8_t)((mac.bytes[0] | 0x02) & ~0x01);
	mac.bytes[5] ^= 0x01;
	return mac;
}

/* The kernel's side of a TAP keeps its own MAC: what is configured is the gateway's. */
static void
take_port_cfgs(struct gateway *gateway, const struct lath_config *cfg)
{
	for (uint32_t i = 0; i < cfg->system.port_count; i++) {
		gateway->port_cfgs[i] = cfg->system.ports[i];
		if (strncmp(cfg->system.ports[i].device, "net_tap", 7) == 0)
			gateway->port_cfgs[i].has_mac = false;
	}
	if (cfg->system.host_port_enabled)
		describe_host_port(gateway, cfg);
}

static void
set_macs(struct gateway *gateway, const struct lath_config *cfg)
{
	struct lath_dataplane *plane = &gateway->plane;

	for (uint32_t i = 0; i < cfg->system.port_count; i++)
		plane->gateway_mac[i] = gateway_mac_of(&gateway->ports[i], &cfg->system.ports[i]);
	if (plane->host_port == UINT16_MAX)
		return;
	plane->host_kernel_mac = gateway->ports[plane->host_port].mac;
	plane->gateway_mac[plane->host_port] = lath_hostaddr_gateway_mac();
}

int
plane_start(struct gateway *gateway, const struct lath_config *cfg,
		const struct gateway_options *options, uint64_t *random, struct lath_error *err)
{
	struct lath_dataplane *plane = &gateway->plane;
	unsigned bits;
	int rc;

	plane->worker_count = cfg->system.worker_count;
	plane->ports = gateway->ports;
	plane->port_count = cfg->system.port_count + (cfg->system.host_port_enabled ? 1 : 0);
	plane->host_port = cfg->system.host_port_enabled ? (uint16_t)cfg->system.port_count
							 : UINT16_MAX;
	take_port_cfgs(gateway, cfg);
	gateway->owner = aligned_alloc(LATH_CACHE_LINE,
			(sizeof(*gateway->owner) + LATH_CACHE_LINE - 1) &
					~(size_t)(LATH_CACHE_LINE - 1));
	if (gateway->owner == NULL)
		return lath_err(ENOMEM);
	plane->owner = gateway->owner;
	plane->whole_way = options->whole_way;
	rc = options->own_ports ? 0 : probe_ports(gateway, cfg, err);
	if (rc != 0)
		return rc;
	bits = lath_ethdev_reta_bits(gateway->ports, plane->port_count, plane->worker_count);
	rc = lath_owner_init(gateway->owner, bits, plane->worker_count, random);
	if (rc != 0) {
		lath_error_set(err, "/system/workers/count",
				"%u workers are more than the smallest redirection table holds "
				"(%u)",
				plane->worker_count, 1u << bits);
		return rc;
	}
	if (!options->own_ports) {
		rc = make_buffers(gateway, cfg, err);
		if (rc == 0)
			rc = open_ports(gateway, cfg, err);
		if (rc != 0)
			return rc;
	}
	set_macs(gateway, cfg);
	return make_rings(gateway, err);
}

void
plane_stop(struct gateway *gateway)
{
	struct lath_dataplane *plane = &gateway->plane;

	for (uint32_t i = 0; i < plane->port_count; i++)
		lath_port_close(&gateway->ports[i]);
	if (plane->handover != NULL)
		for (uint32_t i = 0; i < plane->worker_count * plane->worker_count; i++)
			rte_ring_free(plane->handover[i]);
	free(plane->handover);
	rte_mempool_free(plane->pool);
	free(gateway->owner);
}
