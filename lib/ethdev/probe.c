/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * First stage: from what the configuration says to a DPDK port id and what the driver can do.
 *
 * Some drivers want to know at probe what DPDK tells others at configure; such arguments are added
 * to the device string where the operator gave none:
 *   net_af_packet  qpairs = workers; framesz and blocksz for an MTU above 1500 (a frame lies in
 *                  one ring slot and must go into one mbuf: no SCATTER)
 *   net_tap        nothing: it takes its queues at configure
 * net_af_xdp (queue_count), net_virtio_user (queues) and net_memif depend on the other side, so
 * theirs stay as given: with fewer queues than workers, workers hand over.
 *
 * A bonding device names its slaves ("net_bonding0,mode=1,slave=0000:01:00.0,slave=0000:01:00.1").
 * They must exist before it and are probed here; virtual ones that need arguments are given to EAL
 * (a comma would end the bond's own argument). 802.3ad (mode=4) does its LACP inside rx and tx
 * bursts, which must come at least every 100 ms: workers poll far more often.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_memzone.h>
#include <rte_pci.h>

#include <lath_log.h>

#include "ethdev_private.h"

LATH_LOG_REGISTER(ethdev);

#define BITS_MAX_RETA 9u /* what lath_owner's map holds */
#define BITS_WITHOUT_RETA 7u
#define KEY_LEN_USUAL 40u

/* net_af_packet: TPACKET_V2 puts at most 66 bytes before a frame; slots are multiples of 16. */
#define AF_PACKET_SLOT_OVERHEAD 80u
#define AF_PACKET_SLOT_DEFAULT 2048u
#define PAGE_BYTES 4096u
#define L2_OVERHEAD 22u /* Ethernet, one tag, CRC */

int
lath_ethdev_arg(const char *device, const char *key, char *value, size_t len)
{
	size_t key_len = strlen(key);

	for (const char *at = strchr(device, ','); at != NULL; at = strchr(at + 1, ',')) {
		const char *from = at + 1 + key_len + 1;
		size_t value_len;

		if (strncmp(at + 1, key, key_len) != 0 || at[1 + key_len] != '=')
			continue;
		value_len = strcspn(from, ",");
		if (value != NULL)
			snprintf(value, len, "%.*s", (int)value_len, from);
		return (int)value_len;
	}
	return -1;
}

uint32_t
lath_ethdev_arg_number(const char *device, const char *key, uint32_t missing)
{
	char text[16];
	char *end;
	unsigned long value;

	if (lath_ethdev_arg(device, key, text, sizeof(text)) <= 0)
		return missing;
	value = strtoul(text, &end, 0);
	return *end != '\0' || value > UINT32_MAX ? missing : (uint32_t)value;
}

bool
lath_ethdev_is_pci(const char *device, char *canonical, size_t len)
{
	struct rte_pci_addr addr;
	char name[PCI_PRI_STR_SIZE + 1];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(device, ","), device);
	if (strchr(name, ':') == NULL || rte_pci_addr_parse(name, &addr) != 0)
		return false;
	if (canonical != NULL)
		rte_pci_device_name(&addr, canonical, len);
	return true;
}

bool
lath_ethdev_driver_is(const char *device, const char *driver)
{
	size_t len = strlen(driver);

	if (strncmp(device, driver, len) != 0)
		return false;
	/* What follows the driver is a number, "_name" or nothing: net_tap0, net_ring_a. */
	return strchr("0123456789_,", device[len]) != NULL;
}

/* The name under which DPDK knows the port. */
static void
device_name(const char *device, char *name, size_t len)
{
	if (!lath_ethdev_is_pci(device, name, len))
		snprintf(name, len, "%.*s", (int)strcspn(device, ","), device);
}

static uint32_t
round_up(uint32_t n, uint32_t to)
{
	return (n + to - 1) / to * to;
}

static int
append(struct lath_port *port, const char *key, uint32_t value)
{
	size_t used = strlen(port->device);
	int n;

	if (lath_ethdev_arg(port->device, key, NULL, 0) >= 0)
		return 0;
	n = snprintf(port->device + used, sizeof(port->device) - used, ",%s=%u", key, value);
	return n < 0 || (size_t)n >= sizeof(port->device) - used ? -E2BIG : 0;
}

