/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Shared between hostport.c (order of events), netns.c (namespaces), nl.c (rtnetlink) and
 * inside.c (what is configured in the new namespace). All @thread init.
 */
#pragma once

#include <libmnl/libmnl.h>

#include "lath_hostport.h"

#define HOSTPORT_NETNS_FOLDER "/run/netns" /* where iproute2 looks: ip-netns(8) */
#define HOSTPORT_POINTER "/system/hostPort"

struct lath_hostport {
	int ns_fd;
	struct lath_mac mac;
	bool name_made;      /* the name below is a mount of ours */
	char name_path[128]; /* "": anonymous */
};

/* ---- netns.c ----------------------------------------------------------------------------- */

/* Opens or makes the namespace that `name` means (NULL or "": anonymous). */
int lath_hostport_netns_open(struct lath_hostport *hostport, const char *name,
		struct lath_error *err);

/* Drops what lath_hostport_netns_open() took. */
void lath_hostport_netns_close(struct lath_hostport *hostport);

/* Runs `function` in a short-lived thread inside the namespace (-1: where the caller is) and
 * returns what it returned, or a negative errno when it could not be run.
 */
int lath_hostport_netns_run(int ns_fd, int (*function)(void *ctx), void *ctx);

/* ---- nl.c -------------------------------------------------------------------------------- */

/* A routing socket of the network namespace of the thread that opened it. */
struct nl {
	struct mnl_socket *socket;
	uint32_t sequence;
	uint64_t buf[1024]; /* 8 KiB: the kernel's largest answer to what is asked here */
};

struct nl_link {
	unsigned index;
	unsigned flags; /* IFF_* */
	char name[16];
	struct lath_mac mac;
};

int lath_hostport_nl_open(struct nl *nl);
void lath_hostport_nl_close(struct nl *nl);

/* Begins a message in the socket's buffer with a zeroed payload of `size` bytes. */
struct nlmsghdr *lath_hostport_nl_begin(struct nl *nl, uint16_t type, uint16_t flags, size_t size);

/* Sends the message and waits for its end; 0 or the kernel's negative errno. */
int lath_hostport_nl_call(struct nl *nl, struct nlmsghdr *message, mnl_cb_t cb, void *ctx);

/* Looks a link up by name; -ENODEV. */
int lath_hostport_nl_link_get(struct nl *nl, const char *name, struct nl_link *link);

typedef void (*nl_link_cb_t)(void *ctx, const struct nl_link *link);

int lath_hostport_nl_link_dump(struct nl *nl, nl_link_cb_t cb, void *ctx);

/* ---- inside.c ---------------------------------------------------------------------------- */

struct inside {
	const struct lath_hostport_options *options;
	struct lath_error *err;
	struct lath_mac mac; /* out */
};

/* Checks, before anything moves in, that nothing else is up in there. For lath_hostport_netns_run(). */
int lath_hostport_inside_check_empty(void *inside);

/* Configures everything. For lath_hostport_netns_run(). */
int lath_hostport_inside_configure(void *inside);
