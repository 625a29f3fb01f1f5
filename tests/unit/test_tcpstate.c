/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <lath_tcpstate.h>

#include "lath_test.h"

#define S LATH_TCP_SYN
#define A LATH_TCP_ACK
#define F LATH_TCP_FIN
#define R LATH_TCP_RST

/* The model keeps facts, not states: who has done what. */
struct facts {
	bool client_syn;
	bool target_syn;
	bool client_acked;
	bool fin[LATH_TCP_SIDE_COUNT];
	enum lath_tcp_side first_fin;
	bool reset;
};

static enum lath_tcp_state
state_of(const struct facts *facts)
{
	if (!facts->client_syn)
		return LATH_TCP_NONE;
	if (facts->reset)
		return LATH_TCP_RESET;
	if (facts->fin[LATH_TCP_CLIENT] && facts->fin[LATH_TCP_TARGET])
		return facts->first_fin == LATH_TCP_CLIENT ? LATH_TCP_CLOSED_CLIENT_FIRST
							   : LATH_TCP_CLOSED_TARGET_FIRST;
	if (facts->fin[LATH_TCP_CLIENT])
		return LATH_TCP_FIN_CLIENT;
	if (facts->fin[LATH_TCP_TARGET])
		return LATH_TCP_FIN_TARGET;
	if (facts->client_acked)
		return LATH_TCP_ESTABLISHED;
	return facts->target_syn ? LATH_TCP_SYN_RECEIVED : LATH_TCP_SYN_SENT;
}

static void
note(struct facts *facts, enum lath_tcp_side side, uint8_t flags)
{
	bool over = facts->reset || (facts->fin[0] && facts->fin[1]);
	bool is_syn = (flags & S) != 0;
	bool is_fin = (flags & F) != 0;

	if ((flags & R) != 0) {
		facts->reset = facts->client_syn;
		return;
	}
	if (side == LATH_TCP_CLIENT && is_syn && (flags & (A | F)) == 0 &&
			(over || !facts->client_syn)) {
		*facts = (struct facts){.client_syn = true};
		return;
	}
	if (over || !facts->client_syn)
		return;
	if (side == LATH_TCP_TARGET && is_syn)
		facts->target_syn = true;
	if (side == LATH_TCP_CLIENT && (flags & A) != 0 && facts->target_syn)
		facts->client_acked = true;
	if (is_fin && !is_syn && facts->client_acked && !facts->fin[side]) {
		if (!facts->fin[0] && !facts->fin[1])
			facts->first_fin = side;
		facts->fin[side] = true;
	}
}

static void
random_segments_agree_with_the_model(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned rounds = lath_test_size(__func__, 20000, 2000000);
	unsigned seen[LATH_TCP_COUNT] = {0};

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		enum lath_tcp_state at = LATH_TCP_NONE;
		struct facts facts = {0};

		for (unsigned step = 0; step < 20; step++) {
			uint8_t flags = (uint8_t)lath_random_next(&random);
			enum lath_tcp_side side = lath_random_below(&random, 2);

			if (lath_random_below(&random, 8) != 0)
				flags &= (uint8_t)~R; /* else nothing but resets happens */
			at = lath_tcp_step(at, side, flags);
			note(&facts, side, flags);
			assert_int_equal(at, state_of(&facts));
			seen[at]++;
		}
	}
	for (unsigned s = 0; s < LATH_TCP_COUNT; s++)
		assert_int_not_equal(seen[s], 0);
}

struct segment {
	char side; /* c, t; 0 ends */
	uint8_t flags;
};

static const struct row {
	const char *name;
	struct segment segments[10];
	enum lath_tcp_state end;
} rows[] = {
		{"handshake", {{'c', S}, {'t', S | A}, {'c', A}}, LATH_TCP_ESTABLISHED},
		{"syn retransmitted", {{'c', S}, {'c', S}}, LATH_TCP_SYN_SENT},
		{"syn-ack retransmitted", {{'c', S}, {'t', S | A}, {'t', S | A}, {'c', S}},
				LATH_TCP_SYN_RECEIVED},
		{"target's ack does not establish", {{'c', S}, {'t', S | A}, {'t', A}},
				LATH_TCP_SYN_RECEIVED},
		{"client's ack alone does not establish", {{'c', S}, {'c', A}}, LATH_TCP_SYN_SENT},
		{"target cannot open", {{'t', S}, {'t', S | A}}, LATH_TCP_NONE},
		{"syn-ack of the client cannot open", {{'c', S | A}}, LATH_TCP_NONE},
		{"simultaneous open", {{'c', S}, {'t', S}, {'c', S | A}, {'t', S | A}},
				LATH_TCP_ESTABLISHED},
		{"time_wait challenge ack", {{'c', S}, {'t', A}}, LATH_TCP_SYN_SENT},
		{"challenge ack, client resets, tries again",
				{{'c', S}, {'t', A}, {'c', R}, {'c', S}, {'t', S | A}, {'c', A}},
				LATH_TCP_ESTABLISHED},
		{"refused", {{'c', S}, {'t', R | A}}, LATH_TCP_RESET},
		{"refused, tries again", {{'c', S}, {'t', R | A}, {'c', S}}, LATH_TCP_SYN_SENT},
		{"half close keeps data going",
				{{'c', S}, {'t', S | A}, {'c', A}, {'c', F | A}, {'t', A}, {'t', A},
						{'c', A}},
				LATH_TCP_FIN_CLIENT},
		{"client closes first",
				{{'c', S}, {'t', S | A}, {'c', A}, {'c', F | A}, {'t', A},
						{'t', F | A}, {'c', A}},
				LATH_TCP_CLOSED_CLIENT_FIRST},
		{"target closes first",
				{{'c', S}, {'t', S | A}, {'c', A}, {'t', F | A}, {'t', F | A},
						{'c', F | A}, {'t', A}},
				LATH_TCP_CLOSED_TARGET_FIRST},
		{"fin with the handshake's ack", {{'c', S}, {'t', S | A}, {'c', F | A}},
				LATH_TCP_FIN_CLIENT},
		{"closed flow is opened again",
				{{'c', S}, {'t', S | A}, {'c', A}, {'t', F | A}, {'c', F | A},
						{'c', S}},
				LATH_TCP_SYN_SENT},
		{"target's syn does not reopen",
				{{'c', S}, {'t', S | A}, {'c', A}, {'t', F | A}, {'c', F | A},
						{'t', S}},
				LATH_TCP_CLOSED_TARGET_FIRST},
		{"syn in an established flow keeps it",
				{{'c', S}, {'t', S | A}, {'c', A}, {'c', S}}, LATH_TCP_ESTABLISHED},
		{"reset stays",
				{{'c', S}, {'t', S | A}, {'c', A}, {'t', R}, {'c', A},
						{'t', F | A}},
				LATH_TCP_RESET},
		{"reset without a flow", {{'c', R}, {'t', R}}, LATH_TCP_NONE},
};

