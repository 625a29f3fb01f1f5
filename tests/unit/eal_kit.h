/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * EAL for a test: no huge pages, no devices, no shared files, and nothing left behind.
 */
#pragma once

#include <unistd.h>

#include <rte_eal.h>

#include "lath_test.h"

/* Runs the tests inside EAL; returns what main() should. */
#define EAL_KIT_RUN(name, tests)                                                               \
	(eal_kit_start(name) < 0 ? 1                                                           \
				 : eal_kit_stop(cmocka_run_group_tests_name(name, tests, NULL, \
						   NULL)))

static char eal_kit_directory[] = "/tmp/lath-test-eal-XXXXXX";

static inline int
eal_kit_start(const char *name)
{
	static char args[][40] = {"--no-huge", "--no-shconf", "--no-pci", "-m", "64",
			"--no-telemetry", "-l", "0", "--log-level=lib.eal:warning"};
	static char prog[32];
	static char prefix[64];
	char *argv[LATH_ARRAY_SIZE(args) + 2] = {prog};
	int argc = 1;

	if (mkdtemp(eal_kit_directory) == NULL ||
			setenv("RUNTIME_DIRECTORY", eal_kit_directory, 1) != 0)
		return -1;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(args); i++)
		argv[argc++] = args[i];
	snprintf(prog, sizeof(prog), "test_%s", name);
	snprintf(prefix, sizeof(prefix), "--file-prefix=lath-%s-%d", name, (int)getpid());
	argv[argc++] = prefix;
	return rte_eal_init(argc, argv);
}

static inline int
eal_kit_stop(int failed)
{
	char command[64];

	(void)rte_eal_cleanup(); /* the process ends anyway */
	snprintf(command, sizeof(command), "rm -rf %s", eal_kit_directory);
	return system(command) != 0 || failed != 0;
}
