/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Second stage: a probed port becomes one that workers can use.
 */

#include <stdio.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_mbuf.h>
#include <rte_memzone.h>

#include <lath_log.h>

#include "ethdev_private.h"

LATH_LOG_REGISTER(ethdev);

/* net_tap reads with one iovec per RX "descriptor" and keeps that many mbufs a queue: 1,024 make
 * every packet's readv() copy 16 KiB of iovecs. 16 mbufs hold the longest frame three times over.
 */
#define TAP_RX_DESCRIPTORS 16u

#define BOND_ALARM_US 100000u /* longest time between two looks of a bond at its members */

/* Queues are made in the order of workers, so that queue q is worker q's. */
static void
choose_queues(struct lath_port *port, unsigned workers)
{
	port->rx_queue_count = (uint16_t)lath_min_u32(workers, port->driver_rx_queue_max);
	port->tx_queue_count = (uint16_t)lath_min_u32(workers, port->driver_tx_queue_max);
	/* net_tap pairs queues: RX and TX of one number are one file descriptor. */
	if (lath_ethdev_driver_is(port->device, "net_tap")) {
		uint16_t pairs = (uint16_t)lath_min_u32(port->rx_queue_count, port->tx_queue_count);

		port->rx_queue_count = pairs;
		port->tx_queue_count = pairs;
	}
	port->tx_shared = port->tx_queue_count < workers;
}

static void
choose_steering(struct lath_port *port, unsigned workers)
{
	const char *why = lath_ethdev_steer_obstacle(port, workers);

	port->steering = LATH_STEER_NIC;
	port->steering_reason[0] = '\0';
	if (why[0] != '\0')
		lath_port_steer_in_software(port, why);
}

void
lath_port_steer_in_software(struct lath_port *port, const char *reason)
{
	if (port->steering == LATH_STEER_SOFTWARE && port->steering_reason[0] != '\0')
		return;
	port->steering = LATH_STEER_SOFTWARE;
	snprintf(port->steering_reason, sizeof(port->steering_reason), "%s", reason);
	LATH_LOG(NOTICE, "packets are steered in software: %s port=%s driver=%s", reason,
			port->name, port->driver);
}

/* The MTU that DPDK's own checks let through; a kernel interface takes more (kernel.c). */
static uint16_t
ethdev_mtu(const struct lath_port *port, const struct lath_config_port *cfg,
		const struct rte_eth_dev_info *info)
{
	uint32_t overhead = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
	uint32_t most = info->max_mtu;

	if (info->max_mtu != UINT16_MAX && info->max_rx_pktlen > info->max_mtu)
		overhead = info->max_rx_pktlen - info->max_mtu;
	if (info->max_rx_pktlen > overhead)
		most = lath_min_u32(most, info->max_rx_pktlen - overhead);
	if (!lath_ethdev_is_kernel_backed(port))
		return cfg->mtu;
	return (uint16_t)lath_min_u32(cfg->mtu, most);
}

static int
configure(struct lath_port *port, const struct lath_config_port *cfg,
		const struct rte_eth_dev_info *info, const struct lath_ethdev_setup *setup,
		struct lath_error *err)
{
	uint8_t key[LATH_TOEPLITZ_KEY_LEN];
	struct rte_eth_conf conf = {.txmode = {.mq_mode = RTE_ETH_MQ_TX_NONE}};
	int rc = lath_ethdev_choose_offloads(port, cfg, info, setup, &conf, err);

