/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/**
 * @file
 * Packets that the gateway makes itself, on bytes: ARP, echo replies, TCP resets. Neighbour
 * discovery is lib/nd's. Pure; any thread; allocates nothing. `frame` is always the first byte of
 * an Ethernet frame.
 */
#pragma once

#include <lath_parse.h>

#define LATH_CRAFT_FRAME_MIN 60u /* IEEE 802.3: 64 bytes with the check sequence */
#define LATH_CRAFT_ARP_MAX (LATH_CRAFT_FRAME_MIN + 2 * sizeof(struct lath_vlan_hdr))

/** Ethernet header with an 802.1Q tag when `vlan` is not 0; returns its length (14 or 18). */
uint32_t lath_craft_ethernet(uint8_t *frame, const struct lath_mac *dst, const struct lath_mac *src,
		uint16_t vlan, uint16_t ethertype);

/** The same with an 802.1ad tag around it when `outer_vlan` is not 0 (14, 18 or 22). */
uint32_t lath_craft_ethernet_tags(uint8_t *frame, const struct lath_mac *dst,
		const struct lath_mac *src, uint16_t outer_vlan, uint16_t vlan, uint16_t ethertype);

struct lath_craft_arp {
	uint16_t op; /* LATH_ARP_REQUEST or LATH_ARP_REPLY */
	uint16_t outer_vlan;
	uint16_t vlan;
	struct lath_mac eth_dst;
	struct lath_mac sender_mac;
	struct lath_mac target_mac;
	lath_be32_t sender_ip_be;
	lath_be32_t target_ip_be;
};

/** Writes a padded ARP frame of LATH_CRAFT_FRAME_MIN bytes and 4 for each tag; returns its length. */
uint32_t lath_craft_arp(uint8_t *frame, const struct lath_craft_arp *arp);

/** Turns an ARP request in place into our answer: `mac` has the address asked for. */
void lath_craft_arp_reply(uint8_t *frame, const struct lath_packet *pkt,
		const struct lath_mac *mac);

/** Swaps the frame's Ethernet addresses: back to who sent it, from `mac`. */
void lath_craft_turn_ethernet(uint8_t *frame, const struct lath_mac *mac);

/** Turns an echo request in place into its reply (RFC 792, RFC 4443 section 4.2), TTL 64; Ethernet is the
 *  caller's.
 */
void lath_craft_echo_reply(uint8_t *frame, const struct lath_packet *pkt);

/**
 * Turns a TCP segment (IPv4 or IPv6) in place into the RST that answers it (RFC 9293 section 3.10.7.1):
 * ends swapped, options and data cut off, TTL 64, checksums computed. Ethernet is the caller's.
 * pkt->ip_len follows; the caller trims the frame to l3_offset + ip_len.
 */
void lath_craft_reset_answer(uint8_t *frame, struct lath_packet *pkt);

/**
 * Cuts a TCP segment (IPv4 or IPv6) in place down to a RST that goes on in its direction, with the
 * segment's own sequence number, so that the receiver believes it (RFC 5961 section 3.2).
 */
void lath_craft_reset_onward(uint8_t *frame, struct lath_packet *pkt);

/** What an answer to a health check takes at most, with its IPv4 and TCP headers. */
#define LATH_CRAFT_HEALTH_MAX 180u

/**
 * Turns a TCP segment over IPv4 of a health check in place into what answers it: the handshake, one
 * HTTP answer of "ready", the end. Remembers nothing; `sequence` is the first of ours, the same for
 * the same tuple. False: nothing answers it. There must be room for LATH_CRAFT_HEALTH_MAX bytes from
 * l3_offset on; pkt->ip_len follows. Ethernet is the caller's. A gateway that is not ready answers by
 * lath_craft_reset_answer().
 */
bool lath_craft_health_answer(uint8_t *frame, struct lath_packet *pkt, uint32_t sequence);
