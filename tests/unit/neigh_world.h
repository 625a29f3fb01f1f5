/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * What the tests of lath_neigh share: a fake wire with hosts that answer, a clock moved by hand, and
 * a model made by hand: VPC 1 with attachment 0 (port 0, 10.0.0.1/8), a default route by 10.0.0.254
 * and a target 10.0.0.5; NAT address 10.0.1.1, service 10.0.2.1.
 */
#pragma once

#include <lath_neigh.h>

#include "lath_test.h"

#define QUEUE_MAX 4096
#define HOSTS_MAX 10
#define ENTRIES 1024u

struct question {
	uint32_t attachment;
	enum lath_neigh_message kind;
	struct lath_ip sender;
	struct lath_ip target;
	struct lath_mac dst;
};

struct host {
	struct lath_ip ip;
	struct lath_mac mac;
	bool is_silent;
};

struct world {
	struct lath_neigh *neigh;
	lath_tick_t now;
	struct question queue[QUEUE_MAX];
	unsigned queued;
	struct host hosts[HOSTS_MAX];
	unsigned host_count;
	unsigned sent[LATH_NEIGH_MESSAGE_COUNT];
	unsigned resolved;
	unsigned lost;
	unsigned conflicts;
	struct lath_ip last_lost;
	struct lath_ip last_resolved;
	struct lath_mac last_mac;
	struct lath_ip last_conflict;
	struct lath_mac last_theirs;
	/* the model */
	struct lath_model model;
	struct lath_model_attachment attachment;
	struct lath_model_attachment *attachments[1];
	struct lath_model_vpc vpc;
	struct lath_model_vpc *vpcs[2];
	struct lath_model_route routes[2];
	struct lath_model_nat_range nat;
	struct lath_model_target target;
	struct lath_model_target *targets[1];
	struct lath_model_service service;
	struct lath_model_service *services[1];
	uint64_t visible;
};

static inline struct lath_ip
ip_of(const char *text)
{
	struct lath_ip ip;

	assert_int_equal(lath_ip_parse(text, &ip), 0);
	return ip;
}

static inline struct lath_mac
mac_of(uint8_t last)
{
	return (struct lath_mac){{0x02, 0, 0, 0, 0, last}};
}

static inline void
on_send(void *ctx, uint32_t attachment, enum lath_neigh_message kind, const struct lath_ip *sender,
		const struct lath_ip *target, const struct lath_mac *dst)
{
	struct world *w = ctx;

	w->sent[kind]++;
	if (w->queued < QUEUE_MAX)
		w->queue[w->queued++] = (struct question){attachment, kind, *sender, *target,
				dst == NULL ? (struct lath_mac){{0}} : *dst};
}

static inline void
on_resolved(void *ctx, uint32_t attachment, const struct lath_ip *ip, const struct lath_mac *mac)
{
	struct world *w = ctx;

	assert_int_equal(attachment, 0);
	w->resolved++;
	w->last_resolved = *ip;
	w->last_mac = *mac;
}

static inline void
on_lost(void *ctx, uint32_t attachment, const struct lath_ip *ip)
{
	struct world *w = ctx;

	assert_int_equal(attachment, 0);
	w->lost++;
	w->last_lost = *ip;
}

static inline void
on_conflict(void *ctx, uint32_t attachment, const struct lath_ip *ip, const struct lath_mac *theirs)
{
	struct world *w = ctx;

	assert_int_equal(attachment, 0);
	w->conflicts++;
	w->last_conflict = *ip;
	w->last_theirs = *theirs;
}

static const struct lath_neigh_ops world_ops = {
		.send = on_send,
		.resolved = on_resolved,
		.lost = on_lost,
		.conflict = on_conflict,
};

static inline void
add_host(struct world *w, const char *ip, uint8_t mac)
{
	w->hosts[w->host_count++] = (struct host){.ip = ip_of(ip), .mac = mac_of(mac)};
}

static inline void
make_model(struct world *w)
{
	w->attachment = (struct lath_model_attachment){
			.vpc = 1, .mtu = 1500, .announce = true, .address_count = 1};
	assert_int_equal(lath_prefix_parse_host("10.0.0.1/8", &w->attachment.addresses[0]), 0);
	assert_int_equal(lath_prefix_parse("10.0.0.0/8", &w->routes[0].prefix), 0);
	assert_int_equal(lath_prefix_parse("0.0.0.0/0", &w->routes[1].prefix), 0);
	w->routes[1].next_hop = ip_of("10.0.0.254");
	w->nat = (struct lath_model_nat_range){.first = 0x0a000101, .count = 1};
	w->vpc = (struct lath_model_vpc){
			.index = 1,
			.routes = w->routes,
			.route_count = 2,
			.nat_ranges = &w->nat,
			.nat_range_count = 1,
	};
	w->target = (struct lath_model_target){
			.vpc = 1, .ip = ip_of("10.0.0.5"), .state = LATH_TARGET_HEALTHY};
	w->visible = 1u << 1;
	w->service = (struct lath_model_service){
			.addresses = {ip_of("10.0.2.1")},
			.visible_vpcs = &w->visible,
			.visible_words = 1,
	};
	w->attachments[0] = &w->attachment;
	w->vpcs[1] = &w->vpc;
	w->targets[0] = &w->target;
	w->services[0] = &w->service;
	w->model = (struct lath_model){
			.vpcs = w->vpcs,
			.vpc_count = 2,
			.services = w->services,
			.service_count = 1,
			.targets = w->targets,
			.target_count = 1,
			.attachments = w->attachments,
			.attachment_count = 1,
			.timeouts = {.neighbor_s = 30},
			.limits = {.punts_per_second = 1000},
	};
}

