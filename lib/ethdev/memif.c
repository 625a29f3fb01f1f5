/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * net_memif: shared memory to another process, handed over on a Unix socket. The server listens,
 * the client makes the memory (a memfd: hugepages are not needed unless zero-copy is asked for).
 * The driver of 22.11 fails at two places with words that do not help, so both are looked at first:
 * a socket file that a killed server left behind, and a client whose server is not there yet.
 *
 * LIMIT: a client connects when it starts and never again. A server takes one client after the
 * other, so the gateway is better the server.
 *
 * LIMIT: when the peer goes, the driver's interrupt thread unmaps the memory without asking the
 * workers. It is a window of a few instructions, and the driver's own: stop the sender first.
 *
 * LIMIT: the driver does not look whether both sides have as many queues. A worker whose queue the
 * peer does not have would read another worker's ring.
 */

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <lath_log.h>

#include "ethdev_private.h"

LATH_LOG_REGISTER(ethdev);

static bool
is_client(const char *device)
{
	char role[16];

	/* "client" is the driver's default. */
	return lath_ethdev_arg(device, "role", role, sizeof(role)) < 0 ||
			strcmp(role, "client") == 0;
}

/* The socket file's path; false for an abstract address, which no file stands for. */
static bool
socket_file(const char *device, struct sockaddr_un *address)
{
	char abstract[8];

	if (lath_ethdev_arg(device, "socket-abstract", abstract, sizeof(abstract)) < 0 ||
			strcmp(abstract, "no") != 0)
		return false;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	return lath_ethdev_arg(device, "socket", address->sun_path, sizeof(address->sun_path)) > 0;
}

/*
 * What connecting to the socket file says. A stream socket never gets through to the driver's
 * sequenced-packet one, so the server is not disturbed: EPROTOTYPE says that there is one.
 */
static int
ask_socket(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc = 0;

	if (fd < 0)
		return errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		rc = errno;
	close(fd);
	return rc;
}

int
lath_ethdev_memif_check(const struct lath_config_port *cfg, struct lath_error *err)
{
	struct sockaddr_un address;
	int answer;

	if (!socket_file(cfg->device, &address))
		return 0;
	answer = ask_socket(&address);
	if (is_client(cfg->device)) {
		if (answer != ENOENT && answer != ECONNREFUSED)
			return 0;
		lath_ethdev_refuse(err, cfg->name,
				"nobody serves the socket %s: start the other side first, or give "
				"this side role=server.",
				address.sun_path);
		return lath_err(ENOTCONN);
	}
	/* The driver says no more than "Address already in use" of a file that nobody serves. */
	if (answer == ECONNREFUSED && unlink(address.sun_path) == 0)
		LATH_LOG(NOTICE, "socket file of a server that is gone is removed port=%s path=%s",
				cfg->name, address.sun_path);
	return 0;
}