/* What goes to EAL: what was given, and what the driver must know at probe. */
static int
device_string(struct lath_port *port, const struct lath_config_port *cfg, unsigned workers)
{
	uint32_t slot = round_up(cfg->mtu + L2_OVERHEAD + AF_PACKET_SLOT_OVERHEAD, 16);
	int rc = 0;

	if ((size_t)snprintf(port->device, sizeof(port->device), "%s", cfg->device) >=
			sizeof(port->device))
		return -E2BIG;
	if (!lath_ethdev_driver_is(cfg->device, "net_af_packet"))
		return 0;
	if (workers > 1)
		rc = append(port, "qpairs", workers);
	if (rc == 0 && slot > AF_PACKET_SLOT_DEFAULT &&
			lath_ethdev_arg(cfg->device, "framesz", NULL, 0) < 0) {
		rc = append(port, "framesz", slot);
		if (rc == 0)
			rc = append(port, "blocksz", round_up(slot, PAGE_BYTES));
	}
	return rc;
}

/* Slaves stay plugged in when the bond is closed: they may be EAL's. */
static void
probe_slaves(const char *device)
{
	for (const char *at = strstr(device, ",slave="); at != NULL;
			at = strstr(at + 1, ",slave=")) {
		char slave[64];
		char name[64];
		uint16_t port_id;

		if (lath_ethdev_arg(at, "slave", slave, sizeof(slave)) <= 0)
			continue;
		device_name(slave, name, sizeof(name));
		/* A number is a port id: there or not. */
		if (strspn(name, "0123456789") == strlen(name))
			continue;
		/* A slave that cannot be probed makes the bond's own configuration fail. */
		if (rte_eth_dev_get_port_by_name(name, &port_id) < 0 && rte_dev_probe(name) < 0)
			LATH_LOG(WARNING, "bonding slave cannot be probed slave=%s", name);
	}
}

/* net_tap logs errors for a multiq qdisc that kernels without it refuse; it works without.
 * net_memif warns that second processes of ours could not use it; there are none.
 */
static void
quiet_driver(const char *device)
{
	if (lath_ethdev_driver_is(device, "net_tap"))
		(void)rte_log_set_level_pattern("pmd.net.tap", RTE_LOG_CRIT);
	if (lath_ethdev_driver_is(device, "net_memif"))
		(void)rte_log_set_level_pattern("pmd.net.memif", RTE_LOG_ERR);
}

static int
attach(struct lath_port *port, const struct lath_config_port *cfg, struct lath_error *err)
{
	char name[RTE_ETH_NAME_MAX_LEN];
	int rc;

	device_name(port->device, name, sizeof(name));
	if (rte_eth_dev_get_port_by_name(name, &port->port_id) == 0) {
		port->probed = true;
		return 0;
	}
	rc = lath_ethdev_check_device(cfg, err);
	if (rc < 0)
		return rc;
	if (lath_ethdev_driver_is(port->device, "net_bonding"))
		probe_slaves(port->device);
	rc = rte_dev_probe(port->device);
	if (rc < 0)
		return lath_ethdev_diagnose(cfg, rc, err);
	rc = rte_eth_dev_get_port_by_name(name, &port->port_id);
	if (rc < 0)
		return lath_ethdev_diagnose(cfg, rc, err);
	port->probed = true;
	port->attached = true;
	return 0;
}

/* One device serves one port: "01:00.0" and "0000:01:00.0" are the same. ethdev's own ownership
 * would hide the port from dpdk-telemetry.py and dpdk-proc-info, and DPDK has no question for "is
 * it configured?", so a named memzone is the mark.
 */
static int
take_mark(struct lath_port *port, struct lath_error *err)
{
	char name[RTE_MEMZONE_NAMESIZE];

	snprintf(name, sizeof(name), "lath_port_%u", port->port_id);
	port->in_use_mark = rte_memzone_reserve(name, 1, SOCKET_ID_ANY, 0);
	if (port->in_use_mark != NULL)
		return 0;
	if (rte_errno == EEXIST) {
		lath_ethdev_refuse(err, port->name, "another port uses \"%s\" already.",
				port->device);
		return lath_err(EBUSY);
	}
	lath_ethdev_refuse(err, port->name, "no memory (%s).", rte_strerror(rte_errno));
	return lath_err(ENOMEM);
}

