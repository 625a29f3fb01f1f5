/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * lath-bench wire: a generator with a pace, for a gateway at the other end of two ports. Frames of
 * a file go out of one port at a given rate, and what comes back at the other is counted. One
 * thread does both. See wire_trial.c for how the pace is kept and what a loss is.
 */
#pragma once

#include <lath_ethdev.h>

#include "bench.h"

#define WIRE_FRAME_MAX 1518u

struct wire_frames {
	uint8_t *bytes;
	uint32_t *offsets; /* count + 1 of them */
	uint32_t count;
};

struct wire {
	struct lath_port tx;
	struct lath_port rx;
	struct rte_mempool *pool;
	struct wire_frames frames;
	struct wire_frames announce; /* sent out of `rx` before each trial; may be empty */
	uint32_t next;               /* frame to send */
};

struct wire_trial {
	double rate_pps; /* as asked for; 0: as fast as it goes */
	double seconds;
	/* Results: */
	double attained_pps; /* by the trial's clock, which stands still in pauses */
	double paused_s;
	uint64_t sent;
	uint64_t received;
	uint64_t refused; /* left out: the ring towards the gateway was full */
	bool completed;
};

/** Reads a capture (the classic format, little endian); ends the program when that fails. */
void wire_frames_read(struct wire_frames *frames, const char *path);
void wire_frames_free(struct wire_frames *frames);

/** One trial: announce, send, wait for the rest. */
void wire_run(struct wire *wire, struct wire_trial *trial);

/** True when the trial ran its length, every frame was taken and every frame came back. */
bool wire_passed(const struct wire_trial *trial);

/** The program's main() after the word "wire". */
int wire_main(int argc, char **argv);
