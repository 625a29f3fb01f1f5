/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Frames of the two VPCs, which use the same addresses: clients 10.1.0.0/20 behind a router in
 * one, targets 10.0.0.5.. behind a router in the other. Each packet carries its flow's number
 * behind the L4 header, so what comes out is matched without trusting any table.
 */

#include <string.h>

#include "bench.h"
#include "world.h"

#define CLIENTS 4096u
#define CLIENT_BASE 0x0a010000u /* 10.1.0.0 */
#define CLIENT_PORT_FIRST 1024u
#define CLIENT_PORTS 64000u
#define TTL 64

static unsigned
l4_len(const struct rig *rig)
{
	return rig->proto == LATH_PROTO_TCP ? sizeof(struct lath_tcp_hdr)
					    : sizeof(struct lath_udp_hdr);
}

struct lath_mac
frame_router_mac(unsigned side)
{
	return (struct lath_mac){{0x02, 0xbe, 0, 0, 0, (uint8_t)side}};
}

/* The client's end of a flow; 262 million of them differ. */
struct bench_flow
frame_client(uint64_t serial)
{
	uint32_t port = CLIENT_PORT_FIRST + (uint32_t)(serial / CLIENTS % CLIENT_PORTS);

	return (struct bench_flow){
			.client_be = lath_to_be32(CLIENT_BASE + (uint32_t)(serial % CLIENTS)),
			.client_port_be = lath_to_be16((uint16_t)port),
	};
}

static void
write_tcp(struct lath_tcp_hdr *tcp, enum frame_kind kind, const lath_be16_t ports[2])
{
	static const uint8_t flags[FRAME_KIND_COUNT] = {
			[FRAME_OPEN] = LATH_TCP_SYN,
			[FRAME_ANSWER] = LATH_TCP_SYN | LATH_TCP_ACK,
			[FRAME_DATA] = LATH_TCP_ACK,
	};

	*tcp = (struct lath_tcp_hdr){
			.src_port_be = ports[0],
			.dst_port_be = ports[1],
			.seq_be = lath_to_be32(kind == FRAME_DATA ? 1001 : 1000),
			.ack_be = lath_to_be32(kind == FRAME_OPEN ? 0 : 1001),
			.offset = 5 << 4,
			.flags = flags[kind],
			.window_be = lath_to_be16(0xffff),
	};
}

static void
write_l4(const struct rig *rig, struct lath_ipv4_hdr *ip, unsigned len, enum frame_kind kind,
		const lath_be16_t ports[2])
{
	uint8_t *l4 = (uint8_t *)(ip + 1);
	size_t at = rig->proto == LATH_PROTO_TCP ? offsetof(struct lath_tcp_hdr, cksum_be)
						 : offsetof(struct lath_udp_hdr, cksum_be);
	uint16_t cksum;

	if (rig->proto == LATH_PROTO_TCP)
		write_tcp((void *)l4, kind, ports);
	else
		*(struct lath_udp_hdr *)(void *)l4 = (struct lath_udp_hdr){
				.src_port_be = ports[0],
				.dst_port_be = ports[1],
				.len_be = lath_to_be16((uint16_t)len),
		};
	cksum = lath_cksum_l4_v4(ip, l4, len);
	if (cksum == 0 && rig->proto == LATH_PROTO_UDP)
		cksum = 0xffff;
	memcpy(l4 + at, &cksum, sizeof(cksum));
}

void
frame_write(const struct rig *rig, struct rte_mbuf *m, const struct bench_flow *flow,
		uint32_t number, enum frame_kind kind, unsigned side)
{
	unsigned frame_len = rig->options->packet_bytes - FRAME_CRC;
	unsigned ip_len = frame_len - (unsigned)sizeof(struct lath_eth_hdr);
	const lath_be16_t up[2] = {flow->client_port_be, lath_to_be16(SERVICE_PORT)};
	const lath_be16_t down[2] = {lath_to_be16(TARGET_PORT), flow->nat_port_be};
	struct lath_eth_hdr *eth;
	struct lath_ipv4_hdr *ip;
	uint16_t cksum;

	rte_pktmbuf_reset(m);
	m->data_len = (uint16_t)frame_len;
	m->pkt_len = frame_len;
	eth = rte_pktmbuf_mtod(m, struct lath_eth_hdr *);
	*eth = (struct lath_eth_hdr){
			.dst = rig->gateway.ports[side].mac,
			.src = frame_router_mac(side),
			.type_be = lath_to_be16(LATH_ETHERTYPE_IPV4),
	};
	ip = (void *)(eth + 1);
	*ip = (struct lath_ipv4_hdr){
			.version_ihl = 0x45,
			.total_len_be = lath_to_be16((uint16_t)ip_len),
			.fragment_be = lath_to_be16(LATH_IPV4_DF),
			.ttl = TTL,
			.proto = rig->proto,
			.src_be = side == 0 ? flow->client_be : flow->target_be,
			.dst_be = side == 0 ? lath_to_be32(SERVICE_IP) : flow->nat_be,
	};
	cksum = lath_cksum_ipv4_header(ip, sizeof(*ip));
	memcpy(&ip->cksum_be, &cksum, sizeof(cksum));
	memcpy((uint8_t *)(ip + 1) + l4_len(rig), &number, sizeof(number));
	write_l4(rig, ip, ip_len - (unsigned)sizeof(*ip), kind, side == 0 ? up : down);
}

uint32_t
frame_number(const struct rig *rig, struct rte_mbuf *m)
{
	uint32_t number;

	memcpy(&number,
			rte_pktmbuf_mtod_offset(m, const uint8_t *,
					sizeof(struct lath_eth_hdr) + sizeof(struct lath_ipv4_hdr) +
							l4_len(rig)),
			sizeof(number));
	return number;
}

const lath_be16_t *
frame_ports(struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, const lath_be16_t *,
			sizeof(struct lath_eth_hdr) + sizeof(struct lath_ipv4_hdr));
}

const struct lath_ipv4_hdr *
frame_check(const struct rig *rig, struct rte_mbuf *m)
{
	unsigned frame_len = rig->options->packet_bytes - FRAME_CRC;
	const struct lath_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, const struct lath_ipv4_hdr *,
			sizeof(struct lath_eth_hdr));
	unsigned len = frame_len - (unsigned)(sizeof(struct lath_eth_hdr) + sizeof(*ip));

	if (rte_pktmbuf_pkt_len(m) != frame_len)
		rig_die("a packet of %u bytes came out with %u", frame_len, rte_pktmbuf_pkt_len(m));
	if (lath_cksum_ipv4_header(ip, sizeof(*ip)) != 0)
		rig_die("a packet came out with a wrong IPv4 checksum");
	if (lath_cksum_l4_v4(ip, ip + 1, len) != 0)
		rig_die("a packet came out with a wrong TCP or UDP checksum");
	if (ip->ttl != TTL - 1)
		rig_die("a packet came out with a TTL of %u", ip->ttl);
	return ip;
}
