/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * lath-packets: the real gateway (pipeline, management, model, admin methods) over ring ports, in
 * one thread and in simulated time, driven by JSON objects, one a line, on stdin. Each command gets
 * one line on stdout; logs go to stderr. The Python runner, the oracle and the fuzzers of packets
 * speak to it; tests/packets/README.md describes the commands.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>

#include <lath_admin.h>

#include "rig.h"

#define QUIET_ROUNDS 3u
#define WALL_S 1700000000

static struct lath_control_now
rig_now(void *ctx)
{
	const struct rig *rig = ctx;

	return (struct lath_control_now){.tick = rig->now,
			.wall_s = WALL_S + (rig->now - RIG_START_TICK) / LATH_TICKS_PER_SECOND};
}

json_t *
rig_refuse(const char *text)
{
	return json_pack("{s:s}", "error", text);
}

static json_t *
refuse_error(const struct lath_error *err)
{
	char text[1200];

	lath_error_format(err, text, sizeof(text));
	return rig_refuse(text);
}

/* ---- load, reload -------------------------------------------------------------------------- */

static struct lath_config *
parse_config(json_t *command, struct lath_error *err)
{
	char *text = json_dumps(json_object_get(command, "config"), 0);
	struct lath_config *cfg = NULL;

	if (text == NULL)
		lath_error_set(err, "/config", "missing");
	else
		cfg = lath_config_parse(text, strlen(text), "config", err);
	free(text);
	return cfg;
}

static void
choose_allocators(struct rig *rig, json_t *wishes)
{
	bool pages = json_is_true(json_object_get(wishes, "fences"));

	for (unsigned w = 0; w < LATH_WORKERS_MAX; w++)
		rig->allocators[w] = pages ? fence_allocator(&rig->fences[w]) : lath_heap;
}

static void
fence_one(const struct rig *rig, uint32_t worker, bool writable)
{
	if (rig->fenced)
		fence_set(&rig->fences[worker], writable);
}

static void
fence_all(const struct rig *rig, bool writable)
{
	for (uint32_t w = 0; w < rig->gateway.plane.worker_count; w++)
		fence_one(rig, w, writable);
}

/* From now on, or no more, a worker's memory may be written by that worker only. */
static json_t *
do_fences(struct rig *rig, json_t *command)
{
	bool on = json_is_true(json_object_get(command, "on"));

	if (on && rig->fences[0].count == 0)
		return rig_refuse("load with {\"fences\": true} first");
	fence_all(rig, !on);
	rig->fenced = on;
	fence_all(rig, !on);
	return json_pack("{s:b}", "ok", 1);
}

/* What a worker must not do: the test of the fences themselves. */
static json_t *
do_trespass(struct rig *rig)
{
	*(volatile uint8_t *)rig->fences[1].regions[0].at = 0;
	return json_pack("{s:b}", "ok", 1);
}

static json_t *
do_load(struct rig *rig, json_t *command)
{
	struct lath_error err = {0};
	struct lath_config *cfg = parse_config(command, &err);
	struct gateway_options options = {.own_ports = true, .allocators = rig->allocators};
	struct lath_admin_options admin = {.now = rig_now, .now_ctx = rig};
	json_t *workers = json_object_get(command, "workers");

	if (cfg == NULL)
		return refuse_error(&err);
	if (rig->loaded) {
		lath_config_free(cfg);
		return rig_refuse("load works once; start another lath-packets");
	}
	if (workers != NULL)
		cfg->system.worker_count = (uint32_t)json_integer_value(workers);
	cfg->system.state_directory[0] = '\0'; /* nothing is kept */
	rig->now = RIG_START_TICK;
	options.seed = (uint64_t)json_integer_value(json_object_get(command, "seed")) | 1;
	options.whole_way = json_is_true(json_object_get(command, "wholeWay"));
	options.now = rig_now(rig);
	rig->random = options.seed;
	choose_allocators(rig, json_object_get(command, "rig"));
	rig_make_ports(rig, cfg, json_object_get(command, "rig"));
	if (gateway_start(&rig->gateway, cfg, &options, &err) != 0) {
		lath_config_free(cfg);
		return refuse_error(&err);
	}
	rig->admin = lath_admin_create(NULL, rig->gateway.control, &admin, &err);
	if (rig->admin == NULL)
		return refuse_error(&err);
	rig->loaded = true;
	return json_pack("{s:b}", "ok", 1);
}

