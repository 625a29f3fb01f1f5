/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * The tracker follows RFC 6146 section 3.5.2.2 with more states, because a gateway that reuses
 * source ports must know who holds TIME_WAIT, and a budget for half-open flows must know whether
 * the client was ever heard again after the target's SYN.
 *
 *     NONE --SYN c--> SYN_SENT --SYN t--> SYN_RECEIVED --ACK c--> ESTABLISHED
 *                        ^                      | FIN,ACK c          | FIN c       | FIN t
 *                        |                      +---------------> FIN_CLIENT   FIN_TARGET
 *       opening SYN of the client                                    | FIN t       | FIN c
 *                        |                                           v             v
 *                        +---- RESET <--RST-- any     CLOSED_CLIENT_FIRST  CLOSED_TARGET_FIRST
 *                        +--------------------------------- both ----+-------------+
 *
 * Whatever is not drawn keeps the state: retransmissions, data after a FIN (half close), the
 * challenge ACK of a target that is still in TIME_WAIT (RFC 5961 section 4). A target's SYN without
 * ACK is a simultaneous open (RFC 5382 REQ-2); the client's SYN-ACK then counts as its ACK. Only
 * the client's acknowledgement makes a flow established: it is what a forged client cannot see
 * coming. LIMIT: its number is not compared, so a client that guesses blindly passes.
 *
 * Branches and not a table: 9 x 2 x 256 entries would cost cache lines for what few packets need.
 */

#include "lath_tcpstate.h"

static bool
has(uint8_t flags, uint8_t flag)
{
	return (flags & flag) != 0;
}

static enum lath_tcp_state
step_syn_sent(enum lath_tcp_side side, uint8_t flags)
{
	if (side == LATH_TCP_TARGET && has(flags, LATH_TCP_SYN))
		return LATH_TCP_SYN_RECEIVED;
	return LATH_TCP_SYN_SENT;
}

static enum lath_tcp_state
step_syn_received(enum lath_tcp_side side, uint8_t flags)
{
	if (side == LATH_TCP_TARGET || !has(flags, LATH_TCP_ACK))
		return LATH_TCP_SYN_RECEIVED;
	if (has(flags, LATH_TCP_FIN) && !has(flags, LATH_TCP_SYN))
		return LATH_TCP_FIN_CLIENT;
	return LATH_TCP_ESTABLISHED;
}

static enum lath_tcp_state
step_established(enum lath_tcp_side side, uint8_t flags)
{
	if (!has(flags, LATH_TCP_FIN) || has(flags, LATH_TCP_SYN))
		return LATH_TCP_ESTABLISHED;
	return side == LATH_TCP_CLIENT ? LATH_TCP_FIN_CLIENT : LATH_TCP_FIN_TARGET;
}

/* One side's FIN has passed; `other` is the side that can still close. */
static enum lath_tcp_state
step_half_closed(enum lath_tcp_state state, enum lath_tcp_side other, enum lath_tcp_side side,
		uint8_t flags)
{
	if (side != other || !has(flags, LATH_TCP_FIN) || has(flags, LATH_TCP_SYN))
		return state;
	return state == LATH_TCP_FIN_CLIENT ? LATH_TCP_CLOSED_CLIENT_FIRST
					    : LATH_TCP_CLOSED_TARGET_FIRST;
}

enum lath_tcp_state
lath_tcp_step(enum lath_tcp_state state, enum lath_tcp_side side, uint8_t flags)
{
	bool opens = side == LATH_TCP_CLIENT && lath_tcp_is_opening(flags);

	if (has(flags, LATH_TCP_RST))
		return state == LATH_TCP_NONE ? LATH_TCP_NONE : LATH_TCP_RESET;
	switch (state) {
	case LATH_TCP_SYN_SENT:
		return step_syn_sent(side, flags);
	case LATH_TCP_SYN_RECEIVED:
		return step_syn_received(side, flags);
	case LATH_TCP_ESTABLISHED:
		return step_established(side, flags);
	case LATH_TCP_FIN_CLIENT:
		return step_half_closed(state, LATH_TCP_TARGET, side, flags);
	case LATH_TCP_FIN_TARGET:
		return step_half_closed(state, LATH_TCP_CLIENT, side, flags);
	case LATH_TCP_NONE:
	case LATH_TCP_CLOSED_CLIENT_FIRST:
	case LATH_TCP_CLOSED_TARGET_FIRST:
	case LATH_TCP_RESET:
	case LATH_TCP_COUNT:
		break;
	}
	return opens ? LATH_TCP_SYN_SENT : state;
}

enum lath_tcp_age
lath_tcp_age(enum lath_tcp_state state)
{
	switch (state) {
	case LATH_TCP_NONE:
	case LATH_TCP_SYN_SENT:
	case LATH_TCP_SYN_RECEIVED:
		return LATH_TCP_AGE_HALF_OPEN;
	case LATH_TCP_ESTABLISHED:
	case LATH_TCP_FIN_CLIENT:
	case LATH_TCP_FIN_TARGET:
		return LATH_TCP_AGE_ESTABLISHED;
	case LATH_TCP_CLOSED_CLIENT_FIRST:
	case LATH_TCP_CLOSED_TARGET_FIRST:
	case LATH_TCP_RESET:
	case LATH_TCP_COUNT:
		break;
	}
	return LATH_TCP_AGE_CLOSING;
}

const char *
lath_tcp_state_name(enum lath_tcp_state state)
{
	switch (state) {
	case LATH_TCP_NONE:
		return "none";
	case LATH_TCP_SYN_SENT:
		return "syn_sent";
	case LATH_TCP_SYN_RECEIVED:
		return "syn_received";
	case LATH_TCP_ESTABLISHED:
		return "established";
	case LATH_TCP_FIN_CLIENT:
		return "fin_client";
	case LATH_TCP_FIN_TARGET:
		return "fin_target";
	case LATH_TCP_CLOSED_CLIENT_FIRST:
		return "closed_client_first";
	case LATH_TCP_CLOSED_TARGET_FIRST:
		return "closed_target_first";
	case LATH_TCP_RESET:
		return "reset";
	case LATH_TCP_COUNT:
		break;
	}
	return "unknown";
}
