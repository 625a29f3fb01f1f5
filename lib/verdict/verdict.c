/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "lath_verdict.h"

static const char *const drop_names[LATH_DROP_COUNT] = {
		"none",
#define LATH_DROP(name, help) #name,
#include "lath_drops.def"
#undef LATH_DROP
};

static const char *const drop_helps[LATH_DROP_COUNT] = {
		"not dropped",
#define LATH_DROP(name, help) help,
#include "lath_drops.def"
#undef LATH_DROP
};

static const char *const generated_names[LATH_GENERATED_COUNT] = {
		[LATH_GENERATED_ARP_REPLY] = "arp_reply",
		[LATH_GENERATED_ARP_REQUEST] = "arp_request",
		[LATH_GENERATED_ECHO_REPLY] = "echo_reply",
		[LATH_GENERATED_HEALTH_ANSWER] = "health_answer",
		[LATH_GENERATED_RST] = "rst",
		[LATH_GENERATED_NEIGHBOR_ADVERTISEMENT] = "neighbor_advertisement",
		[LATH_GENERATED_NEIGHBOR_SOLICITATION] = "neighbor_solicitation",
		[LATH_GENERATED_MULTICAST_REPORT] = "multicast_report",
		[LATH_GENERATED_ICMP_UNREACHABLE] = "icmp_unreachable",
		[LATH_GENERATED_ICMP_FRAG_NEEDED] = "icmp_frag_needed",
		[LATH_GENERATED_ICMP_TIME_EXCEEDED] = "icmp_time_exceeded",
};

const char *
lath_drop_name(enum lath_drop drop)
{
	return drop_names[drop];
}

const char *
lath_drop_help(enum lath_drop drop)
{
	return drop_helps[drop];
}

const char *
lath_generated_name(enum lath_generated kind)
{
	return generated_names[kind];
}
