/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <stdarg.h>
#include <stdio.h>

#include <lath_log.h>

#define LINE_MAX_BYTES 1024 /* longer lines are cut */

int
lath_log_open(const char *name)
{
	return rte_log_register_type_and_pick_level(name, RTE_LOG_NOTICE);
}

void
lath_log_write(uint32_t level, int logtype, const char *name, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	va_list args;

	if (logtype < 0 || !rte_log_can_log((uint32_t)logtype, level))
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	rte_log(level, (uint32_t)logtype, "%s: %s\n", name, text);
}
