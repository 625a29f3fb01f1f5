/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * What happens to a packet: the one list of drop reasons and of kinds of generated packets, with
 * their names. Pure; any thread.
 */
#pragma once

#include <lath_base.h>

enum lath_drop {
	LATH_DROP_NONE, /* not dropped */
#define LATH_DROP(name, help) LATH_DROP_##name,
#include "lath_drops.def"
#undef LATH_DROP
	LATH_DROP_COUNT,
};

/** What the gateway makes itself; each counts as generated. */
enum lath_generated {
	LATH_GENERATED_ARP_REPLY,
	LATH_GENERATED_ARP_REQUEST, /* requests, probes, announcements */
	LATH_GENERATED_ECHO_REPLY,
	LATH_GENERATED_RST,
	LATH_GENERATED_HEALTH_ANSWER, /* to a load balancer's check */
	LATH_GENERATED_NEIGHBOR_ADVERTISEMENT,
	LATH_GENERATED_NEIGHBOR_SOLICITATION,
	LATH_GENERATED_MULTICAST_REPORT,
	LATH_GENERATED_ICMP_UNREACHABLE, /* but for: */
	LATH_GENERATED_ICMP_FRAG_NEEDED,
	LATH_GENERATED_ICMP_TIME_EXCEEDED,
	LATH_GENERATED_COUNT,
};

/** "no_service". @thread any */
const char *lath_drop_name(enum lath_drop drop);

/** One sentence on what it means. @thread any */
const char *lath_drop_help(enum lath_drop drop);

/** "arp_reply". @thread any */
const char *lath_generated_name(enum lath_generated kind);
