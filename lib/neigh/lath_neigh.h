/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * The neighbour resolver: which MAC a next hop has, and which addresses the gateway itself holds
 * on a wire. Workers never resolve: they ask by the event mailbox (lath_neigh_want) and are answered
 * by the command mailbox (ops: resolved, lost). This library decides what to ask, when and how often;
 * it makes no packet, reads no clock and knows no thread.
 *
 * Entries are keyed by (attachment, address). *Pinned* ones are the next hops of configured routes
 * and targets in an attached subnet: resolved at once, kept fresh, never evicted, exempt from rate
 * limits. The others come from packets on their way; they have at most half of the table, so no
 * flood of unresolvable addresses can hurt what is configured.
 *
 * *Claims* are the addresses that the gateway answers for (its own, and NAT and service addresses
 * inside an attached subnet, where the attachment has `announce`): each is probed, then announced,
 * and watched for others who use it (RFC 5227, shortened, and RFC 4862 section 5.4, see claim.c).
 *
 * IPv4 is asked for by ARP, IPv6 by neighbour discovery (RFC 4861), on attachments that have an
 * IPv6 address. There the gateway also has a link-local address, made of the port's MAC. States, timers and tables are the same for both; what a frame on the wire means differs:
 * arp.c and discovery.c.
 *
 * Everything is @thread mgmt. All memory is taken at create. Callbacks run inside the call that
 * caused them and must not call back in here.
 */
#pragma once

#include <lath_inet.h>
#include <lath_model.h>
#include <lath_nd.h>

/** What is said on a wire: ARP for an IPv4 address, neighbour discovery for an IPv6 one. */
enum lath_neigh_message {
	LATH_NEIGH_ASK_ALL, /* everybody: who has `target`? */
	LATH_NEIGH_ASK_ONE, /* the same to `dst`, whom we believe to have it */
	/* From no address: does anybody have it (RFC 5227 section 2.1.1, RFC 4862 section 5.4.2)? */
	LATH_NEIGH_PROBE,
	/* Everybody: `target` is ours (RFC 5227 section 2.3, RFC 4861 section 7.2.6). */
	LATH_NEIGH_ANNOUNCE,
	/* IPv6: switches, questions for `target` are wanted here (RFC 3810). */
	LATH_NEIGH_LISTEN,
	LATH_NEIGH_MESSAGE_COUNT,
};

enum lath_neigh_state {
	LATH_NEIGH_RESOLVING, /* asked, no answer yet */
	LATH_NEIGH_REACHABLE,
	LATH_NEIGH_REFRESHING, /* asked again; the old MAC is used meanwhile */
	LATH_NEIGH_STALE,      /* IPv6: said by itself, not confirmed, and nothing is sent there */
	LATH_NEIGH_FAILED,     /* nobody answered; held for LATH_NEIGH_FAILED_MS */
	LATH_NEIGH_STATE_COUNT,
};

enum lath_neigh_claim_state {
	LATH_NEIGH_CLAIM_PROBING,
	LATH_NEIGH_CLAIM_ANNOUNCING,
	LATH_NEIGH_CLAIM_HELD,
	LATH_NEIGH_CLAIM_CONFLICT, /* somebody else has it; probed again every minute */
	LATH_NEIGH_CLAIM_STATE_COUNT,
};

#define LATH_NEIGH_RETRY_MS 1000u  /* RFC 4861 section 10, RETRANS_TIMER; Linux does the same */
#define LATH_NEIGH_RETRIES 3u      /* RFC 4861 section 10, MAX_MULTICAST_SOLICIT */
#define LATH_NEIGH_FAILED_MS 3000u /* no new question for an address that did not answer */
#define LATH_NEIGH_DELAY_MS 5000u  /* RFC 4861 section 10, DELAY_FIRST_PROBE_TIME */
#define LATH_NEIGH_IDLE_MS 600000u /* an unpinned entry nobody used for so long is let go */

/** Every pointer is required. `dst` is NULL but for ASK_ONE. */
struct lath_neigh_ops {
	void (*send)(void *ctx, uint32_t attachment, enum lath_neigh_message kind,
			const struct lath_ip *sender, const struct lath_ip *target,
			const struct lath_mac *dst);
	/* The MAC of a next hop, for the first time, after a change, or because it was asked for. */
	void (*resolved)(void *ctx, uint32_t attachment, const struct lath_ip *ip,
			const struct lath_mac *mac);
	/* Nobody answers, or the entry was evicted: drop what waits, forget the MAC. */
	void (*lost)(void *ctx, uint32_t attachment, const struct lath_ip *ip);
	/* Somebody else uses an address of ours; at most once in 10 s for each. */
	void (*conflict)(void *ctx, uint32_t attachment, const struct lath_ip *ip,
			const struct lath_mac *theirs);
};

struct lath_neigh_counters {
	uint64_t sent_total[LATH_NEIGH_MESSAGE_COUNT];
	uint64_t seen_total;         /* frames of others looked at */
	uint64_t seen_ignored_total; /* of nobody we know, or with a MAC that cannot be */
	uint64_t resolved_total;
	uint64_t lost_total;
	uint64_t mac_changed_total;
	uint64_t conflicts_total;
	uint64_t want_limited_total; /* refused by the attachment's rate */
	uint64_t want_refused_total; /* unknown attachment, IPv6 where there is none */
	uint64_t evicted_total;
	uint64_t pin_refused_total;   /* more configured next hops than the table has room for */
	uint64_t claim_refused_total; /* more addresses than are watched: not announced */
};

