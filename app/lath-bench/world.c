/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIXED_FLOWS 1024u
#define PORTS_A_POOL 64512u
#define TARGETS_MAX_LEAST 16384u

/* Twice the source ports that a service's flows need, so that clients spread unevenly do not
 * matter; each worker has its part of them. No more addresses than that: each makes a port pool of
 * its own with each target.
 */
static unsigned
nat_prefix_bits(const struct rig *rig)
{
	uint64_t ports = 2ull * rig->flow_count * rig->plan.workers / rig->plan.services;
	unsigned bits = 32;

	while ((uint64_t)PORTS_A_POOL << (32 - bits) < ports)
		bits--;
	return bits;
}

static void
put_system(FILE *out, const struct rig *rig)
{
	uint32_t services = lath_max_u32(rig->plan.services, 4096);

	fprintf(out,
			"\"system\": {\"ports\": [{\"name\": \"left\", \"device\": "
			"\"net_ring_left\"},"
			" {\"name\": \"right\", \"device\": \"net_ring_right\"}],"
			" \"workers\": {\"count\": %u, \"allowSharedCores\": true},",
			rig->plan.workers);
	fprintf(out,
			"\"memory\": {\"flowsPerWorker\": %u, \"mixedFlowsPerWorker\": %u,"
			" \"hugepages\": %s, \"maxVpcs\": %u, \"maxServices\": %u, \"maxTargets\": "
			"%u},",
			rig->capacity, MIXED_FLOWS, rig->options->hugepages ? "true" : "false",
			VPCS_MAX + 2, services,
			lath_max_u32(services * TARGET_COUNT, TARGETS_MAX_LEAST));
	fprintf(out, "\"hostPort\": {\"enabled\": false}},");
}

/* Established and answered flows outlive every run; MAC addresses stay valid for an hour of the
 * simulated time, so that hardly a lap is interrupted by ARP.
 */
static void
put_timeouts(FILE *out, const struct rig *rig)
{
	fprintf(out,
			"\"timeouts\": {\"tcpHalfOpenSeconds\": %u, \"tcpClosingSeconds\": %u,"
			" \"udpUnansweredSeconds\": %u, \"udpSeconds\": 86400,"
			" \"tcpEstablishedSeconds\": 864000, \"neighborSeconds\": 3600,"
			" \"portRestSeconds\": 2, \"portRestTimeWaitSeconds\": %u},",
			rig->timeout_s, rig->timeout_s, rig->timeout_s,
			lath_max_u32(rig->timeout_s / 4, 2));
}

static void
put_vpcs(FILE *out, const struct rig *rig)
{
	fprintf(out, "\"vpcs\": [");
	for (unsigned vpc = 0; vpc < rig->plan.vpcs; vpc++) {
		fprintf(out,
				"{\"name\": \"blue-%u\", \"prefixes\": [\"10.0.0.0/8\"],"
				" \"attachments\": [{\"port\": \"left\", ",
				vpc);
		if (world_vlan(rig, vpc) != 0)
			fprintf(out, "\"vlan\": %u, ", world_vlan(rig, vpc));
		fprintf(out,
				"\"mtu\": 9600, \"addresses\": [\"10.255.0.1/24\"]}], \"routes\":"
				" [{\"prefix\": \"10.0.0.0/8\", \"nextHop\": \"10.255.0.2\"}]},");
	}
	fprintf(out,
			"{\"name\": \"red\", \"prefixes\": [\"10.0.0.0/8\"],"
			" \"natPool\": [\"10.254.0.0/%u\"],"
			" \"attachments\": [{\"port\": \"right\", \"mtu\": 9600,"
			"  \"addresses\": [\"10.255.0.1/24\"]}],"
			" \"routes\": [{\"prefix\": \"10.0.0.0/8\", \"nextHop\": "
			"\"10.255.0.2\"}]}],",
			nat_prefix_bits(rig));
	fprintf(out, "\"serviceNetworks\": [{\"name\": \"main\"}], \"vpcAssociations\": [");
	for (unsigned vpc = 0; vpc < rig->plan.vpcs; vpc++)
		fprintf(out,
				"%s{\"serviceNetworkIdentifier\": \"main\","
				" \"vpcIdentifier\": \"blue-%u\"}",
				vpc == 0 ? "" : ",", vpc);
	fprintf(out, "],");
}

