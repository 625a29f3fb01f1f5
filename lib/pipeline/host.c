/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * First packets from the host port: the gateway's own sockets, to hostPrefix with the VPC's number
 * and an IPv4 address inside, or with the index of an IPv6 target. Default deny: only registered
 * check addresses may be opened.
 */

#include "pipeline_private.h"

/* Whom the address stands for. */
static bool
find_end(const struct lath_model *model, const uint8_t dst[16], struct admission *a)
{
	const struct lath_model_target *target;
	lath_be32_t ip_be;
	uint32_t index;

	if (lath_hostaddr_parse_target(&model->host_prefix, dst, &index)) {
		target = index < model->target_count ? model->targets[index] : NULL;
		if (target == NULL)
			return false;
		a->target_ip = target->check_ip;
		a->target_vpc = target->vpc;
	} else if (lath_hostaddr_parse(&model->host_prefix, dst, &a->target_vpc, &ip_be)) {
		a->target_ip = lath_ip_from_v4_be(ip_be);
	} else {
		return false;
	}
	return a->target_vpc < model->vpc_count && model->vpcs[a->target_vpc] != NULL;
}

lath_flow_ref_t
lath_admit_host(struct lath_worker *w, struct rte_mbuf *m)
{
	const struct lath_packet *pkt = packet_of(m);
	struct lath_ip kernel = lath_hostaddr_kernel(&w->model->host_prefix);
	struct admission a = {.is_probe = true};
	lath_flow_ref_t ref;
	enum lath_drop reason;
	bool allowed;

	allowed = lath_tcp_is_opening(pkt->tcp_flags) &&
			memcmp(pkt->key6.src, kernel.bytes, sizeof(kernel.bytes)) == 0 &&
			find_end(w->model, pkt->key6.dst, &a);
	if (allowed) {
		a.target_port_be = pkt->key6.dst_port_be;
		allowed = lath_model_probe_allowed(w->model, a.target_vpc, &a.target_ip,
				lath_from_be16(a.target_port_be));
	}
	if (!allowed) {
		drop(w, m, lath_packet_vpc(pkt), LATH_DROP_host_noise);
		return LATH_FLOW_NONE;
	}
	reason = lath_adopt(w, m, &a, &ref);
	if (reason != LATH_DROP_NONE) {
		drop(w, m, lath_packet_vpc(pkt), reason);
		return LATH_FLOW_NONE;
	}
	return ref;
}
