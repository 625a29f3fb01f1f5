/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Parsing and rewriting packets of 64 bytes (74 for IPv6) that lie in random order, as far apart as
 * packet buffers. warm: 256 packets that were just written. cold: 2,048 whose headers and parse
 * results are in no cache, one after the other without fetching ahead: nearly all of that is
 * waiting for memory, which the pipeline overlaps with other work.
 */

#include <string.h>

#include "micro.h"

#define COLD 2048u
#define WARM 256u
#define STRIDE 2368u /* of packet buffers as DPDK makes them: header, private area, data */
#define FRAME_AT 128u
#define BYTES 128u /* kept of each: frame and what a longer header needs in front */
#define IPV6_MORE 20u

struct place {
	uint8_t *frame;
	struct lath_packet pkt;
	struct lath_deltas deltas;
	struct lath_rewrite4 rewrite4;
	struct lath_rewrite6 rewrite6;
} LATH_ALIGNED(LATH_CACHE_LINE);

struct packets {
	uint8_t *memory;
	uint8_t (*pristine)[BYTES];
	struct lath_packet *parsed;
	struct place *places; /* in the order of visits */
	uint32_t *order;
	unsigned count;
	unsigned frame_len;
	uint8_t family;
	uint8_t proto;
	bool cold;
	bool grows; /* 4to6: the header moves to the front */
};

/* ---- frames ----------------------------------------------------------------------------------- */

static void
write_l4(const struct packets *packets, uint8_t *l4, uint32_t number)
{
	if (packets->proto == LATH_PROTO_TCP)
		*(struct lath_tcp_hdr *)(void *)l4 = (struct lath_tcp_hdr){
				.src_port_be = lath_to_be16((uint16_t)(1024 + number)),
				.dst_port_be = lath_to_be16(80),
				.seq_be = lath_to_be32(number),
				.offset = 5 << 4,
				.flags = LATH_TCP_ACK,
		};
	else
		*(struct lath_udp_hdr *)(void *)l4 = (struct lath_udp_hdr){
				.src_port_be = lath_to_be16((uint16_t)(1024 + number)),
				.dst_port_be = lath_to_be16(80),
				.len_be = lath_to_be16(26),
				.cksum_be = lath_to_be16(0xbeef),
		};
}

static unsigned
write_ipv4(const struct packets *packets, uint8_t *l3, uint32_t number)
{
	struct lath_ipv4_hdr *ip = (void *)l3;
	uint16_t cksum;

	*ip = (struct lath_ipv4_hdr){
			.version_ihl = 0x45,
			.total_len_be = lath_to_be16(46),
			.fragment_be = lath_to_be16(LATH_IPV4_DF),
			.ttl = 64,
			.proto = packets->proto,
			.src_be = lath_to_be32(0x0a010000 + number),
			.dst_be = lath_to_be32(0xc612000a),
	};
	cksum = lath_cksum_ipv4_header(ip, sizeof(*ip));
	memcpy(&ip->cksum_be, &cksum, sizeof(cksum));
	write_l4(packets, l3 + sizeof(*ip), number);
	return 46;
}

static unsigned
write_ipv6(const struct packets *packets, uint8_t *l3, uint32_t number)
{
	struct lath_ipv6_hdr *ip = (void *)l3;

	*ip = (struct lath_ipv6_hdr){
			.version_class_label_be = lath_to_be32(6u << 28),
			.payload_len_be = lath_to_be16(20),
			.next_header = LATH_PROTO_TCP,
			.hop_limit = 64,
			.src = {0xfd, 0, [14] = (uint8_t)(number >> 8), (uint8_t)number},
			.dst = {0xfd, 1, [15] = 10},
	};
	write_l4(packets, l3 + sizeof(*ip), number);
	return sizeof(*ip) + 20;
}

static enum lath_drop
parse(const struct packets *packets, const uint8_t *frame, struct lath_packet *pkt)
{
	uint16_t ethertype;
	enum lath_drop drop = lath_parse_frame(frame, packets->frame_len, pkt, &ethertype);

	if (drop != LATH_DROP_NONE)
		return drop;
	if (ethertype == LATH_ETHERTYPE_IPV4)
		return lath_parse_ipv4(frame, packets->frame_len, packets->frame_len, false, pkt);
	return lath_parse_ipv6(frame, packets->frame_len, packets->frame_len, pkt);
}

