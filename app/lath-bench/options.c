/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "micro.h"
#include "world.h"

static const char usage_head[] = "usage: lath-bench [test...] [options]\n"
				 "       lath-bench wire --help    a paced generator for real "
				 "ports\n"
				 "\n"
				 "TSC cycles a packet of the real pipeline on one worker, from "
				 "receive to transmit on\n"
				 "rings in memory, with the baselines of the same run: io (rings "
				 "only), macswap, touch\n"
				 "(macswap, one random line read, one random line written in "
				 "tables of the same size).\n"
				 "\n";

static const char usage_options
		[] = "\n"
		     "  --flows LIST      1k,64k,1M\n"
		     "  --size LIST       64; bytes, CRC included, or imix (7 of 64, 4 of 594, 1 "
		     "of 1518)\n"
		     "  --proto LIST      tcp,udp\n"
		     "  --burst N         32\n"
		     "  --new-percent N   10; of mix, at most 50\n"
		     "  --workers N       1; of the gateway: the first one is measured, it owns "
		     "all flows\n"
		     "  --vpcs N          1; of clients, flows spread over all, tagged when more "
		     "than one\n"
		     "  --services N      1; flows spread over all\n"
		     "  --repeats N       5\n"
		     "  --window-ms N     500 of wall time for each repeat of each row\n"
		     "  --period-ms N     1000 of busy time: reload-under-load publishes ten "
		     "models or takes\n"
		     "                    one right away in it\n"
		     "  --seed N          1\n"
		     "  --cpu N           the last one\n"
		     "  --hugepages       tables and buffers in huge pages (they must be there)\n"
		     "  -j, --json FILE   JSON lines; - for stdout, without the table\n";

static void
put_usage(FILE *out)
{
	fputs(usage_head, out);
	for (unsigned i = 0; i < bench_mode_count; i++)
		fprintf(out, "  %-18s%s%s\n", bench_modes[i]->name, bench_modes[i]->help,
				bench_modes[i]->by_default ? "; by default" : "");
	fputs(usage_options, out);
	micro_put_usage(out);
}

static void __attribute__((noreturn)) refuse(const char *option, const char *value)
{
	fprintf(stderr, "lath-bench: %s: \"%s\" is not understood\n\n", option, value);
	put_usage(stderr);
	exit(2);
}

/* "64k", "1M", "1000"; k and M are 1,024 and 1,048,576. */
static uint32_t
number(const char *option, const char *text, uint64_t min, uint64_t max)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	if (*end == 'k' || *end == 'K')
		value <<= 10;
	else if (*end == 'M')
		value <<= 20;
	if (*end != '\0' && strchr("kKM", *end) != NULL)
		end++;
	if (end == text || *end != '\0' || value < min || value > max)
		refuse(option, text);
	return (uint32_t)value;
}

static void
read_flows(struct options *options, char *list)
{
	options->flows_count = 0;
	for (char *word = strtok(list, ","); word != NULL; word = strtok(NULL, ",")) {
		if (options->flows_count == FLOW_SIZES_MAX)
			refuse("--flows", word);
		options->flows[options->flows_count++] = number("--flows", word, 64, 16u << 20);
	}
}

static void
read_sizes(struct options *options, char *list)
{
	options->sizes_count = 0;
	for (char *word = strtok(list, ","); word != NULL; word = strtok(NULL, ",")) {
		if (options->sizes_count == PACKET_SIZES_MAX)
			refuse("--size", word);
		options->sizes[options->sizes_count++] = strcmp(word, "imix") == 0
				? PACKET_IMIX
				: number("--size", word, PACKET_SIZE_MIN, PACKET_SIZE_MAX);
	}
}

static void
read_protos(struct options *options, char *list)
{
	options->tcp = options->udp = false;
	for (char *word = strtok(list, ","); word != NULL; word = strtok(NULL, ",")) {
		if (strcmp(word, "tcp") == 0)
			options->tcp = true;
		else if (strcmp(word, "udp") == 0)
			options->udp = true;
		else
			refuse("--proto", word);
	}
}

