/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Between the workers and the neighbour resolver: events up, commands down. */

#include <lath_log.h>

#include "control_private.h"

LATH_LOG_REGISTER(control);

/* Worker 0 has a transmit queue of every port. */
#define FRAME_WORKER 0u

static void
to_all(struct lath_control *control, const struct lath_command *command)
{
	for (uint32_t w = 0; w < control->options.plane->worker_count; w++)
		lath_control_send(control, w, command);
}

static struct lath_command
arp_command(const struct lath_ip *sender, const struct lath_ip *target, const struct lath_mac *dst)
{
	static const struct lath_mac broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

	/* Sender address and destination say what kind it is. */
	return (struct lath_command){
			.type = LATH_COMMAND_ARP,
			.arp = {lath_ip_v4_be(sender), lath_ip_v4_be(target),
					dst == NULL ? broadcast : *dst},
	};
}

static struct lath_command
discovery_command(enum lath_neigh_message kind, const struct lath_ip *sender,
		const struct lath_ip *target, const struct lath_mac *dst)
{
	struct lath_command command = {
			.type = LATH_COMMAND_DISCOVERY,
			.discovery = {.src = *sender, .target = *target, .to_one = dst != NULL},
	};

	command.discovery.type = kind == LATH_NEIGH_ANNOUNCE ? LATH_ND_NEIGHBOR_ADVERTISEMENT
							     : LATH_ND_NEIGHBOR_SOLICITATION;
	if (kind == LATH_NEIGH_LISTEN)
		command.discovery.type = 0;
	if (dst != NULL)
		command.discovery.eth_dst = *dst;
	return command;
}

static void
on_send(void *ctx, uint32_t attachment, enum lath_neigh_message kind, const struct lath_ip *sender,
		const struct lath_ip *target, const struct lath_mac *dst)
{
	struct lath_command command = lath_ip_is_v4(target)
			? arp_command(sender, target, dst)
			: discovery_command(kind, sender, target, dst);

	command.attachment = attachment;
	lath_control_send(ctx, FRAME_WORKER, &command);
}

static void
on_resolved(void *ctx, uint32_t attachment, const struct lath_ip *ip, const struct lath_mac *mac)
{
	struct lath_command command = {
			.type = LATH_COMMAND_NEIGHBOR_SET,
			.attachment = attachment,
			.neighbor = {*ip, *mac},
	};

	to_all(ctx, &command);
}

static void
on_lost(void *ctx, uint32_t attachment, const struct lath_ip *ip)
{
	struct lath_command command = {
			.type = LATH_COMMAND_NEIGHBOR_LOST,
			.attachment = attachment,
			.neighbor = {.ip = *ip},
	};

	to_all(ctx, &command);
}

static void
on_conflict(void *ctx, uint32_t attachment_idx, const struct lath_ip *ip,
		const struct lath_mac *theirs)
{
	struct lath_control *control = ctx;
	const struct lath_model *model = control->models[control->first_node];
	const struct lath_model_attachment *attachment = model->attachments[attachment_idx];
	char ip_text[LATH_IP_TEXT_MAX];
	char ours_text[LATH_MAC_TEXT_MAX];
	char theirs_text[LATH_MAC_TEXT_MAX];

	control->status.conflicts++;
	if (attachment == NULL)
		return;
	LATH_LOG(WARNING, "somebody else has our address ip=%s attachment=%s ours=%s theirs=%s",
			lath_ip_format(ip, ip_text), attachment->name,
			lath_mac_format(&control->options.plane->gateway_mac[attachment->port],
					ours_text),
			lath_mac_format(theirs, theirs_text));
}

const struct lath_neigh_ops lath_control_neigh_ops = {
		.send = on_send,
		.resolved = on_resolved,
		.lost = on_lost,
		.conflict = on_conflict,
};

/* At most one line in ten seconds: what fills one pool often fills its neighbours. */
static void
log_nearly_full(struct lath_control *control, const struct lath_event *event)
{
	const struct lath_model *model = control->models[control->first_node];
	const struct lath_model_vpc *vpc = event->attachment < model->vpc_count
			? model->vpcs[event->attachment]
			: NULL;
	char nat[LATH_IP_TEXT_MAX];
	char target[LATH_IP_TEXT_MAX];

	if (vpc == NULL || !lath_tick_reached(control->now.tick, control->nat_quiet_until))
		return;
	control->nat_quiet_until = control->now.tick + lath_ticks_from_seconds(10);
	LATH_LOG(NOTICE,
			"four fifths of a worker's source ports to a target are in use: give the "
			"VPC "
			"more natPool addresses vpc=%s nat=%s target=%s:%u",
			vpc->name, lath_ip_format(&event->ip, nat),
			lath_ip_format(&event->target_ip, target), event->port);
}

static void
take_event(struct lath_control *control, const struct lath_event *event)
{
	lath_tick_t now = control->now.tick;

	switch ((enum lath_event_type)event->type) {
	case LATH_EVENT_NEIGHBOR_WANTED:
		lath_neigh_want(control->neigh, event->attachment, &event->ip, now);
		break;
	case LATH_EVENT_NEIGHBOR_USED:
		lath_neigh_used(control->neigh, event->attachment, &event->ip, now);
		break;
	case LATH_EVENT_ARP:
		lath_neigh_seen(control->neigh, event->attachment, &event->ip, &event->mac,
				&event->target_ip, event->is_reply != 0, now);
		break;
	case LATH_EVENT_QUERY:
		lath_neigh_query(control->neigh, event->attachment, now);
		break;
	case LATH_EVENT_DISCOVERY:
		lath_neigh_discovery(control->neigh, event->attachment, &event->discovery.message,
				&event->discovery.sender, now);
		break;
	case LATH_EVENT_WRONG_WORKER:
		lath_port_steer_in_software(&control->options.plane->ports[event->port],
				"16 packets in a row came to the wrong worker");
		break;
	case LATH_EVENT_NAT_NEARLY_FULL:
		log_nearly_full(control, event);
		break;
	case LATH_EVENT_TYPE_COUNT:
		break;
	}
}

unsigned
lath_control_events(struct lath_control *control)
{
	unsigned total = 0;

	for (uint32_t w = 0; w < control->options.plane->worker_count; w++) {
		struct lath_mailbox *events = lath_worker_events(control->options.workers[w]);
		struct lath_event event;
		unsigned n = 0;

		while (n < EVENTS_PER_TURN && lath_mailbox_receive(events, &event)) {
			take_event(control, &event);
			n++;
		}
		total += n;
	}
	return total;
}
