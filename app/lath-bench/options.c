/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static const char usage_text
		[] = "usage: lath-bench [hit] [new] [options]\n"
		     "       lath-bench wire --help    a paced generator for real ports\n"
		     "\n"
		     "TSC cycles a packet of the real pipeline on one worker, from receive to "
		     "transmit on\n"
		     "rings in memory, with the baselines of the same run: io (rings only), "
		     "macswap, touch\n"
		     "(macswap, one random line read, one random line written in tables of the "
		     "same size).\n"
		     "\n"
		     "  hit   known flows in random order, both directions in turn\n"
		     "  new   first packets; as many flows expire as arrive, at a standing number\n"
		     "\n"
		     "  --flows LIST      1k,64k,1M\n"
		     "  --size BYTES      64, CRC included\n"
		     "  --proto LIST      tcp,udp\n"
		     "  --burst N         32\n"
		     "  --repeats N       5\n"
		     "  --window-ms N     500 of wall time for each repeat of each row\n"
		     "  --seed N          1\n"
		     "  --cpu N           the last one\n"
		     "  --hugepages       tables and buffers in huge pages (they must be there)\n"
		     "  -j, --json FILE   JSON lines; - for stdout, without the table\n";

static void __attribute__((noreturn)) refuse(const char *option, const char *value)
{
	fprintf(stderr, "lath-bench: %s: \"%s\" is not understood\n\n%s", option, value,
			usage_text);
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
	options->tests[BENCH_HIT] = count == 0;
	options->tests[BENCH_NEW] = count == 0;
	for (int i = 0; i < count; i++) {
		if (strcmp(words[i], "hit") == 0)
			options->tests[BENCH_HIT] = true;
		else if (strcmp(words[i], "new") == 0)
			options->tests[BENCH_NEW] = true;
		else
			refuse("test", words[i]);
	}
	options->tests[BENCH_IO] = true;
	options->tests[BENCH_MAC_SWAP] = true;
	options->tests[BENCH_TOUCH] = true;
}

static void
read_one(struct options *options, int key, char *value)
{
	switch (key) {
	case 'f':
		read_flows(options, value);
		break;
	case 's':
		options->packet_bytes = number("--size", value, 64, 1518);
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
		fputs(usage_text, stdout);
		exit(EXIT_SUCCESS);
	default:
		fputs(usage_text, stderr);
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
			.packet_bytes = 64,
			.burst = LATH_BURST_MAX,
			.repeats = 5,
			.window_ms = 500,
			.seed = 1,
			.cpu = UINT32_MAX,
	};
	while ((key = getopt_long(argc, argv, "j:h", known, NULL)) >= 0)
		read_one(options, key, optarg);
	read_tests(options, argc - optind, argv + optind);
}
