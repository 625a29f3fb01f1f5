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

#include <jansson.h>
#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <lath_admin.h>

#include "gateway.h"

#define RING_SIZE 8192u
#define BUFFERS 3072u
#define DATA_ROOM (128 + 10240)
#define QUIET_ROUNDS 3u
#define START_TICK 100u
#define WALL_S 1700000000

struct test_port {
	struct rte_ring *rx[LATH_WORKERS_MAX];
	struct rte_ring *tx[LATH_WORKERS_MAX];
};

struct rig {
	struct gateway gateway;
	struct test_port ports[LATH_MODEL_PORTS_MAX];
	struct lath_admin *admin;
	lath_tick_t start;
	lath_tick_t now;
	uint64_t random;
	bool loaded;
	json_t *out; /* packets sent since the last command */
};

static struct lath_control_now
rig_now(void *ctx)
{
	const struct rig *rig = ctx;

	return (struct lath_control_now){.tick = rig->now,
			.wall_s = WALL_S + (rig->now - START_TICK) / LATH_TICKS_PER_SECOND};
}

static json_t *
refuse(const char *text)
{
	return json_pack("{s:s}", "error", text);
}

static json_t *
refuse_error(const struct lath_error *err)
{
	char text[1200];

	lath_error_format(err, text, sizeof(text));
	return refuse(text);
}

/* ---- ports --------------------------------------------------------------------------------- */

static struct rte_ring *
make_ring(const char *kind, uint32_t port, uint32_t queue)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "test_%s_%u_%u", kind, port, queue);
	return rte_ring_create(name, RING_SIZE, 0, 0);
}

static void
make_port(struct rig *rig, uint32_t index, const char *name, const struct lath_config_port *cfg,
		uint32_t workers)
{
	struct lath_port *port = &rig->gateway.ports[index];
	struct test_port *test = &rig->ports[index];
	struct rte_eth_conf conf = {0};
	char device[32];
	int port_id;

	for (uint32_t q = 0; q < workers; q++) {
		test->rx[q] = make_ring("rx", index, q);
		test->tx[q] = make_ring("tx", index, q);
	}
	snprintf(device, sizeof(device), "test%u", index);
	port_id = rte_eth_from_rings(device, test->rx, workers, test->tx, workers, 0);
	if (port_id < 0)
		rte_exit(EXIT_FAILURE, "no ring port %s\n", name);
	rte_eth_dev_configure((uint16_t)port_id, (uint16_t)workers, (uint16_t)workers, &conf);
	for (uint16_t q = 0; q < workers; q++) {
		rte_eth_rx_queue_setup((uint16_t)port_id, q, 512, 0, NULL, rig->gateway.plane.pool);
		rte_eth_tx_queue_setup((uint16_t)port_id, q, 512, 0, NULL);
	}
	rte_eth_dev_start((uint16_t)port_id);
	*port = (struct lath_port){
			.driver = "net_ring",
			.port_id = (uint16_t)port_id,
			.rx_queue_count = (uint16_t)workers,
			.tx_queue_count = (uint16_t)workers,
			.mtu = 9600,
			.tx_mtu = 9600,
			.mac = {{0x02, 0, 0, 0, 0, (uint8_t)(index + 1)}},
			.steering = LATH_STEER_SOFTWARE,
			.link_up = true,
	};
	snprintf(port->name, sizeof(port->name), "%s", name);
	if (cfg != NULL && cfg->has_mac)
		port->mac = cfg->mac;
}