static json_t *
do_reload(struct rig *rig, json_t *command)
{
	struct lath_error err = {0};
	struct lath_config *cfg = parse_config(command, &err);

	if (cfg == NULL)
		return refuse_error(&err);
	if (lath_control_apply(rig->gateway.control, cfg, rig_now(rig), &err) != 0) {
		lath_config_free(cfg);
		return refuse_error(&err);
	}
	return json_pack("{s:b}", "ok", 1);
}

/* ---- time ----------------------------------------------------------------------------------- */

static void
settle(struct rig *rig)
{
	unsigned quiet = 0;

	while (quiet < QUIET_ROUNDS) {
		unsigned did = 0;

		for (uint32_t w = 0; w < rig->gateway.plane.worker_count; w++) {
			struct lath_worker *worker = rig->gateway.workers[w];

			fence_one(rig, w, true);
			lath_worker_online(worker);
			did += lath_worker_run(worker, rig->now);
			did += lath_worker_is_pending(worker);
			lath_worker_offline(worker);
			fence_one(rig, w, false);
		}
		did += lath_control_run(rig->gateway.control, rig_now(rig));
		did += rig_drain(rig);
		quiet = did == 0 ? quiet + 1 : 0;
	}
}

static json_t *
do_run(struct rig *rig, json_t *command)
{
	lath_tick_t end = rig->now +
			lath_ticks_from_ms((uint32_t)json_integer_value(json_object_get(command,
					"ms")));
	json_t *reply;

	settle(rig);
	while (rig->now != end) {
		rig->now++;
		settle(rig);
	}
	reply = json_pack("{s:o}", "out", rig->out);
	rig->out = json_array();
	return reply;
}

/* Turns of one worker alone, with nobody to take from it: what waits stays where it is. */
static json_t *
do_turn(struct rig *rig, json_t *command)
{
	uint32_t index = (uint32_t)json_integer_value(json_object_get(command, "worker"));
	json_int_t count = json_integer_value(json_object_get(command, "count"));
	struct lath_worker *worker;

	index %= rig->gateway.plane.worker_count;
	worker = rig->gateway.workers[index];
	fence_one(rig, index, true);
	lath_worker_online(worker);
	for (json_int_t i = 0; i < count; i++)
		(void)lath_worker_run(worker, rig->now);
	lath_worker_offline(worker);
	fence_one(rig, index, false);
	return json_pack("{s:b}", "ok", 1);
}

/* What workers hold is dropped, as at the end of lathd. */
static json_t *
do_stop(struct rig *rig)
{
	fence_all(rig, true);
	for (uint32_t w = 0; w < rig->gateway.plane.worker_count; w++)
		lath_worker_drain(rig->gateway.workers[w]);
	return json_pack("{s:b}", "ok", 1);
}

/* ---- questions ----------------------------------------------------------------------------- */

static void
add(json_t *object, const char *name, uint64_t value)
{
	json_object_set_new(object, name, json_integer((json_int_t)value));
}

