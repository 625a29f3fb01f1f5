/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* DPDK's environment, from the configuration. Nobody types EAL options at lathd. */

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "lathd.h"

#define ARGS_MAX (32 + 8 * LATH_MODEL_PORTS_MAX)

struct arguments {
	char *values[ARGS_MAX];
	int count;
};

static void
add(struct arguments *args, const char *value)
{
	args->values[args->count++] = strdup(value);
}

/* "0000:3b:00.0" or "3b:00.0", perhaps with driver arguments behind a comma. */
static bool
is_pci(const char *device)
{
	return isxdigit((unsigned char)device[0]) && strchr(device, ':') != NULL &&
			strncmp(device, "net_", 4) != 0;
}

uint32_t
eal_management_cpu(const struct lath_config *cfg)
{
	return cfg->system.management_core == LATH_CONFIG_NONE ? 0 : cfg->system.management_core;
}

/* Three spinning threads on one CPU leave each other gaps of 12-16 ms: refuse it unless asked. */
static int
check_cores(const struct lath_config *cfg, struct lath_error *err)
{
	if (cfg->system.idle != LATH_CONFIG_IDLE_POLL || cfg->system.allow_shared_cores)
		return 0;
	for (uint32_t w = 0; w < cfg->system.worker_count; w++) {
		bool shared = gateway_worker_cpu(cfg, w) == eal_management_cpu(cfg);

		for (uint32_t other = 0; other < w; other++)
			shared = shared ||
					gateway_worker_cpu(cfg, other) ==
							gateway_worker_cpu(cfg, w);
		if (!shared)
			continue;
		lath_error_set(err, "/system/workers/idle",
				"poll needs a CPU of its own for every worker, and CPU %u is "
				"shared; "
				"use adaptive, other cores, or allowSharedCores",
				gateway_worker_cpu(cfg, w));
		return lath_err(EINVAL);
	}
	return 0;
}

static void
add_lcores(struct arguments *args, const struct lath_config *cfg)
{
	char text[64 * 12];
	int len = snprintf(text, sizeof(text), "0@%u", eal_management_cpu(cfg));

	for (uint32_t w = 0; w < cfg->system.worker_count; w++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, ",%u@%u", w + 1,
				gateway_worker_cpu(cfg, w));
	add(args, "--lcores");
	add(args, text);
	add(args, "--main-lcore");
	add(args, "0");
}

static void
add_memory(struct arguments *args, const struct lath_config *cfg)
{
	char text[16];

	if (cfg->system.hugepages) {
		add(args, "--in-memory");
		if (cfg->system.memory_mib == 0)
			return; /* taken page by page as it is needed */
		snprintf(text, sizeof(text), "%u", cfg->system.memory_mib);
		add(args, "-m");
		add(args, text);
		return;
	}
	/* 22.11 refuses --no-huge together with --in-memory. */
	snprintf(text, sizeof(text), "%u",
			cfg->system.memory_mib != 0 ? cfg->system.memory_mib
						    : plane_memory_mib(cfg));
	add(args, "--no-huge");
	add(args, "--no-shconf");
	add(args, "-m");
	add(args, text);
}

/* The members of a bond must be known to EAL before the bond is made: "slave=0000:3b:00.0". */
static bool
add_members(struct arguments *args, const char *device)
{
	bool any = false;

	for (const char *at = strstr(device, "slave="); at != NULL; at = strstr(at, "slave=")) {
		char member[64];

		at += strlen("slave=");
		snprintf(member, sizeof(member), "%.*s", (int)strcspn(at, ","), at);
		if (!is_pci(member) || args->count + 8 > ARGS_MAX)
			continue;
		add(args, "-a");
		add(args, member);
		any = true;
	}
	return any;
}

static void
add_devices(struct arguments *args, const struct lath_config *cfg)
{
	bool any = false;

	for (uint32_t i = 0; i < cfg->system.port_count; i++) {
		const char *device = cfg->system.ports[i].device;

		if (add_members(args, device))
			any = true;
		if (!is_pci(device))
			continue;
		add(args, "-a");
		add(args, device);
		any = true;
	}
	if (!any)
		add(args, "--no-pci");
}

static int
make_folder(const char *path, struct lath_error *err)
{
	char partial[LATH_CONFIG_PATH_MAX];

	for (const char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		size_t len = slash == NULL ? strlen(path) : (size_t)(slash - path);

		snprintf(partial, sizeof(partial), "%.*s", (int)len, path);
		if (mkdir(partial, 0755) != 0 && errno != EEXIST) {
			lath_error_set(err, "/system", "the folder %s cannot be made: %s", partial,
					strerror(errno));
			return lath_err(errno);
		}
		if (slash == NULL)
			return 0;
	}
}

int
eal_start(const struct lath_config *cfg, struct lath_error *err)
{
	static struct arguments args; /* EAL keeps pointers into it for the process's life */
	char prefix[32];
	int rc = check_cores(cfg, err);

	if (rc == 0)
		rc = make_folder(cfg->system.runtime_directory, err);
	if (rc == 0)
		rc = make_folder(cfg->system.state_directory, err);
	if (rc != 0)
		return rc;
	/* EAL puts its files there; /var/run is not writable for an ordinary user. */
	setenv("RUNTIME_DIRECTORY", cfg->system.runtime_directory, 1);
	snprintf(prefix, sizeof(prefix), "lath-%d", (int)getpid());
	add(&args, "lathd");
	add_lcores(&args, cfg);
	add_memory(&args, cfg);
	add_devices(&args, cfg);
	add(&args, "--file-prefix");
	add(&args, prefix);
	add(&args, "--log-level=lib.eal:warning");
	if (rte_eal_init(args.count, args.values) >= 0)
		return 0;
	lath_error_set(err, "",
			"DPDK did not start: %s; its own lines above say more (hugepages: "
			"dpdk-hugepages.py --show; devices: dpdk-devbind.py --status)",
			rte_strerror(rte_errno));
	return lath_err(rte_errno == 0 ? EINVAL : rte_errno);
}

void
eal_stop(void)
{
	char folder[LATH_CONFIG_PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%s", rte_eal_get_runtime_dir());
	rte_eal_cleanup();
	/* DPDK leaves its prefix folder behind. It holds files only. */
	dir = opendir(folder);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	rmdir(folder);
	/* The folder around it goes as well when no other process has one there. */
	*strrchr(folder, '/') = '\0';
	rmdir(folder);
}
