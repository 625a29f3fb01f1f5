/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * EAL says -1 or "No such device" for most things that can be wrong with a device. Here the likely
 * causes are looked for, so that an operator reads what is wrong and what to do about it.
 */

#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ethdev_private.h"

#define LIST_MAX 200 /* bytes of a list in a message */

static const char *const known_drivers[] = {
		"net_af_packet",
		"net_af_xdp",
		"net_bonding",
		"net_memif",
		"net_null",
		"net_pcap",
		"net_ring",
		"net_tap",
		"net_virtio_user",
};

void
lath_ethdev_refuse(struct lath_error *err, const char *port, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	lath_error_set(err, "", "port \"%s\": %s", port, text);
}

static bool
has_net_admin(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

	/* Where the question is not answered, the capability is not to blame. */
	if (syscall(SYS_capget, &header, data) != 0)
		return true;
	return (data[0].effective & 1u << CAP_NET_ADMIN) != 0;
}

static bool
is_known_driver(const char *device)
{
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(known_drivers); i++)
		if (lath_ethdev_driver_is(device, known_drivers[i]))
			return true;
	return false;
}

static void
list_drivers(char *out, size_t len)
{
	size_t used = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(known_drivers) && used < len; i++)
		used += (size_t)snprintf(out + used, len - used, "%s%s", used > 0 ? ", " : "",
				known_drivers[i]);
}

/* The names of the ports that DPDK has, "none" if it has none. */
static void
list_ports(char *out, size_t len)
{
	char name[RTE_ETH_NAME_MAX_LEN];
	uint16_t port_id;
	size_t used = 0;

	snprintf(out, len, "none");
	for (port_id = rte_eth_find_next(0); port_id < RTE_MAX_ETHPORTS;
			port_id = rte_eth_find_next((uint16_t)(port_id + 1))) {
		if (rte_eth_dev_get_name_by_port(port_id, name) < 0)
			continue;
		used += (size_t)snprintf(out + used, len - used, "%s%s", used > 0 ? ", " : "",
				name);
		if (used >= len)
			return;
	}
}

static int
check_tap(const struct lath_config_port *cfg, struct lath_error *err)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno == EACCES || errno == EPERM) {
		lath_ethdev_refuse(err, cfg->name,
				"/dev/net/tun may not be opened by this user: give read and write "
				"permission on it, or run as root.");
		return lath_err(EACCES);
	}
	lath_ethdev_refuse(err, cfg->name,
			"/dev/net/tun is missing (%s): load the kernel module with \"modprobe "
			"tun\", or "
			"in a container pass the device through (--device /dev/net/tun).",
			strerror(errno));
	return lath_err(ENODEV);
}

static int
check_af_packet(const struct lath_config_port *cfg, struct lath_error *err)
{
	char name[64];

	if (lath_ethdev_arg(cfg->device, "iface", name, sizeof(name)) <= 0) {
		lath_ethdev_refuse(err, cfg->name,
				"\"%s\" names no interface; write \"%.*s,iface=eth1\".",
				cfg->device, (int)strcspn(cfg->device, ","), cfg->device);
		return lath_err(EINVAL);
	}
	if (if_nametoindex(name) == 0) {
		lath_ethdev_refuse(err, cfg->name,
				"There is no network interface \"%s\" in this network namespace "
				"(\"ip link\" lists them).",
				name);
		return lath_err(ENODEV);
	}
	return 0;
}

static int
check_pci(const struct lath_config_port *cfg, const char *address, struct lath_error *err)
{
	char path[128];
	char driver[128];
	const char *name;
	ssize_t len;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", address);
	if (access(path, F_OK) != 0) {
		lath_ethdev_refuse(err, cfg->name,
				"There is no PCI device %s; \"dpdk-devbind.py --status-dev net\" "
				"lists "
				"what there is.",
				address);
		return lath_err(ENODEV);
	}
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", address);
	len = readlink(path, driver, sizeof(driver) - 1);
	driver[len > 0 ? len : 0] = '\0';
	name = strrchr(driver, '/') == NULL ? driver : strrchr(driver, '/') + 1;
	if (name[0] == '\0')
		lath_ethdev_refuse(err, cfg->name,
				"PCI device %s is bound to no driver: \"dpdk-devbind.py "
				"--bind=vfio-pci %s\".",
				address, address);
	else if (strcmp(name, "vfio-pci") != 0 && strcmp(name, "uio_pci_generic") != 0)
		lath_ethdev_refuse(err, cfg->name,
				"PCI device %s is bound to the kernel driver \"%s\": "
				"\"dpdk-devbind.py "
				"--bind=vfio-pci %s\" takes it from the kernel (not for mlx4, mlx5 "
				"and "
				"mana, whose kernel driver stays: see that DPDK has their driver).",
				address, name, address);
	else
		lath_ethdev_refuse(err, cfg->name,
				"DPDK has no driver for PCI device %s or cannot use it (bound to "
				"%s): "
				"see \"dpdk-devbind.py --status\" and the permissions of "
				"/dev/vfio.",
				address, name);
	return lath_err(ENODEV);
}

int
lath_ethdev_check_device(const struct lath_config_port *cfg, struct lath_error *err)
{
	if (lath_ethdev_driver_is(cfg->device, "net_tap"))
		return check_tap(cfg, err);
	if (lath_ethdev_driver_is(cfg->device, "net_af_packet"))
		return check_af_packet(cfg, err);
	if (lath_ethdev_driver_is(cfg->device, "net_memif"))
		return lath_ethdev_memif_check(cfg, err);
	return 0;
}

int
lath_ethdev_diagnose(const struct lath_config_port *cfg, int rc, struct lath_error *err)
{
	char address[32];
	char ports[LIST_MAX];
	char drivers[LIST_MAX];

	if (lath_ethdev_is_pci(cfg->device, address, sizeof(address)))
		return check_pci(cfg, address, err);
	if (!is_known_driver(cfg->device)) {
		list_ports(ports, sizeof(ports));
		list_drivers(drivers, sizeof(drivers));
		lath_ethdev_refuse(err, cfg->name,
				"\"%s\" is neither a PCI address (0000:01:00.0) nor a virtual "
				"device of "
				"a known driver (%s; a number follows: net_tap0). Ports that DPDK "
				"has: %s.",
				cfg->device, drivers, ports);
		return lath_err(ENODEV);
	}
	if (!has_net_admin() &&
			(lath_ethdev_driver_is(cfg->device, "net_tap") ||
					lath_ethdev_driver_is(cfg->device, "net_af_packet") ||
					lath_ethdev_driver_is(cfg->device, "net_af_xdp"))) {
		lath_ethdev_refuse(err, cfg->name,
				"\"%s\" needs CAP_NET_ADMIN and CAP_NET_RAW: run as root, give the "
				"capabilities, or run in a user and network namespace of its own.",
				cfg->device);
		return lath_err(EPERM);
	}
	lath_ethdev_refuse(err, cfg->name,
			"DPDK cannot open \"%s\" (%s): see its log lines above; arguments are "
			"written "
			"\"net_tap0,iface=lath0\", and an interface name may be in use.",
			cfg->device, strerror(rc < 0 ? -rc : rc));
	return rc < 0 ? rc : lath_err(ENODEV);
}