static void
write_pristine(struct packets *packets, uint32_t number)
{
	uint8_t *frame = packets->pristine[number] + (packets->grows ? IPV6_MORE : 0);
	struct lath_eth_hdr *eth = (void *)frame;
	unsigned ip_len;

	*eth = (struct lath_eth_hdr){
			.dst = {{0x02, 0, 0, 0, 0, 1}},
			.src = {{0x02, 0xbe, 0, 0, 0, 1}},
			.type_be = lath_to_be16(packets->family == LATH_FAMILY_IPV4
							? LATH_ETHERTYPE_IPV4
							: LATH_ETHERTYPE_IPV6),
	};
	ip_len = packets->family == LATH_FAMILY_IPV4
			? write_ipv4(packets, frame + sizeof(*eth), number)
			: write_ipv6(packets, frame + sizeof(*eth), number);
	packets->frame_len = (unsigned)sizeof(*eth) + ip_len;
	if (parse(packets, frame, &packets->parsed[number]) != LATH_DROP_NONE)
		rig_die("packet %u of a micro test does not parse", number);
	if (packets->grows) { /* as after prepending */
		packets->parsed[number].l3_offset += IPV6_MORE;
		packets->parsed[number].l4_offset += IPV6_MORE;
	}
}

/* Frames as they came in, and where they are to be cold, out of the caches. */
static void
prepare(void *ctx)
{
	struct packets *packets = ctx;

	for (unsigned i = 0; i < packets->count; i++) {
		struct place *place = &packets->places[i];

		memcpy(place->frame, packets->pristine[packets->order[i]], BYTES);
		place->pkt = packets->parsed[packets->order[i]];
		if (packets->cold)
			micro_flush(place->frame, BYTES);
	}
	if (packets->cold)
		micro_flush(packets->places, packets->count * sizeof(*packets->places));
}

/* ---- laps ------------------------------------------------------------------------------------- */

static uint64_t
lap_parse(void *ctx)
{
	struct packets *packets = ctx;
	unsigned wrong = 0;

	for (unsigned i = 0; i < packets->count; i++) {
		struct place *place = &packets->places[i];

		wrong += parse(packets, place->frame, &place->pkt) != LATH_DROP_NONE;
	}
	if (wrong > 0)
		rig_die("parse: %u packets were refused", wrong);
	return packets->count;
}

static uint64_t
lap_4to4(void *ctx)
{
	struct packets *packets = ctx;

	for (unsigned i = 0; i < packets->count; i++) {
		struct place *place = &packets->places[i];

		lath_xlate_4to4(place->frame, &place->pkt, &place->rewrite4, place->deltas);
	}
	return packets->count;
}

static uint64_t
lap_6to4(void *ctx)
{
	struct packets *packets = ctx;

	for (unsigned i = 0; i < packets->count; i++) {
		struct place *place = &packets->places[i];

		lath_xlate_6to4(place->frame, &place->pkt, &place->rewrite4, place->deltas, 1);
	}
	return packets->count;
}

static uint64_t
lap_4to6(void *ctx)
{
	struct packets *packets = ctx;

	for (unsigned i = 0; i < packets->count; i++) {
		struct place *place = &packets->places[i];

		lath_xlate_4to6(place->frame, &place->pkt, &place->rewrite6, place->deltas);
	}
	return packets->count;
}

/* ---- rows ------------------------------------------------------------------------------------- */

static void
plan_rewrite(const struct packets *packets, struct place *place, uint32_t number)
{
	const struct lath_packet *pkt = &packets->parsed[number];

	place->rewrite4 = (struct lath_rewrite4){
			.src_be = lath_to_be32(0x0afe0001),
			.dst_be = lath_to_be32(0x0a000005),
			.src_port_be = lath_to_be16((uint16_t)(2000 + number)),
			.dst_port_be = lath_to_be16(8080),
	};
	place->rewrite6 = (struct lath_rewrite6){
			.src = {0xfd, 1, [15] = 10},
			.dst = {0xfd, 0, [14] = (uint8_t)(number >> 8), (uint8_t)number},
			.src_port_be = lath_to_be16(80),
			.dst_port_be = lath_to_be16((uint16_t)(2000 + number)),
	};
	if (packets->family == LATH_FAMILY_IPV6)
		place->deltas = lath_xlate_deltas_6to4(&pkt->key6, &place->rewrite4);
	else if (packets->grows)
		place->deltas = lath_xlate_deltas_4to6(&pkt->key4, &place->rewrite6);
	else
		place->deltas = lath_xlate_deltas4(&pkt->key4, &place->rewrite4);
}

