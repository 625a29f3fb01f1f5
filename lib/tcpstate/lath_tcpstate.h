/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * What a NAT between a client and a target knows of a TCP connection from the flags that pass
 * (RFC 5382 section 5, RFC 6146 section 3.5.2, RFC 7857 section 2). A pure function from state,
 * side and flags to state; any thread; allocates nothing. It drops nothing and checks no sequence
 * numbers but those of resets.
 */
#pragma once

#include <lath_wire.h>

enum lath_tcp_state {
	LATH_TCP_NONE,                /* no SYN of the client yet */
	LATH_TCP_SYN_SENT,            /* the client's SYN passed */
	LATH_TCP_SYN_RECEIVED,        /* the target's SYN too */
	LATH_TCP_ESTABLISHED,         /* the client acknowledged it */
	LATH_TCP_FIN_CLIENT,          /* half closed by the client */
	LATH_TCP_FIN_TARGET,          /* half closed by the target */
	LATH_TCP_CLOSED_CLIENT_FIRST, /* both FINs; the client holds TIME_WAIT */
	LATH_TCP_CLOSED_TARGET_FIRST, /* both FINs; the target holds TIME_WAIT */
	LATH_TCP_RESET,               /* an acceptable RST passed */
	LATH_TCP_COUNT,
};

/* Who sent the segment. */
enum lath_tcp_side {
	LATH_TCP_CLIENT,
	LATH_TCP_TARGET,
	LATH_TCP_SIDE_COUNT,
};

/* Which idle timeout applies. */
enum lath_tcp_age {
	LATH_TCP_AGE_HALF_OPEN,
	LATH_TCP_AGE_ESTABLISHED, /* half closed ones too, RFC 6146 section 3.5.2.2 */
	LATH_TCP_AGE_CLOSING,
	LATH_TCP_AGE_COUNT,
};

/** True for a segment that changes no established state: no SYN, FIN or RST. @thread any */
static inline bool
lath_tcp_is_plain(uint8_t flags)
{
	return (flags & (LATH_TCP_SYN | LATH_TCP_FIN | LATH_TCP_RST)) == 0;
}

/** True for a SYN that opens: SYN without ACK, FIN and RST. @thread any */
static inline bool
lath_tcp_is_opening(uint8_t flags)
{
	return (flags & (LATH_TCP_SYN | LATH_TCP_ACK | LATH_TCP_FIN | LATH_TCP_RST)) ==
			LATH_TCP_SYN;
}

/** The state after a segment of `side` with these flags. A RST must have passed
 *  lath_tcp_rst_fits() before, or not be shown here. @thread any
 */
enum lath_tcp_state lath_tcp_step(enum lath_tcp_state state, enum lath_tcp_side side,
		uint8_t flags);

/** True when a RST may be believed: its sequence number lies in
 *  receiver_ack - 1 .. receiver_ack + window_bytes, modulo 2^32. @thread any
 *  @param receiver_ack the furthest acknowledgement the receiver of the RST has sent.
 */
static inline bool
lath_tcp_rst_fits(uint32_t rst_seq, uint32_t receiver_ack, uint32_t window_bytes)
{
	return (uint32_t)(rst_seq - (receiver_ack - 1)) <= (uint64_t)window_bytes + 1;
}

/** Which idle timeout a state has. @thread any */
enum lath_tcp_age lath_tcp_age(enum lath_tcp_state state);

/** "syn_sent" and so on; "unknown" for a number that is no state. @thread any */
const char *lath_tcp_state_name(enum lath_tcp_state state);
