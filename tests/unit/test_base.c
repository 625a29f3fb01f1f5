/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "lath_test.h"

static void
tick_reached_holds_over_the_wrap(void **state)
{
	(void)state;
	assert_true(lath_tick_reached(5, 5));
	assert_true(lath_tick_reached(6, 5));
	assert_false(lath_tick_reached(4, 5));
	assert_true(lath_tick_reached(3, UINT32_MAX - 3));
	assert_false(lath_tick_reached(UINT32_MAX - 3, 3));
}

static void
ticks_from_ms_round_up(void **state)
{
	(void)state;
	assert_int_equal(lath_ticks_from_ms(0), 0);
	assert_int_equal(lath_ticks_from_ms(1), 1);
	assert_int_equal(lath_ticks_from_ms(10), 1);
	assert_int_equal(lath_ticks_from_ms(11), 2);
	assert_int_equal(lath_ticks_from_seconds(3), 300);
}

static void
byte_order_is_network_order_in_memory(void **state)
{
	lath_be32_t word_be = lath_to_be32(0x01020304);
	lath_be16_t half_be = lath_to_be16(0x0102);

	(void)state;
	assert_memory_equal(&word_be, "\1\2\3\4", 4);
	assert_memory_equal(&half_be, "\1\2", 2);
	assert_int_equal(lath_from_be32(word_be), 0x01020304);
	assert_int_equal(lath_from_be16(half_be), 0x0102);
}

static void
error_keeps_the_first_cause(void **state)
{
	struct lath_error err = {.file = "lath.json", .line = 7};
	char text[200];

	(void)state;
	lath_error_set(&err, "/services/3/port", "%d is not in 1..65535", 70000);
	lath_error_set(&err, "/services", "cannot be read");
	lath_error_set(NULL, "/", "nobody listens");
	lath_error_format(&err, text, sizeof(text));
	assert_string_equal(text, "lath.json:7: /services/3/port: 70000 is not in 1..65535");
}

static void
error_format_leaves_out_what_is_not_known(void **state)
{
	struct lath_error err = {0};
	char text[8];

	(void)state;
	lath_error_set(&err, "", "too short");
	lath_error_format(&err, text, sizeof(text));
	assert_string_equal(text, "too sho");
}

static void
err_and_null_set_errno(void **state)
{
	(void)state;
	errno = 0;
	assert_int_equal(lath_err(ENOSPC), -ENOSPC);
	assert_int_equal(errno, ENOSPC);
	assert_null(lath_null(ENOMEM));
	assert_int_equal(errno, ENOMEM);
}

static void
heap_gives_aligned_zeroed_memory(void **state)
{
	static const size_t sizes[] = {1, 63, 64, 65, 4097};

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(sizes); i++) {
		uint8_t *memory = lath_heap.alloc(lath_heap.ctx, sizes[i]);

		assert_non_null(memory);
		assert_int_equal((uintptr_t)memory % LATH_CACHE_LINE, 0);
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int_equal(memory[j], 0);
		lath_heap.free(lath_heap.ctx, memory, sizes[i]);
	}
	lath_heap.free(lath_heap.ctx, NULL, 0);
}

static void
random_is_splitmix64(void **state)
{
	uint64_t random = 1234567;

	(void)state;
	/* The reference sequence of this seed (Vigna, splitmix64.c, as tested in many ports). */
	assert_true(lath_random_next(&random) == UINT64_C(6457827717110365317));
	assert_true(lath_random_next(&random) == UINT64_C(3203168211198807973));
	assert_true(lath_random_next(&random) == UINT64_C(9817491932198370423));
}

static void
random_below_stays_below_and_reaches_all(void **state)
{
	uint64_t random = lath_test_random(__func__);
	unsigned seen[7] = {0};

	(void)state;
	for (unsigned i = 0; i < 7000; i++) {
		uint32_t drawn = lath_random_below(&random, 7);

		assert_in_range(drawn, 0, 6);
		seen[drawn]++;
	}
	for (unsigned i = 0; i < 7; i++)
		assert_in_range(seen[i], 800, 1200); /* 6.8 standard deviations */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(tick_reached_holds_over_the_wrap),
			cmocka_unit_test(ticks_from_ms_round_up),
			cmocka_unit_test(byte_order_is_network_order_in_memory),
			cmocka_unit_test(error_keeps_the_first_cause),
			cmocka_unit_test(error_format_leaves_out_what_is_not_known),
			cmocka_unit_test(err_and_null_set_errno),
			cmocka_unit_test(heap_gives_aligned_zeroed_memory),
			cmocka_unit_test(random_is_splitmix64),
			cmocka_unit_test(random_below_stays_below_and_reaches_all),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
