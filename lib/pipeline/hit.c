/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * The hit path: a plain packet of a known IPv4 flow, which is nearly every packet there is. It
 * goes in stages, each over the whole burst, so that the lines a burst needs are fetched side by
 * side:
 *
 *     shape     is it plain? Ethernet to us, IPv4 of 20 bytes, TCP data or UDP, whole; its key
 *     hash      of all keys; each bucket's line is fetched
 *     find      the tag in the bucket; the half's line that it names is fetched
 *     judge     is it this key, allowed, established; is the next hop ready?
 *     account   tick, packets, bytes, furthest acknowledgement
 *     rewrite   addresses, ports, TTL, checksums
 *     front     the next hop's bytes
 *     send      into the port's buffer
 *
 * On a port that software steers, a plain packet of another worker's goes there after shape; the
 * other goes on from hash.
 *
 * A packet that is not plain in any respect is left untouched and takes the whole way (receive.c,
 * path.c), which does the same for plain ones and all that there is for others. So nothing is
 * decided here that is not decided there, and packets keep their order: what takes the whole way
 * does so between its neighbours.
 *
 * What the stages know of a packet lies on the stack; the line in the mbuf's private area is left
 * alone but for a hand-over. A hit costs the mbuf's first line, the frame's, the bucket and the half.
 */

#include <rte_prefetch.h>

#include "pipeline_private.h"

#define ETHERNET_LEN 14u
#define TAG_LEN 4u
#define IPV4_LEN 20u
#define MOVE 16u             /* bytes that go in front at once */
#define FRONT_MAX (2 * MOVE) /* longest header that does */

_Static_assert(offsetof(struct lath_half4, rewrite) == sizeof(struct lath_key4),
		"rewrite() takes addresses and ports from behind the key in one piece");
_Static_assert(offsetof(struct lath_ipv4_hdr, ttl) + 16 == IPV4_LEN + 4,
		"and puts them from the TTL on in one piece");
_Static_assert(offsetof(struct lath_adjacency, header) + ETHERNET_LEN >= MOVE &&
				offsetof(struct lath_adjacency, header) + MOVE + 1 >= FRONT_MAX,
		"front() reads one or two moves up to the header's end");

/* A packet that looks plain. */
struct candidate {
	struct lath_key4 key;
	uint8_t *l3;
	uint64_t hash;
	struct lath_half4 *half; /* NULL: none has its tag */
	uint32_t attachment;
	uint16_t ip_len;
	uint8_t l3_offset;
	uint8_t at; /* in the burst */
	bool is_tcp;
};

/* A burst and what its packets share. */
struct arrival {
	struct rte_mbuf **packets;
	unsigned count;
	bool handed; /* by other workers: nothing of what follows holds */
	bool unsteered;
	const struct lath_model *model;
	const struct lath_model_attachment *untagged; /* NULL: none, or no plain packets' */
	uint64_t mac;                                 /* the gateway's there, low 48 bits */
	uint64_t ip_good; /* flag of a header that the NIC has summed; 0: it does not */
	uint64_t l4_bad;  /* and of a wrong TCP or UDP checksum */
	uint16_t port;
};

static inline uint64_t
load64(const uint8_t *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof(word));
	return word;
}

static inline uint16_t
load16(const uint8_t *from)
{
	uint16_t word;

	memcpy(&word, from, sizeof(word));
	return word;
}

/* ---- shape ------------------------------------------------------------------------------------ */

