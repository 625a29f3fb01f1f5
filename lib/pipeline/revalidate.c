/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * A flow that is older than the model's generation: somebody lost something since. If it was not
 * this flow's service nor one of its VPCs the flow is only stamped. Else the one question is
 * whether it is still allowed; its target is never changed here, but that a UDP flow whose target
 * is better left ends, so that its next packet (this one) chooses again.
 */

#include "pipeline_private.h"

enum outcome {
	OUTCOME_STAYS,
	OUTCOME_REVOKED,
	OUTCOME_TERMINATED,
	OUTCOME_REPICK,
};

static struct flow_ends
ends_of(const struct lath_worker *w, lath_flow_ref_t ref)
{
	lath_flow_ref_t question = ref & ~(lath_flow_ref_t)LATH_FLOW_REVERSE;
	struct flow_end forward = lath_flow_end(w, question);
	struct flow_end reverse = lath_flow_end(w, question | LATH_FLOW_REVERSE);

	return (struct flow_ends){
			.client_vpc = forward.proto_vpc & LATH_KEY_VPC_MASK,
			.target_vpc = reverse.proto_vpc & LATH_KEY_VPC_MASK,
			.client = forward.src,
			.service = forward.dst,
			.nat = reverse.dst,
			.client_port = forward.src_port,
			.service_port = forward.dst_port,
			.nat_port = reverse.dst_port,
			.target_port = reverse.src_port,
			.proto = (uint8_t)(forward.proto_vpc >> 24),
	};
}

static bool
lost_since(const uint32_t *lost, uint32_t count, uint32_t index, uint32_t generation)
{
	return index < count && (int32_t)(lost[index] - generation) > 0;
}

/* True when the flow's service or one of its VPCs lost something after `generation`. */
static bool
is_touched(const struct lath_model *model, const struct lath_flow_tail *tail,
		const struct flow_ends *ends, uint32_t generation)
{
	for (unsigned kind = 0; kind < LATH_GENERATION_COUNT; kind++) {
		if (kind == LATH_GENERATION_PICK && ends->proto != LATH_PROTO_UDP)
			continue;
		if (lost_since(model->service_lost[kind], model->service_count, tail->service,
				    generation))
			return true;
	}
	return lost_since(model->vpc_lost, model->vpc_count, ends->client_vpc, generation) ||
			lost_since(model->vpc_lost, model->vpc_count, ends->target_vpc, generation);
}

static const struct lath_model_target *
target_of(const struct lath_model *model, const struct lath_flow_tail *tail)
{
	return tail->target < model->target_count ? model->targets[tail->target] : NULL;
}

static enum outcome
judge_target(const struct lath_model *model, const struct lath_flow_tail *tail, uint8_t proto)
{
	const struct lath_model_target *target = target_of(model, tail);
	const struct lath_model_group *group = tail->group < model->group_count
			? model->groups[tail->group]
			: NULL;

	/* Without an entry the target is long gone and nothing asks for an end. */
	if (target == NULL)
		return proto == LATH_PROTO_UDP ? OUTCOME_REPICK : OUTCOME_STAYS;
	switch (target->state) {
	case LATH_TARGET_TERMINATED:
		return proto == LATH_PROTO_UDP ? OUTCOME_REPICK : OUTCOME_TERMINATED;
	case LATH_TARGET_GONE:
		return proto == LATH_PROTO_UDP ? OUTCOME_REPICK : OUTCOME_STAYS;
	case LATH_TARGET_UNHEALTHY:
		return proto == LATH_PROTO_UDP && group != NULL && !group->fail_open
				? OUTCOME_REPICK
				: OUTCOME_STAYS;
	case LATH_TARGET_INITIAL:
	case LATH_TARGET_HEALTHY:
	case LATH_TARGET_DRAINING:
	case LATH_TARGET_STATE_COUNT:
		break;
	}
	return OUTCOME_STAYS;
}

/* The client may call the service, as if it came now. */
static bool
is_allowed(const struct lath_model *model, const struct lath_flow_tail *tail,
		const struct flow_ends *ends)
{
	const struct lath_model_service *service = NULL;
	const struct lath_model_listener *listener = NULL;

	if (lath_model_find(model, ends->client_vpc, &ends->service, ends->proto,
			    ends->service_port, &service, &listener) != LATH_MODEL_FOUND ||
			service->index != tail->service)
		return false;
	if (listener != NULL && lath_model_match(listener, &ends->client)->forward_count == 0)
		return false;
	return lath_allow_flow(model, ends, tail->service);
}

