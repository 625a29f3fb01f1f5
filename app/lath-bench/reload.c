/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * reload-under-load: `hit` over eight services, and in the same gateway
 *
 *   publish  while ten models are published in a period (--period-ms, 1 s of the worker's busy
 *            time): a target falls ill and recovers. TCP: one that flows are on, they stay with it.
 *            UDP flows would leave it, so there it is one of a ninth service that has none.
 *   revoke   while one right is taken away in a period: the first service's rule loses a prefix
 *            that no client has (half a period earlier it was given). Every flow then meets the
 *            new generation with its next packet; only those of that service are decided again.
 *
 * Timed: the worker's turns, whole periods of them. Not timed: management, which builds and
 * publishes between laps on the same CPU; what it leaves cold in the caches is in the figures.
 */

#include <rte_cycles.h>

#include "world.h"

#define SERVICES 8u
#define MODELS_A_PERIOD 10u
#define CHANGES_A_RIGHT 2u /* given, taken */
#define COALESCE_TICKS 3u  /* what changes by itself is published after 20 ms */

static struct reload {
	struct work hit;
	uint64_t next; /* busy cycles at which something changes again */
	uint64_t step;
	uint32_t target; /* that flaps */
	bool ill;
	bool right;
	uint64_t revalidated[2]; /* publish, revoke */
	uint64_t models[2];
	uint64_t taken; /* rights */
} reload;

static bool
is_due(const struct rig *rig)
{
	if (rig->busy_cycles < reload.next)
		return false;
	reload.next = rig->busy_cycles + reload.step;
	return true;
}

static void
flap(struct rig *rig, void *ctx)
{
	(void)ctx;
	if (!is_due(rig))
		return;
	reload.ill = !reload.ill;
	lath_control_set_health(rig->gateway->control, reload.target,
			reload.ill ? LATH_TARGET_UNHEALTHY : LATH_TARGET_HEALTHY);
	rig->now += COALESCE_TICKS;
	rig_rest(rig);
}

static void
change_right(struct rig *rig, void *ctx)
{
	struct lath_error err = {0};
	char why[1200];

	(void)ctx;
	if (!is_due(rig))
		return;
	reload.right = !reload.right;
	reload.taken += !reload.right;
	rig->now++;
	if (lath_control_apply(rig->gateway->control, world_config(rig, reload.right), rig_now(rig),
			    &err) != 0) {
		lath_error_format(&err, why, sizeof(why));
		rig_die("%s", why);
	}
	rig_rest(rig);
}

static struct repeat
measure(struct rig *rig, const struct work *work, unsigned which, unsigned changes)
{
	uint64_t period = (uint64_t)rig->options->period_ms * rte_get_tsc_hz() / 1000;
	uint64_t models = lath_control_status(rig->gateway->control)->publications;
	uint64_t revalidated = rig_revalidated(rig);
	struct work whole = *work;
	struct repeat repeat;

	reload.step = period / changes;
	reload.next = rig->busy_cycles;
	whole.cycles_min = period;
	repeat = measure_repeat(rig, &whole);
	reload.models[which] += lath_control_status(rig->gateway->control)->publications - models;
	reload.revalidated[which] += rig_revalidated(rig) - revalidated;
	return repeat;
}

static struct repeat
measure_publish(struct rig *rig, const struct work *work)
{
	return measure(rig, work, 0, MODELS_A_PERIOD);
}

static void
see_any(struct rig *rig, struct rte_mbuf *m, unsigned side, void *ctx)
{
	(void)ctx;
	(void)frame_check(rig, m);
	if (side != 1)
		rig_die("reload: a client's packet came back");
}

/* A client's packet of each flow in its turn. */
static void
fill_in_order(struct rig *rig, unsigned count, void *ctx)
{
	uint32_t *next = ctx;

	for (unsigned i = 0; i < count; i++) {
		uint32_t number = (*next)++ % rig->flow_count;

		rig->burst_side[i / rig->burst] = 0;
		frame_write(rig, rig->buffers[i], &rig->flows[number], number, FRAME_DATA, 0);
	}
}

