/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * lath-bench: TSC cycles a packet of the real gateway, and in the same run of what nobody can do
 * without (baseline.c). Simulated time, ports that are rings in memory; one thread, but for the
 * test of two workers. Everything from receive to transmit is inside of the timed window, the
 * generator (frames, rings) is not.
 *
 * A test is a `struct mode` in a file of its own: it says what gateway it wants (plan), opens its
 * flows and adds its rows behind the baselines' (prepare), and judges what came out (finish). run.c
 * runs all rows of a gateway in turn, so that they meet the machine's moods alike.
 */
#pragma once

#include <stdio.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "gateway.h"

#define SIDES 2u       /* ports: 0 the clients' VPCs, 1 the targets' */
#define BUFFERS 2048u  /* in turn: 512 KiB of mbuf, private and header lines, more than L1 */
#define SHORT_LAP 512u /* packets, where each costs much: few laps meet an interruption */
#define QUEUES 8u      /* of each port: as many workers as a measured gateway may have */
#define FLOW_SIZES_MAX 16u
#define PACKET_SIZES_MAX 8u
#define PACKET_SIZE_MIN 64u
#define PACKET_SIZE_MAX 9018u
#define PACKET_IMIX 0u /* instead of a size: 7 of 64, 4 of 594 and 1 of 1,518 bytes */
#define REPEATS_MAX 101u
#define ROWS_MAX 10u
#define FIGURES_MAX 8u
#define WHEEL_LIST_SECONDS 64u /* of the timer wheel's second level */
#define BENCH_SAMPLE 16u       /* one packet of so many is looked at closely */
#define FRAME_CRC 4u           /* of the named packet size, not in the buffer */

struct options {
	uint32_t flows[FLOW_SIZES_MAX];
	unsigned flows_count;
	uint32_t sizes[PACKET_SIZES_MAX]; /* with CRC, as speeds are named; PACKET_IMIX */
	unsigned sizes_count;
	uint32_t modes; /* a bit for each entry of bench_modes[] */
	uint32_t micro; /* the same for micro tests: micro.c */
	bool tcp;
	bool udp;
	uint32_t burst;
	uint32_t repeats;
	uint32_t window_ms; /* of wall time, a repeat of a row */
	uint32_t period_ms; /* of the worker's time: `reload` changes something once in it */
	uint32_t new_percent;
	uint32_t workers;
	uint32_t vpcs; /* of clients */
	uint32_t services;
	uint32_t cpu;
	uint64_t seed;
	bool hugepages;
	const char *json; /* file for JSON lines, "-": stdout; NULL: none */
};

/* What the generator must know of an open flow. */
struct bench_flow {
	lath_be32_t client_be;
	lath_be32_t target_be;
	lath_be32_t nat_be;
	lath_be16_t client_port_be;
	lath_be16_t nat_port_be;
	uint16_t vpc;
	uint16_t service;
};

enum frame_kind {
	FRAME_OPEN,   /* client: SYN, first UDP packet */
	FRAME_ANSWER, /* target: SYN-ACK, UDP */
	FRAME_DATA,   /* from either */
	FRAME_FIN,    /* from either */
	FRAME_KIND_COUNT,
};

/* The gateway that a test wants. */
struct plan {
	uint32_t workers;
	uint32_t measured; /* the worker that owns all flows */
	uint32_t vpcs;
	uint32_t services;
	bool spare_right; /* world.h: one that can be taken away */
};

struct rig {
	const struct options *options;
	struct rte_mempool *pool;
	struct rte_ring *rx[QUEUES][SIDES];
	struct rte_ring *tx[QUEUES][SIDES];
	uint16_t port_ids[SIDES];
	struct rte_mbuf *all_buffers[BUFFERS];
	struct rte_mbuf **buffers; /* of this lap */
	unsigned next_buffer;
	uint8_t burst_side[BUFFERS]; /* where each burst of the lap comes in */
	uint64_t random;
	unsigned burst;
	uint64_t busy_cycles; /* all that was ever timed */
	uint64_t lap_bytes;   /* of frames that came out, CRC included */
	/* Of one gateway: */
	struct gateway *gateway;
	struct plan plan;
	uint32_t queue_in; /* the generator fills this one of each port, and empties the other */
	uint32_t queue_out;
	uint8_t proto;
	uint32_t packet_size; /* with CRC, or PACKET_IMIX */
	uint32_t flow_count;
	uint32_t capacity;
	uint32_t timeout_s;  /* of flows that are new, unanswered or closed */
	double empty_cycles; /* of a turn that finds nothing */
	lath_tick_t now;
	struct bench_flow *flows;
};

