/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * What the kernel is told inside the namespace, once. Nothing is learnt there: no router
 * advertisement, no DAD (the only other station is the gateway, and probes must not wait for it),
 * no neighbour discovery (the neighbour is permanent), so the first SYN can leave at once.
 *
 *   lath-host: fe80::2/64, PREFIX::1/128
 *   fe80::1 lladdr GATEWAY_MAC permanent
 *   PREFIX::/64 via fe80::1 dev lath-host src PREFIX::1
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lath_hostaddr.h>

#include "hostport_private.h"

/* ---- /proc/sys --------------------------------------------------------------------------- */

struct sysctl {
	const char *path; /* below /proc/sys/net; %s: the interface */
	const char *value;
	bool must; /* isolation depends on it; the others only keep the link quiet */
};

/* clang-format off */
static const struct sysctl SYSCTLS[] = {
	{"ipv4/ip_forward",                     "0", true},
	{"ipv6/conf/all/forwarding",            "0", true},
	{"ipv6/conf/all/disable_ipv6",          "0", true},
	{"ipv6/conf/%s/disable_ipv6",           "0", true},
	{"ipv6/conf/%s/forwarding",             "0", true},
	{"ipv6/conf/%s/accept_ra",              "0", false},
	{"ipv6/conf/%s/accept_redirects",       "0", false},
	{"ipv6/conf/%s/accept_dad",             "0", false},
	{"ipv6/conf/%s/autoconf",               "0", false},
	{"ipv6/conf/%s/router_solicitations",   "0", false},
	{"ipv6/conf/%s/keep_addr_on_down",      "1", false},
};
/* clang-format on */

static bool
sysctl_is(const char *path, const char *value)
{
	char now[8] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return false;
	len = read(fd, now, sizeof(now) - 1);
	close(fd);
	return len > 0 && now[0] == value[0] && (now[1] == '\n' || now[1] == '\0');
}

/* Containers often have /proc/sys read-only: a value that is right already needs no write. */
static int
sysctl_set(const char *path, const char *value)
{
	int rc = 0;
	int fd;

	if (sysctl_is(path, value))
		return 0;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return lath_err(errno);
	if (write(fd, value, strlen(value)) < 0)
		rc = -errno;
	close(fd);
	return rc < 0 ? lath_err(-rc) : 0;
}

static int
set_sysctls(const struct inside *in)
{
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(SYSCTLS); i++) {
		char path[128] = "/proc/sys/net/";
		const char *tail = SYSCTLS[i].path;
		const char *hole = strstr(tail, "%s");
		int rc;

		if (hole == NULL)
			snprintf(path, sizeof(path), "/proc/sys/net/%s", tail);
		else
			snprintf(path, sizeof(path), "/proc/sys/net/%.*s%s%s", (int)(hole - tail),
					tail, in->options->interface, hole + 2);
		rc = sysctl_set(path, SYSCTLS[i].value);
		if (rc < 0 && SYSCTLS[i].must) {
			lath_error_set(in->err, HOSTPORT_POINTER,
					"Cannot write %s to %s (%s): /proc/sys must be writable, "
					"or the value set already.",
					SYSCTLS[i].value, path, strerror(-rc));
			return rc;
		}
	}
	return 0;
}

/* ---- rtnetlink --------------------------------------------------------------------------- */

static int
link_up(struct nl *nl, unsigned index)
{
	struct nlmsghdr *message = lath_hostport_nl_begin(nl, RTM_NEWLINK, 0,
			sizeof(struct ifinfomsg));
	struct ifinfomsg *info = mnl_nlmsg_get_payload(message);

	info->ifi_index = (int)index;
	info->ifi_flags = IFF_UP;
	info->ifi_change = IFF_UP;
	return lath_hostport_nl_call(nl, message, NULL, NULL);
}

