/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include <pthread.h>
#include <sched.h>

#include <rte_memory.h>

#include <lath_mailbox.h>

#include "eal_kit.h"

struct message {
	uint64_t serial;
	uint64_t words[6]; /* each follows from the serial */
};

static struct message
message_of(uint64_t serial)
{
	struct message message = {.serial = serial};
	uint64_t noise = serial;

	for (unsigned i = 0; i < LATH_ARRAY_SIZE(message.words); i++)
		message.words[i] = lath_random_next(&noise);
	return message;
}

static bool
is_whole(const struct message *message, uint64_t serial)
{
	struct message expected = message_of(serial);

	return memcmp(message, &expected, sizeof(expected)) == 0;
}

static void
box_holds_one_less_than_a_power_of_two_and_then_refuses(void **state)
{
	static const unsigned sizes[] = {0, 1, 2, 3, 4, 7, 8, 9, 100, 1024};
	static const unsigned holds[] = {1, 1, 1, 3, 3, 7, 7, 15, 127, 1023};

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(sizes); i++) {
		struct lath_mailbox *box = lath_mailbox_create(sizes[i], sizeof(struct message),
				SOCKET_ID_ANY);
		struct message message;
		unsigned held = 0;

		assert_non_null(box);
		assert_false(lath_mailbox_receive(box, &message));
		for (message = message_of(0); lath_mailbox_send(box, &message);
				message = message_of(held))
			assert_int_equal(lath_mailbox_count(box), ++held);
		assert_int_equal(held, holds[i]);
		for (unsigned n = 0; n < held; n++) {
			assert_true(lath_mailbox_receive(box, &message));
			assert_true(is_whole(&message, n));
		}
		assert_false(lath_mailbox_receive(box, &message));
		assert_int_equal(lath_mailbox_count(box), 0);
		lath_mailbox_free(box);
	}
	lath_mailbox_free(NULL);
}

static void
messages_go_round_the_end_of_the_ring(void **state)
{
	struct lath_mailbox *box = lath_mailbox_create(4, sizeof(struct message), SOCKET_ID_ANY);
	struct message message;

	(void)state;
	assert_non_null(box);
	for (uint64_t n = 0; n < 1000; n += 2) {
		message = message_of(n);
		assert_true(lath_mailbox_send(box, &message));
		message = message_of(n + 1);
		assert_true(lath_mailbox_send(box, &message));
		for (unsigned k = 0; k < 2; k++) {
			assert_true(lath_mailbox_receive(box, &message));
			assert_true(is_whole(&message, n + k));
		}
	}
	lath_mailbox_free(box);
}

struct exchange {
	struct lath_mailbox *box;
	uint64_t count;
	uint64_t refused;
};

static void *
sender(void *ctx)
{
	struct exchange *e = ctx;

	for (uint64_t n = 0; n < e->count; n++) {
		struct message message = message_of(n);

		while (!lath_mailbox_send(e->box, &message)) {
			e->refused++;
			sched_yield();
		}
	}
	return NULL;
}

static void
two_threads_exchange_every_message_whole_and_in_order(void **state)
{
	struct exchange e = {.count = lath_test_size(__func__, 200000, 3000000)};
	uint64_t received = 0;
	pthread_t thread;

	(void)state;
	e.box = lath_mailbox_create(64, sizeof(struct message), SOCKET_ID_ANY);
	assert_non_null(e.box);
	assert_int_equal(pthread_create(&thread, NULL, sender, &e), 0);
	while (received < e.count) {
		struct message message;

		if (!lath_mailbox_receive(e.box, &message)) {
			sched_yield();
			continue;
		}
		assert_true(is_whole(&message, received));
		received++;
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(lath_mailbox_count(e.box), 0);
	lath_mailbox_free(e.box);
}

static void
size_that_is_no_multiple_of_four_is_refused(void **state)
{
	(void)state;
	assert_null(lath_mailbox_create(8, 6, SOCKET_ID_ANY));
	assert_int_equal(errno, EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(box_holds_one_less_than_a_power_of_two_and_then_refuses),
			cmocka_unit_test(messages_go_round_the_end_of_the_ring),
			cmocka_unit_test(two_threads_exchange_every_message_whole_and_in_order),
			cmocka_unit_test(size_that_is_no_multiple_of_four_is_refused),
	};

	return EAL_KIT_RUN("mailbox", tests);
}
