/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <pthread.h>
#include <signal.h>

#include <lath_ethdev.h>

static void
rt_signals(sigset_t *set)
{
	sigemptyset(set);
	for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
		sigaddset(set, number);
}

void
lath_ethdev_block_rt_signals(void)
{
	sigset_t set;

	rt_signals(&set);
	/* Fails for a bad first argument only. */
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void
lath_ethdev_take_rt_signals(void)
{
	sigset_t set;

	rt_signals(&set);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
