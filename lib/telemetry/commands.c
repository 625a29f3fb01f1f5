/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* The commands. Adding to an rte_tel_data fails when it is full or a key has a character that
 * 22.11 refuses; keys here are plain and few, so those results are not looked at.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_telemetry.h>

#include <lath_verdict.h>

#include "telemetry_private.h"

static void
put(struct rte_tel_data *data, const char *key, uint64_t value)
{
	(void)rte_tel_data_add_dict_u64(data, key, value);
}

static void
put_text(struct rte_tel_data *data, const char *key, const char *text)
{
	char cut[RTE_TEL_MAX_STRING_LEN];

	snprintf(cut, sizeof(cut), "%s", text);
	/* 22.11 does not escape. */
	for (char *c = cut; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\' || (unsigned char)*c < 0x20)
			*c = '?';
	}
	(void)rte_tel_data_add_dict_string(data, key, cut);
}

/* A page of a list of `total`: "START,COUNT". 0 or -EINVAL. */
struct page {
	uint32_t first;
	uint32_t end;
};

static int
read_page(const char *params, uint32_t total, struct page *page)
{
	char *rest = NULL;
	unsigned long first = 0;
	unsigned long count = LATH_TELEMETRY_PAGE_MAX;

	if (*params != '\0') {
		first = strtoul(params, &rest, 10);
		if (rest == params || (*rest != '\0' && *rest != ','))
			return -EINVAL;
		if (*rest == ',') {
			params = rest + 1;
			count = strtoul(params, &rest, 10);
			if (rest == params || *rest != '\0' || count == 0)
				return -EINVAL;
		}
	}
	if (count > LATH_TELEMETRY_PAGE_MAX)
		count = LATH_TELEMETRY_PAGE_MAX;
	page->first = first > total ? total : (uint32_t)first;
	page->end = total - page->first > count ? page->first + (uint32_t)count : total;
	return 0;
}

static void
begin_page(struct rte_tel_data *data, const struct page *page, uint32_t total)
{
	rte_tel_data_start_dict(data);
	put(data, "total", total);
	if (page->end < total)
		put(data, "next", page->end);
}

/* Takes `entry`; a full answer leaves it out. */
static void
put_entry(struct rte_tel_data *data, uint32_t position, struct rte_tel_data *entry)
{
	char key[16];

	snprintf(key, sizeof(key), "%u", position);
	if (rte_tel_data_add_dict_container(data, key, entry, 0) != 0)
		rte_tel_data_free(entry);
}

static struct rte_tel_data *
new_entry(void)
{
	struct rte_tel_data *entry = rte_tel_data_alloc();

	if (entry != NULL)
		rte_tel_data_start_dict(entry);
	return entry;
}

static int
info(const struct lath_telemetry_view *view, const char *params, struct rte_tel_data *data)
{
	(void)params;
	rte_tel_data_start_dict(data);
	put_text(data, "version", LATH_VERSION);
	put_text(data, "config_sha256", view->names->sha256);
	put(data, "publication", view->names->serial);
	put(data, "workers", view->plane->worker_count);
	put(data, "ports", view->plane->port_count);
	put(data, "vpcs",
			view->names->count[LATH_TELEMETRY_VPCS] - 1); /* the host port's is none */
	put(data, "services", view->names->count[LATH_TELEMETRY_SERVICES]);
	put(data, "targets", view->names->count[LATH_TELEMETRY_TARGETS]);
	return 0;
}

static uint64_t
sum_of(const uint64_t *numbers, unsigned count)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < count; i++)
		sum += numbers[i];
	return sum;
}

static void
put_worker(struct rte_tel_data *data, const struct lath_counters *counters)
{
	const struct lath_worker_counters *worker = &counters->worker;
	uint64_t drops = 0;

	for (unsigned i = 1; i < LATH_DROP_COUNT; i++)
		drops += lath_counters_drops(counters, (enum lath_drop)i);
	put(data, "received", worker->received);
	put(data, "received_bytes", worker->received_bytes);
	put(data, "sent", worker->sent);
	put(data, "sent_bytes", worker->sent_bytes);
	put(data, "consumed", worker->consumed);
	put(data, "dropped", drops);
	put(data, "generated", sum_of(worker->generated, LATH_GENERATED_COUNT));
	put(data, "handed_in", worker->handed_in);
	put(data, "handed_out", worker->handed_out);
	put(data, "held", worker->held);
	(void)rte_tel_data_add_dict_int(data, "imbalance", (int)lath_counters_imbalance(counters));
	put(data, "rx_wrong_lcore", worker->rx_wrong_lcore);
	for (int i = 0; i < LATH_HANDOVER_COUNT; i++) {
		char key[32];

		snprintf(key, sizeof(key), "handover_%s", lath_handover_name(i));
		put(data, key, worker->handover[i]);
	}
	put(data, "flows_ipv4", worker->flows[LATH_FLOW_POOL_IPV4]);
	put(data, "flows_mixed", worker->flows[LATH_FLOW_POOL_MIXED]);
	put(data, "loops", worker->loops);
	put(data, "loops_busy", worker->loops_busy);
	put(data, "cycles_busy", worker->cycles_busy);
	put(data, "heartbeat_tick", worker->heartbeat_tick);
}

