/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Addresses of the measured world; rig.c writes them into the configuration. */
#pragma once

#define SERVICE_IP 0xc612000au /* 198.18.0.10 */
#define SERVICE_PORT 80
#define TARGET_BASE 0x0a000005u /* 10.0.0.5 */
#define TARGET_COUNT 4u
#define TARGET_PORT 8080
#define ROUTER_IP 0x0aff0002u /* 10.255.0.2, on either side */
#define NAT_BASE 0x0afe0000u  /* 10.254.0.0 */
