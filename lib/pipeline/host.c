/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * First packets from the host port: the gateway's own sockets, to hostPrefix with the VPC's number
 * and an IPv4 address inside. Default deny: only registered check addresses may be opened.
 */

#include "pipeline_private.h"

lath_flow_ref_t
lath_admit_host(struct lath_worker *w, struct rte_mbuf *m)
{
	const struct lath_packet *pkt = packet_of(m);
	struct lath_ip kernel = lath_hostaddr_kernel(&w->model->host_prefix);
	struct admission a = {.is_probe = true};
	lath_be32_t target_be;
	lath_flow_ref_t ref;
	enum lath_drop reason;
	bool allowed;

	allowed = lath_tcp_is_opening(pkt->tcp_flags) &&
			memcmp(pkt->key6.src, kernel.bytes, sizeof(kernel.bytes)) == 0 &&
			lath_hostaddr_parse(&w->model->host_prefix, pkt->key6.dst, &a.target_vpc,
					&target_be) &&
			a.target_vpc < w->model->vpc_count && w->model->vpcs[a.target_vpc] != NULL;
	if (allowed) {
		a.target_ip = lath_ip_from_v4_be(target_be);
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
