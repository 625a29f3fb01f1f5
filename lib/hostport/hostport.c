/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lath_hostaddr.h>

#include "hostport_private.h"

#define MTU_MIN 1280 /* RFC 8200 section 5; below it the kernel switches IPv6 off on the link */

static int
check_options(const struct lath_hostport_options *options, struct lath_error *err)
{
	char text[LATH_PREFIX_TEXT_MAX];

	if (options->prefix.ip.family != LATH_FAMILY_IPV6 ||
			options->prefix.bits != LATH_HOSTADDR_PREFIX_BITS) {
		lath_error_set(err, HOSTPORT_POINTER "/prefix", "%s is not an IPv6 /64.",
				lath_prefix_format(&options->prefix, text));
		return lath_err(EINVAL);
	}
	if (options->mtu < MTU_MIN) {
		lath_error_set(err, HOSTPORT_POINTER, "An MTU of %u is not in %u..65535.",
				options->mtu, MTU_MIN);
		return lath_err(EINVAL);
	}
	return 0;
}

/* With ipv6.disable=1 the kernel has the module but no address family. */
static int
check_ipv6(struct lath_error *err)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno != EAFNOSUPPORT)
		return 0; /* short of descriptors or the like: shows soon enough, by its name */
	lath_error_set(err, HOSTPORT_POINTER,
			"IPv6 is off in this kernel (ipv6.disable=1 on its command line, or no "
			"ipv6 "
			"module): health checks go through the host port, which needs it, if only "
			"inside the host.");
	return lath_err(EAFNOSUPPORT);
}

static int
move_interface(const struct lath_hostport *hostport, const char *name, struct lath_error *err)
{
	struct nl_link link;
	struct nl nl;
	int rc = lath_hostport_nl_open(&nl);

	if (rc == 0) {
		rc = lath_hostport_nl_link_get(&nl, name, &link);
		if (rc == 0) {
			struct nlmsghdr *message = lath_hostport_nl_begin(&nl, RTM_NEWLINK, 0,
					sizeof(struct ifinfomsg));
			struct ifinfomsg *info = mnl_nlmsg_get_payload(message);

			info->ifi_index = (int)link.index;
			mnl_attr_put_u32(message, IFLA_NET_NS_FD, (uint32_t)hostport->ns_fd);
			rc = lath_hostport_nl_call(&nl, message, NULL, NULL);
		}
		lath_hostport_nl_close(&nl);
	}
	if (rc < 0)
		lath_error_set(err, HOSTPORT_POINTER,
				"Cannot move the interface %s into its network namespace (%s)%s.",
				name, strerror(-rc),
				rc == -EPERM ? ": lathd must start with CAP_NET_ADMIN" : "");
	return rc;
}

static int
setup(struct lath_hostport *hostport, const struct lath_hostport_options *options,
		struct lath_error *err)
{
	struct inside in = {.options = options, .err = err};
	int rc = check_options(options, err);

	if (rc == 0)
		rc = check_ipv6(err);
	if (rc == 0)
		rc = lath_hostport_netns_open(hostport, options->namespace_name, err);
	if (rc == 0)
		rc = lath_hostport_netns_run(hostport->ns_fd, lath_hostport_inside_check_empty,
				&in);
	if (rc == 0)
		rc = move_interface(hostport, options->interface, err);
	if (rc == 0)
		rc = lath_hostport_netns_run(hostport->ns_fd, lath_hostport_inside_configure, &in);
	hostport->mac = in.mac;
	return rc;
}

int
lath_hostport_setup(struct lath_hostport **out, const struct lath_hostport_options *options,
		struct lath_error *err)
{
	struct lath_hostport *hostport = calloc(1, sizeof(*hostport));
	int rc;

	LATH_ASSERT_ROLE(INIT);
	if (hostport == NULL) {
		lath_error_set(err, HOSTPORT_POINTER, "Out of memory.");
		return lath_err(ENOMEM);
	}
	hostport->ns_fd = -1;
	rc = setup(hostport, options, err);
	if (rc < 0) {
		/* What lath_hostport_netns_run() itself met has no sentence yet; others keep theirs. */
		lath_error_set(err, HOSTPORT_POINTER, "Cannot set the host port up (%s).",
				strerror(-rc));
		lath_hostport_free(hostport);
		return lath_err(-rc);
	}
	*out = hostport;
	return 0;
}

int
lath_hostport_enter(const struct lath_hostport *hostport)
{
	return setns(hostport->ns_fd, CLONE_NEWNET) != 0 ? lath_err(errno) : 0;
}

int
lath_hostport_fd(const struct lath_hostport *hostport)
{
	return hostport->ns_fd;
}

struct lath_mac
lath_hostport_mac(const struct lath_hostport *hostport)
{
	return hostport->mac;
}

void
lath_hostport_free(struct lath_hostport *hostport)
{
	if (hostport == NULL)
		return;
	lath_hostport_netns_close(hostport);
	free(hostport);
}
