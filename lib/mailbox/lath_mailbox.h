/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * A ring of fixed-size messages between exactly two threads: one sends, one receives. Neither ever
 * waits: a full ring refuses, the sender counts. Messages are copied.
 */
#pragma once

#include <lath_base.h>

struct lath_mailbox;

/** Holds one message less than `messages` rounded up to a power of two (rte_ring keeps a slot
 *  empty), at least one; `size` is a multiple of 8 bytes. NULL and errno. @thread init
 */
struct lath_mailbox *lath_mailbox_create(unsigned messages, unsigned size, int socket);

/** Accepts NULL. @thread init */
void lath_mailbox_free(struct lath_mailbox *mailbox);

/** False: the ring is full and nothing was sent. @thread the one sender */
bool lath_mailbox_send(struct lath_mailbox *mailbox, const void *message);

/** False: nothing waits. @thread the one receiver */
bool lath_mailbox_receive(struct lath_mailbox *mailbox, void *message);

/** Messages that wait. @thread sender or receiver */
unsigned lath_mailbox_count(const struct lath_mailbox *mailbox);