static int
port_by_name(const struct rig *rig, const char *name)
{
	for (uint32_t i = 0; i < rig->gateway.plane.port_count; i++)
		if (name != NULL && strcmp(rig->gateway.ports[i].name, name) == 0)
			return (int)i;
	return -1;
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

static json_t *
do_load(struct rig *rig, json_t *command)
{
	struct lath_error err = {0};
	struct lath_config *cfg = parse_config(command, &err);
	struct gateway_options options = {.own_ports = true, .heap = true};
	struct lath_admin_options admin = {.now = rig_now, .now_ctx = rig};
	json_t *workers = json_object_get(command, "workers");

	if (cfg == NULL)
		return refuse_error(&err);
	if (rig->loaded) {
		lath_config_free(cfg);
		return refuse("load works once; start another lath-packets");
	}
	if (workers != NULL)
		cfg->system.worker_count = (uint32_t)json_integer_value(workers);
	cfg->system.state_directory[0] = '\0'; /* nothing is kept */
	rig->now = START_TICK;
	options.seed = (uint64_t)json_integer_value(json_object_get(command, "seed")) | 1;
	options.whole_way = json_is_true(json_object_get(command, "wholeWay"));
	options.now = rig_now(rig);
	rig->random = options.seed;
	rig->gateway.plane.pool = rte_pktmbuf_pool_create("test_packets", BUFFERS, 0,
			LATH_PACKET_PRIVATE_SIZE, DATA_ROOM, 0);
	for (uint32_t i = 0; i < cfg->system.port_count; i++)
		make_port(rig, i, cfg->system.ports[i].name, &cfg->system.ports[i],
				cfg->system.worker_count);
	if (cfg->system.host_port_enabled)
		make_port(rig, cfg->system.port_count, "host", NULL, cfg->system.worker_count);
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

/* ---- packets ------------------------------------------------------------------------------- */

static int
nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static const char *
inject_one(struct rig *rig, json_t *packet)
{
	const char *hex = json_string_value(json_object_get(packet, "hex"));
	int port = port_by_name(rig, json_string_value(json_object_get(packet, "port")));
	json_t *queue = json_object_get(packet, "queue");
	uint32_t workers = rig->gateway.plane.worker_count;
	uint32_t q = queue != NULL ? (uint32_t)json_integer_value(queue) % workers
				   : lath_random_below(&rig->random, workers);
	struct rte_mbuf *m;
	size_t len;
	uint8_t *at;

	if (port < 0 || hex == NULL || strlen(hex) % 2 != 0)
		return "a packet has a known port and an even number of hex digits";
	len = strlen(hex) / 2;
	m = rte_pktmbuf_alloc(rig->gateway.plane.pool);
	at = m == NULL ? NULL : (uint8_t *)rte_pktmbuf_append(m, (uint16_t)len);
	if (at == NULL)
		return "no buffer for the packet";
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
	if (rte_ring_enqueue(rig->ports[port].rx[q], m) == 0)
		return NULL;
	rte_pktmbuf_free(m);
	return "the receive ring is full";
}

static json_t *
do_inject(struct rig *rig, json_t *command)
{
	json_t *packets = json_object_get(command, "packets");
	const char *problem = NULL;
	json_t *packet;
	size_t i;

	if (packets == NULL)
		problem = inject_one(rig, command);
	else
		json_array_foreach(packets, i, packet)
			problem = problem == NULL ? inject_one(rig, packet) : problem;
	return problem == NULL ? json_pack("{s:b}", "ok", 1) : refuse(problem);
}

static void
take_out(struct rig *rig, uint32_t port, struct rte_mbuf *m)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t len = rte_pktmbuf_pkt_len(m);
	char *hex = malloc(2 * len + 1);
	uint8_t *copy = malloc(len);
	const uint8_t *data = rte_pktmbuf_read(m, 0, len, copy);

	for (uint32_t i = 0; i < len; i++) {
		hex[2 * i] = digits[data[i] >> 4];
		hex[2 * i + 1] = digits[data[i] & 15];
	}
	hex[2 * len] = '\0';
	json_array_append_new(rig->out,
			json_pack("{s:s, s:s, s:i}", "port", rig->gateway.ports[port].name, "hex",
					hex, "at_ms",
					(int)((rig->now - START_TICK) * LATH_TICK_MS)));
	free(copy);
	free(hex);
	rte_pktmbuf_free(m);
}

static unsigned
drain(struct rig *rig)
{
	unsigned n = 0;
	struct rte_mbuf *m;

	for (uint32_t p = 0; p < rig->gateway.plane.port_count; p++)
		for (uint32_t q = 0; q < rig->gateway.plane.worker_count; q++)
			while (rte_ring_dequeue(rig->ports[p].tx[q], (void **)&m) == 0) {
				take_out(rig, p, m);
				n++;
			}
	return n;
}

static void
settle(struct rig *rig)
{
	unsigned quiet = 0;

	while (quiet < QUIET_ROUNDS) {
		unsigned did = 0;

		for (uint32_t w = 0; w < rig->gateway.plane.worker_count; w++) {
			struct lath_worker *worker = rig->gateway.workers[w];

			lath_worker_online(worker);
			did += lath_worker_run(worker, rig->now);
			did += lath_worker_is_pending(worker);
			lath_worker_offline(worker);
		}
		did += lath_control_run(rig->gateway.control, rig_now(rig));
		did += drain(rig);
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
		return refuse("health has a target and a state");
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
	return matched > 0 ? json_pack("{s:b}", "ok", 1) : refuse("no such target");
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
		return refuse("rpc has a method");
	lath_admin_call(rig->admin, method, json_object_get(command, "params"), on_rpc, &rpc);
	for (unsigned i = 0; rpc.reply == NULL && i < 100000; i++)
		settle(rig);
	return rpc.reply != NULL ? rpc.reply : refuse("no answer");
}

static json_t *
answer(struct rig *rig, json_t *command)
{
	const char *op = json_string_value(json_object_get(command, "op"));

	if (op == NULL)
		return refuse("a command has an op");
	if (strcmp(op, "load") == 0)
		return do_load(rig, command);
	if (!rig->loaded)
		return refuse("load first");
	if (strcmp(op, "inject") == 0)
		return do_inject(rig, command);
	if (strcmp(op, "run") == 0)
		return do_run(rig, command);
	if (strcmp(op, "counters") == 0)
		return do_counters(rig);
	if (strcmp(op, "reload") == 0)
		return do_reload(rig, command);
	if (strcmp(op, "health") == 0)
		return do_health(rig, command);
	if (strcmp(op, "rpc") == 0)
		return do_rpc(rig, command);
	return refuse("unknown op");
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
		reply = command == NULL ? refuse(problem.text) : answer(rig, command);
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
	if (rig.loaded)
		gateway_stop(&rig.gateway);
	json_decref(rig.out);
	rte_eal_cleanup();
	return EXIT_SUCCESS;
}