static struct arrival
arrival_at(const struct lath_worker *w, uint16_t port, struct rte_mbuf **packets, unsigned n)
{
	const bool *offloads = w->plane->ports[port].offloads;
	struct arrival in = {
			.packets = packets,
			.count = n,
			.unsteered = w->plane->worker_count > 1 &&
					w->plane->ports[port].steering != LATH_STEER_NIC,
			.model = w->model,
			.untagged = lath_model_attachment_at(w->model, port, 0),
			.ip_good = offloads[LATH_OFFLOAD_RX_IP_CKSUM] ? RTE_MBUF_F_RX_IP_CKSUM_GOOD
								      : 0,
			.l4_bad = offloads[LATH_OFFLOAD_RX_L4_CKSUM] ? RTE_MBUF_F_RX_L4_CKSUM_BAD
								     : 0,
			.port = port,
	};

	memcpy(&in.mac, &w->plane->gateway_mac[port], sizeof(w->plane->gateway_mac[port]));
	if (in.untagged != NULL && in.untagged->whole_way)
		in.untagged = NULL;
	return in;
}

/* Where an IPv4 packet entered; NULL: something else, or nowhere. */
static inline const struct lath_model_attachment *
attachment_at(const struct arrival *in, const uint8_t *frame, uint8_t *l3_offset)
{
	const uint8_t *type = frame + offsetof(struct lath_eth_hdr, type_be);
	const struct lath_model_attachment *attachment;

	*l3_offset = ETHERNET_LEN;
	if (load16(type) == (LATH_FORCE uint16_t)lath_to_be16(LATH_ETHERTYPE_IPV4))
		return in->untagged;
	if (load16(type) != (LATH_FORCE uint16_t)lath_to_be16(LATH_ETHERTYPE_VLAN) ||
			load16(type + TAG_LEN) !=
					(LATH_FORCE uint16_t)lath_to_be16(LATH_ETHERTYPE_IPV4))
		return NULL;
	*l3_offset += TAG_LEN;
	attachment = lath_model_attachment_at(in->model, in->port,
			__builtin_bswap16(load16(type + 2)) & LATH_VLAN_ID_MASK);
	return attachment == NULL || attachment->whole_way ? NULL : attachment;
}

/* Data or an acknowledgement; what handshakes and ends is not plain. */
static inline bool
has_plain_flags(uint8_t tcp_flags)
{
	return lath_tcp_is_plain(tcp_flags) && (tcp_flags & LATH_TCP_ACK) != 0;
}

static inline bool
is_plain_tcp(const struct lath_tcp_hdr *tcp, uint32_t l4_len)
{
	uint32_t header_len = (uint32_t)(tcp->offset >> 4) * 4;

	return header_len >= sizeof(*tcp) && header_len <= l4_len && has_plain_flags(tcp->flags);
}

static inline bool
is_plain_udp(const struct lath_udp_hdr *udp, uint32_t l4_len)
{
	uint32_t udp_len = lath_from_be16(udp->len_be);

	return udp_len >= sizeof(*udp) && udp_len <= l4_len;
}