	if (rc < 0)
		return rc;
	conf.rxmode.mtu = ethdev_mtu(port, cfg, info);
	port->tx_mtu = cfg->mtu;
	/* rte_eth_tap.c drops what is longer than DPDK's MTU, whatever the interface's is. */
	if (lath_ethdev_driver_is(port->device, "net_tap"))
		port->tx_mtu = (uint16_t)conf.rxmode.mtu;
	if (port->tx_mtu < cfg->mtu)
		LATH_LOG(WARNING,
				"driver cannot send packets as long as the MTU port=%s mtu=%u "
				"longest_sent=%u",
				port->name, cfg->mtu, port->tx_mtu);
	memcpy(key, setup->owner->toeplitz.key, sizeof(key));
	if (port->steering == LATH_STEER_NIC && port->rx_queue_count > 1) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_key = key;
		conf.rx_adv_conf.rss_conf.rss_key_len = port->key_len;
		conf.rx_adv_conf.rss_conf.rss_hf = port->rss_functions;
	}
	rc = rte_eth_dev_configure(port->port_id, port->rx_queue_count, port->tx_queue_count,
			&conf);
	if (rc < 0) {
		lath_ethdev_refuse(err, port->name,
				"the driver %s refuses %u RX and %u TX queues with MTU %u (%s); it "
				"says: frames up to %u bytes.",
				port->driver, port->rx_queue_count, port->tx_queue_count, cfg->mtu,
				strerror(-rc), info->max_rx_pktlen);
		return rc;
	}
	port->configured = true;
	return 0;
}

static uint16_t
rx_descriptors(const struct lath_port *port, const struct lath_config_port *cfg)
{
	uint32_t wanted = cfg->rx_descriptors > 0 ? cfg->rx_descriptors : 1024;

	if (lath_ethdev_driver_is(port->device, "net_tap"))
		return TAP_RX_DESCRIPTORS;
	return (uint16_t)lath_min_u32(wanted, UINT16_MAX);
}

static int
set_up_queues(const struct lath_port *port, const struct lath_config_port *cfg,
		struct rte_mempool *pool, struct lath_error *err)
{
	uint16_t rx = rx_descriptors(port, cfg);
	uint16_t tx = (uint16_t)lath_min_u32(cfg->tx_descriptors > 0 ? cfg->tx_descriptors : 1024,
			UINT16_MAX);
	int socket = port->socket;
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(port->port_id, &rx, &tx);

	for (uint16_t q = 0; rc >= 0 && q < port->rx_queue_count; q++)
		rc = rte_eth_rx_queue_setup(port->port_id, q, rx, (unsigned)socket, NULL, pool);
	for (uint16_t q = 0; rc >= 0 && q < port->tx_queue_count; q++)
		rc = rte_eth_tx_queue_setup(port->port_id, q, tx, (unsigned)socket, NULL);
	if (rc < 0) {
		lath_ethdev_refuse(err, port->name,
				"the driver %s cannot set up its queues (%s): %u RX and %u TX "
				"descriptors each; more packet buffers may be needed "
				"(/system/packetBuffers), or for net_af_packet larger ones.",
				port->driver, strerror(-rc), rx, tx);
		return rc;
	}
	return 0;
}

/* A port without an address of its own (net_ring) gets a local one, the same at every start. */
static void
make_mac(const char *name, struct lath_mac *mac)
{
	uint64_t state = UINT64_C(0x6c617468);
	uint64_t bits;

	for (const char *c = name; *c != '\0'; c++) {
		state ^= (uint64_t)(unsigned char)*c;
		(void)lath_random_next(&state);
	}
	bits = lath_random_next(&state);
	memcpy(mac->bytes, &bits, sizeof(mac->bytes));
	mac->bytes[0] = 0x02;
}

static int
set_mac(struct lath_port *port, const struct lath_config_port *cfg, struct lath_error *err)
{
	struct rte_ether_addr addr;
	char text[LATH_MAC_TEXT_MAX];
	int rc = rte_eth_macaddr_get(port->port_id, &addr);

	memcpy(port->mac.bytes, addr.addr_bytes, sizeof(port->mac.bytes));
	if (rc < 0 || rte_is_zero_ether_addr(&addr))
		make_mac(port->name, &port->mac);
	if (!cfg->has_mac)
		return 0;
	port->mac = cfg->mac;
	memcpy(addr.addr_bytes, cfg->mac.bytes, sizeof(addr.addr_bytes));
	rc = rte_eth_dev_default_mac_addr_set(port->port_id, &addr);
	if (rc >= 0)
		return 0;
	/* Rings and files take every frame anyway; a NIC must be told to. */
	if (rc == -ENOTSUP) {
		(void)rte_eth_promiscuous_enable(port->port_id);
		return 0;
	}
	lath_ethdev_refuse(err, port->name, "the driver %s refuses the MAC %s (%s).", port->driver,
			lath_mac_format(&cfg->mac, text), strerror(-rc));
	return rc;
}

