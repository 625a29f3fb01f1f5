/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * The namespace. unshare(2) and setns(2) move a thread, not a process, so both happen in a thread
 * that ends right after: lathd's own threads never leave the namespace they were started in. A
 * namespace lives as long as a descriptor or a bind mount of its nsfs file does; the name is such a
 * mount where iproute2 expects it, so that `ip netns exec NAME ss -t` works.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "hostport_private.h"

#define OWN_NAMESPACE "/proc/thread-self/ns/net" /* namespaces(7) */

struct job {
	int ns_fd;
	int (*function)(void *ctx);
	void *ctx;
	int rc;
};

static void *
run_job(void *arg)
{
	struct job *job = arg;

	if (job->ns_fd >= 0 && setns(job->ns_fd, CLONE_NEWNET) != 0)
		job->rc = -errno;
	else
		job->rc = job->function(job->ctx);
	return NULL;
}

int
lath_hostport_netns_run(int ns_fd, int (*function)(void *ctx), void *ctx)
{
	struct job job = {.ns_fd = ns_fd, .function = function, .ctx = ctx};
	sigset_t all;
	sigset_t before;
	pthread_t thread;
	int rc;

	/* net_tap signals the process for every packet; this thread is not the one to take them. */
	sigfillset(&all);
	rc = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (rc != 0)
		return lath_err(rc);
	rc = pthread_create(&thread, NULL, run_job, &job);
	pthread_sigmask(SIG_SETMASK, &before, NULL); /* cannot fail: `before` was just read */
	if (rc != 0)
		return lath_err(rc);
	pthread_join(thread, NULL); /* cannot fail: joinable and ours */
	return job.rc < 0 ? lath_err(-job.rc) : job.rc;
}

/* What the helper thread of make_namespace() is told and tells. */
struct made {
	struct lath_hostport *hostport;
	struct lath_error *err;
};

/* Runs in a thread of its own: leaves it in a new namespace, which a descriptor, and the mount if
 * it is to have a name, keep alive.
 */
static int
make_namespace(void *ctx)
{
	struct made *made = ctx;
	struct lath_hostport *hostport = made->hostport;

	if (unshare(CLONE_NEWNET) != 0) {
		int code = errno;

		lath_error_set(made->err, HOSTPORT_POINTER,
				"Cannot make a network namespace (%s): lathd must start with "
				"CAP_SYS_ADMIN, or as root of a user namespace (unshare -Urnm).",
				strerror(code));
		return lath_err(code);
	}
	hostport->ns_fd = open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);
	if (hostport->ns_fd < 0) {
		int code = errno;

		lath_error_set(made->err, HOSTPORT_POINTER, "Cannot open %s (%s).", OWN_NAMESPACE,
				strerror(code));
		return lath_err(code);
	}
	if (hostport->name_path[0] == '\0')
		return 0;
	if (mount(OWN_NAMESPACE, hostport->name_path, "none", MS_BIND, NULL) != 0) {
		int code = errno;

		lath_error_set(made->err, HOSTPORT_POINTER "/namespace",
				"Cannot mount the network namespace at %s (%s).",
				hostport->name_path, strerror(code));
		return lath_err(code);
	}
	hostport->name_made = true;
	return 0;
}

static bool
is_namespace(int fd)
{
	struct statfs info;

	return fstatfs(fd, &info) == 0 && info.f_type == NSFS_MAGIC;
}

/* The folder, shared between mount namespaces as iproute2 does it (ip/ipnetns.c, netns_add): a
 * name made here is then seen, and can be removed, elsewhere. Sharing is best effort.
 */
static int
make_folder(void)
{
	if (mkdir(HOSTPORT_NETNS_FOLDER, 0755) != 0 && errno != EEXIST)
		return lath_err(errno);
	if (mount("", HOSTPORT_NETNS_FOLDER, "none", MS_SHARED | MS_REC, NULL) == 0)
		return 0;
	if (errno == EINVAL &&
			mount(HOSTPORT_NETNS_FOLDER, HOSTPORT_NETNS_FOLDER, "none",
					MS_BIND | MS_REC, NULL) == 0)
		(void)mount("", HOSTPORT_NETNS_FOLDER, "none", MS_SHARED | MS_REC, NULL);
	return 0;
}

static bool
name_is_good(const char *name)
{
	size_t len = strlen(name);

	return len < 64 && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
			strcmp(name, "..") != 0;
}

/* Takes over an existing name: *done when it is a namespace. A plain file there is what is left
 * when a mount went away (reboot of a container, umount by hand) and serves as mount point.
 */
static int
open_named(struct lath_hostport *hostport, bool *done)
{
	int fd;

	*done = false;
	fd = open(hostport->name_path, O_RDONLY | O_CLOEXEC | O_CREAT, 0444);
	if (fd < 0)
		return lath_err(errno);
	if (is_namespace(fd)) {
		hostport->ns_fd = fd;
		*done = true;
		return 0;
	}
	close(fd);
	return 0;
}

int
lath_hostport_netns_open(struct lath_hostport *hostport, const char *name, struct lath_error *err)
{
	struct made made = {.hostport = hostport, .err = err};
	bool done = false;
	int rc;

	if (name == NULL || name[0] == '\0')
		return lath_hostport_netns_run(-1, make_namespace, &made);
	if (!name_is_good(name)) {
		lath_error_set(err, HOSTPORT_POINTER "/namespace",
				"\"%s\" is no name for a network namespace: 1 to 63 characters "
				"without \"/\".",
				name);
		return lath_err(EINVAL);
	}
	rc = make_folder();
	snprintf(hostport->name_path, sizeof(hostport->name_path), "%s/%s", HOSTPORT_NETNS_FOLDER,
			name);
	if (rc == 0)
		rc = open_named(hostport, &done);
	if (rc < 0) {
		lath_error_set(err, HOSTPORT_POINTER "/namespace",
				"Cannot make %s (%s): without a name the namespace needs no file.",
				hostport->name_path, strerror(-rc));
		return rc;
	}
	if (done)
		return 0;
	rc = lath_hostport_netns_run(-1, make_namespace, &made);
	if (rc < 0 && !hostport->name_made)
		unlink(hostport->name_path); /* best effort: an empty file is taken over later */
	return rc;
}

void
lath_hostport_netns_close(struct lath_hostport *hostport)
{
	if (hostport->ns_fd >= 0)
		close(hostport->ns_fd);
	hostport->ns_fd = -1;
	/* Best effort: privileges may be gone, and the next start takes the name over. */
	if (hostport->name_made && umount2(hostport->name_path, MNT_DETACH) == 0)
		unlink(hostport->name_path);
	hostport->name_made = false;
}