static void
put_forward(FILE *out, unsigned service)
{
	fprintf(out, "{\"forward\": {\"targetGroups\": [{\"targetGroupIdentifier\": \"web-%u\"}]}}",
			service);
}

static void
put_services(FILE *out, const struct rig *rig, const char *proto, bool right)
{
	fprintf(out, "\"serviceAssociations\": [");
	for (unsigned s = 0; s < rig->plan.services; s++)
		fprintf(out,
				"%s{\"serviceNetworkIdentifier\": \"main\","
				" \"serviceIdentifier\": \"web-%u\"}",
				s == 0 ? "" : ",", s);
	fprintf(out, "], \"services\": [");
	for (unsigned s = 0; s < rig->plan.services; s++) {
		uint32_t ip = SERVICE_BASE + s;

		fprintf(out,
				"%s{\"name\": \"web-%u\", \"addresses\": [\"%u.%u.%u.%u\"],"
				" \"listeners\": [{\"name\": \"front\", \"protocol\": \"%s\","
				" \"port\": %u,",
				s == 0 ? "" : ",", s, ip >> 24, ip >> 16 & 255, ip >> 8 & 255,
				ip & 255, proto, SERVICE_PORT);
		if (s == 0 && rig->plan.spare_right) {
			fprintf(out,
					"\"rules\": [{\"name\": \"spare\", \"priority\": 1, "
					"\"match\":"
					" {\"sourcePrefixes\": [\"10.9.0.0/16\"%s]}, \"action\": ",
					right ? ", \"10.8.0.0/16\"" : "");
			put_forward(out, s);
			fprintf(out, "}],");
		}
		fprintf(out, "\"defaultAction\": ");
		put_forward(out, s);
		fprintf(out, "}]}");
	}
	fprintf(out, "],");
}

static void
put_groups(FILE *out, const struct rig *rig, const char *proto)
{
	fprintf(out, "\"targetGroups\": [");
	for (unsigned s = 0; s < rig->plan.services; s++) {
		fprintf(out,
				"%s{\"name\": \"web-%u\", \"config\": {\"protocol\": \"%s\","
				" \"port\": %u, \"vpcIdentifier\": \"red\","
				" \"healthCheck\": {\"enabled\": false}}, \"targets\": [",
				s == 0 ? "" : ",", s, proto, TARGET_PORT_BASE + s);
		for (unsigned t = 0; t < TARGET_COUNT; t++)
			fprintf(out, "%s{\"id\": \"10.0.0.%u\"}", t == 0 ? "" : ",",
					(TARGET_BASE & 255) + t);
		fprintf(out, "]}");
	}
	fprintf(out, "]");
}

struct lath_config *
world_config(const struct rig *rig, bool right)
{
	const char *proto = rig->proto == LATH_PROTO_TCP ? "TCP" : "UDP";
	struct lath_error err = {0};
	struct lath_config *cfg;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	char why[1200];

	if (out == NULL)
		rig_die("no memory for a configuration");
	fprintf(out, "{\"formatVersion\": 1,");
	put_system(out, rig);
	put_timeouts(out, rig);
	put_vpcs(out, rig);
	put_services(out, rig, proto, right);
	put_groups(out, rig, proto);
	fprintf(out, "}");
	if (fclose(out) != 0)
		rig_die("no memory for a configuration");
	cfg = lath_config_parse(text, len, "lath-bench", &err);
	free(text);
	if (cfg == NULL) {
		lath_error_format(&err, why, sizeof(why));
		rig_die("%s", why);
	}
	cfg->system.state_directory[0] = '\0'; /* nothing is kept */
	return cfg;
}