static void
read_tests(struct options *options, int count, char **words)
{
	for (unsigned mode = 0; count == 0 && mode < bench_mode_count; mode++)
		options->modes |= (uint32_t)bench_modes[mode]->by_default << mode;
	for (int i = 0; i < count; i++) {
		unsigned mode = 0;

		while (mode < bench_mode_count && strcmp(bench_modes[mode]->name, words[i]) != 0)
			mode++;
		if (mode < bench_mode_count)
			options->modes |= 1u << mode;
		else if (!micro_select(options, words[i]))
			refuse("test", words[i]);
	}
}

static void
read_one(struct options *options, int key, char *value)
{
	switch (key) {
	case 'f':
		read_flows(options, value);
		break;
	case 's':
		read_sizes(options, value);
		break;
	case 'p':
		read_protos(options, value);
		break;
	case 'b':
		options->burst = number("--burst", value, 1, LATH_BURST_MAX);
		break;
	case 'r':
		options->repeats = number("--repeats", value, 1, REPEATS_MAX);
		break;
	case 'w':
		options->window_ms = number("--window-ms", value, 1, 600000);
		break;
	case 'P':
		options->period_ms = number("--period-ms", value, 1, 60000);
		break;
	case 'n':
		options->new_percent = number("--new-percent", value, 1, 50);
		break;
	case 'W':
		options->workers = number("--workers", value, 1, QUEUES);
		break;
	case 'V':
		options->vpcs = number("--vpcs", value, 1, VPCS_MAX);
		break;
	case 'S':
		options->services = number("--services", value, 1, SERVICES_MAX - 16);
		break;
	case 'e':
		options->seed = number("--seed", value, 1, UINT32_MAX);
		break;
	case 'c':
		options->cpu = number("--cpu", value, 0, 1023);
		break;
	case 'H':
		options->hugepages = true;
		break;
	case 'j':
		options->json = value;
		break;
	case 'h':
		put_usage(stdout);
		exit(EXIT_SUCCESS);
	default:
		put_usage(stderr);
		exit(2);
	}
}

void
options_read(struct options *options, int argc, char **argv)
{
	static const struct option known[] = {
			{"flows", required_argument, NULL, 'f'},
			{"size", required_argument, NULL, 's'},
			{"proto", required_argument, NULL, 'p'},
			{"burst", required_argument, NULL, 'b'},
			{"repeats", required_argument, NULL, 'r'},
			{"window-ms", required_argument, NULL, 'w'},
			{"period-ms", required_argument, NULL, 'P'},
			{"new-percent", required_argument, NULL, 'n'},
			{"workers", required_argument, NULL, 'W'},
			{"vpcs", required_argument, NULL, 'V'},
			{"services", required_argument, NULL, 'S'},
			{"seed", required_argument, NULL, 'e'},
			{"cpu", required_argument, NULL, 'c'},
			{"hugepages", no_argument, NULL, 'H'},
			{"json", required_argument, NULL, 'j'},
			{"help", no_argument, NULL, 'h'},
			{NULL, 0, NULL, 0},
	};
	int key;

	*options = (struct options){
			.flows = {1u << 10, 1u << 16, 1u << 20},
			.flows_count = 3,
			.tcp = true,
			.udp = true,
			.sizes = {64},
			.sizes_count = 1,
			.burst = LATH_BURST_MAX,
			.repeats = 5,
			.window_ms = 500,
			.period_ms = 1000,
			.new_percent = 10,
			.workers = 1,
			.vpcs = 1,
			.services = 1,
			.seed = 1,
			.cpu = UINT32_MAX,
	};
	while ((key = getopt_long(argc, argv, "j:h", known, NULL)) >= 0)
		read_one(options, key, optarg);
	read_tests(options, argc - optind, argv + optind);
}
