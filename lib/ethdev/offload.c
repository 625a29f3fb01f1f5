/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Which work is left to a port.
 *
 * Checksums of what is received: asked for where hardware does it. The verdicts are in the mbuf's
 * flags; a packet without one is checked in software, so every port drops the same IPv4 headers.
 * Not asked for on
 *   net_tap              it computes them in software, over the whole payload, for any one of the
 *                        three flags;
 *   virtio, vmxnet3      asking allows the host to leave checksums of TCP and UDP half done (the
 *                        sum of the pseudo header only), which an incremental update would carry
 *                        on to the wire;
 *   bonds, for L4        they ask their members without a look at these rules.
 *
 * Checksums of what is sent: never a port's. A forwarded packet gets two additions (RFC 1624), with
 * the deltas of its flow; an offload would want the lengths of the headers and a sum of the pseudo
 * header in each packet, which is more, and it would write a right checksum over payload that was
 * damaged before it came here. Added deltas keep a wrong checksum wrong until the receiver sees it.
 *
 * Fast free: the driver puts sent mbufs back by their addresses alone. That needs, for all that any
 * queue sends: one pool (there is one in the gateway), reference count 1 (nothing in the pipeline
 * clones or holds on; a hand-over passes the only reference on), one segment and no foreign memory
 * (lath_ethdev_is_plain() of every port, for what comes in by one goes out by another). It may be
 * freed by another thread than has allocated it: pools keep a cache for each. Not on bonds: 802.3ad
 * and ALB send frames out of pools of their own on the same queues, broadcast raises the count.
 *
 * Segments: only where the MTU needs more than a buffer holds. lathd makes buffers that hold the
 * largest frame of any port, so it does not happen there.
 */

#include <rte_mbuf.h>

#include "ethdev_private.h"

#define L2_OVERHEAD 22u /* Ethernet, one tag, CRC: what mbufs must hold beyond the MTU */
#define RX_L4_CKSUM (RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM)

static const char *const names[LATH_OFFLOAD_COUNT] = {
		[LATH_OFFLOAD_RX_IP_CKSUM] = "rx_ip_cksum",
		[LATH_OFFLOAD_RX_L4_CKSUM] = "rx_l4_cksum",
		[LATH_OFFLOAD_TX_FAST_FREE] = "tx_fast_free",
		[LATH_OFFLOAD_RX_SEGMENTS] = "rx_segments",
		[LATH_OFFLOAD_TX_SEGMENTS] = "tx_segments",
};

const char *
lath_offload_name(enum lath_offload offload)
{
	return names[offload];
}

/* The driver's own name: a PCI device's string does not tell it. */
static bool
is_driver(const struct lath_port *port, const char *prefix)
{
	return strncmp(port->driver, prefix, strlen(prefix)) == 0;
}

static bool
hardware_verifies(const struct lath_port *port)
{
	return !is_driver(port, "net_tap") && !is_driver(port, "net_virtio") &&
			!is_driver(port, "net_vmxnet3");
}

static uint32_t
buffer_room(const struct rte_mempool *pool)
{
	return rte_pktmbuf_data_room_size((struct rte_mempool *)(uintptr_t)pool) -
			RTE_PKTMBUF_HEADROOM;
}

static uint32_t
frame_max(const struct lath_config_port *cfg)
{
	return cfg->mtu + L2_OVERHEAD;
}

bool
lath_ethdev_is_plain(const struct lath_port *port, const struct lath_config_port *cfg,
		const struct rte_mempool *pool)
{
	/* mlx5 with multi-packet queues attaches its own memory to mbufs of the pool. */
	return frame_max(cfg) <= buffer_room(pool) &&
			lath_ethdev_arg_number(port->device, "mprq_en", 0) == 0;
}

static void
choose_rx(struct lath_port *port, const struct lath_config_port *cfg,
		const struct rte_eth_dev_info *info, const struct lath_ethdev_setup *setup)
{
	uint64_t has = info->rx_offload_capa;
	bool cksum = hardware_verifies(port);

	port->offloads[LATH_OFFLOAD_RX_IP_CKSUM] = cksum &&
			(has & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM) != 0;
	port->offloads[LATH_OFFLOAD_RX_L4_CKSUM] = cksum && !is_driver(port, "net_bonding") &&
			(has & RX_L4_CKSUM) == RX_L4_CKSUM;
	port->offloads[LATH_OFFLOAD_RX_SEGMENTS] = frame_max(cfg) > buffer_room(setup->pool) &&
			(has & RTE_ETH_RX_OFFLOAD_SCATTER) != 0;
}

static void
choose_tx(struct lath_port *port, const struct rte_eth_dev_info *info,
		const struct lath_ethdev_setup *setup)
{
	uint64_t has = info->tx_offload_capa;

	port->offloads[LATH_OFFLOAD_TX_FAST_FREE] = setup->plain_buffers &&
			!is_driver(port, "net_bonding") &&
			(has & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE) != 0;
	port->offloads[LATH_OFFLOAD_TX_SEGMENTS] = !setup->plain_buffers &&
			(has & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;
}

int
lath_ethdev_choose_offloads(struct lath_port *port, const struct lath_config_port *cfg,
		const struct rte_eth_dev_info *info, const struct lath_ethdev_setup *setup,
		struct rte_eth_conf *conf, struct lath_error *err)
{
	static const uint64_t rx[LATH_OFFLOAD_COUNT] = {
			[LATH_OFFLOAD_RX_IP_CKSUM] = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM,
			[LATH_OFFLOAD_RX_L4_CKSUM] = RX_L4_CKSUM,
			[LATH_OFFLOAD_RX_SEGMENTS] = RTE_ETH_RX_OFFLOAD_SCATTER,
	};
	static const uint64_t tx[LATH_OFFLOAD_COUNT] = {
			[LATH_OFFLOAD_TX_FAST_FREE] = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE,
			[LATH_OFFLOAD_TX_SEGMENTS] = RTE_ETH_TX_OFFLOAD_MULTI_SEGS,
	};
	uint32_t room = buffer_room(setup->pool);

	choose_rx(port, cfg, info, setup);
	choose_tx(port, info, setup);
	if (frame_max(cfg) > room && !port->offloads[LATH_OFFLOAD_RX_SEGMENTS]) {
		lath_ethdev_refuse(err, port->name,
				"MTU %u needs frames of %u bytes; mbufs hold %u and the driver %s "
				"cannot receive in segments.",
				cfg->mtu, frame_max(cfg), room, port->driver);
		return lath_err(EINVAL);
	}
	for (unsigned i = 0; i < LATH_OFFLOAD_COUNT; i++) {
		conf->rxmode.offloads |= port->offloads[i] ? rx[i] : 0;
		conf->txmode.offloads |= port->offloads[i] ? tx[i] : 0;
	}
	return 0;
}
