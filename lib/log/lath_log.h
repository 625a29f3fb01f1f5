/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Log lines through rte_log, one logtype per library: "lath.<lib>", settable with
 * `--log-level=lath.ethdev:debug`. Never called by data-plane threads (conventions, 21).
 *
 * Each .c that logs says once, behind its includes:
 *
 *     LATH_LOG_REGISTER(ethdev);
 *
 * and then LATH_LOG(NOTICE, "port is up name=%s", port->name): a prefix and the newline are
 * added; key=value pairs stand at the end of the line. In a folder with several .c, every one may
 * say LATH_LOG_REGISTER: the same name yields the same logtype.
 *
 * ERR: an operation failed. WARNING: degraded. NOTICE: a state change that an operator wants.
 * INFO and DEBUG are off by default.
 */
#pragma once

#include <rte_log.h>

#include <lath_base.h>

/* NOTICE is rte_log's default for new types, so INFO and DEBUG are off. */
#define LATH_LOG_REGISTER(lib)                               \
	static int lath_logtype;                             \
	static const char lath_log_name[] = "lath." #lib;    \
	RTE_INIT(lath_log_register)                          \
	{                                                    \
		lath_logtype = lath_log_open(lath_log_name); \
	}                                                    \
	_Static_assert(true, "a semicolon follows")

/** level: ERR, WARNING, NOTICE, INFO or DEBUG. @thread init, mgmt, probe, tel */
#define LATH_LOG(level, fmt, ...) \
	lath_log_write(RTE_LOG_##level, lath_logtype, lath_log_name, fmt, ##__VA_ARGS__)

/** Registers a logtype at level NOTICE. Called by LATH_LOG_REGISTER only. @thread init */
int lath_log_open(const char *name);

/** One line: "<name>: <text>\n". Called by LATH_LOG only. @thread init, mgmt, probe, tel */
void lath_log_write(uint32_t level, int logtype, const char *name, const char *fmt, ...)
		LATH_PRINTF(4, 5);
