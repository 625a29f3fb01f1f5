/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Ports behind which a kernel interface stands: net_tap and net_af_packet. DPDK 22.11 allows them
 * no MTU above 1504 and 1500 (their max_rx_pktlen says 1522 and 1518), and net_af_packet never
 * looks at its link, so both are done here on the interface itself. The socket is made when the
 * port is opened and belongs to the network namespace of that moment, where the interface is.
 *
 * LIMIT: net_tap still refuses to *send* more than DPDK's own MTU (1504): struct lath_port, tx_mtu.
 *
 * LIMIT: a TAP that somebody moves to another namespace afterwards cannot be asked any more; it
 * counts as up from then on.
 */

#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ethdev_private.h"

bool
lath_ethdev_is_kernel_backed(const struct lath_port *port)
{
	return lath_ethdev_driver_is(port->device, "net_tap") ||
			lath_ethdev_driver_is(port->device, "net_af_packet");
}

int
lath_ethdev_kernel_open(struct lath_port *port, uint32_t if_index)
{
	char name[IF_NAMESIZE];
	int fd;

	/* By index, not by the name in the device string: that one may hold a pattern (dtap%d). */
	if (if_index == 0 || if_indextoname(if_index, name) == NULL)
		return lath_err(ENODEV);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	port->kernel_socket = fd;
	memcpy(port->kernel_name, name, sizeof(port->kernel_name));
	return 0;
}

void
lath_ethdev_kernel_close(struct lath_port *port)
{
	if (port->kernel_name[0] == '\0')
		return;
	close(port->kernel_socket);
	port->kernel_socket = -1;
	port->kernel_name[0] = '\0';
}

int
lath_ethdev_kernel_set_mtu(const struct lath_port *port, uint16_t mtu)
{
	struct ifreq request = {.ifr_mtu = 0};

	memcpy(request.ifr_name, port->kernel_name, sizeof(request.ifr_name));
	/* Asked first: without CAP_NET_ADMIN an MTU that is right already is no error. */
	if (ioctl(port->kernel_socket, SIOCGIFMTU, &request) == 0 && request.ifr_mtu >= (int)mtu)
		return 0;
	request.ifr_mtu = mtu;
	if (ioctl(port->kernel_socket, SIOCSIFMTU, &request) < 0)
		return -errno;
	return 0;
}

int
lath_ethdev_kernel_link(const struct lath_port *port, bool *up)
{
	struct ifreq request = {.ifr_flags = 0};

	memcpy(request.ifr_name, port->kernel_name, sizeof(request.ifr_name));
	if (ioctl(port->kernel_socket, SIOCGIFFLAGS, &request) < 0)
		return -errno;
	*up = (request.ifr_flags & IFF_UP) != 0 && (request.ifr_flags & IFF_RUNNING) != 0;
	return 0;
}
