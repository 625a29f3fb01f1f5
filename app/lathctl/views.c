/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* What each `show` looks like: a column is a title and a path into a row of the result. */

#include <inttypes.h>
#include <string.h>

#include "lathctl.h"

#define TEXT LATHCTL_FORM_TEXT
#define NUMBER LATHCTL_FORM_NUMBER
#define BYTES LATHCTL_FORM_BYTES
#define SECONDS LATHCTL_FORM_SECONDS
#define ENDPOINT LATHCTL_FORM_ENDPOINT
#define LIST LATHCTL_FORM_LIST
#define MARK LATHCTL_FORM_MARK
#define LINK LATHCTL_FORM_LINK
#define PERMILLE LATHCTL_FORM_PERMILLE

/* ---- vpcs: a row an attachment ---------------------------------------------------------------- */

static const struct lathctl_column vpc_columns[] = {
		{"VPC", "name", TEXT},
		{"ID", "id", TEXT},
		{"PREFIXES", "prefixes", LIST},
		{"ATTACHMENT", "attachment.name", TEXT},
		{"PORT", "attachment.port", TEXT},
		{"VLAN", "attachment.vlan", NUMBER},
		{"GATEWAY", "attachment.addresses", LIST},
		{"MTU", "attachment.mtuBytes", NUMBER},
		{"LINK", "attachment.linkUp", LINK},
		{"NAT", "natAddresses", NUMBER},
		{"NAT6", "natIpv6Addresses", NUMBER},
		{"FLOWS", "flows", NUMBER},
		{"DROPS", "drops", NUMBER},
};

/* One row for each element of the member `key`, or a single one without: the first carries all
 * members, the others the names only, for numbers are the whole's.
 */
static json_t *
split_rows(const json_t *list, const char *key, const char *as, const char *second)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *whole = json_array_get(list, i);
		const json_t *parts = json_object_get(whole, key);
		size_t count = json_array_size(parts);

		for (size_t j = 0; j < count || j == 0; j++) {
			json_t *row = j == 0 ? json_copy(whole) : json_object();

			json_object_set(row, "name", json_object_get(whole, "name"));
			json_object_set(row, second, json_object_get(whole, second));
			json_object_set(row, as, json_array_get(parts, j));
			json_array_append_new(rows, row);
		}
	}
	return rows;
}

static json_t *
vpc_rows(const json_t *list)
{
	return split_rows(list, "attachments", "attachment", "id");
}

/* ---- services: a row a listener ------------------------------------------------------------- */

static const struct lathctl_column service_columns[] = {
		{"SERVICE", "name", TEXT},
		{"ADDRESS", "addresses", LIST},
		{"LISTENER", "endpoint", TEXT},
		{"SEEN-BY", "visibleTo", LIST},
		{"TARGETS", "ratio", TEXT},
		{"FLOWS", "flows", NUMBER},
		{"FLOWS-TOTAL", "flowsTotal", NUMBER},
		{"TO-TARGET", "bytesToTarget", BYTES},
		{"TO-CLIENT", "bytesToClient", BYTES},
};

static json_t *
service_rows(const json_t *list)
{
	json_t *rows = split_rows(list, "listeners", "listener", "addresses");

	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i);
		const json_t *listener = json_object_get(row, "listener");
		char text[64];

		if (json_object_get(row, "targets") != NULL) {
			snprintf(text, sizeof(text), "%" PRIu64 "/%" PRIu64,
					lathctl_u64_at(row, "targetsHealthy"),
					lathctl_u64_at(row, "targets"));
			json_object_set_new(row, "ratio", json_string(text));
		}
		if (listener == NULL)
			continue;
		snprintf(text, sizeof(text), "%s/%" PRIu64, lathctl_text_at(listener, "protocol"),
				lathctl_u64_at(listener, "port"));
		json_object_set_new(row, "endpoint", json_string(text));
	}
	return rows;
}

/* ---- targets ------------------------------------------------------------------------------- */

static const struct lathctl_column target_columns[] = {
		{"GROUP", "targetGroup.name", TEXT},
		{"VPC", "vpc.name", TEXT},
		{"TARGET", "", ENDPOINT},
		{"PROTO", "protocol", TEXT},
		{"WEIGHT", "weight", NUMBER},
		{"STATE", "state", TEXT},
		{"NEW-FLOWS", "takesFlows", MARK},
		{"FLOWS", "flows", NUMBER},
		{"FLOWS-TOTAL", "flowsTotal", NUMBER},
		{"TO-TARGET", "bytesToTarget", BYTES},
		{"TO-CLIENT", "bytesToClient", BYTES},
		{"CHECK", "check.reason", TEXT},
};

