/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* Transport headers, of which both families say the same. */
#pragma once

#include "lath_parse.h"

/* `present` bytes of the transport's `l4_len` lie in the first segment; ports: source, destination. */
enum lath_drop lath_parse_tcp(const uint8_t *l4, uint32_t l4_len, uint32_t present,
		struct lath_packet *pkt, lath_be16_t ports[2]);
enum lath_drop lath_parse_udp(const uint8_t *l4, uint32_t l4_len, uint32_t present,
		lath_be16_t ports[2]);