static json_t *
one_worker(const struct lath_counters *counters)
{
	const struct lath_worker_counters *c = &counters->worker;
	json_t *handover = json_object();
	json_t *object = json_object();

	add(object, "received", c->received);
	add(object, "sent", c->sent);
	add(object, "consumed", c->consumed);
	add(object, "held", c->held);
	add(object, "handed_in", c->handed_in);
	add(object, "handed_out", c->handed_out);
	add(object, "flows", c->flows[0] + c->flows[1]);
	add(object, "rx_wrong_lcore", c->rx_wrong_lcore);
	add(object, "snat_port_reused_early", c->snat_port_reused_early);
	add(object, "snat_ports_resting", c->snat_ports_resting);
	for (unsigned i = 0; i < LATH_HANDOVER_COUNT; i++)
		add(handover, lath_handover_name((enum lath_handover)i), c->handover[i]);
	json_object_set_new(object, "handover", handover);
	for (unsigned i = 0; i < LATH_FLOW_END_COUNT; i++)
		add(object, lath_flow_end_name((enum lath_flow_end)i), c->flows_ended[i]);
	json_object_set_new(object, "imbalance",
			json_integer((json_int_t)lath_counters_imbalance(counters)));
	return object;
}

static json_t *
do_counters(struct rig *rig)
{
	uint64_t received = 0, sent = 0, consumed = 0, held = 0, total = 0;
	uint64_t generated[LATH_GENERATED_COUNT] = {0};
	json_t *workers = json_array();
	json_t *drops = json_object();
	json_t *by = json_object();
	bool conserved = true;

	for (uint32_t w = 0; w < rig->gateway.plane.worker_count; w++) {
		const struct lath_counters
				*counters = lath_worker_counters(rig->gateway.workers[w]);

		received += counters->worker.received;
		sent += counters->worker.sent;
		consumed += counters->worker.consumed;
		held += counters->worker.held;
		conserved = conserved && lath_counters_imbalance(counters) == 0;
		for (unsigned i = 0; i < LATH_GENERATED_COUNT; i++)
			generated[i] += counters->worker.generated[i];
		json_array_append_new(workers, one_worker(counters));
	}
	for (unsigned i = 1; i < LATH_DROP_COUNT; i++) {
		uint64_t sum = 0;

		for (uint32_t w = 0; w < rig->gateway.plane.worker_count; w++)
			sum += lath_counters_drops(lath_worker_counters(rig->gateway.workers[w]),
					(enum lath_drop)i);
		if (sum > 0)
			add(drops, lath_drop_name((enum lath_drop)i), sum);
	}
	for (unsigned i = 0; i < LATH_GENERATED_COUNT; i++) {
		total += generated[i];
		if (generated[i] > 0)
			add(by, lath_generated_name((enum lath_generated)i), generated[i]);
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:b, s:o}", "received",
			(json_int_t)received, "generated", (json_int_t)total, "sent",
			(json_int_t)sent, "consumed", (json_int_t)consumed, "held",
			(json_int_t)held, "drops", drops, "generated_by", by, "conserved",
			(int)conserved, "workers", workers);
}

static json_t *
do_health(struct rig *rig, json_t *command)
{
	const struct lath_model *model = lath_control_model(rig->gateway.control);
	const char *name = json_string_value(json_object_get(command, "target"));
	const char *group = json_string_value(json_object_get(command, "group"));
	const char *word = json_string_value(json_object_get(command, "state"));
	enum lath_target_state state = LATH_TARGET_INITIAL;
	unsigned matched = 0;

	if (name == NULL || word == NULL)
		return rig_refuse("health has a target and a state");
	if (strcmp(word, "healthy") == 0)
		state = LATH_TARGET_HEALTHY;
	else if (strcmp(word, "unhealthy") == 0)
		state = LATH_TARGET_UNHEALTHY;
	for (uint32_t i = 0; i < model->target_count; i++) {
		const struct lath_model_target *target = model->targets[i];
		char text[LATH_IP_TEXT_MAX + 8];
		char ip[LATH_IP_TEXT_MAX];

		if (target == NULL)
			continue;
		snprintf(text, sizeof(text), "%s:%u", lath_ip_format(&target->ip, ip),
				target->port);
		if (strcmp(text, name) != 0 ||
				(group != NULL &&
						strcmp(model->groups[target->group]->name, group) !=
								0))
			continue;
		lath_control_set_health(rig->gateway.control, i, state);
		matched++;
	}
	return matched > 0 ? json_pack("{s:b}", "ok", 1) : rig_refuse("no such target");
}

