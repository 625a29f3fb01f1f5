/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * lathd: the order of starting, written out. What is started last is stopped first.
 */

#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_version.h>

#include <lath_admin.h>
#include <lath_telemetry.h>

#include "lathd.h"

#define CONFIG_DEFAULT "/etc/lath/lath.json"

static const char usage
		[] = "usage: lathd [-c FILE]       run in the foreground (default " CONFIG_DEFAULT
		     ")\n"
		     "       lathd --check FILE   read and check a configuration, change nothing\n"
		     "       lathd --version\n";

static int
fail(const struct lath_error *err)
{
	char text[1200];

	lath_error_format(err, text, sizeof(text));
	fprintf(stderr, "lathd: %s\n", text);
	return EXIT_FAILURE;
}

static int
check(const char *path)
{
	struct lath_error err = {0};
	struct lath_config *cfg = lath_config_load(path, &err);

	if (cfg == NULL)
		return fail(&err);
	for (uint32_t i = 0; i < cfg->warning_count; i++)
		printf("warning: %s\n", cfg->warnings[i]);
	printf("%s: ok, sha256 %s\n", path, cfg->sha256);
	lath_config_free(cfg);
	return EXIT_SUCCESS;
}

/* net_tap has the kernel send a real-time signal per packet; this thread is there to get them. */
static void *
take_signals(void *arg)
{
	(void)arg;
	lath_ethdev_take_rt_signals();
	for (;;)
		sleep(3600);
	return NULL;
}

struct daemon {
	struct gateway gateway;
	struct clock clock;
	struct loop_wake wake;
	struct event_base *base;
	struct lath_admin *admin;
	struct lath_telemetry *telemetry;
	struct worker_thread threads[LATH_WORKERS_MAX];
	atomic_bool stop;
};

static struct lath_control_now
admin_now(void *ctx)
{
	return clock_now(ctx);
}

static int
start_management(struct daemon *d, const struct lath_config *cfg, struct lath_error *err)
{
	struct lath_admin_options admin = {
			.path = cfg->system.admin_socket,
			.now = admin_now,
			.now_ctx = &d->clock,
	};

	d->admin = lath_admin_create(d->base, d->gateway.control, &admin, err);
	if (d->admin == NULL)
		return -1;
	return lath_telemetry_start(&d->telemetry, d->gateway.control);
}

static void
start_workers(struct daemon *d, enum lath_config_idle idle)
{
	for (uint32_t w = 0; w < d->gateway.plane.worker_count; w++) {
		d->threads[w] = (struct worker_thread){
				.worker = d->gateway.workers[w],
				.clock = &d->clock,
				.idle = idle,
				.stop = &d->stop,
		};
		rte_eal_remote_launch(worker_main, &d->threads[w], w + 1);
	}
}

static int
run(struct daemon *d, struct lath_config *cfg, const char *path, struct lath_error *err)
{
	enum lath_config_idle idle = cfg->system.idle;
	struct gateway_options options = {
			.config_path = path,
			.probe = true,
			.wake = loop_wake,
			.wake_ctx = &d->wake,
	};
	int rc;

	clock_init(&d->clock);
	options.now = clock_now(&d->clock);
	rc = gateway_start(&d->gateway, cfg, &options, err);
	if (rc != 0) {
		lath_config_free(cfg);
		return rc;
	}
	rc = start_management(d, lath_control_config(d->gateway.control), err);
	if (rc == 0) {
		start_workers(d, idle);
		lath_role_set(LATH_ROLE_MGMT);
		fprintf(stderr, "lathd: ready\n");
		rc = loop_run(&d->gateway, &d->clock, d->base, &d->wake, d->telemetry);
		lath_role_set(LATH_ROLE_INIT);
		atomic_store_explicit(&d->stop, true, memory_order_relaxed);
		rte_eal_mp_wait_lcore();
	}
	lath_telemetry_stop(d->telemetry);
	lath_admin_free(d->admin);
	gateway_stop(&d->gateway);
	return rc;
}

static int
daemon_main(const char *path)
{
	static struct daemon d; /* large, and the only one */
	struct lath_error err = {0};
	struct lath_config *cfg = lath_config_load(path, &err);
	pthread_t thread;
	int rc;

	if (cfg == NULL)
		return fail(&err);
	for (uint32_t i = 0; i < cfg->warning_count; i++)
		fprintf(stderr, "lathd: warning: %s\n", cfg->warnings[i]);
	signal(SIGPIPE, SIG_IGN);
	lath_ethdev_block_rt_signals();
	if (pthread_create(&thread, NULL, take_signals, NULL) != 0 || eal_start(cfg, &err) != 0) {
		lath_config_free(cfg);
		return fail(&err);
	}
	lath_role_set(LATH_ROLE_INIT);
	d.wake.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	d.base = event_base_new();
	rc = d.base == NULL || d.wake.fd < 0 ? -ENOMEM : run(&d, cfg, path, &err);
	if (d.base != NULL)
		event_base_free(d.base);
	close(d.wake.fd);
	eal_stop();
	return rc == 0 ? EXIT_SUCCESS : fail(&err);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
			{"config", required_argument, NULL, 'c'},
			{"check", required_argument, NULL, 'k'},
			{"version", no_argument, NULL, 'v'},
			{"help", no_argument, NULL, 'h'},
			{NULL, 0, NULL, 0},
	};
	const char *path = CONFIG_DEFAULT;
	int option;

	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 'k':
			return check(optarg);
		case 'v':
			printf("lathd %s, %s\n", LATH_VERSION, rte_version());
			return EXIT_SUCCESS;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			fputs(usage, stderr);
			return EXIT_FAILURE;
		}
	}
	if (optind != argc) {
		fprintf(stderr, "lathd: unexpected argument \"%s\"\n%s", argv[optind], usage);
		return EXIT_FAILURE;
	}
	return daemon_main(path);
}
