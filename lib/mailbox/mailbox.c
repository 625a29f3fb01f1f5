/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * rte_ring does the work; this file gives it one message size and takes its modes away, so that a
 * second sender is a thing that cannot be written by mistake in one place only.
 */

#include <stdlib.h>

#include <rte_malloc.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "lath_mailbox.h"

struct lath_mailbox {
	struct rte_ring *ring;
	unsigned size;
};

static unsigned
power_of_two(unsigned n)
{
	unsigned power = 2;

	while (power < n)
		power *= 2;
	return power;
}

struct lath_mailbox *
lath_mailbox_create(unsigned messages, unsigned size, int socket)
{
	unsigned count = power_of_two(messages);
	ssize_t bytes = rte_ring_get_memsize_elem(size, count);
	struct lath_mailbox *mailbox;

	if (bytes < 0)
		return lath_null((int)-bytes);
	mailbox = rte_zmalloc_socket("lath_mailbox", sizeof(*mailbox), LATH_CACHE_LINE, socket);
	if (mailbox == NULL)
		return lath_null(ENOMEM);
	mailbox->size = size;
	mailbox->ring = rte_malloc_socket("lath_mailbox", (size_t)bytes, LATH_CACHE_LINE, socket);
	if (mailbox->ring == NULL ||
			rte_ring_init(mailbox->ring, "lath_mailbox", count,
					RING_F_SP_ENQ | RING_F_SC_DEQ) != 0) {
		lath_mailbox_free(mailbox);
		return lath_null(ENOMEM);
	}
	return mailbox;
}

void
lath_mailbox_free(struct lath_mailbox *mailbox)
{
	if (mailbox == NULL)
		return;
	rte_free(mailbox->ring);
	rte_free(mailbox);
}

bool
lath_mailbox_send(struct lath_mailbox *mailbox, const void *message)
{
	return rte_ring_sp_enqueue_bulk_elem(mailbox->ring, message, mailbox->size, 1, NULL) == 1;
}

bool
lath_mailbox_receive(struct lath_mailbox *mailbox, void *message)
{
	return rte_ring_sc_dequeue_bulk_elem(mailbox->ring, message, mailbox->size, 1, NULL) == 1;
}

unsigned
lath_mailbox_count(const struct lath_mailbox *mailbox)
{
	return rte_ring_count(mailbox->ring);
}
