/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* The management loop: libevent with a turn every 10 ms, sooner when somebody wakes it. */

#include <stdio.h>
#include <unistd.h>

#include <event2/event.h>

#include <lath_telemetry.h>

#include "lathd.h"

#define TURN_US 10000
#define LINK_TURNS 20u /* links are looked at every 200 ms */

struct loop {
	struct gateway *gateway;
	const struct clock *clock;
	struct event_base *base;
	struct lath_telemetry *telemetry;
	unsigned turns;
};

static void
poll_links(struct loop *loop)
{
	struct gateway *gateway = loop->gateway;

	for (uint16_t i = 0; i < gateway->plane.port_count; i++)
		/* The host port's kernel side is in another namespace, where its link is not seen. */
		if (i != gateway->plane.host_port && lath_port_poll_link(&gateway->ports[i]))
			lath_control_link(gateway->control, i, gateway->ports[i].link_up,
					clock_now(loop->clock));
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;

	(void)fd;
	(void)what;
	lath_control_run(loop->gateway->control, clock_now(loop->clock));
	lath_telemetry_refresh(loop->telemetry);
	if (++loop->turns % LINK_TURNS == 0)
		poll_links(loop);
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) < 0)
		return; /* somebody else was woken first */
	lath_control_run(loop->gateway->control, clock_now(loop->clock));
}

static void
on_stop(evutil_socket_t signal, short what, void *arg)
{
	struct loop *loop = arg;

	(void)what;
	fprintf(stderr, "lathd: signal %d, stopping\n", (int)signal);
	event_base_loopbreak(loop->base);
}

static void
on_reload(evutil_socket_t signal, short what, void *arg)
{
	struct loop *loop = arg;
	struct lath_error err = {0};
	char text[1200];

	(void)signal;
	(void)what;
	if (lath_control_reload(loop->gateway->control, clock_now(loop->clock), &err) == 0)
		return;
	lath_error_format(&err, text, sizeof(text));
	fprintf(stderr, "lathd: the running configuration stays: %s\n", text);
}

void
loop_wake(void *ctx)
{
	const struct loop_wake *wake = ctx;
	uint64_t one = 1;

	/* Full means that a wake-up waits already. */
	if (write(wake->fd, &one, sizeof(one)) < 0)
		return;
}

int
loop_run(struct gateway *gateway, const struct clock *clock, struct event_base *base,
		const struct loop_wake *wake, struct lath_telemetry *telemetry)
{
	struct loop loop = {
			.gateway = gateway, .clock = clock, .base = base, .telemetry = telemetry};
	const struct timeval turn = {.tv_usec = TURN_US};
	struct event *events[] = {
			event_new(base, -1, EV_PERSIST, on_turn, &loop),
			event_new(base, wake->fd, EV_READ | EV_PERSIST, on_wake, &loop),
			evsignal_new(base, SIGTERM, on_stop, &loop),
			evsignal_new(base, SIGINT, on_stop, &loop),
			evsignal_new(base, SIGHUP, on_reload, &loop),
	};
	int rc = 0;

	for (unsigned i = 0; i < LATH_ARRAY_SIZE(events); i++)
		if (events[i] == NULL || event_add(events[i], i == 0 ? &turn : NULL) != 0)
			rc = -ENOMEM;
	if (rc == 0)
		event_base_dispatch(base);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(events); i++)
		if (events[i] != NULL)
			event_free(events[i]);
	return rc;
}