static void
conversations_end_where_they_should(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		enum lath_tcp_state at = LATH_TCP_NONE;

		for (const struct segment *s = rows[i].segments; s->side != 0; s++)
			at = lath_tcp_step(at, s->side == 'c' ? LATH_TCP_CLIENT : LATH_TCP_TARGET,
					s->flags);
		if (at != rows[i].end)
			fail_msg("%s: %s, not %s", rows[i].name, lath_tcp_state_name(at),
					lath_tcp_state_name(rows[i].end));
	}
}

static void
rst_fits_rows(void **state)
{
	static const struct {
		uint32_t seq;
		uint32_t ack;
		uint32_t window;
		bool fits;
	} fits[] = {
			{1000, 1000, 0, true},
			{999, 1000, 0, true},
			{998, 1000, 0, false},
			{1001, 1000, 0, false},
			{1100, 1000, 100, true},
			{1101, 1000, 100, false},
			{UINT32_MAX, 0, 0, true},
			{UINT32_MAX - 1, 0, 65535, false},
			{5, UINT32_MAX - 5, 11, true},
			{6, UINT32_MAX - 5, 11, false},
			{0x80001000, 0x1000, 1u << 30, false},
			{0x40001000, 0x1000, 1u << 30, true},
			{77, 78, UINT32_MAX, true},
	};

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(fits); i++)
		assert_int_equal(lath_tcp_rst_fits(fits[i].seq, fits[i].ack, fits[i].window),
				fits[i].fits);
}

static void
plain_and_opening_look_at_the_flags_that_matter(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags < 256; flags++) {
		bool plain = (flags & S) == 0 && (flags & F) == 0 && (flags & R) == 0;
		bool opening = (flags & S) != 0 && (flags & A) == 0 && (flags & F) == 0 &&
				(flags & R) == 0;

		assert_int_equal(lath_tcp_is_plain((uint8_t)flags), plain);
		assert_int_equal(lath_tcp_is_opening((uint8_t)flags), opening);
	}
}

/* The fast path skips plain segments once a flow is established. */
static void
plain_segments_change_nothing_after_the_handshake(void **state)
{
	(void)state;
	for (unsigned s = LATH_TCP_ESTABLISHED; s < LATH_TCP_COUNT; s++) {
		for (unsigned flags = 0; flags < 256; flags++) {
			if (!lath_tcp_is_plain((uint8_t)flags))
				continue;
			assert_int_equal(lath_tcp_step(s, LATH_TCP_CLIENT, (uint8_t)flags), s);
			assert_int_equal(lath_tcp_step(s, LATH_TCP_TARGET, (uint8_t)flags), s);
		}
	}
}

static void
states_have_names_and_ages(void **state)
{
	(void)state;
	for (unsigned s = 0; s < LATH_TCP_COUNT; s++)
		assert_string_not_equal(lath_tcp_state_name(s), "unknown");
	assert_string_equal(lath_tcp_state_name(LATH_TCP_COUNT), "unknown");
	assert_int_equal(lath_tcp_age(LATH_TCP_SYN_RECEIVED), LATH_TCP_AGE_HALF_OPEN);
	assert_int_equal(lath_tcp_age(LATH_TCP_FIN_CLIENT), LATH_TCP_AGE_ESTABLISHED);
	assert_int_equal(lath_tcp_age(LATH_TCP_FIN_TARGET), LATH_TCP_AGE_ESTABLISHED);
	assert_int_equal(lath_tcp_age(LATH_TCP_CLOSED_TARGET_FIRST), LATH_TCP_AGE_CLOSING);
	assert_int_equal(lath_tcp_age(LATH_TCP_RESET), LATH_TCP_AGE_CLOSING);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(random_segments_agree_with_the_model),
			cmocka_unit_test(conversations_end_where_they_should),
			cmocka_unit_test(rst_fits_rows),
			cmocka_unit_test(plain_and_opening_look_at_the_flags_that_matter),
			cmocka_unit_test(plain_segments_change_nothing_after_the_handshake),
			cmocka_unit_test(states_have_names_and_ages),
	};

	return cmocka_run_group_tests_name("tcpstate", tests, NULL, NULL);
}