/* ---- flows --------------------------------------------------------------------------------- */

static const struct lathctl_column flow_columns[] = {
		{"PROTO", "protocol", TEXT},
		{"STATE", "state", TEXT},
		{"CLIENT-VPC", "clientVpc.name", TEXT},
		{"CLIENT", "client", ENDPOINT},
		{"SERVICE", "service.name", TEXT},
		{"ADDRESS", "serviceAddress", ENDPOINT},
		{"TARGET-VPC", "targetVpc.name", TEXT},
		{"SEEN-AS", "nat", ENDPOINT},
		{"TARGET", "target", ENDPOINT},
		{"AGE", "ageSeconds", SECONDS},
		{"IDLE", "idleSeconds", SECONDS},
		{"TO-TARGET", "bytesToTarget", BYTES},
		{"TO-CLIENT", "bytesToClient", BYTES},
		{"WORKER", "worker", NUMBER},
};

/* ---- drops: a row a reason and VPC ----------------------------------------------------------- */

static const struct lathctl_column drop_columns[] = {
		{"REASON", "reason", TEXT},
		{"VPC", "vpc", TEXT},
		{"PACKETS", "packets", NUMBER},
		{"MEANING", "help", TEXT},
};

static json_t *
drop_rows(const json_t *list)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *reason = json_array_get(list, i);
		const json_t *shares = json_object_get(reason, "vpcs");

		for (size_t j = 0; j < json_array_size(shares) || j == 0; j++) {
			const json_t *share = json_array_get(shares, j);
			json_t *row = json_copy(reason);

			if (share != NULL) {
				json_object_set_new(row, "vpc",
						json_string(lathctl_text_at(share, "vpc.name")));
				json_object_set_new(row, "packets",
						json_integer((json_int_t)lathctl_u64_at(share,
								"packets")));
			}
			json_array_append_new(rows, row);
		}
	}
	return rows;
}

/* ---- workers ------------------------------------------------------------------------------- */

static const struct lathctl_column worker_columns[] = {
		{"WORKER", "worker", NUMBER},
		{"CORE", "core", NUMBER},
		{"BUSY", "busyPermille", PERMILLE},
		{"RECEIVED", "packets.received", NUMBER},
		{"SENT", "packets.sent", NUMBER},
		{"CONSUMED", "packets.consumed", NUMBER},
		{"DROPPED", "packets.dropped", NUMBER},
		{"IN", "packets.handedIn", NUMBER},
		{"OUT", "packets.handedOut", NUMBER},
		{"HELD", "packets.held", NUMBER},
		{"IMBALANCE", "packets.imbalance", NUMBER},
		{"FLOWS", "flows.ipv4", NUMBER},
		{"OF", "flows.ipv4Capacity", NUMBER},
		{"MIXED", "flows.mixed", NUMBER},
		{"OF", "flows.mixedCapacity", NUMBER},
		{"SILENT-MS", "silentMs", NUMBER},
};

/* Why packets went to another worker. */
static void
worker_tail(const json_t *result)
{
	const json_t *workers = json_object_get(result, "workers");
	const char *gap = "\n";

	for (size_t i = 0; i < json_array_size(workers); i++) {
		const json_t *worker = json_array_get(workers, i);
		json_t *causes = json_object_get(json_object_get(worker, "packets"), "handover");
		const char *cause;
		json_t *count;

		if (lathctl_u64_at(worker, "packets.handedOut") == 0)
			continue;
		printf("%sworker %" PRIu64 " handed over:", gap, lathctl_u64_at(worker, "worker"));
		gap = "";
		json_object_foreach(causes, cause, count)
			printf(" %s %" JSON_INTEGER_FORMAT, cause, json_integer_value(count));
		printf("; NICs were wrong %" PRIu64 " times\n",
				lathctl_u64_at(worker, "packets.rxWrongLcore"));
	}
}

/* ---- ports --------------------------------------------------------------------------------- */

static const struct lathctl_column port_columns[] = {
		{"PORT", "name", TEXT},
		{"DRIVER", "driver", TEXT},
		{"LINK", "linkUp", LINK},
		{"MBPS", "linkMbps", NUMBER},
		{"CHANGES", "linkChanges", NUMBER},
		{"MTU", "mtuBytes", NUMBER},
		{"MAC", "mac", TEXT},
		{"RX", "stats.rxPackets", NUMBER},
		{"RX-BYTES", "stats.rxBytes", BYTES},
		{"TX", "stats.txPackets", NUMBER},
		{"TX-BYTES", "stats.txBytes", BYTES},
		{"MISSED", "stats.rxMissed", NUMBER},
		{"RX-ERR", "stats.rxErrors", NUMBER},
		{"TX-ERR", "stats.txErrors", NUMBER},
		{"STEERING", "steering", TEXT},
		{"BECAUSE", "steeringReason", TEXT},
		{"OFFLOADS", "offloads", LIST},
};

