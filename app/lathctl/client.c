/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lathctl.h"

#define ANSWER_MAX (256u << 20) /* a daemon that sends more has lost its mind */

static void
explain(const struct lathctl *ctl)
{
	switch (errno) {
	case ENOENT:
		lathctl_error(ctl, LATH_RPC_INTERNAL, NULL,
				"%s: there is no such socket; is lathd running? (-s or LATH_SOCKET "
				"names another)",
				ctl->socket);
		return;
	case ECONNREFUSED:
		lathctl_error(ctl, LATH_RPC_INTERNAL, NULL,
				"%s: nobody answers; lathd is not running", ctl->socket);
		return;
	case EACCES:
	case EPERM:
		lathctl_error(ctl, LATH_RPC_DENIED, NULL,
				"%s: permission denied; become root, or a member of the socket's "
				"group "
				"(ls -l %s)",
				ctl->socket, ctl->socket);
		return;
	case EAGAIN: /* the daemon's queue of connections is full, or it did not answer */
		lathctl_error(ctl, LATH_RPC_BUSY, NULL, "%s: lathd does not answer within %d s",
				ctl->socket, LATHCTL_TIMEOUT_S);
		return;
	default:
		lathctl_error(ctl, LATH_RPC_INTERNAL, NULL, "%s: %s", ctl->socket, strerror(errno));
	}
}

static int
open_socket(struct lathctl *ctl)
{
	static const struct timeval timeout = {.tv_sec = LATHCTL_TIMEOUT_S};
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	if (ctl->fd >= 0)
		return 0;
	if (strlen(ctl->socket) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(addr.sun_path, ctl->socket, strlen(ctl->socket) + 1);
	ctl->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (ctl->fd < 0 ||
			setsockopt(ctl->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) !=
					0 ||
			setsockopt(ctl->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) !=
					0)
		return -1;
	return connect(ctl->fd, (const struct sockaddr *)&addr, sizeof(addr));
}

static int
send_all(int fd, const char *line, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, line, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		line += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The next line; its end is cut off. 0: the other side closed; -1: errno. */
static ssize_t
read_line(struct lathctl *ctl)
{
	size_t scanned = 0;

	for (;;) {
		char *end = NULL;
		char *input;
		ssize_t n;

		if (ctl->input_len > scanned)
			end = memchr(ctl->input + scanned, '\n', ctl->input_len - scanned);
		if (end != NULL)
			return end - ctl->input + 1;
		scanned = ctl->input_len;
		if (ctl->input_len == ctl->input_size) {
			ctl->input_size = ctl->input_size * 2 + 65536;
			input = ctl->input_size > ANSWER_MAX ? NULL
							     : realloc(ctl->input, ctl->input_size);
			if (input == NULL) {
				errno = ENOMEM;
				return -1;
			}
			ctl->input = input;
		}
		n = recv(ctl->fd, ctl->input + ctl->input_len, ctl->input_size - ctl->input_len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n;
		ctl->input_len += (size_t)n;
	}
}

static json_t *
take_answer(struct lathctl *ctl)
{
	struct lath_rpc_fault fault;
	json_t *result = NULL;
	json_t *error = NULL;
	ssize_t len = read_line(ctl);
	int rc;

	if (len < 0) {
		explain(ctl);
		return NULL;
	}
	if (len == 0) {
		lathctl_error(ctl, LATH_RPC_INTERNAL, NULL,
				"%s: lathd closed the connection without an answer; its log says "
				"why",
				ctl->socket);
		return NULL;
	}
	rc = lath_rpc_reply_parse(ctl->input, (size_t)len, ctl->id, &result, &error, &fault);
	ctl->input_len -= (size_t)len;
	memmove(ctl->input, ctl->input + len, ctl->input_len);
	if (rc != 0)
		lathctl_error(ctl, fault.code, NULL, "%s: %s", ctl->socket, fault.text);
	else if (error != NULL)
		lathctl_error(ctl, (int)json_integer_value(json_object_get(error, "code")),
				json_incref(json_object_get(error, "data")), "%s",
				lathctl_text_at(error, "message"));
	json_decref(error);
	return result;
}

json_t *
lathctl_call(struct lathctl *ctl, const char *method, json_t *params)
{
	size_t len = 0;
	char *line = lath_rpc_encode(lath_rpc_request_make(++ctl->id, method, params), &len);

	if (line == NULL) {
		lathctl_error(ctl, LATH_RPC_INTERNAL, NULL, "memory is short");
		return NULL;
	}
	/* A peer that may not come in is told so and closed: what it wrote then fails with EPIPE. */
	if (open_socket(ctl) != 0 ||
			(send_all(ctl->fd, line, len) != 0 && errno != EPIPE &&
					errno != ECONNRESET)) {
		explain(ctl);
		free(line);
		return NULL;
	}
	free(line);
	return take_answer(ctl);
}

void
lathctl_close(struct lathctl *ctl)
{
	if (ctl->fd >= 0)
		close(ctl->fd); /* Nothing can be lost. */
	free(ctl->input);
}
