/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Counters for DPDK's own tools (dpdk-telemetry.py): /lath/info, /lath/workers, /lath/ports,
 * /lath/vpcs, /lath/services, /lath/targets, /lath/drops, /lath/flows.
 *
 * rte_telemetry answers on threads of its own. They read counters, which live as long as the
 * process, and a copy of names that management makes after each publication; never a model.
 *
 * Lists are paged, because an answer of 22.11 has at most 16 KiB: "/lath/targets,START,COUNT" with
 * START a position (default 0) and COUNT at most LATH_TELEMETRY_PAGE_MAX; the answer has `total`
 * and `next` (where to go on; absent at the end) and one entry a position. Keys are numbers or
 * plain words: 22.11 refuses other characters in them, so names are values. Text is cut at 127
 * bytes.
 *
 * LIMIT: commands cannot be taken back in 22.11: after lath_telemetry_stop() they stay and answer
 * nothing. One at a time in a process.
 */
#pragma once

#include <lath_control.h>

#define LATH_TELEMETRY_PAGE_MAX 24u

struct lath_telemetry;

/** Registers the commands and takes the first copy of names. -EBUSY: there is one already;
 *  -ENOMEM; or what rte_telemetry said. @thread init | mgmt
 */
int lath_telemetry_start(struct lath_telemetry **out, const struct lath_control *control);

/** A new copy of names, if there was a publication since the last one; call it every turn. On lack
 *  of memory the old copy stays. @thread mgmt
 */
void lath_telemetry_refresh(struct lath_telemetry *telemetry);

/** No answer is being made any more when this returns. Before lath_control_free(). Accepts NULL.
 *  @thread init | mgmt
 */
void lath_telemetry_stop(struct lath_telemetry *telemetry);