/* Each checksum's verdict is two bits, of which GOOD and BAD have one: "none" has both. */
static inline bool
is_ip_good(const struct arrival *in, const struct rte_mbuf *m)
{
	return in->ip_good != 0 && (m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == in->ip_good;
}

static inline bool
is_l4_bad(const struct arrival *in, const struct rte_mbuf *m)
{
	return in->l4_bad != 0 && (m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == in->l4_bad;
}

/* Fills the candidate in, but for `at`. Lengths first: nothing is read that is not there. */
static inline bool
has_shape(const struct arrival *in, const struct rte_mbuf *m, struct candidate *c)
{
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	const struct lath_model_attachment *attachment;
	const struct lath_ipv4_hdr *ip;
	const void *l4;
	uint32_t ip_len;

	if (m->nb_segs != 1 || is_l4_bad(in, m) ||
			m->data_len < ETHERNET_LEN + TAG_LEN + IPV4_LEN +
							sizeof(struct lath_udp_hdr) ||
			(load64(frame) ^ in->mac) << 16 != 0)
		return false;
	attachment = attachment_at(in, frame, &c->l3_offset);
	if (attachment == NULL)
		return false;
	c->l3 = frame + c->l3_offset;
	ip = (const void *)c->l3;
	l4 = ip + 1;
	ip_len = lath_from_be16(ip->total_len_be);
	if (ip->version_ihl != 0x45 || ip_len > (uint32_t)m->data_len - c->l3_offset ||
			(ip->fragment_be & lath_to_be16(LATH_IPV4_MF | LATH_IPV4_OFFSET_MASK)) !=
					0 ||
			ip->ttl <= 1 || !(is_ip_good(in, m) || lath_cksum_ipv4_holds(ip)))
		return false;
	c->is_tcp = ip->proto == LATH_PROTO_TCP;
	if (c->is_tcp ? ip_len < IPV4_LEN + sizeof(struct lath_tcp_hdr) ||
							!is_plain_tcp(l4, ip_len - IPV4_LEN)
		      : ip->proto != LATH_PROTO_UDP || !is_plain_udp(l4, ip_len - IPV4_LEN))
		return false;
	c->ip_len = (uint16_t)ip_len;
	c->attachment = attachment->index;
	memcpy(&c->key, &ip->src_be, offsetof(struct lath_key4, proto_vpc));
	c->key.proto_vpc = lath_key_proto_vpc(ip->proto, attachment->vpc);
	return true;
}

/* ---- between workers -------------------------------------------------------------------------- */

/* As the whole way would have written it, so that the other worker may go on by either. */
static void
hand_over(struct lath_worker *w, struct rte_mbuf *m, const struct candidate *c, uint16_t port,
		unsigned owner)
{
	const struct lath_tcp_hdr *tcp = (const void *)(c->l3 + IPV4_LEN);
	struct lath_packet *pkt = packet_of(m);

	pkt->key4 = c->key;
	pkt->attachment = c->attachment;
	pkt->l3_offset = c->l3_offset;
	pkt->l4_offset = (uint16_t)(c->l3_offset + IPV4_LEN);
	pkt->ip_len = c->ip_len;
	pkt->vlan = w->model->attachments[c->attachment]->vlan;
	pkt->family = LATH_FAMILY_IPV4;
	pkt->proto = (uint8_t)(c->key.proto_vpc >> 24);
	pkt->tcp_flags = c->is_tcp ? tcp->flags : 0;
	pkt->icmp_type = 0;
	pkt->kind = LATH_PACKET_UNKNOWN;
	pkt->stage = LATH_STAGE_LOOKUP;
	pkt->port = (uint8_t)port;
	pkt->owner = (uint8_t)owner;
	lath_handover(w, m, owner, LATH_HANDOVER_UNSTEERED);
}

/* True: it was another worker's. A hit need not ask for martians, no flow has such a key; the other
 * worker's whole way relies on somebody having asked.
 */
static inline bool
leaves(struct lath_worker *w, const struct arrival *in, struct rte_mbuf *m,
		const struct candidate *c)
{
	unsigned owner;

	if (!in->unsteered)
		return false;
	owner = lath_owner_of_v4(w->plane->owner, c->key.src_be, c->key.dst_be, c->key.src_port_be,
			c->key.dst_port_be);
	if (owner == w->index || lath_parse_is_martian_v4(c->key.src_be) ||
			lath_parse_is_martian_v4(c->key.dst_be) || c->key.src_be == c->key.dst_be)
		return false;
	hand_over(w, m, c, in->port, owner);
	return true;
}

/* What another worker has parsed, as a candidate. */
static inline bool
had_shape(struct rte_mbuf *m, struct candidate *c)
{
	const struct lath_packet *pkt = packet_of(m);
	const struct lath_ipv4_hdr *ip;

	c->is_tcp = pkt->proto == LATH_PROTO_TCP;
	if (pkt->family != LATH_FAMILY_IPV4 || m->nb_segs != 1 || pkt->l3_offset > UINT8_MAX ||
			pkt->l4_offset - pkt->l3_offset != (int)IPV4_LEN ||
			(c->is_tcp ? !has_plain_flags(pkt->tcp_flags)
				   : pkt->proto != LATH_PROTO_UDP))
		return false;
	c->key = pkt->key4;
	c->attachment = pkt->attachment;
	c->ip_len = pkt->ip_len;
	c->l3_offset = (uint8_t)pkt->l3_offset;
	c->l3 = rte_pktmbuf_mtod_offset(m, uint8_t *, pkt->l3_offset);
	ip = (const void *)c->l3;
	return ip->ttl > 1;
}

/* ---- judge ------------------------------------------------------------------------------------ */

/* Established, and nothing but the rewrite is to be done to its packets. */
static inline bool
is_plain_half(const struct candidate *c, uint32_t flags)
{
	uint32_t wanted = c->is_tcp ? LATH_HALF_PLAIN | LATH_HALF_ACKED : LATH_HALF_PLAIN;

	return (flags & (wanted | LATH_HALF_SPLICED)) == wanted;
}

/* The adjacency that the packet may leave by; NULL: the whole way finds out what is the matter. */
static inline const struct lath_adjacency *
judge(const struct lath_worker *w, const struct candidate *c, const uint32_t generations[2])
{
	const struct lath_half4 *half = c->half;
	const struct lath_adjacency *adjacency;

	if (half == NULL || !lath_key4_is(&half->key, &c->key) ||
			half->state.generation != generations[c->is_tcp] ||
			!is_plain_half(c, half->state.adjacency))
		return NULL;
	adjacency = &w->adjacencies.entries[half->state.adjacency & LATH_HALF_ADJACENCY_MASK];
	if (adjacency->state != LATH_ADJACENCY_READY || c->ip_len > adjacency->mtu ||
			adjacency->header_len > FRONT_MAX ||
			lath_tick_reached(w->now, adjacency->used + NEIGHBOR_USED_TICKS) ||
			!w->tx[adjacency->port].has_queue)
		return NULL;
	return adjacency;
}

/* ---- account, rewrite, front, send ------------------------------------------------------------ */

static inline void
account(struct lath_half_state *state, const struct candidate *c, lath_tick_t now)
{
	const struct lath_tcp_hdr *tcp = (const void *)(c->l3 + IPV4_LEN);

	state->tick = now;
	state->packets++;
	state->bytes += c->ip_len;
	if (c->is_tcp) {
		uint32_t ack = lath_from_be32(tcp->ack_be);

		state->ack = (int32_t)(ack - state->ack) > 0 ? ack : state->ack;
	}
}

/* From the TTL on the IPv4 header and the ports are 16 bytes in a row: TTL, protocol and checksum,
 * then what the half holds behind its key.
 */
static inline void
rewrite(const struct lath_half4 *half, const struct candidate *c)
{
	uint8_t *ttl = c->l3 + offsetof(struct lath_ipv4_hdr, ttl);
	uint8_t *l4_cksum = c->l3 + IPV4_LEN +
			(c->is_tcp ? offsetof(struct lath_tcp_hdr, cksum_be)
				   : offsetof(struct lath_udp_hdr, cksum_be));
	uint16_t cksum = load16(l4_cksum);

	cksum = c->is_tcp ? lath_cksum_apply(cksum, half->deltas.l4)
			  : lath_cksum_apply_udp(cksum, half->deltas.l4);
	memcpy(l4_cksum, &cksum, sizeof(cksum));
	cksum = lath_cksum_apply(load16(ttl + 2), half->deltas.ip);
	(*ttl)--;
	memcpy(ttl + 2, &cksum, sizeof(cksum));
	memcpy(ttl + 4, &half->rewrite, sizeof(half->rewrite));
}

/* Whole moves that end where the header ends. What they write before its beginning is headroom,
 * what they read there is the adjacency's own fields. Returns the frame's length.
 */
static inline uint32_t
front(struct rte_mbuf *m, const struct lath_adjacency *adjacency, const struct candidate *c)
{
	const uint8_t *end = (const uint8_t *)adjacency + offsetof(struct lath_adjacency, header) +
			adjacency->header_len;
	uint32_t len = (uint32_t)adjacency->header_len + c->ip_len;

	if (adjacency->header_len > MOVE)
		memcpy(c->l3 - 2 * MOVE, end - 2 * MOVE, MOVE);
	memcpy(c->l3 - MOVE, end - MOVE, MOVE);
	m->data_off = (uint16_t)(m->data_off + c->l3_offset - adjacency->header_len);
	m->data_len = (uint16_t)len; /* Ethernet padding stays behind */
	m->pkt_len = len;
	return len;
}

static inline bool
pass(struct lath_worker *w, struct rte_mbuf *m, const struct candidate *c,
		const uint32_t generations[2])
{
	const struct lath_adjacency *adjacency = judge(w, c, generations);

	if (adjacency == NULL)
		return false;
	account(&c->half->state, c, w->now);
	rewrite(c->half, c);
	lath_transmit_put(w, m, adjacency->port, c->key.proto_vpc & LATH_KEY_VPC_MASK,
			front(m, adjacency, c));
	return true;
}

/* ---- the burst -------------------------------------------------------------------------------- */

static unsigned
shape(const struct arrival *in, struct candidate *candidates)
{
	unsigned count = 0;

	for (unsigned i = 0; i < in->count; i++) {
		struct candidate *c = &candidates[count];

		c->at = (uint8_t)i;
		count += in->handed ? had_shape(in->packets[i], c)
				    : has_shape(in, in->packets[i], c);
	}
	return count;
}

static void
hash(const struct lath_flow_table *table, struct candidate *candidates, unsigned count)
{
	/* A copy: for all that the compiler knows, a store to a candidate changes the table. */
	const struct lath_keyhash keyhash = table->hash;

	for (unsigned i = 0; i < count; i++) {
		candidates[i].hash = lath_keyhash4(&keyhash, &candidates[i].key);
		rte_prefetch0(lath_flow_bucket_of(table, candidates[i].hash));
	}
}

static void
find(const struct lath_flow_table *table, struct candidate *candidates, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		candidates[i].half = lath_flow_guess4(table, candidates[i].hash);
		__builtin_prefetch(candidates[i].half, 1);
	}
}

/* The whole way, for those that came before a packet that does not need it, and at the end. */
static void
take_rest(struct lath_worker *w, const struct arrival *in, struct burst *rest)
{
	if (rest->count > 0 && in->handed)
		lath_path_run(w, rest);
	else if (rest->count > 0)
		lath_stage_take(w, in->port, rest->packets, rest->count);
	rest->count = 0;
}

static void
run(struct lath_worker *w, const struct arrival *in)
{
	const uint32_t generations[2] = {generation_for(w->model, LATH_PROTO_UDP),
			generation_for(w->model, LATH_PROTO_TCP)};
	struct candidate candidates[LATH_BURST_MAX + 1]; /* the last is never filled in whole */
	unsigned count = shape(in, candidates);
	unsigned next = 0;
	struct burst rest; /* 400 bytes: not zeroed */

	hash(&w->flows, candidates, count);
	find(&w->flows, candidates, count);
	rest.count = 0;
	rest.handed = in->handed;
	for (unsigned i = 0; i < in->count; i++) {
		struct rte_mbuf *m = in->packets[i];
		const struct candidate *c = next < count && candidates[next].at == i
				? &candidates[next++]
				: NULL;

		if (c != NULL && rest.count > 0)
			take_rest(w, in, &rest);
		if (c == NULL || (!leaves(w, in, m, c) && !pass(w, m, c, generations)))
			rest.packets[rest.count++] = m;
	}
	take_rest(w, in, &rest);
}

void
lath_hit_run(struct lath_worker *w, uint16_t port, struct rte_mbuf **packets, unsigned n)
{
	const struct arrival in = arrival_at(w, port, packets, n);

	run(w, &in);
}

void
lath_hit_run_handed(struct lath_worker *w, struct rte_mbuf **packets, unsigned n)
{
	const struct arrival in = {.packets = packets, .count = n, .handed = true};

	run(w, &in);
}