static void
ports_tail(const json_t *result)
{
	(void)result;
	puts("\nOFFLOADS: what the port does for the gateway; nothing is wrong without.");
	puts("Checksums of sent packets are never its work: what was damaged stays visible.");
}

/* ---- neighbors, and the addresses we hold ---------------------------------------------------- */

static const struct lathctl_column neighbor_columns[] = {
		{"VPC", "vpc.name", TEXT},
		{"ATTACHMENT", "attachment", TEXT},
		{"ADDRESS", "address", TEXT},
		{"MAC", "mac", TEXT},
		{"STATE", "state", TEXT},
		{"CONFIGURED", "pinned", MARK},
		{"AGE", "ageSeconds", SECONDS},
};

static void
neighbor_tail(const json_t *result)
{
	const json_t *claims = json_object_get(result, "claims");
	struct lathctl_table *table;

	if (json_array_size(claims) == 0)
		return;
	puts("\naddresses that the gateway answers for:");
	table = lathctl_table_create(5);
	lathctl_table_column(table, 0, "VPC", false);
	lathctl_table_column(table, 1, "ATTACHMENT", false);
	lathctl_table_column(table, 2, "ADDRESS", false);
	lathctl_table_column(table, 3, "STATE", false);
	lathctl_table_column(table, 4, "ALSO-USED-BY", false);
	for (size_t i = 0; i < json_array_size(claims); i++) {
		const json_t *claim = json_array_get(claims, i);

		lathctl_table_cell(table, lathctl_text_at(claim, "vpc.name"));
		lathctl_table_cell(table, lathctl_text_at(claim, "attachment"));
		lathctl_table_cell(table, lathctl_text_at(claim, "address"));
		lathctl_table_cell(table, lathctl_text_at(claim, "state"));
		lathctl_table_cell(table, lathctl_text_at(claim, "theirs"));
	}
	lathctl_table_print(table, stdout);
	lathctl_table_free(table);
}

/* ---- nat ----------------------------------------------------------------------------------- */

static const struct lathctl_column pool_columns[] = {
		{"VPC", "vpc.name", TEXT},
		{"ALLOW-SOURCES", "allowSources", LIST},
		{"FROM", "from", TEXT},
		{"ADDRESSES", "addresses", NUMBER},
		{"IPV6", "ipv6Addresses", NUMBER},
		{"FLOWS", "flows", NUMBER},
		{"MAX-PER-TARGET", "flowsPerTargetMax", NUMBER},
		{"FULLEST", "fullestTarget", ENDPOINT},
		{"USED", "fullestTarget.usedPermille", PERMILLE},
};

static void
print_routes(const json_t *pool)
{
	const json_t *routes = json_object_get(pool, "routesToAdd");

	for (size_t i = 0; i < json_array_size(routes); i++) {
		const json_t *route = json_array_get(routes, i);
		const json_t *hops = json_object_get(route, "nextHops");

		printf("route to add in VPC %s: %s via ", lathctl_text_at(pool, "vpc.name"),
				lathctl_text_at(route, "prefix"));
		for (size_t j = 0; j < json_array_size(hops); j++)
			printf("%s%s", j == 0 ? "" : " or ",
					json_string_value(json_array_get(hops, j)));
		printf(" (%s)\n", lathctl_text_at(route, "reason"));
	}
}

static void
nat_tail(const json_t *result)
{
	const json_t *pools = json_object_get(result, "pools");
	const json_t *workers = json_object_get(result, "workers");

	puts("\nALLOW-SOURCES: what targets see, so what their firewalls must let in.");
	for (size_t i = 0; i < json_array_size(pools); i++)
		print_routes(json_array_get(pools, i));
	for (size_t i = 0; i < json_array_size(workers); i++) {
		const json_t *worker = json_array_get(workers, i);

		printf("worker %" PRIu64 ": %" PRIu64 " of %" PRIu64
		       " ports of each address and target; pools %" PRIu64 ", resting %" PRIu64
		       ", reused early %" PRIu64 ", refused %" PRIu64 "\n",
				lathctl_u64_at(worker, "worker"),
				lathctl_u64_at(worker, "portsPerPool"),
				lathctl_u64_at(result, "portsPerAddress"),
				lathctl_u64_at(worker, "pools"),
				lathctl_u64_at(worker, "portsResting"),
				lathctl_u64_at(worker, "portsReusedEarly"),
				lathctl_u64_at(worker, "exhausted"));
	}
}