static void
open_packets(struct micro *micro, struct packets *packets)
{
	const unsigned count = packets->count;

	packets->memory = micro_alloc(micro, (size_t)count * STRIDE);
	packets->pristine = micro_alloc(micro, count * sizeof(*packets->pristine));
	packets->parsed = micro_alloc(micro, count * sizeof(*packets->parsed));
	packets->places = micro_alloc(micro, count * sizeof(*packets->places));
	packets->order = micro_alloc(micro, count * sizeof(*packets->order));
	micro_shuffle(micro, packets->order, count);
	for (unsigned i = 0; i < count; i++)
		write_pristine(packets, i);
	for (unsigned i = 0; i < count; i++) {
		packets->places[i].frame = packets->memory + (size_t)packets->order[i] * STRIDE +
				FRAME_AT;
		plan_rewrite(packets, &packets->places[i], packets->order[i]);
	}
}

static void
close_packets(const struct micro *micro, struct packets *packets)
{
	const unsigned count = packets->count;

	micro_free(micro, packets->memory, (size_t)count * STRIDE);
	micro_free(micro, packets->pristine, count * sizeof(*packets->pristine));
	micro_free(micro, packets->parsed, count * sizeof(*packets->parsed));
	micro_free(micro, packets->places, count * sizeof(*packets->places));
	micro_free(micro, packets->order, count * sizeof(*packets->order));
}

struct kind {
	const char *name;
	uint64_t (*lap)(void *ctx);
	uint8_t family;
	uint8_t proto;
	bool grows;
};

#define KINDS_MAX 4u

static void
run_kinds(struct micro *micro, const struct kind *kinds, unsigned count)
{
	static struct packets packets[2 * KINDS_MAX];
	struct micro_case cases[2 * KINDS_MAX];
	const unsigned rows = micro_flush(NULL, 0) ? 2 * count : count;

	for (unsigned i = 0; i < rows; i++) {
		const struct kind *kind = &kinds[i % count];
		bool cold = i >= count;

		packets[i] = (struct packets){
				.count = cold ? COLD : WARM,
				.family = kind->family,
				.proto = kind->proto,
				.cold = cold,
				.grows = kind->grows,
		};
		open_packets(micro, &packets[i]);
		cases[i] = (struct micro_case){.variant = kind->name,
				.unit = "packet",
				.prepare = prepare,
				.lap = kind->lap,
				.ctx = &packets[i]};
		snprintf(cases[i].condition, sizeof(cases[i].condition), "%s",
				cold ? "cold" : "warm");
	}
	micro_measure(micro, cases, rows);
	for (unsigned i = 0; i < rows; i++)
		close_packets(micro, &packets[i]);
}

static void
run_parse(struct micro *micro)
{
	static const struct kind kinds[] = {
			{"IPv4 TCP", lap_parse, LATH_FAMILY_IPV4, LATH_PROTO_TCP, false},
			{"IPv4 UDP", lap_parse, LATH_FAMILY_IPV4, LATH_PROTO_UDP, false},
			{"IPv6 TCP", lap_parse, LATH_FAMILY_IPV6, LATH_PROTO_TCP, false},
	};

	run_kinds(micro, kinds, LATH_ARRAY_SIZE(kinds));
}

static void
run_xlate(struct micro *micro)
{
	static const struct kind kinds[] = {
			{"4to4 TCP", lap_4to4, LATH_FAMILY_IPV4, LATH_PROTO_TCP, false},
			{"4to4 UDP", lap_4to4, LATH_FAMILY_IPV4, LATH_PROTO_UDP, false},
			{"6to4 TCP", lap_6to4, LATH_FAMILY_IPV6, LATH_PROTO_TCP, false},
			{"4to6 TCP", lap_4to6, LATH_FAMILY_IPV4, LATH_PROTO_TCP, true},
	};

	run_kinds(micro, kinds, LATH_ARRAY_SIZE(kinds));
}

const struct micro_test micro_parse_test = {
		"parse", "from a frame's bytes to struct lath_packet", run_parse};
const struct micro_test micro_xlate_test = {
		"xlate", "rewriting addresses, ports, family, checksums", run_xlate};