static int
set_mtu(struct lath_port *port, const struct lath_config_port *cfg, struct lath_error *err)
{
	int rc;

	port->mtu = cfg->mtu;
	if (lath_ethdev_is_kernel_backed(port)) {
		rc = lath_ethdev_kernel_set_mtu(port, cfg->mtu);
	} else {
		rc = rte_eth_dev_set_mtu(port->port_id, cfg->mtu);
		/* Drivers without the call (net_ring, net_pcap) have no limit either. */
		if (rc == -ENOTSUP)
			rc = 0;
	}
	if (rc < 0)
		lath_ethdev_refuse(err, port->name, "MTU %u is refused by the driver %s (%s).",
				cfg->mtu, port->driver, strerror(-rc));
	return rc < 0 ? rc : 0;
}

static int
open_probed(struct lath_port *port, const struct lath_config_port *cfg,
		const struct lath_ethdev_setup *setup, struct lath_error *err)
{
	struct rte_eth_dev_info info;
	int rc = rte_eth_dev_info_get(port->port_id, &info);

	if (rc < 0) {
		lath_ethdev_refuse(err, port->name, "the driver %s does not describe itself (%s).",
				port->driver, strerror(-rc));
		return rc;
	}
	choose_queues(port, setup->workers);
	if (port->rx_queue_count == 0 || port->tx_queue_count == 0) {
		lath_ethdev_refuse(err, port->name, "the driver %s has no RX or no TX queue.",
				port->driver);
		return lath_err(ENOTSUP);
	}
	choose_steering(port, setup->workers);
	rc = configure(port, cfg, &info, setup, err);
	if (rc == 0)
		rc = set_mtu(port, cfg, err);
	if (rc == 0)
		rc = set_up_queues(port, cfg, setup->pool, err);
	if (rc == 0)
		rc = set_mac(port, cfg, err);
	return rc;
}

int
lath_port_open(struct lath_port *port, const struct lath_config_port *cfg,
		const struct lath_ethdev_setup *setup, struct lath_error *err)
{
	int rc = 0;

	if (!port->probed)
		rc = lath_ethdev_probe(port, cfg, setup->workers, err);
	if (rc < 0)
		return rc;
	rc = open_probed(port, cfg, setup, err);
	if (rc < 0)
		lath_port_close(port);
	return rc;
}

uint32_t
lath_ethdev_buffers_needed(const struct lath_port *port, const struct lath_config_port *cfg,
		unsigned workers)
{
	uint32_t tx = cfg->tx_descriptors > 0 ? cfg->tx_descriptors : 1024;
	uint32_t queues = lath_min_u32(workers, port->driver_rx_queue_max);

	return queues * ((uint32_t)rx_descriptors(port, cfg) + tx);
}

/* Neighbour discovery comes by multicast. Solicited-node groups come and go with addresses, and a
 * reload may no longer have the rights to join them: so a port hears all groups from its start on,
 * and workers drop what is none of theirs. Where a driver has no such mode it hears everything.
 */
static void
hear_groups(const struct lath_port *port)
{
	int rc = rte_eth_allmulticast_enable(port->port_id);

	if (rc == -ENOTSUP)
		rc = rte_eth_promiscuous_enable(port->port_id);
	if (rc < 0)
		LATH_LOG(NOTICE,
				"port takes no mode in which it hears multicast: IPv6 hosts find "
				"the "
				"gateway only if its driver passes it anyway port=%s driver=%s "
				"error=%d",
				port->name, port->driver, -rc);
}

