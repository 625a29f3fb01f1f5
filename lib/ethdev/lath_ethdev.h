/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Any DPDK port, opened the same way: a PCI address or a vdev string, one RX and one TX queue a
 * worker where the driver can, RSS with the owner's key and map where the driver can (written,
 * then read back), software steering otherwise.
 *
 * Two stages, because the owner's map depends on the ports' redirection tables:
 *
 *     for each port: lath_ethdev_probe(port, cfg, workers, err);
 *     bits = lath_ethdev_reta_bits(ports, n, workers);     ... make the owner, the pool ...
 *     setup.plain_buffers = lath_ethdev_is_plain() of all
 *     for each port: lath_port_open(port, cfg, &setup, err); lath_port_start(...)
 *
 * struct lath_port is the caller's memory. Nothing here is for the data plane but the numbers in
 * struct lath_port: workers call rte_eth_rx_burst(port_id, queue) themselves. RX queue q belongs
 * to worker q; with fewer queues than workers, queue q is worker q's and workers beyond have none.
 *
 * EAL is the application's. Needs CAP_NET_ADMIN for net_tap and net_af_packet, at open *and*
 * later (link, MTU, MAC calls are system calls of theirs): do those before dropping it.
 */
#pragma once

#include <lath_config.h>
#include <lath_owner.h>

struct rte_mempool;
struct rte_memzone;

enum lath_steering {
	LATH_STEER_NIC,      /* RSS reproduces owner(): written, read back, compared */
	LATH_STEER_SOFTWARE, /* any queue may get any packet; workers hand over */
	LATH_STEER_COUNT,
};

/** Work that a port takes off us. Everything is right without any of them, and none changes what is
 *  sent. Checksums of what is sent are never a port's work: see offload.c.
 */
enum lath_offload {
	LATH_OFFLOAD_RX_IP_CKSUM,  /* IPv4 header checksums are verified; mbuf flags tell */
	LATH_OFFLOAD_RX_L4_CKSUM,  /* checksums of TCP and UDP are */
	LATH_OFFLOAD_TX_FAST_FREE, /* sent buffers go back to the pool without a look at them */
	LATH_OFFLOAD_RX_SEGMENTS,  /* a frame may come in several buffers: the MTU needs it */
	LATH_OFFLOAD_TX_SEGMENTS,  /* and may be sent so */
	LATH_OFFLOAD_COUNT,
};

struct lath_port {
	char name[32];
	char driver[32];  /* "net_tap" */
	uint16_t port_id; /* DPDK's; valid while `probed` */
	uint16_t rx_queue_count;
	uint16_t tx_queue_count; /* 1..workers; workers beyond hand over to worker w mod this */
	bool tx_shared;          /* fewer TX queues than workers: only hand-over may send */
	uint16_t mtu;            /* what comes in, bytes of IP packet */
	uint16_t tx_mtu; /* what can be sent: less than `mtu` on net_tap, see lath_port_open() */
	struct lath_mac mac;
	enum lath_steering steering; /* mgmt: rw, dp: ro. NIC may turn to SOFTWARE while running */
	char steering_reason[128];   /* why software; "" for NIC */
	/* In use. Where RX_..._CKSUM is false, the flags of received mbufs say nothing: rings bring
	 * those of another port along.
	 */
	bool offloads[LATH_OFFLOAD_COUNT];
	int socket;   /* NUMA node, or SOCKET_ID_ANY */
	bool link_up; /* as of the last lath_port_poll_link() */
	uint32_t link_speed_mbps;
	uint64_t link_changes_total;
	/* How far it got; private to the library. */
	bool probed;
	bool attached; /* probed by us: close() unplugs it */
	bool configured;
	bool started;
	uint16_t reta_size; /* 0: the driver has none, or no settable key */
	uint8_t key_len;    /* bytes of RSS key the driver wants, 40 or 52 */
	uint16_t driver_rx_queue_max;
	uint16_t driver_tx_queue_max;
	uint64_t rss_functions;                /* RTE_ETH_RSS_* that the driver has and we want */
	const struct rte_memzone *in_use_mark; /* one device serves one port */
	int kernel_socket;    /* in the network namespace of a kernel-backed port; or -1 */
	char kernel_name[16]; /* its interface; "" for ports of no kernel interface */
	char device[LATH_CONFIG_DEVICE_MAX + 64]; /* as given to EAL, with what we added */
};

