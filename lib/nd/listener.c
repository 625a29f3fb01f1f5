/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Multicast listener reports (RFC 3810), so that switches that snoop bring solicitations here. Both
 * messages have a hop-by-hop header with a router alert (RFC 2711) in front.
 *
 * LIMIT: a querier of version 1 alone (RFC 2710) does not count reports of version 2.
 */

#include "nd_private.h"

#define HOP_BY_HOP 0
#define HOP_BY_HOP_LEN 8u
#define QUERY 130
#define REPORT 143
#define CHANGE_TO_EXCLUDE 4 /* of nothing: everything sent to the group */
#define QUERY_LEN_MIN 24u   /* RFC 3810 section 8.1: 24 is version 1's */

/* Next header ICMPv6; router alert 0; two bytes of padding. */
static const uint8_t router_alert[HOP_BY_HOP_LEN] = {LATH_PROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0};

struct nd_report {
	struct nd_icmp icmp;
	lath_be16_t reserved_be;
	lath_be16_t records_be;
	uint8_t record_type;
	uint8_t auxiliary_len;
	lath_be16_t sources_be;
	uint8_t group[16];
} LATH_PACKED;

_Static_assert(sizeof(struct nd_report) == 28, "RFC 3810 section 5.2, one record");

/* True when one of the options is a router alert. */
static bool
has_router_alert(const uint8_t *options, uint32_t len)
{
	for (uint32_t at = 0; at < len;) {
		if (options[at] == 0) { /* Pad1 */
			at++;
			continue;
		}
		if (len - at < 2 || options[at + 1] > len - at - 2)
			return false;
		if (options[at] == 5)
			return options[at + 1] == 2;
		at += 2u + options[at + 1];
	}
	return false;
}

bool
lath_nd_is_query(const uint8_t *ip, uint32_t len)
{
	const struct lath_ipv6_hdr *hdr = (const void *)ip;
	const uint8_t *options = ip + sizeof(*hdr);
	struct lath_ip src;
	uint32_t payload;
	uint32_t front;

	if (len < sizeof(*hdr) + HOP_BY_HOP_LEN || ip[0] >> 4 != 6 ||
			hdr->next_header != HOP_BY_HOP || hdr->hop_limit != 1 ||
			options[0] != LATH_PROTO_ICMPV6)
		return false;
	src = lath_ip_from_v6(hdr->src);
	payload = lath_from_be16(hdr->payload_len_be);
	front = (options[1] + 1u) * HOP_BY_HOP_LEN;
	if (!lath_nd_is_link_local(&src) || payload > len - sizeof(*hdr) ||
			payload < front + QUERY_LEN_MIN || options[front] != QUERY)
		return false;
	return has_router_alert(options + 2, front - 2) &&
			lath_cksum_l4_v6(hdr, LATH_PROTO_ICMPV6, options + front,
					payload - front) == 0;
}

uint32_t
lath_nd_make_report(uint8_t *frame, const struct lath_mac *mac, const struct lath_ip *src,
		const struct lath_ip *group)
{
	static const uint8_t routers[16] = {0xff, 2, [15] = 0x16};
	struct lath_ip dst = lath_ip_from_v6(routers);
	struct lath_mac eth_dst = lath_nd_group_mac(&dst);
	struct lath_ipv6_hdr *ip = lath_nd_begin(frame, 0, &eth_dst, mac, src, &dst);
	struct nd_report *report = (void *)((uint8_t *)(ip + 1) + HOP_BY_HOP_LEN);
	uint16_t cksum;

	memcpy(ip + 1, router_alert, HOP_BY_HOP_LEN);
	*report = (struct nd_report){
			.icmp.type = REPORT,
			.records_be = lath_to_be16(1),
			.record_type = CHANGE_TO_EXCLUDE,
	};
	memcpy(report->group, group->bytes, 16);
	ip->next_header = HOP_BY_HOP;
	ip->hop_limit = 1;
	ip->payload_len_be = lath_to_be16(HOP_BY_HOP_LEN + sizeof(*report));
	cksum = lath_cksum_l4_v6(ip, LATH_PROTO_ICMPV6, report, sizeof(*report));
	memcpy(&report->icmp.cksum_be, &cksum, sizeof(cksum));
	return (uint32_t)((uint8_t *)(report + 1) - frame);
}
