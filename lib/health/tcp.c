/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* A TCP check: the target accepts a connection, which is then closed without a byte sent. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "health_private.h"

static socklen_t
make_address(const struct lath_ip *ip, uint16_t port, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (lath_ip_is_v4(ip)) {
		struct sockaddr_in address = {
				.sin_family = AF_INET, .sin_port = lath_to_be16(port)};

		memcpy(&address.sin_addr, ip->bytes, sizeof(address.sin_addr));
		memcpy(out, &address, sizeof(address));
		return sizeof(address);
	} else {
		struct sockaddr_in6 address = {
				.sin6_family = AF_INET6, .sin6_port = lath_to_be16(port)};

		memcpy(&address.sin6_addr, ip->bytes, sizeof(address.sin6_addr));
		memcpy(out, &address, sizeof(address));
		return sizeof(address);
	}
}

static void
finish_with(struct probe *probe, int code)
{
	char text[LATH_HEALTH_TEXT_MAX];

	if (code == 0)
		lath_health_probe_finish(probe, PROBE_SUCCESS, "connected");
	else
		lath_health_probe_finish(probe, lath_health_probe_outcome_of(code),
				lath_health_probe_error_text(code, text, sizeof(text)));
}

static void
on_io(evutil_socket_t fd, short what, void *ctx)
{
	struct probe *probe = ctx;
	int code = 0;
	socklen_t len = sizeof(code);

	if ((what & EV_TIMEOUT) != 0)
		code = ETIMEDOUT;
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len) != 0)
		code = errno;
	finish_with(probe, code);
}

static int
tcp_start(struct probe *probe)
{
	struct timeval timeout = {.tv_sec = (time_t)probe->key.timeout_s};
	struct sockaddr_storage address;
	socklen_t len = make_address(&probe->connect_ip, probe->key.port, &address);
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return lath_err(errno);
	probe->fd = fd;
	if (connect(fd, (const struct sockaddr *)&address, len) == 0) {
		finish_with(probe, 0);
		return 0;
	}
	if (errno != EINPROGRESS && errno != EINTR) {
		finish_with(probe, errno);
		return 0;
	}
	/* Neither call fails: the base is ours, the descriptor valid; add() may be out of memory. */
	event_assign(&probe->io, probe->health->base, fd, EV_WRITE, on_io, probe);
	return event_add(&probe->io, &timeout) != 0 ? lath_err(ENOMEM) : 0;
}

static void
tcp_cancel(struct probe *probe)
{
	if (probe->fd < 0)
		return;
	if (event_initialized(&probe->io))
		event_del(&probe->io); /* an event not added is no error */
	memset(&probe->io, 0, sizeof(probe->io));
	close(probe->fd);
	probe->fd = -1;
}

const struct probe_kind lath_health_probe_kind_tcp = {.start = tcp_start, .cancel = tcp_cancel};
