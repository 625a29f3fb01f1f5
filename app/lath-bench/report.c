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
			 "s:i, s:i, s:i, s:i, s:i, s:I}",
			"kind", "machine", "schemaVersion", SCHEMA_VERSION, "version", LATH_VERSION,
			"cpu", model, "cpus", (int)sysconf(_SC_NPROCESSORS_ONLN), "tscHz",
			(json_int_t)rte_get_tsc_hz(), "cpuFlags", cpu_flags(), "hugepages",
			(int)options->hugepages, "transparentHugepages", pages, "compiler",
			__VERSION__, "build", BENCH_BUILD, "debug", BENCH_DEBUG, "load", load[0],
			"workers", (int)options->workers, "vpcs", (int)options->vpcs, "services",
			(int)options->services, "burst", (int)options->burst, "buffers",
			(int)BUFFERS, "windowMs", (int)options->window_ms, "seed",
			(json_int_t)options->seed);
}

void
report_put(struct report *report, json_t *object)
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
	if (o->modes == 0) /* micro tests only: they have columns of their own */
		return;
	fprintf(report->table,
			"bursts of %u, %u buffers in turn, %u x %u ms, seed %llu; workers %u, "
			"VPCs %u, services %u\n"
			"TSC cycles a packet or what else a row is of; net: more than touch, "
			"median "
			"of each\nrepeat's; M/s: millions a second and core; Gbit/s: of frames, "
			"CRC "
			"included\n\n"
			"proto    flows  size  test              min  median     max      net     "
			"M/s  Gbit/s  disturbed\n",
			o->burst, BUFFERS, o->repeats, o->window_ms, (unsigned long long)o->seed,
			o->workers, o->vpcs, o->services);
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
	report_put(report, machine);
	return report;
}

FILE *
report_table(const struct report *report)
{
	return report->table;
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

static struct spread
spread_of(const double *values, unsigned count)
{
	struct spread spread = {values[0], run_median(values, count), values[0]};

	for (unsigned i = 1; i < count; i++) {
		spread.min = values[i] < spread.min ? values[i] : spread.min;
		spread.max = values[i] > spread.max ? values[i] : spread.max;
	}
	return spread;
}

/* Over touch, repeat by repeat: both ran within a second of each other. */
static struct spread
net_of(const struct row *row, const struct row *touch)
{
	double values[REPEATS_MAX] = {0};

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

/* Per second and core, at the median's speed. */
static double
millions_of(const struct spread *cycles)
{
	return (double)rte_get_tsc_hz() / cycles->median / 1e6;
}

static double
gbit_of(const struct row *row, const struct spread *cycles)
{
	double bytes = row->units == 0 ? 0 : (double)row->bytes / (double)row->units;

	return bytes * 8 / cycles->median * (double)rte_get_tsc_hz() / 1e9;
}

static void
size_name(const struct rig *rig, char *out, size_t len)
{
	if (rig->packet_size == PACKET_IMIX)
		snprintf(out, len, "imix");
	else
		snprintf(out, len, "%u", rig->packet_size);
}

static void
put_row_json(struct report *report, const struct rig *rig, const struct row *row,
		const struct row *touch)
{
	struct spread cycles = spread_of(row->cycles, row->count);
	json_t *samples = json_array();
	char size[16];
	json_t *object;

	size_name(rig, size, sizeof(size));
	for (unsigned i = 0; i < row->count; i++)
		json_array_append_new(samples, json_real(row->cycles[i]));
	object = json_pack("{s:s, s:s, s:s, s:I, s:s, s:i, s:i, s:s, s:I, s:I, s:o, s:o}", "kind",
			"result", "test", row->test, "proto",
			rig->proto == LATH_PROTO_TCP ? "tcp" : "udp", "flows",
			(json_int_t)rig->flow_count, "size", size, "burst",
			(int)report->options->burst, "repeats", (int)row->count, "unit",
			row->unit == NULL ? "packet" : row->unit, "units", (json_int_t)row->units,
			"disturbedLaps", (json_int_t)row->disturbed, "cycles", pack_spread(cycles),
			"samples", samples);
	if (object == NULL)
		rig_die("no memory for a report");
	if (row->unit == NULL)
		json_object_set_new(object, "overTouch", pack_spread(net_of(row, touch)));
	if (!row->is_latency)
		json_object_set_new(object, "millionsPerSecond", json_real(millions_of(&cycles)));
	if (row->bytes > 0)
		json_object_set_new(object, "gbitPerSecond", json_real(gbit_of(row, &cycles)));
	if (row->flows == ROW_FLOWS_STEADY) {
		json_object_set_new(object, "created",
				json_integer((json_int_t)row->inside.created));
		json_object_set_new(object, "expired", json_integer((json_int_t)row->inside.ended));
		json_object_set_new(object, "expiredUntimed",
				json_integer((json_int_t)row->outside.ended));
		json_object_set_new(object, "standing", json_integer((json_int_t)row->standing));
	}
	for (unsigned i = 0; i < row->figure_count; i++)
		json_object_set_new(object, row->figures[i].name, json_real(row->figures[i].value));
	report_put(report, object);
}

static void
put_row_text(FILE *table, const struct rig *rig, const struct row *row, const struct row *touch)
{
	struct spread cycles = spread_of(row->cycles, row->count);
	char size[16];
	char net[16] = "-";
	char rate[16] = "-";
	char gbit[16] = "-";

	size_name(rig, size, sizeof(size));
	if (row->unit == NULL)
		snprintf(net, sizeof(net), "%+.1f", net_of(row, touch).median);
	if (!row->is_latency)
		snprintf(rate, sizeof(rate), "%.2f", millions_of(&cycles));
	if (row->bytes > 0)
		snprintf(gbit, sizeof(gbit), "%.2f", gbit_of(row, &cycles));
	fprintf(table, "%-5s %8u %5s  %-14s %7.1f %7.1f %7.1f %8s %7s %7s %10llu",
			rig->proto == LATH_PROTO_TCP ? "tcp" : "udp", rig->flow_count, size,
			row->test, cycles.min, cycles.median, cycles.max, net, rate, gbit,
			(unsigned long long)row->disturbed);
	if (row->unit != NULL)
		fprintf(table, "  a %s", row->unit);
	if (row->flows == ROW_FLOWS_STEADY)
		fprintf(table, "  %llu made, %llu expired (%llu untimed), %llu standing",
				(unsigned long long)row->inside.created,
				(unsigned long long)row->inside.ended,
				(unsigned long long)row->outside.ended,
				(unsigned long long)row->standing);
	for (unsigned i = 0; i < row->figure_count; i++)
		fprintf(table, "  %s %.6g", row->figures[i].name, row->figures[i].value);
	fputc('\n', table);
	fflush(table);
}

void
report_size(struct report *report, const struct rig *rig, const struct bench *bench)
{
	const struct row *touch = bench->rows;

	while (strcmp(touch->test, "touch") != 0)
		touch++;
	for (unsigned i = 0; i < bench->count; i++) {
		put_row_json(report, rig, &bench->rows[i], touch);
		if (report->table != NULL)
			put_row_text(report->table, rig, &bench->rows[i], touch);
	}
}
