/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* lath-bench: see bench.h for what is measured, measure.c for how. */

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_eal.h>

#include "micro.h"
#include "wire.h"

/* A second CPU that this process may use, or UINT32_MAX: for the second worker's thread. */
static uint32_t
other_cpu(const struct options *options)
{
	static cpu_set_t allowed;

	/* Asked once, before EAL pins this thread to one. */
	if (CPU_COUNT(&allowed) == 0 && sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		return UINT32_MAX;
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
		if (CPU_ISSET(cpu, &allowed) && (uint32_t)cpu != options->cpu)
			return (uint32_t)cpu;
	return UINT32_MAX;
}

/* Why a test cannot be here, or NULL. */
static const char *
hindrance(const struct options *options, const struct mode *mode, uint8_t proto)
{
	if (mode->tcp_only && proto != LATH_PROTO_TCP)
		return "TCP only";
	if (mode->cpus > 1 && other_cpu(options) == UINT32_MAX)
		return "it needs two CPUs";
	return NULL;
}

static void
run_mode(struct rig *rig, struct report *report, const struct mode *mode, uint8_t proto)
{
	const struct options *options = rig->options;
	const char *why = hindrance(options, mode, proto);
	static struct bench bench;

	if (why != NULL) {
		fprintf(stderr, "lath-bench: %s left out: %s\n", mode->name, why);
		return;
	}
	for (unsigned s = 0; s < options->sizes_count; s++)
		for (unsigned f = 0; f < options->flows_count; f++) {
			run_size(rig, mode, proto, options->sizes[s], options->flows[f], &bench);
			report_size(report, rig, &bench);
			rig_stop(rig);
		}
}

static void
run(const struct options *options)
{
	static struct rig rig;
	struct report *report;

	rig_init(&rig, options);
	report = report_open(options);
	for (unsigned i = 0; i < bench_mode_count; i++) {
		if ((options->modes & 1u << i) == 0)
			continue;
		if (options->tcp)
			run_mode(&rig, report, bench_modes[i], LATH_PROTO_TCP);
		if (options->udp)
			run_mode(&rig, report, bench_modes[i], LATH_PROTO_UDP);
	}
	micro_run(options, report);
	report_close(report);
}

/* Two lcores where a test may want two. */
static int
start_eal(const struct options *options, char *name)
{
	char prefix[32];
	char lcores[40];
	uint32_t other = other_cpu(options);
	char *huge[] = {name, (char[]){"--in-memory"}, (char[]){"--no-pci"},
			(char[]){"--no-telemetry"}, (char[]){"--lcores"}, lcores,
			(char[]){"--file-prefix"}, prefix, (char[]){"--log-level=lib.eal:warning"},
			(char[]){"--log-level=lath.*:warning"}};
	char *small[] = {name, (char[]){"--no-huge"}, (char[]){"--no-shconf"}, (char[]){"--no-pci"},
			(char[]){"--no-telemetry"}, (char[]){"--lcores"}, lcores,
			(char[]){"--file-prefix"}, prefix, (char[]){"--log-level=lib.eal:warning"},
			(char[]){"--log-level=lath.*:warning"}, (char[]){"-m"}, (char[]){"256"}};

	snprintf(prefix, sizeof(prefix), "lath-bench-%d", (int)getpid());
	if (other == UINT32_MAX)
		snprintf(lcores, sizeof(lcores), "0@%u", options->cpu);
	else
		snprintf(lcores, sizeof(lcores), "0@%u,1@%u", options->cpu, other);
	if (options->hugepages)
		return rte_eal_init((int)LATH_ARRAY_SIZE(huge), huge);
	return rte_eal_init((int)LATH_ARRAY_SIZE(small), small);
}

int
main(int argc, char **argv)
{
	static struct options options;

	/* Before all else: it shares the program, not the rig. */
	if (argc > 1 && strcmp(argv[1], "wire") == 0)
		return wire_main(argc - 1, argv + 1);
	options_read(&options, argc, argv);
	if (options.cpu == UINT32_MAX)
		options.cpu = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN) - 1;
	if (start_eal(&options, argv[0]) < 0)
		return EXIT_FAILURE;
	run(&options);
	rte_eal_cleanup();
	return EXIT_SUCCESS;
}
