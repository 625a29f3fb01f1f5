/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <stdio.h>
#include <stdlib.h>

#include "lath_base.h"

static _Thread_local enum lath_role thread_role;

void
lath_role_set(enum lath_role role)
{
	thread_role = role;
}

void
lath_role_check(enum lath_role role, const char *function)
{
	if (thread_role == LATH_ROLE_NONE || thread_role == role)
		return;
	fprintf(stderr, "lath: %s() called by role %d, only role %d may\n", function,
			(int)thread_role, (int)role);
	abort();
}