static int
workers(const struct lath_telemetry_view *view, const char *params, struct rte_tel_data *data)
{
	uint32_t total = view->plane->worker_count;
	struct page page;

	if (read_page(params, total, &page) != 0)
		return -EINVAL;
	begin_page(data, &page, total);
	for (uint32_t i = page.first; i < page.end; i++) {
		struct rte_tel_data *entry = new_entry();

		if (entry == NULL)
			return -ENOMEM;
		put_worker(entry, lath_control_counters(view->control, i));
		put_entry(data, i, entry);
	}
	return 0;
}

static void
put_port(struct rte_tel_data *data, const struct lath_port *port)
{
	struct lath_port_stats stats;
	char offloads[128] = ""; /* a string of rte_telemetry; all names are shorter */
	size_t len = 0;

	put_text(data, "name", port->name);
	put(data, "link_up", port->link_up);
	put(data, "link_mbps", port->link_speed_mbps);
	put(data, "link_changes", port->link_changes_total);
	put_text(data, "steering", port->steering == LATH_STEER_NIC ? "nic" : "software");
	for (int i = 0; i < LATH_OFFLOAD_COUNT && len < sizeof(offloads); i++)
		if (port->offloads[i])
			len += (size_t)snprintf(offloads + len, sizeof(offloads) - len, "%s%s",
					len > 0 ? " " : "", lath_offload_name(i));
	put_text(data, "offloads", offloads);
	if (lath_port_stats(port, &stats) != 0)
		return;
	put(data, "rx_packets", stats.rx_packets_total);
	put(data, "rx_bytes", stats.rx_bytes_total);
	put(data, "tx_packets", stats.tx_packets_total);
	put(data, "tx_bytes", stats.tx_bytes_total);
	put(data, "rx_missed", stats.rx_missed_total);
	put(data, "rx_errors", stats.rx_errors_total);
	put(data, "rx_no_buffer", stats.rx_no_buffer_total);
	put(data, "tx_errors", stats.tx_errors_total);
}

static int
ports(const struct lath_telemetry_view *view, const char *params, struct rte_tel_data *data)
{
	uint32_t total = view->plane->port_count;
	struct page page;

	if (read_page(params, total, &page) != 0)
		return -EINVAL;
	begin_page(data, &page, total);
	for (uint32_t i = page.first; i < page.end; i++) {
		struct rte_tel_data *entry = new_entry();

		if (entry == NULL)
			return -ENOMEM;
		put_port(entry, &view->plane->ports[i]);
		put_entry(data, i, entry);
	}
	return 0;
}

static void
put_object(struct rte_tel_data *data, const struct lath_telemetry_view *view,
		enum lath_object_kind kind, uint32_t index)
{
	struct lath_object_counters sum = {0};

	for (uint32_t w = 0; w < view->plane->worker_count; w++) {
		const struct lath_counters *counters = lath_control_counters(view->control, w);
		const struct lath_object_counters *row;

		if (index >= counters->rows[kind])
			continue;
		row = &counters->objects[kind][index];
		sum.flows += row->flows;
		sum.flows_total += row->flows_total;
		for (int i = 0; i < 2; i++) {
			sum.packets_total[i] += row->packets_total[i];
			sum.bytes_total[i] += row->bytes_total[i];
		}
	}
	put(data, "flows", sum.flows);
	put(data, "flows_total", sum.flows_total);
	put(data, "packets_to_target", sum.packets_total[0]);
	put(data, "packets_to_client", sum.packets_total[1]);
	put(data, "bytes_to_target", sum.bytes_total[0]);
	put(data, "bytes_to_client", sum.bytes_total[1]);
}

static int
objects(const struct lath_telemetry_view *view, const char *params, struct rte_tel_data *data,
		enum lath_telemetry_list list, enum lath_object_kind kind)
{
	uint32_t total = view->names->count[list];
	struct page page;

