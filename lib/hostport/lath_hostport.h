/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * The kernel's side of the host port: a network namespace of its own, the interface that DPDK made
 * (net_tap, virtio-user) moved into it, and everything that never changes afterwards: addresses
 * without DAD, one route over the whole host prefix, a permanent neighbour, forwarding off. By
 * rtnetlink (libmnl) and /proc/sys; no program is run.
 *
 * Called once by lathd, before it drops privileges (CAP_SYS_ADMIN for the namespace, CAP_NET_ADMIN
 * for the rest; both are there as root of a user namespace too) and *after* the ethdev has been
 * started: net_tap works on its interface by name through a socket of the old namespace, so link
 * and MTU calls on the ethdev fail once the interface has moved.
 *
 * Allocates one struct on the heap. Serves no packets and starts no thread that outlives a call.
 */
#pragma once

#include <lath_inet.h>

struct lath_hostport;

struct lath_hostport_options {
	const char *interface;       /* in the caller's network namespace */
	const char *namespace_name;  /* shown as /run/netns/NAME; NULL or "": anonymous */
	struct lath_prefix prefix;   /* /64, see lath_hostaddr.h */
	uint16_t mtu;                /* 1280..65535: largest egress MTU + 20 */
	struct lath_mac gateway_mac; /* lath_hostaddr_gateway_mac() */
};

/**
 * Makes the namespace, moves the interface and configures it. A named namespace that exists already
 * (left by a crash, made by `ip netns add`) is taken over when nothing in it is up but lo, and is
 * not removed at the end. On error `err` says what failed and how to mend it; an interface that had
 * moved already goes away with the namespace or with its ethdev.
 * @return 0 or a negative errno; caller frees `*out` with lath_hostport_free()
 * @thread init
 */
int lath_hostport_setup(struct lath_hostport **out, const struct lath_hostport_options *options,
		struct lath_error *err);

/** Moves the calling thread, and only it, into the namespace; needs CAP_SYS_ADMIN. @thread any */
int lath_hostport_enter(const struct lath_hostport *hostport);

/** A descriptor of the namespace, borrowed until lath_hostport_free(). @thread any */
int lath_hostport_fd(const struct lath_hostport *hostport);

/** MAC of the kernel's interface: where the gateway sends what is for the kernel. @thread any */
struct lath_mac lath_hostport_mac(const struct lath_hostport *hostport);

/** Lets the namespace go and unmounts the name if setup made it (best effort: needs the privileges
 *  of setup; a name that stays behind is taken over by the next start). Accepts NULL. @thread init
 */
void lath_hostport_free(struct lath_hostport *hostport);