/* RFC 4861 section 7.2.4: to who asked, or to all when nobody is to be answered. */
static inline void
hosts_advertisement(struct world *w, const struct question *question, const struct host *host)
{
	const struct lath_nd_message msg = {
			.type = LATH_ND_NEIGHBOR_ADVERTISEMENT,
			.src = host->ip,
			.dst = question->sender,
			.target = host->ip,
			.mac = host->mac,
			.has_mac = true,
			.from_router = host->mac.bytes[5] == 0xfe,
			.is_solicited = question->kind != LATH_NEIGH_PROBE,
			.overrides = true,
	};

	lath_neigh_discovery(w->neigh, question->attachment, &msg, &host->mac, w->now);
}

static inline void
hosts_answer(struct world *w, const struct question *question, const struct host *host)
{
	if (lath_ip_is_v4(&host->ip))
		lath_neigh_seen(w->neigh, question->attachment, &host->ip, &host->mac,
				&question->sender, true, w->now);
	else
		hosts_advertisement(w, question, host);
}

/* Hosts answer what was sent; who has the address sends a reply. */
static inline void
answer(struct world *w)
{
	unsigned queued = w->queued;

	w->queued = 0;
	for (unsigned q = 0; q < queued; q++) {
		const struct question question = w->queue[q];
		bool is_unicast = question.kind == LATH_NEIGH_ASK_ONE;

		if (question.kind == LATH_NEIGH_ANNOUNCE || question.kind == LATH_NEIGH_LISTEN)
			continue;
		for (unsigned h = 0; h < w->host_count; h++) {
			const struct host *host = &w->hosts[h];

			if (host->is_silent || !lath_ip_equal(&host->ip, &question.target) ||
					(is_unicast && memcmp(&host->mac, &question.dst, 6) != 0))
				continue;
			hosts_answer(w, &question, host);
		}
	}
}

static inline void
run_ms(struct world *w, uint32_t ms)
{
	for (uint32_t i = 0; i < ms / LATH_TICK_MS; i++) {
		w->now++;
		lath_neigh_tick(w->neigh, w->now);
		answer(w);
	}
}

/* Ticks that wrap within the test's first minute. */
static inline int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	w->now = UINT32_MAX - 3000;
	w->neigh = lath_neigh_create(ENTRIES, &world_ops, w, 1);
	assert_non_null(w->neigh);
	make_model(w);
	add_host(w, "10.0.0.254", 0xfe);
	add_host(w, "10.0.0.5", 5);
	add_host(w, "10.0.0.9", 9);
	*state = w;
	return 0;
}

static inline int
tear_down(void **state)
{
	struct world *w = *state;

	lath_neigh_free(w->neigh);
	free(w);
	return 0;
}

static inline bool
find_row(const struct world *w, const char *text, struct lath_neigh_row *row)
{
	struct lath_ip ip = ip_of(text);
	uint32_t cursor = 0;

	while (lath_neigh_next(w->neigh, &cursor, w->now, row))
		if (lath_ip_equal(&row->ip, &ip))
			return true;
	return false;
}

static inline bool
is_reachable(const struct world *w, const char *text)
{
	struct lath_neigh_row row;

	return find_row(w, text, &row) && row.state == LATH_NEIGH_REACHABLE;
}

static inline enum lath_neigh_claim_state
claim_state(const struct world *w, const char *text)
{
	struct lath_ip ip = ip_of(text);
	struct lath_neigh_claim_row row;
	uint32_t cursor = 0;

	while (lath_neigh_next_claim(w->neigh, &cursor, &row))
		if (lath_ip_equal(&row.ip, &ip))
			return row.state;
	return LATH_NEIGH_CLAIM_STATE_COUNT;
}

static inline void
start(struct world *w)
{
	lath_neigh_set_model(w->neigh, &w->model, w->now);
	run_ms(w, 5000);
}

static inline void
want(struct world *w, const char *text)
{
	struct lath_ip ip = ip_of(text);

	lath_neigh_want(w->neigh, 0, &ip, w->now);
	answer(w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