int
lath_port_start(struct lath_port *port, const struct lath_owner *owner, struct lath_error *err)
{
	const char *why;
	int rc = rte_eth_dev_start(port->port_id);

	if (rc < 0) {
		lath_ethdev_refuse(err, port->name, "the driver %s does not start (%s).",
				port->driver, strerror(-rc));
		return rc;
	}
	port->started = true;
	hear_groups(port);
	if (port->steering == LATH_STEER_NIC && port->rx_queue_count > 1) {
		why = lath_ethdev_rss_program(port, owner);
		if (why[0] != '\0')
			lath_port_steer_in_software(port, why);
	}
	(void)lath_port_poll_link(port);
	port->link_changes_total = 0;
	LATH_LOG(NOTICE,
			"port is started port=%s driver=%s mtu=%u rx_queues=%u tx_queues=%u "
			"steering=%s link=%s",
			port->name, port->driver, port->mtu, port->rx_queue_count,
			port->tx_queue_count, port->steering == LATH_STEER_NIC ? "nic" : "software",
			port->link_up ? "up" : "down");
	return 0;
}

void
lath_port_stop(struct lath_port *port)
{
	int rc;

	if (!port->started)
		return;
	port->started = false;
	rc = rte_eth_dev_stop(port->port_id);
	if (rc < 0)
		LATH_LOG(WARNING, "port does not stop port=%s error=%d", port->name, -rc);
}

void
lath_port_close(struct lath_port *port)
{
	struct rte_eth_dev_info info = {0};
	int rc;

	lath_port_stop(port);
	lath_ethdev_kernel_close(port);
	/* A bond looks after its members by an alarm, which ends by itself once the bond is stopped
	 * but may be under way: it must not meet a closed device.
	 */
	if (port->configured && strcmp(port->driver, "net_bonding") == 0)
		rte_delay_us_sleep(2 * BOND_ALARM_US);
	if (port->probed && rte_eth_dev_info_get(port->port_id, &info) == 0) {
		if (port->configured || port->attached)
			(void)rte_eth_dev_close(port->port_id);
		rc = port->attached && info.device != NULL ? rte_dev_remove(info.device) : 0;
		if (rc < 0)
			LATH_LOG(WARNING, "device is not unplugged port=%s error=%d", port->name,
					-rc);
	}
	(void)rte_memzone_free(port->in_use_mark); /* -EINVAL for NULL */
	port->in_use_mark = NULL;
	port->probed = false;
	port->attached = false;
	port->configured = false;
}

bool
lath_port_poll_link(struct lath_port *port)
{
	struct rte_eth_link link = {0};
	bool was_up = port->link_up;

	if (rte_eth_link_get_nowait(port->port_id, &link) < 0)
		return false;
	port->link_up = link.link_status == RTE_ETH_LINK_UP;
	port->link_speed_mbps = link.link_speed;
	if (port->kernel_name[0] != '\0' && lath_ethdev_kernel_link(port, &port->link_up) < 0)
		port->link_up = true;
	if (port->link_up == was_up)
		return false;
	port->link_changes_total++;
	LATH_LOG(NOTICE, "link is %s port=%s", port->link_up ? "up" : "down", port->name);
	return true;
}

int
lath_port_stats(const struct lath_port *port, struct lath_port_stats *stats)
{
	struct rte_eth_stats raw;
	int rc = rte_eth_stats_get(port->port_id, &raw);

	if (rc < 0)
		return rc;
	*stats = (struct lath_port_stats){
			.rx_packets_total = raw.ipackets,
			.rx_bytes_total = raw.ibytes,
			.tx_packets_total = raw.opackets,
			.tx_bytes_total = raw.obytes,
			.rx_missed_total = raw.imissed,
			.rx_errors_total = raw.ierrors,
			.rx_no_buffer_total = raw.rx_nombuf,
			.tx_errors_total = raw.oerrors,
	};
	return 0;
}