/* MTU, and no address of the kernel's own making (while the link is still down). */
static int
link_prepare(struct nl *nl, unsigned index, uint16_t mtu)
{
	struct nlmsghdr *message = lath_hostport_nl_begin(nl, RTM_NEWLINK, 0,
			sizeof(struct ifinfomsg));
	struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct nlattr *families;
	struct nlattr *inet6;

	info->ifi_index = (int)index;
	mnl_attr_put_u32(message, IFLA_MTU, mtu);
	families = mnl_attr_nest_start(message, IFLA_AF_SPEC);
	inet6 = mnl_attr_nest_start(message, AF_INET6);
	mnl_attr_put_u8(message, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(message, inet6);
	mnl_attr_nest_end(message, families);
	return lath_hostport_nl_call(nl, message, NULL, NULL);
}

static int
add_address(struct nl *nl, unsigned index, const struct lath_ip *ip, uint8_t bits)
{
	struct nlmsghdr *message = lath_hostport_nl_begin(nl, RTM_NEWADDR,
			NLM_F_CREATE | NLM_F_REPLACE, sizeof(struct ifaddrmsg));
	struct ifaddrmsg *address = mnl_nlmsg_get_payload(message);

	address->ifa_family = AF_INET6;
	address->ifa_prefixlen = bits;
	address->ifa_flags = IFA_F_NODAD | IFA_F_PERMANENT;
	address->ifa_index = index;
	mnl_attr_put(message, IFA_LOCAL, sizeof(ip->bytes), ip->bytes);
	mnl_attr_put(message, IFA_ADDRESS, sizeof(ip->bytes), ip->bytes);
	return lath_hostport_nl_call(nl, message, NULL, NULL);
}

static int
add_neighbour(struct nl *nl, unsigned index, const struct lath_ip *ip, const struct lath_mac *mac)
{
	struct nlmsghdr *message = lath_hostport_nl_begin(nl, RTM_NEWNEIGH,
			NLM_F_CREATE | NLM_F_REPLACE, sizeof(struct ndmsg));
	struct ndmsg *neighbour = mnl_nlmsg_get_payload(message);

	neighbour->ndm_family = AF_INET6;
	neighbour->ndm_ifindex = (int)index;
	neighbour->ndm_state = NUD_PERMANENT;
	neighbour->ndm_flags = NTF_ROUTER;
	mnl_attr_put(message, NDA_DST, sizeof(ip->bytes), ip->bytes);
	mnl_attr_put(message, NDA_LLADDR, sizeof(mac->bytes), mac->bytes);
	return lath_hostport_nl_call(nl, message, NULL, NULL);
}

static int
add_route(struct nl *nl, unsigned index, const struct lath_prefix *prefix,
		const struct lath_ip *gateway, const struct lath_ip *source)
{
	struct nlmsghdr *message = lath_hostport_nl_begin(nl, RTM_NEWROUTE,
			NLM_F_CREATE | NLM_F_REPLACE, sizeof(struct rtmsg));
	struct rtmsg *route = mnl_nlmsg_get_payload(message);

	route->rtm_family = AF_INET6;
	route->rtm_dst_len = prefix->bits;
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_protocol = RTPROT_STATIC;
	route->rtm_scope = RT_SCOPE_UNIVERSE;
	route->rtm_type = RTN_UNICAST;
	mnl_attr_put(message, RTA_DST, sizeof(prefix->ip.bytes), prefix->ip.bytes);
	mnl_attr_put(message, RTA_GATEWAY, sizeof(gateway->bytes), gateway->bytes);
	mnl_attr_put(message, RTA_PREFSRC, sizeof(source->bytes), source->bytes);
	mnl_attr_put_u32(message, RTA_OIF, index);
	return lath_hostport_nl_call(nl, message, NULL, NULL);
}

/* ---- the order of things ----------------------------------------------------------------- */

static int
failed(const struct inside *in, const char *what, int rc)
{
	lath_error_set(in->err, HOSTPORT_POINTER, "Host port %s: cannot %s (%s).",
			in->options->interface, what, strerror(-rc));
	return rc;
}

static int
configure_links(struct inside *in, struct nl *nl, struct nl_link *link)
{
	struct nl_link lo;
	int rc = lath_hostport_nl_link_get(nl, "lo", &lo);

	if (rc == 0)
		rc = link_up(nl, lo.index);
	if (rc < 0)
		return failed(in, "set lo up in its network namespace", rc);
	rc = lath_hostport_nl_link_get(nl, in->options->interface, link);
	if (rc < 0)
		return failed(in, "be found after it moved", rc);
	rc = set_sysctls(in);
	if (rc < 0)
		return rc;
	rc = link_prepare(nl, link->index, in->options->mtu);
	if (rc < 0)
		return failed(in, "set its MTU", rc);
	rc = link_up(nl, link->index);
	if (rc < 0)
		return failed(in, "be set up", rc);
	in->mac = link->mac;
	return 0;
}

static int
configure_addresses(const struct inside *in, struct nl *nl, unsigned index)
{
	const struct lath_hostport_options *options = in->options;
	struct lath_ip gateway = lath_hostaddr_gateway();
	struct lath_ip link_local = lath_hostaddr_link_local(2);
	struct lath_ip own = lath_hostaddr_kernel(&options->prefix);
	int rc = add_address(nl, index, &link_local, 64);

	if (rc == 0)
		rc = add_address(nl, index, &own, 128);
	if (rc < 0)
		return failed(in, "get its addresses", rc);
	rc = add_neighbour(nl, index, &gateway, &options->gateway_mac);
	if (rc < 0)
		return failed(in, "get its neighbour fe80::1", rc);
	rc = add_route(nl, index, &options->prefix, &gateway, &own);
	return rc < 0 ? failed(in, "get its route", rc) : 0;
}

int
lath_hostport_inside_configure(void *inside)
{
	struct inside *in = inside;
	struct nl_link link;
	struct nl nl;
	int rc = lath_hostport_nl_open(&nl);

	if (rc < 0)
		return failed(in, "open a netlink socket", rc);
	rc = configure_links(in, &nl, &link);
	if (rc == 0)
		rc = configure_addresses(in, &nl, link.index);
	lath_hostport_nl_close(&nl);
	return rc;
}

struct census {
	const char *wanted;
	char foreign[16]; /* a link that should not be there */
};

/* Tunnel fallbacks (sit0, ip6tnl0...) are in every namespace and down: they do not count. */
static void
count_link(void *ctx, const struct nl_link *link)
{
	struct census *census = ctx;
	bool same = strcmp(link->name, census->wanted) == 0;

	if (same || ((link->flags & IFF_UP) != 0 && (link->flags & IFF_LOOPBACK) == 0))
		memcpy(census->foreign, link->name, sizeof(census->foreign));
}

int
lath_hostport_inside_check_empty(void *inside)
{
	struct inside *in = inside;
	struct census census = {.wanted = in->options->interface};
	struct nl nl;
	int rc = lath_hostport_nl_open(&nl);

	if (rc < 0)
		return failed(in, "open a netlink socket", rc);
	rc = lath_hostport_nl_link_dump(&nl, count_link, &census);
	lath_hostport_nl_close(&nl);
	if (rc < 0)
		return failed(in, "list the interfaces of its network namespace", rc);
	if (census.foreign[0] == '\0')
		return 0;
	lath_error_set(in->err, HOSTPORT_POINTER "/namespace",
			"The network namespace %s already holds %s: the host port needs one of its "
			"own "
			"(is another lathd running?).",
			in->options->namespace_name, census.foreign);
	return lath_err(EBUSY);
}
