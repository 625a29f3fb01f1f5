/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* See wire.h. What came of it goes to stdout, one JSON object a line. */

#include "wire.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>

#define WIRE_BUFFERS 16383u
#define CACHE 256u
#define LINK_SECONDS 10u
#define SETTLE_SECONDS 1u /* a gateway asks for its neighbours again when it sees a link come up */
#define TRIALS_MAX 24u
#define WARM_PPS 100000.0 /* new flows are dearer than known ones, so they are made slowly */

static const char usage_text[] =
		"usage: lath-bench wire --tx DEVICE --rx DEVICE --frames FILE [options]\n"
		"\n"
		"Sends the frames of a capture out of one port, at a rate, and counts what comes "
		"back at\n"
		"the other. Devices as in lathd's configuration. JSON lines go to stdout.\n"
		"\n"
		"  --rate PPS        one trial at that rate (0: as fast as it goes)\n"
		"  --search          the highest rate without a loss, by halving (RFC 2544)\n"
		"  --seconds N       10, of each trial (RFC 2544 wants 60)\n"
		"  --resolution N    5 permille of the highest rate: where the search ends\n"
		"  --announce FILE   frames sent out of --rx before each trial: who is there\n"
		"  --cpu N           0\n"
		"  --no-huge         without hugepages (virtual devices only)\n";

struct wire_options {
	const char *tx;
	const char *rx;
	const char *frames;
	const char *announce;
	double rate_pps;
	double seconds;
	double resolution; /* permille */
	bool search;
	bool no_huge;
	unsigned cpu;
};

static void __attribute__((noreturn)) refuse(const char *what)
{
	fprintf(stderr, "lath-bench wire: %s\n\n%s", what, usage_text);
	exit(2);
}

static double
number(const char *text, double min, double max)
{
	char *end;
	double value = strtod(text, &end);

	/* Written so that "nan" fails, too. */
	if (end == text || *end != '\0' || !(value >= min && value <= max))
		refuse(text);
	return value;
}

static void
read_one(struct wire_options *options, int key, const char *value)
{
	switch (key) {
	case 't':
		options->tx = value;
		break;
	case 'r':
		options->rx = value;
		break;
	case 'f':
		options->frames = value;
		break;
	case 'a':
		options->announce = value;
		break;
	case 'p':
		options->rate_pps = number(value, 0, 1e9);
		break;
	case 'S':
		options->search = true;
		break;
	case 's':
		options->seconds = number(value, 0.01, 3600);
		break;
	case 'R':
		options->resolution = number(value, 0.1, 500);
		break;
	case 'c':
		options->cpu = (unsigned)number(value, 0, 1023);
		break;
	case 'n':
		options->no_huge = true;
		break;
	case 'h':
		fputs(usage_text, stdout);
		exit(EXIT_SUCCESS);
	default:
		fputs(usage_text, stderr);
		exit(2);
	}
}

static struct wire_options
read_options(int argc, char **argv)
{
	static const struct option known[] = {
			{"tx", required_argument, NULL, 't'},
			{"rx", required_argument, NULL, 'r'},
			{"frames", required_argument, NULL, 'f'},
			{"announce", required_argument, NULL, 'a'},
			{"rate", required_argument, NULL, 'p'},
			{"search", no_argument, NULL, 'S'},
			{"seconds", required_argument, NULL, 's'},
			{"resolution", required_argument, NULL, 'R'},
			{"cpu", required_argument, NULL, 'c'},
			{"no-huge", no_argument, NULL, 'n'},
			{"help", no_argument, NULL, 'h'},
			{NULL, 0, NULL, 0},
	};
	struct wire_options options = {.rate_pps = -1.0, .seconds = 10.0, .resolution = 5.0};
	int key;

	while ((key = getopt_long(argc, argv, "h", known, NULL)) >= 0)
		read_one(&options, key, optarg);
	if (optind != argc)
		refuse(argv[optind]);
	if (options.tx == NULL || options.rx == NULL || options.frames == NULL)
		refuse("--tx, --rx and --frames are needed");
	if (options.search == (options.rate_pps >= 0.0))
		refuse("either --rate or --search");
	return options;
}

/* ---- ports ---------------------------------------------------------------------------------- */

struct arguments {
	char *values[20];
	int count;
};

static void
add(struct arguments *args, const char *value)
{
	args->values[args->count++] = strdup(value);
}

static void
start_eal(const struct wire_options *options)
{
	static struct arguments args; /* EAL keeps pointers into it for the process's life */
	char text[32];

	add(&args, "lath-bench");
	add(&args, "--no-telemetry");
	add(&args, "--log-level=lib.eal:warning");
	snprintf(text, sizeof(text), "lath-wire-%d", (int)getpid());
	add(&args, "--file-prefix");
	add(&args, text);
	snprintf(text, sizeof(text), "0@%u", options->cpu);
	add(&args, "--lcores");
	add(&args, text);
	if (options->no_huge) {
		add(&args, "--no-huge");
		add(&args, "--no-shconf");
		add(&args, "-m");
		add(&args, "256");
	} else {
		add(&args, "--in-memory");
	}
	/* Only the named devices: EAL would take every NIC that it may. */
	if (strncmp(options->tx, "net_", 4) == 0 && strncmp(options->rx, "net_", 4) == 0) {
		add(&args, "--no-pci");
	} else {
		add(&args, "-a");
		add(&args, options->tx);
		add(&args, "-a");
		add(&args, options->rx);
	}
	if (rte_eal_init(args.count, args.values) < 0)
		rig_die("DPDK did not start: its own lines above say more");
}