/* Every flow is stamped anew before the next row begins. */
static struct repeat
measure_revoke(struct rig *rig, const struct work *work)
{
	struct repeat repeat = measure(rig, work, 1, CHANGES_A_RIGHT);
	uint64_t revalidated = rig_revalidated(rig);
	struct work visit = *work;
	uint32_t next = 0;

	visit.fill = fill_in_order;
	visit.see = see_any;
	visit.ctx = &next;
	while (next < rig->flow_count)
		measure_lap(rig, &visit, measure_whole_bursts(rig, BUFFERS));
	reload.revalidated[1] += rig_revalidated(rig) - revalidated;
	return repeat;
}

static void
plan(struct plan *plan)
{
	plan->services = lath_max_u32(plan->services, SERVICES) + 1;
	plan->spare_right = true;
}

/* The last service is for the target that UDP flows must not be on. */
static uint32_t
flapping_target(const struct rig *rig)
{
	const struct lath_model *model = lath_control_model(rig->gateway->control);
	uint16_t port = (uint16_t)(TARGET_PORT_BASE +
			(rig->proto == LATH_PROTO_TCP ? 0 : rig->plan.services));

	for (uint32_t i = 0; i < model->target_count; i++)
		if (model->targets[i] != NULL && model->targets[i]->port == port)
			return i;
	rig_die("reload: no target has port %u", port);
}

static void
prepare(struct rig *rig, struct bench *bench)
{
	struct work work;

	rig->plan.services--; /* flows have all but the last one */
	hit_open_flows(rig);
	reload = (struct reload){.target = flapping_target(rig)};
	work = hit_work(rig);
	run_add_row(bench, "hit", work);
	work.between = flap;
	work.measure = measure_publish;
	run_add_row(bench, "publish", work);
	work.between = change_right;
	work.measure = measure_revoke;
	run_add_row(bench, "revoke", work);
	rig->plan.services++;
}

static void
add_figures(struct bench *bench, const char *test, unsigned which)
{
	const struct row *hit = run_row(bench, "hit");
	struct row *row = run_row(bench, test);
	double ratios[REPEATS_MAX];

	for (unsigned i = 0; i < row->count; i++)
		ratios[i] = row->cycles[i] / hit->cycles[i];
	run_add_figure(row, "overHitRatio", run_median(ratios, row->count));
	run_add_figure(row, "models", (double)reload.models[which]);
	run_add_figure(row, "decidedAgain", (double)reload.revalidated[which]);
}

/* Not every flow is visited between two rights. */
static void
finish(struct rig *rig, struct bench *bench)
{
	uint32_t services = rig->plan.services - 1;
	uint64_t touched = (rig->flow_count + services - 1) / services + 1;

	if (reload.models[0] == 0 || reload.taken == 0)
		rig_die("reload: nothing was published");
	if (reload.revalidated[0] != 0)
		rig_die("reload: %llu flows were decided again for a target that flapped",
				(unsigned long long)reload.revalidated[0]);
	if (reload.revalidated[1] == 0 || reload.revalidated[1] > reload.taken * touched)
		rig_die("reload: %llu flows were decided again for %llu rights, %llu are touched",
				(unsigned long long)reload.revalidated[1],
				(unsigned long long)reload.taken, (unsigned long long)touched);
	add_figures(bench, "publish", 0);
	add_figures(bench, "revoke", 1);
	run_add_figure(run_row(bench, "revoke"), "rightsTaken", (double)reload.taken);
	run_add_figure(run_row(bench, "revoke"), "flowsTouched", (double)touched);
}

const struct mode reload_mode = {
		.name = "reload-under-load",
		.help = "hit while models are published, and while rights are taken away",
		.plan = plan,
		.prepare = prepare,
		.finish = finish,
};
