/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "admin_private.h"

static json_t *
ends_json(const struct lath_worker_counters *worker)
{
	json_t *json = json_object();

	for (int i = 0; i < LATH_FLOW_END_COUNT; i++)
		lath_admin_put_u64(json, lath_flow_end_name((enum lath_flow_end)i),
				worker->flows_ended[i]);
	return json;
}

static json_t *
packets_json(const struct lath_counters *counters)
{
	const struct lath_worker_counters *worker = &counters->worker;
	json_t *json = json_object();
	json_t *generated = json_object();
	json_t *handover = json_object();
	uint64_t drops = 0;

	lath_admin_put_u64(json, "received", worker->received);
	lath_admin_put_u64(json, "receivedBytes", worker->received_bytes);
	lath_admin_put_u64(json, "sent", worker->sent);
	lath_admin_put_u64(json, "sentBytes", worker->sent_bytes);
	lath_admin_put_u64(json, "consumed", worker->consumed);
	lath_admin_put_u64(json, "handedIn", worker->handed_in);
	lath_admin_put_u64(json, "handedOut", worker->handed_out);
	lath_admin_put_u64(json, "held", worker->held);
	for (unsigned i = 1; i < LATH_DROP_COUNT; i++)
		drops += lath_counters_drops(counters, (enum lath_drop)i);
	lath_admin_put_u64(json, "dropped", drops);
	for (int i = 0; i < LATH_GENERATED_COUNT; i++)
		lath_admin_put_u64(generated, lath_generated_name((enum lath_generated)i),
				worker->generated[i]);
	lath_admin_put(json, "generated", generated);
	for (int i = 0; i < LATH_HANDOVER_COUNT; i++)
		lath_admin_put_u64(handover, lath_handover_name((enum lath_handover)i),
				worker->handover[i]);
	lath_admin_put(json, "handover", handover);
	/* Not 0 for an instant while the worker works: its numbers are read one by one. */
	lath_admin_put(json, "imbalance", json_integer(lath_counters_imbalance(counters)));
	lath_admin_put_u64(json, "rxWrongLcore", worker->rx_wrong_lcore);
	return json;
}

static json_t *
flows_json(const struct lath_worker_counters *worker)
{
	json_t *json = json_object();

	lath_admin_put_u64(json, "ipv4", worker->flows[LATH_FLOW_POOL_IPV4]);
	lath_admin_put_u64(json, "ipv4Capacity", worker->flow_capacity[LATH_FLOW_POOL_IPV4]);
	lath_admin_put_u64(json, "mixed", worker->flows[LATH_FLOW_POOL_MIXED]);
	lath_admin_put_u64(json, "mixedCapacity", worker->flow_capacity[LATH_FLOW_POOL_MIXED]);
	lath_admin_put_u64(json, "created", worker->flows_created);
	lath_admin_put(json, "ended", ends_json(worker));
	lath_admin_put_u64(json, "revalidated", worker->revalidated);
	lath_admin_put_u64(json, "portPools", worker->snat_pools);
	lath_admin_put_u64(json, "portsResting", worker->snat_ports_resting);
	lath_admin_put_u64(json, "portsReusedEarly", worker->snat_port_reused_early);
	lath_admin_put_u64(json, "portPoolsSmall", worker->snat_small_pool);
	return json;
}

static json_t *
worker_json(const struct lath_admin_call *call, uint32_t index)
{
	const struct lath_config_system *system = &lath_control_config(call->control)->system;
	const struct lath_counters *counters = lath_control_counters(call->control, index);
	const struct lath_worker_counters *worker = &counters->worker;
	lath_tick_t silent = call->now.tick - (lath_tick_t)worker->heartbeat_tick;
	json_t *json = json_object();

	lath_admin_put_u64(json, "worker", index);
	if (index < system->worker_core_count)
		lath_admin_put_u64(json, "core", system->worker_cores[index]);
	lath_admin_put(json, "packets", packets_json(counters));
	lath_admin_put(json, "flows", flows_json(worker));
	lath_admin_put_u64(json, "loops", worker->loops);
	lath_admin_put_u64(json, "loopsBusy", worker->loops_busy);
	lath_admin_put_u64(json, "busyPermille",
			worker->loops == 0 ? 0 : worker->loops_busy * 1000 / worker->loops);
	lath_admin_put_u64(json, "cyclesBusy", worker->cycles_busy);
	/* The worker may have begun a turn since `now` was read. */
	lath_admin_put_u64(json, "silentMs",
			silent > INT32_MAX ? 0 : (uint64_t)silent * LATH_TICK_MS);
	lath_admin_put_u64(json, "punts", worker->punts);
	lath_admin_put_u64(json, "puntsLost", worker->punts_lost);
	return json;
}

void
lath_admin_show_workers(struct lath_admin_call *call)
{
	uint32_t count = lath_control_plane(call->control)->worker_count;
	json_t *workers = json_array();
	int64_t imbalance = 0;
	json_t *result;

	for (uint32_t i = 0; i < count; i++) {
		imbalance += lath_counters_imbalance(lath_control_counters(call->control, i));
		lath_admin_append(workers, worker_json(call, i));
	}
	result = lath_admin_list("workers", workers, LATH_MODEL_NONE);
	lath_admin_put(result, "imbalance", json_integer(imbalance));
	lath_admin_finish(call, result);
}
