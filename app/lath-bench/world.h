/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * The measured world. Clients in one VPC or more (then each behind a VLAN tag), targets in one; any
 * number of services, each with a group of its own, all groups with the same four addresses and
 * each with its own port. Health checks are off.
 */
#pragma once

#include "bench.h"

#define SERVICE_BASE 0xc6120100u /* 198.18.1.0 */
#define SERVICE_PORT 80
#define TARGET_BASE 0x0a000005u /* 10.0.0.5 */
#define TARGET_COUNT 4u
#define TARGET_PORT_BASE 8080u /* of the first service; the next has the next */
#define SERVICES_MAX 4096u
#define VPCS_MAX 1024u
#define VLAN_BASE 100u
#define ROUTER_IP 0x0aff0002u /* 10.255.0.2, on either side */
#define NAT_BASE 0x0afe0000u  /* 10.254.0.0 */

/* With `spare_right` the first service forwards clients of 10.9.0.0/16 by a rule of their own, and
 * of 10.8.0.0/16 as well while `right` is true. Nobody's flows are from there.
 */
struct lath_config *world_config(const struct rig *rig, bool right);

/* VLAN of a client VPC, 0: none. */
static inline uint16_t
world_vlan(const struct rig *rig, unsigned vpc)
{
	return (uint16_t)(rig->plan.vpcs == 1 ? 0 : VLAN_BASE + vpc);
}

static inline lath_be32_t
world_service(unsigned service)
{
	return lath_to_be32(SERVICE_BASE + service);
}

static inline lath_be16_t
world_target_port(unsigned service)
{
	return lath_to_be16((uint16_t)(TARGET_PORT_BASE + service));
}
