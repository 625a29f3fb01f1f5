/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Between the .c files of lib/ethdev.
 */
#pragma once

#include <rte_ethdev.h>

#include <lath_ethdev.h>

#define ETHDEV_DEVICE_MAX (LATH_CONFIG_DEVICE_MAX + 64)

/* ---- probe.c: device strings ------------------------------------------------------------- */

/* The value of argument `key` in "name,key=value,...": its length, or -1 when it is not there.
 * `value` is terminated and cut to `len`; NULL only asks.
 */
int lath_ethdev_arg(const char *device, const char *key, char *value, size_t len);

/* Numeric argument, or `missing`. */
uint32_t lath_ethdev_arg_number(const char *device, const char *key, uint32_t missing);

/* True for a PCI address, short or long; `canonical` ("0000:01:00.0") may be NULL. */
bool lath_ethdev_is_pci(const char *device, char *canonical, size_t len);

/* "net_tap" of "net_tap0,iface=x". */
bool lath_ethdev_driver_is(const char *device, const char *driver);

/* ---- diagnose.c: why EAL refused a device ------------------------------------------------- */

/* Fills `err` with 'port "<name>": ' and the sentence. */
void lath_ethdev_refuse(struct lath_error *err, const char *port, const char *fmt, ...)
		LATH_PRINTF(3, 4);

/* Fills `err` and returns -errno: the most likely cause and how to mend it. */
int lath_ethdev_diagnose(const struct lath_config_port *cfg, int rc, struct lath_error *err);

/* What can be seen before EAL is asked, where EAL's own answer would be worse. */
int lath_ethdev_check_device(const struct lath_config_port *cfg, struct lath_error *err);

/* ---- kernel.c: ports behind which a kernel interface stands -------------------------------- */

/* True when the driver leaves MTU and link to the kernel interface (net_tap, net_af_packet). */
bool lath_ethdev_is_kernel_backed(const struct lath_port *port);

/* Remembers the interface's name and keeps a socket in its network namespace. */
int lath_ethdev_kernel_open(struct lath_port *port, uint32_t if_index);
void lath_ethdev_kernel_close(struct lath_port *port);
int lath_ethdev_kernel_set_mtu(const struct lath_port *port, uint16_t mtu);
int lath_ethdev_kernel_link(const struct lath_port *port, bool *up);

/* ---- memif.c: ports to another process ----------------------------------------------------- */

/* Refuses a client without a server; removes the socket file of a server that is gone. */
int lath_ethdev_memif_check(const struct lath_config_port *cfg, struct lath_error *err);

/* ---- offload.c ----------------------------------------------------------------------------- */

/* Chooses the port's offloads, notes them in it and asks for them in `conf`. */
int lath_ethdev_choose_offloads(struct lath_port *port, const struct lath_config_port *cfg,
		const struct rte_eth_dev_info *info, const struct lath_ethdev_setup *setup,
		struct rte_eth_conf *conf, struct lath_error *err);

/* ---- rss.c --------------------------------------------------------------------------------- */

/* Hash functions to ask for, of those that the driver has. */
uint64_t lath_ethdev_rss_functions(const struct rte_eth_dev_info *info);

/* "" when the driver can steer as owner() does, else why not. */
const char *lath_ethdev_steer_obstacle(const struct lath_port *port, unsigned workers);

/* Writes key and table, reads them back, compares. "" or why the port cannot be trusted. */
const char *lath_ethdev_rss_program(const struct lath_port *port, const struct lath_owner *owner);
