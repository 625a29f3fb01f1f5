/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* lath-bench: see bench.h for what is measured, measure.c for how. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>

#include "bench.h"
#include "wire.h"

/* One repeat of each test after the other, so that the machine's moods meet all of them alike. */
static void
run_repeats(struct rig *rig, struct row *rows, struct work *works, unsigned count)
{
	for (unsigned repeat = 0; repeat < rig->options->repeats; repeat++)
		for (unsigned i = 0; i < count; i++) {
			struct row *row = &rows[i];
			struct lath_worker_counters before = *rig_counters(rig);
			struct repeat took = measure_repeat(rig, &works[i]);
			const struct lath_worker_counters *after = rig_counters(rig);

			rig_check(rig, report_test_name(row->test));
			row->cycles[row->count++] = (double)took.cycles / (double)took.packets;
			row->packets += took.packets;
			row->disturbed += took.disturbed;
			row->created += after->flows_created - before.flows_created;
			row->ended += after->flows_ended[LATH_FLOW_END_IDLE] -
					before.flows_ended[LATH_FLOW_END_IDLE];
			row->standing = after->flows[LATH_FLOW_POOL_IPV4];
		}
}

/* A known flow neither comes nor goes; of new ones as many come as go, give or take a lap and what
 * arrives in two slots of the timer wheel, which are a second long.
 */
static void
check_flows(const struct rig *rig, const struct row *row)
{
	uint64_t slack = (uint64_t)BUFFERS + 2 * rig->flow_count / rig->timeout_s;

	if (row->test != BENCH_NEW) {
		if (row->created != 0 || row->ended != 0)
			rig_die("%s: flows came or went", report_test_name(row->test));
		return;
	}
	if (row->created < row->packets)
		rig_die("new: %" PRIu64 " packets made %" PRIu64 " flows", row->packets,
				row->created);
	if (row->ended + slack < row->created || row->created + slack < row->ended)
		rig_die("new: %" PRIu64 " flows came and %" PRIu64 " expired", row->created,
				row->ended);
	if (row->standing + slack < rig->flow_count || row->standing > rig->flow_count + slack)
		rig_die("new: %" PRIu64 " flows are standing, not %u", row->standing,
				rig->flow_count);
}

/* The baselines and `test` in one gateway. */
static void
run_size(struct rig *rig, struct report *report, enum bench_test test, uint8_t proto,
		uint32_t flows)
{
	struct row rows[] = {{.test = BENCH_IO}, {.test = BENCH_MAC_SWAP}, {.test = BENCH_TOUCH},
			{.test = test}};
	struct work works[LATH_ARRAY_SIZE(rows)];
	struct new_state state = {0};
	struct touch touch;

	rig_start(rig, proto, flows);
	touch_init(&touch, rig);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows) - 1; i++)
		works[i] = baseline_work(rows[i].test, rig, &touch);
	if (test == BENCH_HIT) {
		hit_open_flows(rig);
		works[LATH_ARRAY_SIZE(rows) - 1] = hit_work(rig);
	} else {
		new_fill_table(rig, &state);
		works[LATH_ARRAY_SIZE(rows) - 1] = new_work(rig, &state);
	}
	run_repeats(rig, rows, works, LATH_ARRAY_SIZE(rows));
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++)
		check_flows(rig, &rows[i]);
	report_size(report, rig, rows, LATH_ARRAY_SIZE(rows));
	touch_fini(&touch);
	rig_stop(rig);
}

static void
run(const struct options *options)
{
	static struct rig rig;
	static const uint8_t protos[] = {LATH_PROTO_TCP, LATH_PROTO_UDP};
	const bool wanted[] = {options->tcp, options->udp};
	struct report *report;

	rig_init(&rig, options);
	report = report_open(options);
	for (enum bench_test test = BENCH_HIT; test < BENCH_TEST_COUNT; test++)
		for (unsigned p = 0; p < LATH_ARRAY_SIZE(protos); p++)
			for (unsigned i = 0; i < options->flows_count; i++)
				if (options->tests[test] && wanted[p])
					run_size(&rig, report, test, protos[p], options->flows[i]);
	report_close(report);
}

static int
start_eal(const struct options *options, char *name)
{
	char prefix[32];
	char lcores[16];
	char *huge[] = {name, (char[]){"--in-memory"}, (char[]){"--no-pci"},
			(char[]){"--no-telemetry"}, (char[]){"--lcores"}, lcores,
			(char[]){"--file-prefix"}, prefix, (char[]){"--log-level=lib.eal:warning"}};
	char *small[] = {name, (char[]){"--no-huge"}, (char[]){"--no-shconf"}, (char[]){"--no-pci"},
			(char[]){"--no-telemetry"}, (char[]){"--lcores"}, lcores,
			(char[]){"--file-prefix"}, prefix, (char[]){"--log-level=lib.eal:warning"},
			(char[]){"-m"}, (char[]){"256"}};

	snprintf(prefix, sizeof(prefix), "lath-bench-%d", (int)getpid());
	snprintf(lcores, sizeof(lcores), "0@%u", options->cpu);
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
