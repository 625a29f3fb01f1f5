/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* The section `system`: what only a restart changes. */

#include "config_private.h"

#define PORTS_MAX 31u /* RTE_MAX_ETHPORTS is 32, and the host port is one */
#define CORE_MAX 1023u
#define WORKERS_MAX 64u

static void
set_defaults(struct lath_config_system *system)
{
	*system = (struct lath_config_system){
			.worker_count = 1,
			.management_core = LATH_CONFIG_NONE,
			.max_vpcs = 1024,
			.max_services = 4096,
			.max_groups = 4096,
			.max_targets = 16384,
			.max_neighbors = 4096,
			.runtime_directory = "/run/lath",
			.state_directory = "/var/lib/lath",
			.host_port_enabled = true,
			.host_port_device = "net_tap_host,iface=lath-host",
	};
	/* The literal is a prefix, so this cannot fail. */
	(void)lath_prefix_parse("fd6c:6174:6800::/64", &system->host_prefix);
}

static int
read_mac(const struct lath_config_node *object, struct lath_config_port *port)
{
	struct lath_config_node member;
	char value[LATH_CONFIG_VALUE_MAX];
	static const uint8_t zero[6];

	if (!lath_config_member(object, "mac", &member))
		return 0;
	if (!json_is_string(member.json) ||
			lath_mac_parse(json_string_value(member.json), &port->mac) != 0)
		return lath_config_fail(&member,
				"%s is not a MAC address like \"02:00:00:00:00:01\"",
				lath_config_value(member.json, value));
	if ((port->mac.bytes[0] & 1) != 0 || memcmp(port->mac.bytes, zero, sizeof(zero)) == 0)
		return lath_config_fail(&member, "%s is not the address of one station",
				lath_config_value(member.json, value));
	port->has_mac = true;
	return 0;
}

static int
check_port_unique(const struct lath_config_node *node, const struct lath_config_system *system,
		const struct lath_config_port *port)
{
	for (uint32_t i = 0; i < system->port_count; i++) {
		const struct lath_config_port *other = &system->ports[i];

		if (strcmp(other->name, port->name) == 0)
			return lath_config_fail(node,
					"port name \"%s\" is used twice; the first is "
					"/system/ports/%u",
					port->name, i);
		if (strcmp(other->device, port->device) == 0)
			return lath_config_fail(node,
					"device \"%s\" is used twice; the first is "
					"/system/ports/%u",
					port->device, i);
	}
	return 0;
}