/* Flows over all workers. */
struct comings {
	uint64_t created;
	uint64_t ended; /* their timeout passed */
};

struct repeat {
	uint64_t cycles;
	uint64_t units;         /* what a cycle figure is of: packets, but for a few tests */
	uint64_t bytes;         /* of frames, CRC included */
	uint64_t laps;          /* whose cycles count */
	uint64_t disturbed;     /* laps thrown out */
	struct comings inside;  /* timed turns */
	struct comings outside; /* between laps */
};

struct work;

/* One turn of what is measured: takes a burst in and sends it on. */
typedef unsigned (*bench_turn_t)(void *ctx);

/* Writes the frames of a lap and says by burst_side[] where they come in. */
typedef void (*bench_fill_t)(struct rig *rig, unsigned count, void *ctx);

/* Looks at one packet that came out on a side. */
typedef void (*bench_see_t)(struct rig *rig, struct rte_mbuf *m, unsigned side, void *ctx);

typedef struct repeat (*bench_measure_t)(struct rig *rig, const struct work *work);

struct work {
	bench_turn_t turn;
	bench_fill_t fill;
	bench_see_t see;
	void (*before)(struct rig *rig, unsigned count, void *ctx); /* each turn; NULL: nothing */
	void (*between)(struct rig *rig, void *ctx);                /* laps; NULL: nothing */
	bench_measure_t measure; /* a repeat; NULL: measure_repeat() */
	unsigned count;          /* packets a lap; 0: all buffers */
	uint64_t cycles_min;     /* timed, a repeat */
	uint64_t flows_min;      /* a repeat ends when a multiple of them has come */
	void *turn_ctx;
	void *ctx;
};

/* Something else that a row has to say. */
struct figure {
	const char *name; /* camelCase, a key of the JSON line */
	double value;
};

enum row_flows {
	ROW_FLOWS_STAND,  /* none comes or goes */
	ROW_FLOWS_STEADY, /* as many end as come */
	ROW_FLOWS_FREE,   /* the test looks itself */
};

/* A row of the report. */
struct row {
	const char *test;
	const char *unit; /* NULL: packet */
	bool is_latency;  /* cycles are time that passed, not work */
	enum row_flows flows;
	struct work work;
	unsigned count;
	double cycles[REPEATS_MAX]; /* a unit, of each repeat */
	uint64_t all_cycles;
	uint64_t units;
	uint64_t bytes;
	uint64_t laps;
	uint64_t disturbed;
	struct comings inside;
	struct comings outside;
	uint64_t standing; /* at the end */
	struct figure figures[FIGURES_MAX];
	unsigned figure_count;
};

struct bench {
	struct row rows[ROWS_MAX];
	unsigned count;
};

/* A test of the command line. */
struct mode {
	const char *name;
	const char *help;
	bool by_default; /* when none is named */
	bool tcp_only;
	unsigned cpus; /* needed */
	/* NULL: as the options say. */
	void (*plan)(struct plan *plan);
	/* Opens flows, adds rows. */
	void (*prepare)(struct rig *rig, struct bench *bench);
	/* After the last repeat: figures, checks of its own; NULL: none. */
	void (*finish)(struct rig *rig, struct bench *bench);
};

extern const struct mode *const bench_modes[];
extern const unsigned bench_mode_count;

extern const struct mode conn_mode;
extern const struct mode expire_mode;
extern const struct mode guard_mode;
extern const struct mode handoff_mode;
extern const struct mode hit_mode;
extern const struct mode latency_mode;
extern const struct mode mix_mode;
extern const struct mode new_mode;
extern const struct mode reload_mode;
extern const struct mode workers_mode;

/* options.c: exits on --help and on nonsense. */
void options_read(struct options *options, int argc, char **argv);

/* run.c */
void run_size(struct rig *rig, const struct mode *mode, uint8_t proto, uint32_t packet_size,
		uint32_t flows, struct bench *bench);
/* A row of the bench; `work` is copied. */
struct row *run_add_row(struct bench *bench, const char *test, struct work work);
struct row *run_row(struct bench *bench, const char *test);
void run_add_figure(struct row *row, const char *name, double value);
double run_median(const double *values, unsigned count);