static enum outcome
judge(const struct lath_model *model, const struct lath_flow_tail *tail,
		const struct flow_ends *ends)
{
	const struct lath_model_vpc *client_vpc = ends->client_vpc < model->vpc_count
			? model->vpcs[ends->client_vpc]
			: NULL;

	if (client_vpc == NULL || ends->target_vpc >= model->vpc_count ||
			model->vpcs[ends->target_vpc] == NULL ||
			!lath_model_vpc_holds(client_vpc, &ends->client))
		return OUTCOME_REVOKED;
	if (!is_allowed(model, tail, ends) && !lath_access_finishes(model->access, tail->service))
		return OUTCOME_REVOKED;
	return judge_target(model, tail, ends->proto);
}

static void
stamp(struct lath_worker *w, lath_flow_ref_t ref, uint32_t generation)
{
	lath_flow_state_at(&w->flows, ref)->generation = generation;
	lath_flow_state_at(&w->flows, ref ^ LATH_FLOW_REVERSE)->generation = generation;
}

bool
lath_revalidate(struct lath_worker *w, struct rte_mbuf *m, lath_flow_ref_t *ref)
{
	const struct lath_packet *pkt = packet_of(m);
	const struct lath_flow_tail *tail = lath_flow_tail_at(&w->flows, *ref);
	uint32_t generation = lath_flow_state_at(&w->flows, *ref)->generation;
	uint32_t current = generation_for(w->model, pkt->proto);
	struct flow_ends ends;

	/* The gateway's own probes need no association: there is nothing to lose. */
	if ((tail->flags & LATH_FLOW_TAIL_PROBE) != 0) {
		stamp(w, *ref, current);
		return true;
	}
	ends = ends_of(w, *ref);
	if (!is_touched(w->model, tail, &ends, generation)) {
		stamp(w, *ref, current);
		return true;
	}
	w->counters->worker.revalidated++;
	switch (judge(w->model, tail, &ends)) {
	case OUTCOME_STAYS:
		stamp(w, *ref, current);
		return true;
	case OUTCOME_REVOKED:
		lath_refuse_flow(w, m, *ref, LATH_DROP_revoked);
		lath_flow_finish(w, *ref, LATH_FLOW_END_REVOKED);
		return false;
	case OUTCOME_TERMINATED:
		lath_refuse_flow(w, m, *ref, LATH_DROP_target_terminated);
		lath_flow_finish(w, *ref, LATH_FLOW_END_TERMINATED);
		return false;
	case OUTCOME_REPICK:
		break;
	}
	/* A late packet of the old target has nowhere to go; a client's packet chooses anew. */
	if (lath_flow_direction_of(*ref) == LATH_FLOW_REVERSE) {
		lath_flow_finish(w, *ref, LATH_FLOW_END_REPICKED);
		drop(w, m, lath_packet_vpc(pkt), LATH_DROP_target_terminated);
		return false;
	}
	lath_flow_finish(w, *ref, LATH_FLOW_END_REPICKED);
	*ref = LATH_FLOW_NONE;
	return true;
}

enum lath_drop
lath_revalidate_ask(const struct lath_worker *w, lath_flow_ref_t ref, uint8_t proto)
{
	const struct lath_flow_tail *tail = lath_flow_tail_at(&w->flows, ref);
	uint32_t generation = lath_flow_state_at(&w->flows, ref)->generation;
	struct flow_ends ends;

	if (generation == generation_for(w->model, proto) ||
			(tail->flags & LATH_FLOW_TAIL_PROBE) != 0)
		return LATH_DROP_NONE;
	ends = ends_of(w, ref);
	if (!is_touched(w->model, tail, &ends, generation))
		return LATH_DROP_NONE;
	switch (judge(w->model, tail, &ends)) {
	case OUTCOME_REVOKED:
		return LATH_DROP_revoked;
	case OUTCOME_TERMINATED:
		return LATH_DROP_target_terminated;
	case OUTCOME_STAYS:
	case OUTCOME_REPICK:
		break;
	}
	return LATH_DROP_NONE;
}