#define VIEW(name, method_name, list_name, column_list, nothing, make_rows, print_tail) \
	static const struct lathctl_view name = {                                       \
			.method = method_name,                                          \
			.list = list_name,                                              \
			.columns = column_list,                                         \
			.column_count = LATH_ARRAY_SIZE(column_list),                   \
			.empty = nothing,                                               \
			.rows = make_rows,                                              \
			.tail = print_tail,                                             \
	}

/* clang-format off */
VIEW(drops_view, "show.drops", "reasons", drop_columns, "nothing was dropped", drop_rows, NULL);
VIEW(flows_view, "show.flows", "flows", flow_columns, "no flows", NULL, NULL);
VIEW(nat_view, "show.nat", "pools", pool_columns, "no VPCs", NULL, nat_tail);
VIEW(neighbors_view, "show.neighbors", "neighbors", neighbor_columns, "no neighbors", NULL, neighbor_tail);
VIEW(ports_view, "show.ports", "ports", port_columns, "no ports", NULL, ports_tail);
VIEW(services_view, "show.services", "services", service_columns, "no services", service_rows, NULL);
VIEW(targets_view, "show.targets", "targets", target_columns, "no targets", NULL, NULL);
VIEW(vpcs_view, "show.vpcs", "vpcs", vpc_columns, "no VPCs", vpc_rows, NULL);
VIEW(workers_view, "show.workers", "workers", worker_columns, "no workers", NULL, worker_tail);

#define OPTION_VPC {"vpc", "vpc", "VPC", false, "only of this VPC: name, id or ARN"}
#define OPTION_SERVICE {"service", "service", "SERVICE", false, "only of this service: name, id or ARN"}
#define OPTION_TARGET {"target", "target", "TARGET", false, "only of this target: [GROUP/]ADDRESS[:PORT]"}
#define OPTION_ALL(text) {"all", "all", NULL, false, text}
/* clang-format on */

static const struct lathctl_option drops_options[] = {
		OPTION_VPC,
		OPTION_ALL("reasons that never happened, too"),
};

static const struct lathctl_option flows_options[] = {
		OPTION_VPC,
		OPTION_SERVICE,
		OPTION_TARGET,
		{"client", "client", "ADDRESS", false, "only of this client"},
		{"client-port", "clientPort", "PORT", true, "only from this port of the client"},
		{"nat", "natAddress", "ADDRESS", false, "only what targets see from this address"},
		{"limit", "limit", "N", true, "at most so many, default 100"},
		OPTION_ALL("the gateway's own health checks, too"),
};

static const struct lathctl_option vpc_option[] = {
		OPTION_VPC,
};

static const struct lathctl_option services_options[] = {
		{"vpc", "vpc", "VPC", false, "only what this VPC sees: name, id or ARN"},
		OPTION_SERVICE,
};

static const struct lathctl_option targets_options[] = {
		OPTION_VPC,
		OPTION_SERVICE,
		OPTION_TARGET,
		OPTION_ALL("those that are gone, too"),
};

static const struct lathctl_option vpcs_options[] = {
		OPTION_VPC,
		OPTION_ALL("the host port's, too"),
};

#define SHOW(name, options, help)                                                       \
	{                                                                               \
#name, "", help, options, LATH_ARRAY_SIZE(options), 0, 0, lathctl_show, \
				&name##_view                                            \
	}
#define SHOW_PLAIN(name, help)                                             \
	{                                                                  \
#name, "", help, NULL, 0, 0, 0, lathctl_show, &name##_view \
	}

const struct lathctl_command lathctl_shows[] = {
		{"config", "", "The configuration that runs, as one file that can be loaded", NULL,
				0, 0, 0, lathctl_run_config, ""},
		SHOW(drops, drops_options, "Dropped packets by reason and VPC"),
		SHOW(flows, flows_options, "Connections and exchanges, from client to target"),
		SHOW(nat, vpc_option, "What targets see as source, how full it is, routes to add"),
		SHOW(neighbors, vpc_option,
				"Next hops and their MACs, and addresses we answer for"),
		SHOW_PLAIN(ports, "Ports, links, steering, offloads"),
		SHOW(services, services_options, "Services, their listeners and who sees them"),
		SHOW(targets, targets_options, "Targets, their health and load"),
		SHOW(vpcs, vpcs_options, "VPCs and how they are attached"),
		SHOW_PLAIN(workers, "Workers: packets, flows, load, conservation"),
};

const unsigned lathctl_show_count = LATH_ARRAY_SIZE(lathctl_shows);