static void
open_port(struct wire *wire, struct lath_port *port, const char *name, const char *device,
		const struct lath_owner *owner)
{
	struct lath_config_port cfg = {
			.mtu = RTE_ETHER_MTU, .rx_descriptors = 1024, .tx_descriptors = 1024};
	struct lath_ethdev_setup setup = {.workers = 1, .owner = owner, .pool = wire->pool};
	struct lath_error err = {0};
	int rc;

	snprintf(cfg.name, sizeof(cfg.name), "%s", name);
	if ((size_t)snprintf(cfg.device, sizeof(cfg.device), "%s", device) >= sizeof(cfg.device))
		refuse("a device string is too long");
	rc = lath_ethdev_probe(port, &cfg, 1, &err);
	if (rc == 0)
		rc = lath_port_open(port, &cfg, &setup, &err);
	if (rc == 0)
		rc = lath_port_start(port, owner, &err);
	if (rc != 0)
		rig_die("%s", err.text);
	/* Frames are meant for the other side's hosts; virtual devices take all and say ENOTSUP. */
	(void)rte_eth_promiscuous_enable(port->port_id);
}

static void
wait_for_links(struct wire *wire)
{
	uint64_t end = rte_rdtsc() + LINK_SECONDS * rte_get_tsc_hz();

	while (!wire->tx.link_up || !wire->rx.link_up) {
		if (rte_rdtsc() > end)
			rig_die("the link of %s is down", wire->tx.link_up ? "--rx" : "--tx");
		usleep(1000);
		(void)lath_port_poll_link(&wire->tx);
		(void)lath_port_poll_link(&wire->rx);
	}
	sleep(SETTLE_SECONDS);
}

static void
open_wire(struct wire *wire, const struct wire_options *options)
{
	static struct lath_owner owner; /* aligned to a line */
	uint64_t random = 1;

	if (lath_owner_init(&owner, 7, 1, &random) != 0)
		rig_die("no owner");
	wire->pool = rte_pktmbuf_pool_create("wire", WIRE_BUFFERS, CACHE, 0,
			RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (wire->pool == NULL)
		rig_die("no memory for packet buffers");
	wire_frames_read(&wire->frames, options->frames);
	if (options->announce != NULL)
		wire_frames_read(&wire->announce, options->announce);
	open_port(wire, &wire->tx, "tx", options->tx, &owner);
	open_port(wire, &wire->rx, "rx", options->rx, &owner);
	wait_for_links(wire);
}

/* ---- trials --------------------------------------------------------------------------------- */

static bool
run_trial(struct wire *wire, struct wire_trial *trial, const char *kind)
{
	wire_run(wire, trial);
	printf("{\"kind\": \"%s\", \"ratePps\": %.0f, \"attainedPps\": %.0f, \"seconds\": %.2f, "
	       "\"sent\": %" PRIu64 ", \"received\": %" PRIu64 ", \"lost\": %" PRId64
	       ", \"refused\": %" PRIu64 ", \"pausedSeconds\": %.3f, \"completed\": %s, "
	       "\"passed\": %s}\n",
			kind, trial->rate_pps, trial->attained_pps, trial->seconds, trial->sent,
			trial->received, (int64_t)(trial->sent - trial->received), trial->refused,
			trial->paused_s, trial->completed ? "true" : "false",
			wire_passed(trial) ? "true" : "false");
	fflush(stdout);
	return wire_passed(trial);
}

/* Every frame once, slowly: flows are made, neighbours found. What gets lost here is no loss. */
static void
warm(struct wire *wire)
{
	struct wire_trial trial = {.rate_pps = WARM_PPS};

	trial.seconds = 1.1 * wire->frames.count / WARM_PPS;
	(void)run_trial(wire, &trial, "warm");
}

static void
search(struct wire *wire, const struct wire_options *options)
{
	struct wire_trial trial = {.seconds = options->seconds};
	double low = 0.0;
	double high;

	/* What the wire takes is an upper bound only: a ring in memory pushes back. */
	(void)run_trial(wire, &trial, "fastest");
	high = trial.attained_pps;
	for (unsigned i = 0; i < TRIALS_MAX; i++) {
		if (high - low <= high * options->resolution / 1000.0)
			break;
		trial.rate_pps = (low + high) / 2.0;
		if (run_trial(wire, &trial, "trial"))
			low = trial.rate_pps;
		else
			high = trial.rate_pps;
	}
	printf("{\"kind\": \"result\", \"zeroLossPps\": %.0f}\n", low);
}

int
wire_main(int argc, char **argv)
{
	static struct wire wire;
	struct wire_options options = read_options(argc, argv);
	struct wire_trial trial = {.rate_pps = options.rate_pps, .seconds = options.seconds};

	start_eal(&options);
	open_wire(&wire, &options);
	warm(&wire);
	if (options.search)
		search(&wire, &options);
	else
		(void)run_trial(&wire, &trial, "trial");
	lath_port_close(&wire.tx);
	lath_port_close(&wire.rx);
	wire_frames_free(&wire.frames);
	wire_frames_free(&wire.announce);
	rte_mempool_free(wire.pool);
	rte_eal_cleanup();
	return EXIT_SUCCESS;
}