	if (read_page(params, total, &page) != 0)
		return -EINVAL;
	begin_page(data, &page, total);
	for (uint32_t i = page.first; i < page.end; i++) {
		const struct lath_telemetry_name *row = &view->names->rows[list][i];
		struct rte_tel_data *entry = new_entry();

		if (entry == NULL)
			return -ENOMEM;
		put(entry, "index", row->index);
		put_text(entry, "name", row->name);
		if (row->id[0] != '\0')
			put_text(entry, "id", row->id);
		if (row->vpc[0] != '\0')
			put_text(entry, "vpc", row->vpc);
		if (row->state != NULL)
			put_text(entry, "state", row->state);
		put_object(entry, view, kind, row->index);
		put_entry(data, i, entry);
	}
	return 0;
}

static int
vpcs(const struct lath_telemetry_view *view, const char *params, struct rte_tel_data *data)
{
	return objects(view, params, data, LATH_TELEMETRY_VPCS, LATH_OBJECT_VPC);
}

static int
services(const struct lath_telemetry_view *view, const char *params, struct rte_tel_data *data)
{
	return objects(view, params, data, LATH_TELEMETRY_SERVICES, LATH_OBJECT_SERVICE);
}

static int
targets(const struct lath_telemetry_view *view, const char *params, struct rte_tel_data *data)
{
	return objects(view, params, data, LATH_TELEMETRY_TARGETS, LATH_OBJECT_TARGET);
}

/* All reasons; with a parameter those of one VPC, by its index as in /lath/vpcs. */
static int
drops(const struct lath_telemetry_view *view, const char *params, struct rte_tel_data *data)
{
	char *rest = NULL;
	unsigned long vpc = *params == '\0' ? LATH_MODEL_NONE : strtoul(params, &rest, 10);

	if (*params != '\0' &&
			(rest == params || *rest != '\0' ||
					vpc >= lath_control_counters(view->control, 0)
									->rows[LATH_OBJECT_VPC]))
		return -EINVAL;
	rte_tel_data_start_dict(data);
	for (unsigned i = 1; i < LATH_DROP_COUNT; i++) {
		uint64_t sum = 0;

		for (uint32_t w = 0; w < view->plane->worker_count; w++) {
			const struct lath_counters *counters = lath_control_counters(view->control,
					w);

			sum += *params == '\0' ? lath_counters_drops(counters, (enum lath_drop)i)
					       : counters->drops[vpc * LATH_DROP_COUNT + i];
		}
		put(data, lath_drop_name((enum lath_drop)i), sum);
	}
	return 0;
}

static int
flows(const struct lath_telemetry_view *view, const char *params, struct rte_tel_data *data)
{
	uint64_t now[LATH_FLOW_POOL_COUNT] = {0};
	uint64_t room[LATH_FLOW_POOL_COUNT] = {0};
	uint64_t ended[LATH_FLOW_END_COUNT] = {0};
	uint64_t created = 0;

	(void)params;
	for (uint32_t w = 0; w < view->plane->worker_count; w++) {
		const struct lath_worker_counters *worker = &lath_control_counters(view->control, w)
									     ->worker;

		created += worker->flows_created;
		for (int i = 0; i < LATH_FLOW_POOL_COUNT; i++) {
			now[i] += worker->flows[i];
			room[i] += worker->flow_capacity[i];
		}
		for (int i = 0; i < LATH_FLOW_END_COUNT; i++)
			ended[i] += worker->flows_ended[i];
	}
	rte_tel_data_start_dict(data);
	put(data, "ipv4", now[LATH_FLOW_POOL_IPV4]);
	put(data, "ipv4_capacity", room[LATH_FLOW_POOL_IPV4]);
	put(data, "mixed", now[LATH_FLOW_POOL_MIXED]);
	put(data, "mixed_capacity", room[LATH_FLOW_POOL_MIXED]);
	put(data, "created", created);
	for (int i = 0; i < LATH_FLOW_END_COUNT; i++) {
		char key[RTE_TEL_MAX_STRING_LEN];

		snprintf(key, sizeof(key), "ended_%s", lath_flow_end_name((enum lath_flow_end)i));
		put(data, key, ended[i]);
	}
	return 0;
}

const struct lath_telemetry_command lath_telemetry_commands[] = {
		{"/lath/drops", "Dropped packets by reason. Parameter: VPC index (none: all)",
				drops},
		{"/lath/flows", "Flows over all workers, and why they ended", flows},
		{"/lath/info", "What this gateway is and runs", info},
		{"/lath/ports", "Ports, links, steering, offloads. Parameters: start, count",
				ports},
		{"/lath/services", "Services. Parameters: start, count", services},
		{"/lath/targets", "Targets and their state. Parameters: start, count", targets},
		{"/lath/vpcs", "VPCs. Parameters: start, count", vpcs},
		{"/lath/workers", "Workers' packets and loops. Parameters: start, count", workers},
};

const unsigned lath_telemetry_command_count = LATH_ARRAY_SIZE(lath_telemetry_commands);