/* rig.c: ports and buffers once; then a gateway for each size and protocol. */
void rig_init(struct rig *rig, const struct options *options);
/* The plan, packet size, protocol and flow_count are set. */
void rig_start(struct rig *rig);
void rig_stop(struct rig *rig);
struct lath_worker *rig_worker(const struct rig *rig);
/* A turn of the measured worker; `ctx` is the rig. */
unsigned rig_turn(void *ctx);
/* A second generator of the same gateway: flows and buffers of its own, on queue `worker`. */
void rig_twin(struct rig *twin, const struct rig *rig, uint32_t worker);
void rig_twin_end(struct rig *twin);
void rig_die(const char *fmt, ...) LATH_PRINTF(1, 2) __attribute__((noreturn));

/* settle.c: management between laps, and what must hold then. */
struct lath_control_now rig_now(const struct rig *rig);
/* Management and ARP until nothing moves any more. */
void rig_settle(struct rig *rig);
/* A turn of management; workers only run when it wants something of them. */
void rig_rest(struct rig *rig);
/* Ends the run when a packet was lost or a worker's sums do not come out. */
void rig_check(const struct rig *rig, const char *when);
struct comings rig_comings(const struct rig *rig);
uint64_t rig_standing(const struct rig *rig);
uint64_t rig_revalidated(const struct rig *rig);

/* frame.c */
/* The next client whose flows the measured worker owns; goes on in `*serial`. */
struct bench_flow frame_next_client(const struct rig *rig, uint64_t *serial);
void frame_write(const struct rig *rig, struct rte_mbuf *m, const struct bench_flow *flow,
		uint32_t number, enum frame_kind kind, unsigned side);
uint32_t frame_number(const struct rig *rig, struct rte_mbuf *m);
/* Checksums, lengths and TTL of a translated packet; ends the run when one is wrong. */
const struct lath_ipv4_hdr *frame_check(const struct rig *rig, struct rte_mbuf *m);
const lath_be16_t *frame_ports(struct rte_mbuf *m);
struct lath_mac frame_router_mac(unsigned side);

/* measure.c */
/* So many packets a lap at most, in whole bursts. */
unsigned measure_whole_bursts(const struct rig *rig, unsigned most);
long measure_preemptions(void);
uint64_t measure_wall_ms(void);
/* Those that the next lap uses: every buffer has its turn. */
void measure_take_buffers(struct rig *rig, unsigned count);
uint64_t measure_lap(struct rig *rig, const struct work *work, unsigned count);
void measure_take_out(struct rig *rig, const struct work *work, unsigned count);
struct repeat measure_repeat(struct rig *rig, const struct work *work);

/* baseline.c: io, macswap and touch. */
struct touch;
struct touch *touch_create(struct rig *rig);
void touch_free(struct touch *touch);
void baseline_add_rows(struct rig *rig, struct bench *bench, struct touch *touch);

/* hit.c */
void hit_open_flows(struct rig *rig);
void hit_fill(struct rig *rig, unsigned count, void *ctx);
struct work hit_work(struct rig *rig);
/* Flows for baselines: they need not exist. */
void hit_invent_flows(struct rig *rig);
void hit_learn(struct bench_flow *flow, struct rte_mbuf *m);

/* new.c */
struct new_state {
	uint64_t serial; /* of clients */
	uint64_t arrived;
	uint32_t standing; /* so many arrive in a timeout */
	lath_tick_t start;
};

struct work new_work(struct rig *rig, struct new_state *state);
void new_fill_table(struct rig *rig, struct new_state *state);
/* Those that arrive while a list of the timer wheel's second level comes down and the next is not
 * due: over whole numbers of them comings and goings even out.
 */
uint64_t new_period(const struct rig *rig, const struct new_state *state);
void new_begin(const struct rig *rig, struct new_state *state, uint32_t standing);
/* The clock after `count` more have arrived. */
void new_arrive(struct rig *rig, struct new_state *state, unsigned count);
void new_check_packet(struct rig *rig, struct rte_mbuf *m, unsigned side);

/* report.c */
struct json_t;
struct report;
struct report *report_open(const struct options *options);
void report_size(struct report *report, const struct rig *rig, const struct bench *bench);
/* A JSON line; takes the object. */
void report_put(struct report *report, struct json_t *object);
/* NULL: none is wanted. */
FILE *report_table(const struct report *report);
void report_close(struct report *report);