/** What all ports of a gateway are opened with. */
struct lath_ethdev_setup {
	unsigned workers;
	const struct lath_owner *owner;
	struct rte_mempool *pool; /* of all that ports receive, and of all that is sent on them */
	bool plain_buffers;       /* lath_ethdev_is_plain() of every port: allows TX_FAST_FREE */
};

struct lath_port_stats {
	uint64_t rx_packets_total;
	uint64_t rx_bytes_total;
	uint64_t tx_packets_total;
	uint64_t tx_bytes_total;
	uint64_t rx_missed_total; /* the NIC had no descriptor: workers too slow */
	uint64_t rx_errors_total;
	uint64_t rx_no_buffer_total; /* mempool was empty */
	uint64_t tx_errors_total;
};

/**
 * First stage: attaches the device (hotplug, unless EAL has it already) and reads what it can do.
 * Zeroes `port` first. `workers` goes into the device string where a driver wants its queue count
 * there (net_af_packet qpairs). On error `port` holds nothing; `err` says what is wrong and how to
 * mend it. 0 or -errno. @thread init
 */
int lath_ethdev_probe(struct lath_port *port, const struct lath_config_port *cfg, unsigned workers,
		struct lath_error *err);

/** True when the probed port can steer by itself for so many workers. @thread init */
bool lath_ethdev_can_steer(const struct lath_port *port, unsigned workers);

/** B of owner(): log2 of the smallest redirection table among the ports that can steer for
 *  `workers`, at most 9 (lath_owner's map); 7 if none can. @thread init
 */
unsigned lath_ethdev_reta_bits(const struct lath_port *ports, unsigned count, unsigned workers);

/** Bytes of data room (headroom included) that the pool's mbufs must have for this port: more than
 *  RTE_MBUF_DEFAULT_BUF_SIZE only where the driver cannot receive in segments. @thread init
 */
uint32_t lath_ethdev_data_room(const struct lath_port *port);

/** mbufs that the port's descriptors can hold, for sizing the pool. @thread init */
uint32_t lath_ethdev_buffers_needed(const struct lath_port *port,
		const struct lath_config_port *cfg, unsigned workers);

/** True when every frame that the port receives lies in one buffer of the pool, and in the buffer
 *  itself. @thread init
 */
bool lath_ethdev_is_plain(const struct lath_port *port, const struct lath_config_port *cfg,
		const struct rte_mempool *pool);

/** "rx_ip_cksum", ... @thread any */
const char *lath_offload_name(enum lath_offload offload);

/**
 * Second stage: queues, MTU, MAC, offloads. A port that was not probed is probed. The pool's mbufs
 * may have any data room; frames longer than one are received in segments. On error the port is
 * closed. 0 or -errno and `err`. @thread init
 *
 * LIMIT: net_tap of 22.11 receives any MTU (the interface gets it by ioctl) but sends no packet
 * above 1504 bytes: longer ones are never taken by rte_eth_tx_burst() and would block those behind
 * them. Packets to the port must be held to `tx_mtu`.
 */
int lath_port_open(struct lath_port *port, const struct lath_config_port *cfg,
		const struct lath_ethdev_setup *setup, struct lath_error *err);

/** Starts the queues, then writes RSS key and table and reads them back (several drivers reset both
 *  at start); `steering` is final after this. 0 or -errno and `err`. @thread init
 */
int lath_port_start(struct lath_port *port, const struct lath_owner *owner, struct lath_error *err);

/** Stops what was started. No worker may touch the port any more. @thread init */
void lath_port_stop(struct lath_port *port);

/** Stops, closes, unplugs what lath_ethdev_probe() plugged. Accepts a zeroed port. @thread init */
void lath_port_close(struct lath_port *port);

/** Software steering from now on, with one log line (16 wrong packets in a row). @thread mgmt */
void lath_port_steer_in_software(struct lath_port *port, const char *reason);

/** Reads the link without waiting; true when it changed since the last call. @thread mgmt */
bool lath_port_poll_link(struct lath_port *port);

/** 0 or -errno. @thread mgmt, tel */
int lath_port_stats(const struct lath_port *port, struct lath_port_stats *stats);

/**
 * Blocks SIGRTMIN..SIGRTMAX in the calling thread and in those it makes from then on. net_tap asks
 * the kernel for a real-time signal per packet; it goes to any thread that does not block it and
 * interrupts its system calls. Call it before rte_eal_init(), then give one idle thread to the
 * signals with lath_ethdev_take_rt_signals(). @thread any
 */
void lath_ethdev_block_rt_signals(void);

/** Unblocks them in the calling thread: one that only sleeps, and expects EINTR. @thread any */
void lath_ethdev_take_rt_signals(void);