/* A bonding device takes its slaves, and with them its abilities, at its first configure only. */
static void
wake_bond(const struct lath_port *port)
{
	const struct rte_eth_conf conf = {.txmode = {.mq_mode = RTE_ETH_MQ_TX_NONE}};
	int rc;

	if (!lath_ethdev_driver_is(port->device, "net_bonding"))
		return;
	rc = rte_eth_dev_configure(port->port_id, 1, 1, &conf);
	if (rc < 0)
		LATH_LOG(WARNING, "bonding device does not take its slaves port=%s error=%d",
				port->name, -rc);
}

static int
read_abilities(struct lath_port *port, struct lath_error *err)
{
	struct rte_eth_dev_info info;
	int rc;

	wake_bond(port);
	rc = rte_eth_dev_info_get(port->port_id, &info);
	if (rc < 0) {
		lath_ethdev_refuse(err, port->name, "the driver does not describe itself (%s).",
				strerror(-rc));
		return rc;
	}
	snprintf(port->driver, sizeof(port->driver), "%s", info.driver_name);
	port->driver_rx_queue_max = info.max_rx_queues;
	port->driver_tx_queue_max = info.max_tx_queues;
	port->reta_size = info.reta_size;
	/* Some drivers do not say (net_null): 40 is usual, and the key is read back. */
	port->key_len = info.hash_key_size == 0 ? KEY_LEN_USUAL : info.hash_key_size;
	port->rss_functions = lath_ethdev_rss_functions(&info);
	port->socket = rte_eth_dev_socket_id(port->port_id);
	if (lath_ethdev_is_kernel_backed(port)) {
		rc = lath_ethdev_kernel_open(port, info.if_index);
		if (rc < 0)
			lath_ethdev_refuse(err, port->name, "its interface is not there (%s).",
					strerror(-rc));
	}
	return rc < 0 ? rc : 0;
}

int
lath_ethdev_probe(struct lath_port *port, const struct lath_config_port *cfg, unsigned workers,
		struct lath_error *err)
{
	int rc;

	memset(port, 0, sizeof(*port));
	port->kernel_socket = -1;
	port->steering = LATH_STEER_SOFTWARE;
	memcpy(port->name, cfg->name, sizeof(port->name));
	rc = device_string(port, cfg, workers);
	if (rc < 0) {
		lath_ethdev_refuse(err, cfg->name, "the device string is too long.");
		return rc;
	}
	quiet_driver(port->device);
	rc = attach(port, cfg, err);
	if (rc == 0)
		rc = take_mark(port, err);
	if (rc == 0)
		rc = read_abilities(port, err);
	if (rc < 0)
		lath_port_close(port);
	return rc;
}

bool
lath_ethdev_can_steer(const struct lath_port *port, unsigned workers)
{
	return port->probed && port->reta_size > 0 &&
			lath_ethdev_steer_obstacle(port, workers)[0] == '\0';
}

unsigned
lath_ethdev_reta_bits(const struct lath_port *ports, unsigned count, unsigned workers)
{
	unsigned bits = BITS_MAX_RETA + 1;

	for (unsigned i = 0; i < count; i++) {
		unsigned own = 0;

		if (!lath_ethdev_can_steer(&ports[i], workers))
			continue;
		while (own < BITS_MAX_RETA && 2u << own <= ports[i].reta_size)
			own++;
		bits = lath_min_u32(bits, own);
	}
	return bits > BITS_MAX_RETA ? BITS_WITHOUT_RETA : bits;
}

uint32_t
lath_ethdev_data_room(const struct lath_port *port)
{
	uint32_t slot;

	/* net_af_packet refuses a pool whose mbufs are smaller than its slots, whatever the MTU. */
	if (!lath_ethdev_driver_is(port->device, "net_af_packet"))
		return RTE_MBUF_DEFAULT_BUF_SIZE;
	slot = lath_ethdev_arg_number(port->device, "framesz", AF_PACKET_SLOT_DEFAULT);
	return lath_max_u32(slot + RTE_PKTMBUF_HEADROOM, RTE_MBUF_DEFAULT_BUF_SIZE);
}