static int
read_port(const struct lath_config_node *node, struct lath_config_system *system)
{
	static const char *const keys[] = {
			"name", "device", "mac", "rxDescriptors", "txDescriptors"};
	struct lath_config_port *port = &system->ports[system->port_count];
	struct lath_config_node member;

	port->rx_descriptors = 1024;
	port->tx_descriptors = 1024;
	port->mtu = 1500;
	if (lath_config_read_keys(node, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			lath_config_need(node, "device", &member) != 0 ||
			lath_config_need(node, "name", &member) != 0 ||
			lath_config_read_text(node, "name", 1, sizeof(port->name) - 1,
					port->name) != 0 ||
			lath_config_read_text(node, "device", 1, sizeof(port->device) - 1,
					port->device) != 0 ||
			read_mac(node, port) != 0 ||
			lath_config_read_u32(node, "rxDescriptors", 32, 32768,
					&port->rx_descriptors) != 0 ||
			lath_config_read_u32(node, "txDescriptors", 32, 32768,
					&port->tx_descriptors) != 0)
		return lath_err(EINVAL);
	if (!lath_config_is_word(port->name, "-_."))
		return lath_config_fail(&member,
				"\"%s\" is not a name of letters, digits, hyphens, dots and "
				"underscores",
				port->name);
	return check_port_unique(node, system, port);
}

static int
read_ports(const struct lath_config_node *node, struct lath_config_system *system)
{
	struct lath_config_node list;
	int rc = lath_config_read_list(node, "ports", 0, PORTS_MAX, &list);
	size_t size = json_array_size(list.json);

	if (rc != 0 || size == 0)
		return rc;
	system->ports = calloc(size, sizeof(*system->ports));
	if (system->ports == NULL)
		return lath_config_no_memory(node->loader);
	for (size_t i = 0; i < size; i++) {
		struct lath_config_node element = lath_config_element(&list, i);

		rc = read_port(&element, system);
		if (rc != 0)
			return rc;
		system->port_count++;
	}
	return 0;
}

/* Two lcores on one CPU: allowed to sleepers, refused to spinners unless asked for. */
static int
check_sharing(const struct lath_config_node *workers, const struct lath_config_system *system)
{
	const uint32_t *cores = system->worker_cores;

	if (system->idle != LATH_CONFIG_IDLE_POLL || system->allow_shared_cores)
		return 0;
	for (uint32_t i = 0; i < system->worker_core_count; i++) {
		bool shared = cores[i] == system->management_core;

		for (uint32_t j = 0; j < i; j++)
			shared = shared || cores[i] == cores[j];
		if (shared)
			return lath_config_fail(workers,
					"core %u is used twice, which idle \"poll\" does not bear; "
					"use "
					"\"adaptive\" or set allowSharedCores",
					cores[i]);
	}
	return 0;
}

static int
read_cores(const struct lath_config_node *workers, struct lath_config_system *system)
{
	struct lath_config_node list;
	struct lath_config_node member;
	int rc = lath_config_read_list(workers, "cores", 1, WORKERS_MAX, &list);
	size_t size = json_array_size(list.json);

	if (rc != 0 || size == 0)
		return rc;
	for (size_t i = 0; i < size; i++) {
		struct lath_config_node element = lath_config_element(&list, i);
		json_int_t core = json_integer_value(element.json);
		char value[LATH_CONFIG_VALUE_MAX];

		if (!json_is_integer(element.json) || core < 0 || core > (json_int_t)CORE_MAX)
			return lath_config_fail(&element, "%s is not a CPU number in 0..%u",
					lath_config_value(element.json, value), CORE_MAX);
		system->worker_cores[i] = (uint32_t)core;
	}
	if (!lath_config_member(workers, "count", &member))
		system->worker_count = (uint32_t)size;
	if (size != system->worker_count)
		return lath_config_fail(&list, "%zu cores are not one for each of %u workers", size,
				system->worker_count);
	system->worker_core_count = (uint32_t)size;
	return 0;
}

static int
read_workers(const struct lath_config_node *node, struct lath_config_system *system)
{
	static const char *const keys[] = {
			"count", "cores", "idle", "allowSharedCores", "managementCore"};
	static const char *const idles[LATH_CONFIG_IDLE_COUNT] = {"adaptive", "poll"};
	struct lath_config_node workers;
	unsigned idle = LATH_CONFIG_IDLE_ADAPTIVE;

	if (!lath_config_member(node, "workers", &workers))
		return 0;
	if (lath_config_read_keys(&workers, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			lath_config_read_u32(&workers, "count", 1, WORKERS_MAX,
					&system->worker_count) != 0 ||
			read_cores(&workers, system) != 0 ||
			lath_config_read_word(&workers, "idle", idles, LATH_CONFIG_IDLE_COUNT,
					&idle) != 0 ||
			lath_config_read_bool(&workers, "allowSharedCores",
					&system->allow_shared_cores) != 0 ||
			lath_config_read_u32(&workers, "managementCore", 0, CORE_MAX,
					&system->management_core) != 0)
		return lath_err(EINVAL);
	system->idle = (enum lath_config_idle)idle;
	return check_sharing(&workers, system);
}

static int
read_memory(const struct lath_config_node *node, struct lath_config_system *system)
{
	const struct {
		const char *key;
		uint32_t *value;
		uint32_t min;
		uint32_t max;
	} rows[] = {
			{"sizeMiB", &system->memory_mib, 64, 1048576},
			{"flowsPerWorker", &system->flows_per_worker, 1024, 67108864},
			{"mixedFlowsPerWorker", &system->mixed_flows_per_worker, 1024, 67108864},
			{"packetBuffers", &system->packet_buffers, 1024, 16777216},
			{"maxVpcs", &system->max_vpcs, 1, 65535},
			{"maxServices", &system->max_services, 1, 65535},
			{"maxTargetGroups", &system->max_groups, 1, 65535},
			{"maxTargets", &system->max_targets, 1, 1048576},
			{"maxNeighbors", &system->max_neighbors, 16, 1048576},
	};
	const char *keys[LATH_ARRAY_SIZE(rows) + 1];
	struct lath_config_node memory;
	int rc;

	if (!lath_config_member(node, "memory", &memory))
		return 0;
	for (size_t i = 0; i < LATH_ARRAY_SIZE(rows); i++)
		keys[i] = rows[i].key;
	keys[LATH_ARRAY_SIZE(rows)] = "hugepages";
	rc = lath_config_read_keys(&memory, keys, LATH_ARRAY_SIZE(keys));
	if (rc == 0)
		rc = lath_config_read_bool(&memory, "hugepages", &system->hugepages);
	for (size_t i = 0; rc == 0 && i < LATH_ARRAY_SIZE(rows); i++)
		rc = lath_config_read_u32(&memory, rows[i].key, rows[i].min, rows[i].max,
				rows[i].value);
	return rc;
}

static int
read_paths(const struct lath_config_node *node, struct lath_config_system *system)
{
	static const char *const keys[] = {"admin"};
	const size_t max = sizeof(system->admin_socket) - 1;
	struct lath_config_node sockets;
	struct lath_config_node member;
	int n;

	if (lath_config_read_path(node, "runtimeDirectory", sizeof(system->runtime_directory) - 1,
			    system->runtime_directory) != 0 ||
			lath_config_read_path(node, "stateDirectory",
					sizeof(system->state_directory) - 1,
					system->state_directory) != 0)
		return lath_err(EINVAL);
	if (lath_config_member(node, "sockets", &sockets)) {
		if (lath_config_read_keys(&sockets, keys, LATH_ARRAY_SIZE(keys)) != 0)
			return lath_err(EINVAL);
		if (lath_config_member(&sockets, "admin", &member))
			return lath_config_read_path(&sockets, "admin", max, system->admin_socket);
	}
	n = snprintf(system->admin_socket, sizeof(system->admin_socket), "%.107s/admin.sock",
			system->runtime_directory);
	/* sun_path has 108 bytes (unix(7)). */
	if ((size_t)n > max || strlen(system->runtime_directory) > max)
		return lath_config_fail(node,
				"\"runtimeDirectory\" is too long for a socket of at most %zu "
				"characters; give "
				"sockets/admin",
				max);
	return 0;
}

static int
read_host_prefix(const struct lath_config_node *host, struct lath_prefix *prefix)
{
	struct lath_config_node member;
	char value[LATH_CONFIG_VALUE_MAX];

	if (!lath_config_member(host, "prefix", &member))
		return 0;
	if (lath_config_read_prefix(&member, prefix) != 0)
		return lath_err(EINVAL);
	if (lath_ip_is_v4(&prefix->ip) || prefix->bits != 64)
		return lath_config_fail(&member, "%s is not an IPv6 /64",
				lath_config_value(member.json, value));
	return 0;
}

static int
read_host_port(const struct lath_config_node *node, struct lath_config_system *system)
{
	static const char *const keys[] = {"enabled", "device", "namespace", "prefix"};
	struct lath_config_node host;
	struct lath_config_node member;

	if (!lath_config_member(node, "hostPort", &host))
		return 0;
	if (lath_config_read_keys(&host, keys, LATH_ARRAY_SIZE(keys)) != 0 ||
			lath_config_read_bool(&host, "enabled", &system->host_port_enabled) != 0 ||
			lath_config_read_text(&host, "device", 1,
					sizeof(system->host_port_device) - 1,
					system->host_port_device) != 0 ||
			lath_config_read_text(&host, "namespace", 0,
					sizeof(system->host_port_namespace) - 1,
					system->host_port_namespace) != 0 ||
			read_host_prefix(&host, &system->host_prefix) != 0)
		return lath_err(EINVAL);
	if (system->host_port_namespace[0] != '\0' &&
			!lath_config_is_word(system->host_port_namespace, "-_.") &&
			lath_config_member(&host, "namespace", &member))
		return lath_config_fail(&member, "\"%s\" is not the name of a network namespace",
				system->host_port_namespace);
	for (uint32_t i = 0; system->host_port_enabled && i < system->port_count; i++) {
		if (strcmp(system->ports[i].device, system->host_port_device) == 0)
			return lath_config_fail(&host, "device \"%s\" is already /system/ports/%u",
					system->host_port_device, i);
	}
	return 0;
}

int
lath_config_read_system(struct lath_config_loader *loader)
{
	static const char *const keys[] = {"ports", "workers", "memory", "sockets",
			"runtimeDirectory", "stateDirectory", "hostPort"};
	struct lath_config_system *system = &loader->cfg->system;
	struct lath_config_node node = {.loader = loader, .index = SIZE_MAX};
	int rc = 0;

	set_defaults(system);
	if (lath_config_section_node(loader, LATH_CONFIG_SECTION_SYSTEM, &node))
		rc = lath_config_read_keys(&node, keys, LATH_ARRAY_SIZE(keys));
	/* Without the section every reader below finds nothing and leaves the defaults. */
	if (rc == 0)
		rc = read_ports(&node, system);
	if (rc == 0)
		rc = read_workers(&node, system);
	if (rc == 0)
		rc = read_memory(&node, system);
	if (rc == 0)
		rc = read_paths(&node, system);
	if (rc == 0)
		rc = read_host_port(&node, system);
	if (system->flows_per_worker == 0)
		system->flows_per_worker = system->hugepages ? 1048576 : 65536;
	if (system->mixed_flows_per_worker == 0)
		system->mixed_flows_per_worker = lath_max_u32(system->flows_per_worker / 16, 1024);
	return rc;
}
