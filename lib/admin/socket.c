/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* The listening socket, and who may come in. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include <lath_log.h>

#include "admin_private.h"

LATH_LOG_REGISTER(admin);

#define BACKLOG 16
#define ACCEPTS_MAX 16 /* a turn: the loop has other work */
#define GROUPS_MAX 1024

static int
fail(struct lath_error *err, const char *path, const char *why)
{
	int code = errno == 0 ? EINVAL : errno;

	lath_error_set(err, "/system/sockets/admin", "%s: %s", path, why);
	return lath_err(code);
}

/* Removes a socket file that nobody answers on; refuses anything else that is there. */
static int
remove_stale(const struct sockaddr_un *addr, struct lath_error *err)
{
	struct stat stat;
	int fd;
	int rc;

	if (lstat(addr->sun_path, &stat) != 0)
		return errno == ENOENT ? 0 : fail(err, addr->sun_path, strerror(errno));
	if (!S_ISSOCK(stat.st_mode)) {
		errno = EEXIST;
		return fail(err, addr->sun_path, "this is there already, and is no socket");
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(err, addr->sun_path, strerror(errno));
	rc = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 ? 0 : errno;
	close(fd); /* Nothing was written. */
	if (rc != ECONNREFUSED) {
		errno = EADDRINUSE;
		return fail(err, addr->sun_path,
				rc == 0 || rc == EAGAIN ? "another lathd answers here; give this "
							  "one its own "
							  "system.sockets.admin"
							: strerror(rc));
	}
	if (unlink(addr->sun_path) != 0 && errno != ENOENT)
		return fail(err, addr->sun_path, strerror(errno));
	LATH_LOG(NOTICE, "replaced a socket that nobody answered on path=%s", addr->sun_path);
	return 0;
}

static void
accept_some(struct lath_admin *admin)
{
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		int fd = accept4(admin->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		struct lath_admin_peer peer;
		char why[256];

		if (fd < 0 &&
				(errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
						errno == ENOMEM)) {
			static const struct timeval pause = {.tv_sec = 1};

			LATH_LOG(WARNING, "no connection can be accepted for now: %s",
					strerror(errno));
			/* Without the pause a waiting peer would turn the loop without end. */
			event_del(admin->accept_event);
			event_add(admin->pause_event, &pause);
			return;
		}
		if (fd < 0)
			return; /* EAGAIN, or a peer that left again. */
		lath_admin_peer_get(admin, fd, &peer, why);
		lath_admin_connection_open(admin, fd, &peer, why);
	}
}

static void
on_accept(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	accept_some(ctx);
}

static void
on_pause_over(evutil_socket_t fd, short what, void *ctx)
{
	struct lath_admin *admin = ctx;

	(void)fd;
	(void)what;
	event_add(admin->accept_event, NULL);
}

static int
open_socket(struct lath_admin *admin, mode_t mode, struct lath_error *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct stat stat;
	int rc;

	if (strlen(admin->options.path) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return fail(err, admin->options.path, "a socket's path has at most 107 characters");
	}
	memcpy(addr.sun_path, admin->options.path, strlen(admin->options.path) + 1);
	rc = remove_stale(&addr, err);
	if (rc != 0)
		return rc;
	admin->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* On Linux the file gets the socket's mode, less the umask: nobody slips in before chmod. */
	if (admin->fd < 0 || fchmod(admin->fd, mode & 0600) != 0 ||
			bind(admin->fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0)
		return fail(err, addr.sun_path,
				errno == ENOENT ? "the folder does not exist; make it, or set "
						  "system.sockets.admin"
						: strerror(errno));
	memcpy(admin->path, addr.sun_path, sizeof(admin->path));
	if (chmod(addr.sun_path, mode) != 0 || lstat(addr.sun_path, &stat) != 0 ||
			listen(admin->fd, BACKLOG) != 0)
		return fail(err, addr.sun_path, strerror(errno));
	admin->device = stat.st_dev;
	admin->inode = stat.st_ino;
	admin->group = stat.st_gid;
	return 0;
}

int
lath_admin_listen(struct lath_admin *admin, mode_t mode, struct lath_error *err)
{
	int rc = open_socket(admin, mode, err);

	if (rc != 0)
		return rc;
	admin->accept_event = event_new(admin->base, admin->fd, EV_READ | EV_PERSIST, on_accept,
			admin);
	admin->pause_event = event_new(admin->base, -1, 0, on_pause_over, admin);
	if (admin->accept_event == NULL || admin->pause_event == NULL ||
			event_add(admin->accept_event, NULL) != 0) {
		errno = ENOMEM;
		return fail(err, admin->path, "memory is short");
	}
	return 0;
}

void
lath_admin_unlisten(struct lath_admin *admin)
{
	struct stat stat;

	if (admin->accept_event != NULL)
		event_free(admin->accept_event);
	if (admin->pause_event != NULL)
		event_free(admin->pause_event);
	if (admin->path[0] != '\0' && lstat(admin->path, &stat) == 0 &&
			stat.st_dev == admin->device && stat.st_ino == admin->inode)
		unlink(admin->path); /* A file that stays is replaced at the next start. */
	if (admin->fd >= 0)
		close(admin->fd); /* Nothing can be lost. */
}

/* Is the socket's group the peer's own one, or among its others? */
static bool
is_member(int fd, gid_t own, gid_t wanted)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups);

	if (own == wanted)
		return true;
	/* Linux 4.13; a peer of more groups than that is asked to use its own one. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) != 0)
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++) {
		if (groups[i] == wanted)
			return true;
	}
	return false;
}

void
lath_admin_peer_get(const struct lath_admin *admin, int fd, struct lath_admin_peer *peer,
		char why[256])
{
	struct ucred ucred = {0};
	socklen_t len = sizeof(ucred);
	unsigned of_uid;

	why[0] = '\0';
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ucred, &len) != 0) {
		*peer = (struct lath_admin_peer){.uid = (uid_t)-1};
		snprintf(why, 256, "the kernel does not say who you are: %s", strerror(errno));
		return;
	}
	*peer = (struct lath_admin_peer){.uid = ucred.uid, .pid = ucred.pid};
	of_uid = lath_admin_connections_of(admin, ucred.uid);
	if (ucred.uid != 0 && ucred.uid != geteuid() && !is_member(fd, ucred.gid, admin->group))
		snprintf(why, 256,
				"uid %u may not: only root, lathd's own user and members of "
				"group %u (see %s)",
				(unsigned)ucred.uid, (unsigned)admin->group, admin->path);
	else if (admin->connection_count >= LATH_ADMIN_ROOT_MAX ||
			(ucred.uid != 0 && admin->connection_count >= LATH_ADMIN_CONNECTIONS_MAX))
		snprintf(why, 256, "there are %u connections already; try again later",
				admin->connection_count);
	else if (ucred.uid != 0 && of_uid >= LATH_ADMIN_PER_UID_MAX)
		snprintf(why, 256, "uid %u has %u connections already; close one",
				(unsigned)ucred.uid, of_uid);
}
