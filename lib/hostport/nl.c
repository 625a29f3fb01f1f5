/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * A thin cover over libmnl: one request, one answer. libmnl rather than messages by hand, because
 * it gets alignment, attribute bounds and multi-part answers right; rather than libnl, because that
 * brings caches and objects for a dozen messages sent once.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "hostport_private.h"

int
lath_hostport_nl_open(struct nl *nl)
{
	nl->sequence = 0;
	nl->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (nl->socket == NULL)
		return lath_err(errno);
	if (mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int code = errno;

		lath_hostport_nl_close(nl);
		return lath_err(code);
	}
	return 0;
}

void
lath_hostport_nl_close(struct nl *nl)
{
	if (nl->socket != NULL)
		mnl_socket_close(
				nl->socket); /* close(2) of a socket: nothing to do about an error */
	nl->socket = NULL;
}

struct nlmsghdr *
lath_hostport_nl_begin(struct nl *nl, uint16_t type, uint16_t flags, size_t size)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(nl->buf);

	message->nlmsg_type = type;
	message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	message->nlmsg_seq = ++nl->sequence;
	mnl_nlmsg_put_extra_header(message, size);
	return message;
}

int
lath_hostport_nl_call(struct nl *nl, struct nlmsghdr *message, mnl_cb_t cb, void *ctx)
{
	unsigned port = mnl_socket_get_portid(nl->socket);
	int rc = MNL_CB_OK;

	if (mnl_socket_sendto(nl->socket, message, message->nlmsg_len) < 0)
		return lath_err(errno);
	while (rc > MNL_CB_STOP) {
		ssize_t len = mnl_socket_recvfrom(nl->socket, nl->buf, sizeof(nl->buf));

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return lath_err(errno);
		rc = mnl_cb_run(nl->buf, (size_t)len, nl->sequence, port, cb, ctx);
	}
	return rc < 0 ? lath_err(errno) : 0;
}

struct link_visit {
	nl_link_cb_t cb;
	void *ctx;
};

static int
read_link_attribute(const struct nlattr *attr, void *ctx)
{
	struct nl_link *link = ctx;
	size_t len = mnl_attr_get_payload_len(attr);
	const void *payload = mnl_attr_get_payload(attr);

	if (mnl_attr_get_type(attr) == IFLA_IFNAME && len <= sizeof(link->name))
		memcpy(link->name, payload, len);
	if (mnl_attr_get_type(attr) == IFLA_ADDRESS && len == sizeof(link->mac.bytes))
		memcpy(link->mac.bytes, payload, len);
	return MNL_CB_OK;
}

static int
visit_link(const struct nlmsghdr *message, void *ctx)
{
	const struct link_visit *visit = ctx;
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct nl_link link = {.index = (unsigned)info->ifi_index, .flags = info->ifi_flags};

	if (mnl_attr_parse(message, sizeof(*info), read_link_attribute, &link) < 0)
		return MNL_CB_ERROR;
	link.name[sizeof(link.name) - 1] = '\0';
	visit->cb(visit->ctx, &link);
	return MNL_CB_OK;
}

int
lath_hostport_nl_link_dump(struct nl *nl, nl_link_cb_t cb, void *ctx)
{
	struct link_visit visit = {.cb = cb, .ctx = ctx};
	struct nlmsghdr *message = lath_hostport_nl_begin(nl, RTM_GETLINK, NLM_F_DUMP,
			sizeof(struct ifinfomsg));

	return lath_hostport_nl_call(nl, message, visit_link, &visit);
}

static void
copy_link(void *ctx, const struct nl_link *link)
{
	struct nl_link *out = ctx;

	*out = *link;
}

int
lath_hostport_nl_link_get(struct nl *nl, const char *name, struct nl_link *link)
{
	struct link_visit visit = {.cb = copy_link, .ctx = link};
	struct nlmsghdr *message = lath_hostport_nl_begin(nl, RTM_GETLINK, 0,
			sizeof(struct ifinfomsg));

	if (strlen(name) >= IFNAMSIZ)
		return lath_err(ENODEV);
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	return lath_hostport_nl_call(nl, message, visit_link, &visit);
}
