/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <rte_cycles.h>

#include "bench.h"

#define SCHEMA_VERSION 1

struct report {
	const struct options *options;
	FILE *json;  /* NULL: none */
	FILE *table; /* NULL: none */
};

struct spread {
	double min;
	double median;
	double max;
};

static const char *const test_names[BENCH_TEST_COUNT] = {
		[BENCH_IO] = "io",
		[BENCH_MAC_SWAP] = "macswap",
		[BENCH_TOUCH] = "touch",
		[BENCH_HIT] = "hit",
		[BENCH_NEW] = "new",
};

const char *
report_test_name(enum bench_test test)
{
	return test_names[test];
}

/* ---- the machine -------------------------------------------------------------------------------- */

/* The value behind `key` of /proc/cpuinfo's first CPU. */
static void
cpu_info(const char *key, char *out, size_t len)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[4096];

	snprintf(out, len, "unknown");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		const char *colon = strchr(line, ':');

		if (colon == NULL || strncmp(line, key, strlen(key)) != 0)
			continue;
		snprintf(out, len, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
		break;
	}
	if (file != NULL)
		fclose(file);
}

static json_t *
cpu_flags(void)
{
	static const char *const known[] = {
			"sse4_2", "aes", "avx2", "bmi2", "avx512f", "vaes", "hypervisor"};
	char flags[4096];
	json_t *list = json_array();

	cpu_info("flags", flags, sizeof(flags));
	for (char *word = strtok(flags, " "); word != NULL; word = strtok(NULL, " "))
		for (unsigned i = 0; i < LATH_ARRAY_SIZE(known); i++)
			if (strcmp(word, known[i]) == 0)
				json_array_append_new(list, json_string(word));
	return list;
}