struct rpc {
	json_t *reply;
};

static void
on_rpc(void *ctx, json_t *result, json_t *error)
{
	struct rpc *rpc = ctx;

	rpc->reply = result != NULL ? json_pack("{s:O}", "result", result)
				    : json_pack("{s:O}", "error", error);
}

static json_t *
do_rpc(struct rig *rig, json_t *command)
{
	const char *method = json_string_value(json_object_get(command, "method"));
	struct rpc rpc = {NULL};

	if (method == NULL)
		return rig_refuse("rpc has a method");
	lath_admin_call(rig->admin, method, json_object_get(command, "params"), on_rpc, &rpc);
	for (unsigned i = 0; rpc.reply == NULL && i < 100000; i++)
		settle(rig);
	return rpc.reply != NULL ? rpc.reply : rig_refuse("no answer");
}

static json_t *
answer(struct rig *rig, json_t *command)
{
	const char *op = json_string_value(json_object_get(command, "op"));

	if (op == NULL)
		return rig_refuse("a command has an op");
	if (strcmp(op, "load") == 0)
		return do_load(rig, command);
	if (!rig->loaded)
		return rig_refuse("load first");
	if (strcmp(op, "inject") == 0)
		return rig_inject(rig, command);
	if (strcmp(op, "run") == 0)
		return do_run(rig, command);
	if (strcmp(op, "turn") == 0)
		return do_turn(rig, command);
	if (strcmp(op, "fences") == 0)
		return do_fences(rig, command);
	if (strcmp(op, "trespass") == 0)
		return do_trespass(rig);
	if (strcmp(op, "stop") == 0)
		return do_stop(rig);
	if (strcmp(op, "queue_of") == 0)
		return rig_queue_of(rig, command);
	if (strcmp(op, "counters") == 0)
		return do_counters(rig);
	if (strcmp(op, "reload") == 0)
		return do_reload(rig, command);
	if (strcmp(op, "health") == 0)
		return do_health(rig, command);
	if (strcmp(op, "rpc") == 0)
		return do_rpc(rig, command);
	return rig_refuse("unknown op");
}

static void
serve(struct rig *rig)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		json_error_t problem;
		json_t *command = json_loads(line, 0, &problem);
		json_t *reply;

		if (command != NULL &&
				strcmp(json_string_value(json_object_get(command, "op")) ?: "",
						"quit") == 0) {
			json_decref(command);
			break;
		}
		reply = command == NULL ? rig_refuse(problem.text) : answer(rig, command);
		json_dumpf(reply, stdout, JSON_COMPACT);
		putchar('\n');
		fflush(stdout);
		json_decref(reply);
		json_decref(command);
	}
	free(line);
}

int
main(int argc, char **argv)
{
	static struct rig rig;
	char prefix[32];
	char *args[] = {argv[0], (char[]){"--no-huge"}, (char[]){"--no-shconf"},
			(char[]){"--no-pci"}, (char[]){"--no-telemetry"}, (char[]){"-m"},
			(char[]){"384"}, (char[]){"--lcores"}, (char[]){"0@0"},
			(char[]){"--file-prefix"}, prefix, (char[]){"--log-level=lib.eal:warning"}};

	(void)argc;
	snprintf(prefix, sizeof(prefix), "lath-packets-%d", (int)getpid());
	if (rte_eal_init((int)LATH_ARRAY_SIZE(args), args) < 0)
		return EXIT_FAILURE;
	rig.out = json_array();
	serve(&rig);
	lath_admin_free(rig.admin);
	fence_all(&rig, true);
	rig_close_bonds(&rig);
	if (rig.loaded)
		gateway_stop(&rig.gateway);
	json_decref(rig.out);
	rte_eal_cleanup();
	return EXIT_SUCCESS;
}
