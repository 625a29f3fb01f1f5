/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Building of results. Out of memory, jansson's functions return NULL or -1 and leave the rest as
 * it is: a member would be missing. That is taken as it comes, for a daemon that cannot get a few
 * bytes has told its operator already.
 */

#include <stdio.h>

#include "admin_private.h"

void
lath_admin_put(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value); /* See above. */
}

void
lath_admin_put_text(json_t *object, const char *key, const char *text)
{
	lath_admin_put(object, key, lath_rpc_text(text));
}

void
lath_admin_put_u64(json_t *object, const char *key, uint64_t value)
{
	lath_admin_put(object, key, json_integer((json_int_t)value));
}

void
lath_admin_put_bool(json_t *object, const char *key, bool value)
{
	lath_admin_put(object, key, json_boolean(value));
}

void
lath_admin_put_ip(json_t *object, const char *key, const struct lath_ip *ip)
{
	char text[LATH_IP_TEXT_MAX];

	if (ip->family == LATH_FAMILY_NONE)
		lath_admin_put(object, key, json_null());
	else
		lath_admin_put_text(object, key, lath_ip_format(ip, text));
}

void
lath_admin_put_mac(json_t *object, const char *key, const struct lath_mac *mac)
{
	char text[LATH_MAC_TEXT_MAX];

	lath_admin_put_text(object, key, lath_mac_format(mac, text));
}

void
lath_admin_append(json_t *array, json_t *value)
{
	(void)json_array_append_new(array, value); /* See above. */
}

json_t *
lath_admin_prefix(const struct lath_prefix *prefix)
{
	char text[LATH_PREFIX_TEXT_MAX];

	return json_string(lath_prefix_format(prefix, text));
}

json_t *
lath_admin_prefixes(const struct lath_prefix *prefixes, uint32_t count)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < count; i++)
		lath_admin_append(array, lath_admin_prefix(&prefixes[i]));
	return array;
}

json_t *
lath_admin_list(const char *key, json_t *array, uint32_t at)
{
	json_t *result = json_object();
	char text[16];

	lath_admin_put(result, key, array);
	if (at != LATH_MODEL_NONE) {
		snprintf(text, sizeof(text), "%u", at);
		lath_admin_put_text(result, "next", text);
	}
	return result;
}

uint64_t
lath_admin_flows(const struct lath_control *control, enum lath_object_kind kind, uint32_t index)
{
	uint32_t workers = lath_control_plane(control)->worker_count;
	uint64_t flows = 0;

	for (uint32_t w = 0; w < workers; w++) {
		const struct lath_counters *counters = lath_control_counters(control, w);

		if (index < counters->rows[kind])
			flows += counters->objects[kind][index].flows;
	}
	return flows;
}

void
lath_admin_put_object_counters(json_t *object, const struct lath_control *control,
		enum lath_object_kind kind, uint32_t index)
{
	uint32_t workers = lath_control_plane(control)->worker_count;
	struct lath_object_counters sum = {0};

	for (uint32_t w = 0; w < workers; w++) {
		const struct lath_counters *counters = lath_control_counters(control, w);
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
	lath_admin_put_u64(object, "flows", sum.flows);
	lath_admin_put_u64(object, "flowsTotal", sum.flows_total);
	/* Of ended flows: a living one's are in show.flows. */
	lath_admin_put_u64(object, "packetsToTarget", sum.packets_total[0]);
	lath_admin_put_u64(object, "packetsToClient", sum.packets_total[1]);
	lath_admin_put_u64(object, "bytesToTarget", sum.bytes_total[0]);
	lath_admin_put_u64(object, "bytesToClient", sum.bytes_total[1]);
}
