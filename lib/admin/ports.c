/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "admin_private.h"

static json_t *
stats_json(const struct lath_port *port)
{
	struct lath_port_stats stats;
	json_t *json;

	if (lath_port_stats(port, &stats) != 0)
		return json_null();
	json = json_object();
	lath_admin_put_u64(json, "rxPackets", stats.rx_packets_total);
	lath_admin_put_u64(json, "rxBytes", stats.rx_bytes_total);
	lath_admin_put_u64(json, "txPackets", stats.tx_packets_total);
	lath_admin_put_u64(json, "txBytes", stats.tx_bytes_total);
	lath_admin_put_u64(json, "rxMissed", stats.rx_missed_total);
	lath_admin_put_u64(json, "rxErrors", stats.rx_errors_total);
	lath_admin_put_u64(json, "rxNoBuffer", stats.rx_no_buffer_total);
	lath_admin_put_u64(json, "txErrors", stats.tx_errors_total);
	return json;
}

/* Names of those in use. */
static json_t *
offloads_json(const struct lath_port *port)
{
	json_t *names = json_array();

	for (int i = 0; i < LATH_OFFLOAD_COUNT; i++)
		if (port->offloads[i])
			lath_admin_append(names, json_string(lath_offload_name(i)));
	return names;
}

static json_t *
port_json(const struct lath_admin_call *call, uint32_t index)
{
	const struct lath_dataplane *plane = lath_control_plane(call->control);
	const struct lath_port *port = &plane->ports[index];
	json_t *json = json_object();

	lath_admin_put_text(json, "name", port->name);
	lath_admin_put_bool(json, "isHostPort", index == plane->host_port);
	lath_admin_put_text(json, "driver", port->driver);
	lath_admin_put_text(json, "device", port->device);
	lath_admin_put_mac(json, "mac", &plane->gateway_mac[index]);
	lath_admin_put_bool(json, "linkUp", port->link_up);
	lath_admin_put_u64(json, "linkMbps", port->link_speed_mbps);
	lath_admin_put_u64(json, "linkChanges", port->link_changes_total);
	lath_admin_put_u64(json, "mtuBytes", port->mtu);
	lath_admin_put_text(json, "steering",
			port->steering == LATH_STEER_NIC ? "nic" : "software");
	lath_admin_put_text(json, "steeringReason", port->steering_reason);
	lath_admin_put(json, "offloads", offloads_json(port));
	lath_admin_put_u64(json, "rxQueues", port->rx_queue_count);
	lath_admin_put_u64(json, "txQueues", port->tx_queue_count);
	lath_admin_put(json, "stats", stats_json(port));
	return json;
}

void
lath_admin_show_ports(struct lath_admin_call *call)
{
	const struct lath_dataplane *plane = lath_control_plane(call->control);
	json_t *ports = json_array();

	for (uint32_t i = 0; i < plane->port_count; i++)
		lath_admin_append(ports, port_json(call, i));
	lath_admin_finish(call, lath_admin_list("ports", ports, LATH_MODEL_NONE));
}
