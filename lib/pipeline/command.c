/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* What management asks for, a bounded number a turn. */

#include "pipeline_private.h"

/* In a tunnel nothing is padded. */
#define ARP_FRAME (sizeof(struct lath_eth_hdr) + sizeof(struct lath_arp_hdr))

static void
send_arp(struct lath_worker *w, const struct lath_command *command)
{
	const struct lath_model_attachment *attachment = command->attachment <
					w->model->attachment_count
			? w->model->attachments[command->attachment]
			: NULL;
	uint8_t frame[LATH_CRAFT_ARP_MAX];
	struct lath_craft_arp arp;
	struct lath_ip target;
	struct rte_mbuf *m;
	uint32_t len;

	if (attachment == NULL)
		return;
	arp = (struct lath_craft_arp){
			.op = LATH_ARP_REQUEST,
			.outer_vlan = attachment->outer_vlan,
			.vlan = attachment->tunnel == LATH_CONFIG_TUNNEL_NONE ? attachment->vlan
									      : 0,
			.eth_dst = command->arp.dst,
			.sender_mac = w->plane->gateway_mac[attachment->port],
			.sender_ip_be = command->arp.sender_ip_be,
			.target_ip_be = command->arp.target_ip_be,
	};
	if (attachment->tunnel != LATH_CONFIG_TUNNEL_NONE) {
		target = lath_ip_from_v4_be(arp.target_ip_be);
		lath_craft_arp(frame, &arp);
		lath_tunnel_say(w, attachment, &target, frame, ARP_FRAME,
				LATH_GENERATED_ARP_REQUEST);
		return;
	}
	m = rte_pktmbuf_alloc(w->plane->pool);
	if (m == NULL)
		return; /* nothing was generated; management asks again */
	len = lath_craft_arp(frame_of(m), &arp);
	rte_pktmbuf_append(m, (uint16_t)len);
	*packet_of(m) = (struct lath_packet){.attachment = command->attachment};
	lath_transmit_generated(w, m, attachment->port, LATH_GENERATED_ARP_REQUEST);
}

static void
run(struct lath_worker *w, const struct lath_command *command)
{
	switch ((enum lath_command_type)command->type) {
	case LATH_COMMAND_NEIGHBOR_SET:
		lath_nexthop_set(w, command->attachment, &command->neighbor.ip,
				&command->neighbor.mac);
		break;
	case LATH_COMMAND_NEIGHBOR_LOST:
		lath_nexthop_lost(w, command->attachment, &command->neighbor.ip);
		break;
	case LATH_COMMAND_ARP:
		send_arp(w, command);
		break;
	case LATH_COMMAND_DISCOVERY:
		lath_discovery_send(w, command);
		break;
	case LATH_COMMAND_BUDGET:
		/* A burst of 200 ms' worth: clients come in bursts, and a share of a few a second
		 * could not be spent at all otherwise.
		 */
		lath_bucket_set_rate(&w->refusals[command->budget.vpc].bucket,
				command->budget.refusals_per_second,
				command->budget.refusals_per_second / 5 + 1, w->now);
		break;
	case LATH_COMMAND_ROWS:
		lath_rows_begin(w, command);
		break;
	case LATH_COMMAND_TYPE_COUNT:
		break;
	}
}

void
lath_commands_run(struct lath_worker *w)
{
	struct lath_command command;

	for (unsigned i = 0; i < COMMANDS_PER_TURN; i++) {
		if (!lath_mailbox_receive(w->commands, &command))
			return;
		run(w, &command);
	}
}

void
lath_event_send(struct lath_worker *w, const struct lath_event *event)
{
	if (lath_mailbox_send(w->events, event))
		w->counters->worker.punts++;
	else
		w->counters->worker.punts_lost++;
}