/* The word in brackets: "always [madvise] never". */
static void
transparent_pages(char *out, size_t len)
{
	FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
	char line[128] = "";
	const char *at;

	if (file != NULL && fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	if (file != NULL)
		fclose(file);
	at = strchr(line, '[');
	snprintf(out, len, "%.*s", at == NULL ? 7 : (int)strcspn(at + 1, "]"),
			at == NULL ? "unknown" : at + 1);
}

static json_t *
describe_machine(const struct options *options)
{
	char model[256];
	char pages[32];
	double load[1] = {0};

	cpu_info("model name", model, sizeof(model));
	transparent_pages(pages, sizeof(pages));
	(void)getloadavg(load, 1);
	return json_pack("{s:s, s:i, s:s, s:s, s:i, s:I, s:o, s:b, s:s, s:s, s:s, s:b, s:f, s:i, "
			 "s:i, s:i, s:i, s:I}",
			"kind", "machine", "schemaVersion", SCHEMA_VERSION, "version", LATH_VERSION,
			"cpu", model, "cpus", (int)sysconf(_SC_NPROCESSORS_ONLN), "tscHz",
			(json_int_t)rte_get_tsc_hz(), "cpuFlags", cpu_flags(), "hugepages",
			(int)options->hugepages, "transparentHugepages", pages, "compiler",
			__VERSION__, "build", BENCH_BUILD, "debug", BENCH_DEBUG, "load", load[0],
			"packetBytes", (int)options->packet_bytes, "burst", (int)options->burst,
			"buffers", (int)BUFFERS, "windowMs", (int)options->window_ms, "seed",
			(json_int_t)options->seed);
}

static void
put_json(struct report *report, json_t *object)
{
	if (report->json != NULL) {
		json_dumpf(object, report->json, JSON_COMPACT | JSON_REAL_PRECISION(6));
		fputc('\n', report->json);
		fflush(report->json);
	}
	json_decref(object);
}

static void
put_heading(struct report *report, const json_t *machine)
{
	const struct options *o = report->options;

	if (report->table == NULL)
		return;
	fprintf(report->table, "%s, %lld CPUs, TSC %.2f GHz, load %.1f\n",
			json_string_value(json_object_get(machine, "cpu")),
			json_integer_value(json_object_get(machine, "cpus")),
			(double)rte_get_tsc_hz() / 1e9,
			json_real_value(json_object_get(machine, "load")));
	fprintf(report->table, "%s, transparent %s; compiler %s, build %s%s\n",
			o->hugepages ? "huge pages" : "no huge pages",
			json_string_value(json_object_get(machine, "transparentHugepages")),
			__VERSION__, BENCH_BUILD,
			BENCH_DEBUG ? " -- NOT OPTIMISED: figures mean nothing" : "");
	fprintf(report->table,
			"%u bytes, bursts of %u, %u buffers in turn, %u x %u ms, seed %llu\n"
			"TSC cycles a packet; net: more than touch, median of each repeat's\n\n"
			"proto    flows  test          min  median     max      net    Mpps  "
			"disturbed\n",
			o->packet_bytes, o->burst, BUFFERS, o->repeats, o->window_ms,
			(unsigned long long)o->seed);
}

struct report *
report_open(const struct options *options)
{
	struct report *report = calloc(1, sizeof(*report));
	json_t *machine = describe_machine(options);

	if (report == NULL || machine == NULL)
		rig_die("no memory for a report");
	report->options = options;
	report->table = stdout;
	if (options->json != NULL && strcmp(options->json, "-") == 0) {
		report->json = stdout;
		report->table = NULL;
	} else if (options->json != NULL) {
		report->json = fopen(options->json, "we");
		if (report->json == NULL)
			rig_die("%s cannot be written: %s", options->json, strerror(errno));
	}
	put_heading(report, machine);
	put_json(report, machine);
	return report;
}

void
report_close(struct report *report)
{
	if (report->json != NULL && fflush(report->json) != 0)
		rig_die("the report cannot be written: %s", strerror(errno));
	if (report->json != NULL && report->json != stdout)
		fclose(report->json);
	free(report);
}

/* ---- rows ------------------------------------------------------------------------------------------ */

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct spread
spread_of(const double *values, unsigned count)
{
	double sorted[REPEATS_MAX];

	memcpy(sorted, values, count * sizeof(*values));
	qsort(sorted, count, sizeof(*sorted), compare);
	return (struct spread){
			.min = sorted[0],
			.median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2,
			.max = sorted[count - 1],
	};
}

/* Over touch, repeat by repeat: both ran within a second of each other. */
static struct spread
net_of(const struct row *row, const struct row *touch)
{
	double values[REPEATS_MAX];

	for (unsigned i = 0; i < row->count; i++)
		values[i] = row->cycles[i] - touch->cycles[i];
	return spread_of(values, row->count);
}

static json_t *
pack_spread(struct spread spread)
{
	return json_pack("{s:f, s:f, s:f}", "min", spread.min, "median", spread.median, "max",
			spread.max);
}

static void
put_row(struct report *report, const struct rig *rig, const struct row *row,
		const struct row *touch)
{
	const char *proto = rig->proto == LATH_PROTO_TCP ? "tcp" : "udp";
	struct spread cycles = spread_of(row->cycles, row->count);
	struct spread net = net_of(row, touch);
	double mpps = (double)rte_get_tsc_hz() / cycles.median / 1e6;
	json_t *object = json_pack("{s:s, s:s, s:s, s:I, s:i, s:i, s:i, s:I, s:I, s:f, s:o, s:o}",
			"kind", "result", "test", test_names[row->test], "proto", proto, "flows",
			(json_int_t)rig->flow_count, "packetBytes",
			(int)report->options->packet_bytes, "burst", (int)report->options->burst,
			"repeats", (int)row->count, "packets", (json_int_t)row->packets,
			"disturbedLaps", (json_int_t)row->disturbed, "mpps", mpps, "cycles",
			pack_spread(cycles), "overTouch", pack_spread(net));

	if (row->test == BENCH_NEW) {
		json_object_set_new(object, "created", json_integer((json_int_t)row->created));
		json_object_set_new(object, "expired", json_integer((json_int_t)row->ended));
		json_object_set_new(object, "standing", json_integer((json_int_t)row->standing));
	}
	put_json(report, object);
	if (report->table == NULL)
		return;
	fprintf(report->table, "%-5s %8u  %-8s %8.1f%8.1f%8.1f %+8.1f%8.2f%11llu", proto,
			rig->flow_count, test_names[row->test], cycles.min, cycles.median,
			cycles.max, net.median, mpps, (unsigned long long)row->disturbed);
	if (row->test == BENCH_NEW)
		fprintf(report->table, "  %llu made, %llu expired, %llu standing",
				(unsigned long long)row->created, (unsigned long long)row->ended,
				(unsigned long long)row->standing);
	fputc('\n', report->table);
	fflush(report->table);
}

void
report_size(struct report *report, const struct rig *rig, const struct row *rows, unsigned count)
{
	const struct row *touch = rows;

	while (touch->test != BENCH_TOUCH)
		touch++;
	for (unsigned i = 0; i < count; i++)
		put_row(report, rig, &rows[i], touch);
}
