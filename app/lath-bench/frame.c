/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Frames of the VPCs, which all use the same addresses: clients 10.1.0.0/20 behind a router in
 * each, targets 10.0.0.5.. behind a router in the last. Each packet carries its flow's number
 * behind the L4 header, so what comes out is matched without trusting any table. A frame with a
 * VLAN tag is four bytes longer than the named size.
 */

#include <string.h>

#include "world.h"

#define CLIENTS 4096u
#define CLIENT_BASE 0x0a010000u /* 10.1.0.0 */
#define CLIENT_PORT_FIRST 1024u
#define CLIENT_PORTS 64000u
#define TTL 64
#define TAG_LEN 4u

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
static struct bench_flow
client(const struct rig *rig, uint64_t serial)
{
	uint32_t port = CLIENT_PORT_FIRST + (uint32_t)(serial / CLIENTS % CLIENT_PORTS);

	return (struct bench_flow){
			.client_be = lath_to_be32(CLIENT_BASE + (uint32_t)(serial % CLIENTS)),
			.client_port_be = lath_to_be16((uint16_t)port),
			.vpc = (uint16_t)(serial % rig->plan.vpcs),
			.service = (uint16_t)(serial / rig->plan.vpcs % rig->plan.services),
	};
}

struct bench_flow
frame_next_client(const struct rig *rig, uint64_t *serial)
{
	for (;;) {
		struct bench_flow flow = client(rig, (*serial)++);

		if (rig->plan.workers == 1 ||
				lath_owner_of_v4(rig->gateway->plane.owner, flow.client_be,
						world_service(flow.service), flow.client_port_be,
						lath_to_be16(SERVICE_PORT)) == rig->plan.measured)
			return flow;
	}
}

/* Without CRC and tag. IMIX: a flow has a size, the mix is among flows. */
static unsigned
frame_len(const struct rig *rig, uint32_t number)
{
	static const uint16_t imix[] = {64, 64, 64, 64, 64, 64, 64, 594, 594, 594, 594, 1518};
	uint32_t bytes = rig->packet_size;

	if (bytes == PACKET_IMIX)
		bytes = imix[number % LATH_ARRAY_SIZE(imix)];
	return bytes - FRAME_CRC;
}

/* Bytes in front of the IPv4 header. */
static unsigned
link_len(struct rte_mbuf *m)
{
	const struct lath_eth_hdr *eth = rte_pktmbuf_mtod(m, const struct lath_eth_hdr *);

	return (unsigned)sizeof(*eth) +
			(lath_from_be16(eth->type_be) == LATH_ETHERTYPE_VLAN ? TAG_LEN : 0);
}

static void
write_tcp(struct lath_tcp_hdr *tcp, enum frame_kind kind, const lath_be16_t ports[2])
{
	static const uint8_t flags[FRAME_KIND_COUNT] = {
			[FRAME_OPEN] = LATH_TCP_SYN,
			[FRAME_ANSWER] = LATH_TCP_SYN | LATH_TCP_ACK,
			[FRAME_DATA] = LATH_TCP_ACK,
			[FRAME_FIN] = LATH_TCP_FIN | LATH_TCP_ACK,
	};

	*tcp = (struct lath_tcp_hdr){
			.src_port_be = ports[0],
			.dst_port_be = ports[1],
			.seq_be = lath_to_be32(kind == FRAME_OPEN || kind == FRAME_ANSWER ? 1000
											  : 1001),
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

/* Ethernet and perhaps a tag; returns where IPv4 begins. */
static uint8_t *
write_link(const struct rig *rig, struct rte_mbuf *m, uint16_t vlan, unsigned side)
{
	struct lath_eth_hdr *eth = rte_pktmbuf_mtod(m, struct lath_eth_hdr *);
	lath_be16_t *tag = (void *)(eth + 1);

	*eth = (struct lath_eth_hdr){
			.dst = rig->gateway->ports[side].mac,
			.src = frame_router_mac(side),
			.type_be = lath_to_be16(vlan == 0 ? LATH_ETHERTYPE_IPV4
							  : LATH_ETHERTYPE_VLAN),
	};
	if (vlan == 0)
		return (uint8_t *)(eth + 1);
	tag[0] = lath_to_be16(vlan);
	tag[1] = lath_to_be16(LATH_ETHERTYPE_IPV4);
	return (uint8_t *)(tag + 2);
}

void
frame_write(const struct rig *rig, struct rte_mbuf *m, const struct bench_flow *flow,
		uint32_t number, enum frame_kind kind, unsigned side)
{
	uint16_t vlan = side == 0 ? world_vlan(rig, flow->vpc) : 0;
	unsigned len = frame_len(rig, number) + (vlan == 0 ? 0 : TAG_LEN);
	unsigned ip_len = frame_len(rig, number) - (unsigned)sizeof(struct lath_eth_hdr);
	const lath_be16_t up[2] = {flow->client_port_be, lath_to_be16(SERVICE_PORT)};
	const lath_be16_t down[2] = {world_target_port(flow->service), flow->nat_port_be};
	struct lath_ipv4_hdr *ip;
	uint16_t cksum;

	rte_pktmbuf_reset(m);
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	ip = (void *)write_link(rig, m, vlan, side);
	*ip = (struct lath_ipv4_hdr){
			.version_ihl = 0x45,
			.total_len_be = lath_to_be16((uint16_t)ip_len),
			.fragment_be = lath_to_be16(LATH_IPV4_DF),
			.ttl = TTL,
			.proto = rig->proto,
			.src_be = side == 0 ? flow->client_be : flow->target_be,
			.dst_be = side == 0 ? world_service(flow->service) : flow->nat_be,
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
					link_len(m) + sizeof(struct lath_ipv4_hdr) + l4_len(rig)),
			sizeof(number));
	return number;
}

const lath_be16_t *
frame_ports(struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, const lath_be16_t *,
			link_len(m) + sizeof(struct lath_ipv4_hdr));
}

const struct lath_ipv4_hdr *
frame_check(const struct rig *rig, struct rte_mbuf *m)
{
	unsigned link = link_len(m);
	unsigned ip_len = frame_len(rig, frame_number(rig, m)) -
			(unsigned)sizeof(struct lath_eth_hdr);
	const struct lath_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, const struct lath_ipv4_hdr *,
			link);

	if (rte_pktmbuf_pkt_len(m) != link + ip_len) {
		rig_check(rig, "a packet was answered");
		rig_die("a packet of %u bytes came out with %u", link + ip_len,
				rte_pktmbuf_pkt_len(m));
	}
	if (lath_cksum_ipv4_header(ip, sizeof(*ip)) != 0)
		rig_die("a packet came out with a wrong IPv4 checksum");
	if (lath_cksum_l4_v4(ip, ip + 1, ip_len - (unsigned)sizeof(*ip)) != 0)
		rig_die("a packet came out with a wrong TCP or UDP checksum");
	if (ip->ttl != TTL - 1)
		rig_die("a packet came out with a TTL of %u", ip->ttl);
	return ip;
}