/** One line of `show neighbors`. */
struct lath_neigh_row {
	uint32_t attachment;
	struct lath_ip ip;
	struct lath_mac mac; /* zero while never resolved */
	enum lath_neigh_state state;
	bool pinned;
	bool is_router; /* IPv6: says that it is one */
	uint32_t age_s; /* since the MAC was last confirmed, or since the entry was made */
};

struct lath_neigh_claim_row {
	uint32_t attachment;
	struct lath_ip ip;
	enum lath_neigh_claim_state state;
	struct lath_mac theirs; /* CONFLICT: who has it */
};

struct lath_neigh;

/**
 * `max_entries` (at least 16) neighbours and as many claims. `ops` is borrowed for life. `seed`
 * keys the hash table and spreads refreshes: random in the daemon, fixed in tests. NULL and
 * errno on no memory. @thread mgmt
 */
struct lath_neigh *lath_neigh_create(uint32_t max_entries, const struct lath_neigh_ops *ops,
		void *ctx, uint64_t seed);

/** Accepts NULL; calls nothing back. @thread mgmt */
void lath_neigh_free(struct lath_neigh *neigh);

/** The MAC that the gateway has on a port: link-local addresses are made of it. Before the first
 *  model. @thread mgmt
 */
void lath_neigh_set_mac(struct lath_neigh *neigh, uint16_t port, const struct lath_mac *mac);

/**
 * Takes in a published model, borrowed until the next call: pins and unpins, starts to probe what
 * is new, drops what belongs to attachments that went away. Questions are spread over 1 s.
 * The host port is left out: its neighbour is set up, not asked for. @thread mgmt
 */
void lath_neigh_set_model(struct lath_neigh *neigh, const struct lath_model *model,
		lath_tick_t now);

/**
 * A worker has a packet for `ip`. What is known is said again at once (resolved or lost); what is
 * not is asked for. Limited per attachment (limits.punts_per_second); a want over the limit is
 * counted and not answered, the worker asks again with a later packet. @thread mgmt
 */
void lath_neigh_want(struct lath_neigh *neigh, uint32_t attachment, const struct lath_ip *ip,
		lath_tick_t now);

/** A worker still sends to `ip`: keeps an unpinned entry from going idle. @thread mgmt */
void lath_neigh_used(struct lath_neigh *neigh, uint32_t attachment, const struct lath_ip *ip,
		lath_tick_t now);

/**
 * An ARP frame that came in on the attachment. The caller has checked that sender_mac is the
 * frame's source and is not the port's own. Updates entries that are known; makes one only for
 * who asks for an address of ours. @thread mgmt
 */
void lath_neigh_seen(struct lath_neigh *neigh, uint32_t attachment, const struct lath_ip *sender_ip,
		const struct lath_mac *sender_mac, const struct lath_ip *target_ip, bool is_reply,
		lath_tick_t now);

/**
 * A solicitation or advertisement of a neighbour that came in on the attachment, and the MAC that
 * its frame came from, which is not the port's own. @thread mgmt
 */
void lath_neigh_discovery(struct lath_neigh *neigh, uint32_t attachment,
		const struct lath_nd_message *msg, const struct lath_mac *sender, lath_tick_t now);

/** A multicast router asks who listens: every address of ours is said again, at most once a second.
 *  @thread mgmt
 */
void lath_neigh_query(struct lath_neigh *neigh, uint32_t attachment, lath_tick_t now);

/**
 * The link of port `port` (index into system.ports) changed. Down: questions wait, nothing is
 * lost. Up: every claim is probed and announced again, every neighbour asked again. Links are
 * up until said otherwise. @thread mgmt
 */
void lath_neigh_link(struct lath_neigh *neigh, uint16_t port, bool up, lath_tick_t now);

/** Does what is due, at most 256 questions a call. Call it every 10..100 ms. @thread mgmt */
void lath_neigh_tick(struct lath_neigh *neigh, lath_tick_t now);

/** Milliseconds until lath_neigh_tick() has work; UINT32_MAX: none is planned. @thread mgmt */
uint32_t lath_neigh_next_ms(const struct lath_neigh *neigh, lath_tick_t now);

/**
 * Lists entries: start with *cursor 0, call until false. Entries that come and go between calls
 * may be missed; none is shown twice. @thread mgmt
 */
bool lath_neigh_next(const struct lath_neigh *neigh, uint32_t *cursor, lath_tick_t now,
		struct lath_neigh_row *row);

/** The same for claims. @thread mgmt */
bool lath_neigh_next_claim(const struct lath_neigh *neigh, uint32_t *cursor,
		struct lath_neigh_claim_row *row);

/** Gauges: entries in the table, and how many of them are pinned. @thread mgmt */
uint32_t lath_neigh_count(const struct lath_neigh *neigh, uint32_t *pinned);

/** Borrowed for the resolver's life. @thread mgmt */
const struct lath_neigh_counters *lath_neigh_counters(const struct lath_neigh *neigh);

/** "resolving", ... for output. @thread any */
const char *lath_neigh_state_name(enum lath_neigh_state state);

/** "probing", ... for output. @thread any */
const char *lath_neigh_claim_state_name(enum lath_neigh_claim_state state);
