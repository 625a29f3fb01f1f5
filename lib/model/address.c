/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Service addresses. A service without a given address gets one of `serviceCidrs` (per family that
 * has a prefix there): SipHash of its id says where the search begins, and the first address that
 * is nobody's is taken. So gateways with the same files mostly choose alike without talking, and
 * where they would not (another history), what is recorded decides: an address never moves while its
 * service exists, and rests for `serviceAddressHoldSeconds` after, when it goes back to the same
 * service only.
 *
 * Nobody's: not the network's or the broadcast address of its prefix, not given to a service, not
 * recorded, not in a VPC's prefixes, attached subnets or NAT pools. Services choose in the order of
 * their ids, so the order in a file means nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lath_siphash.h>

#include "model_private.h"

/* Equal on every gateway: this hash spreads addresses and keeps nobody out. */
static const struct lath_siphash_key choice_key = {
		.k0 = UINT64_C(0x6c6174682d616464), .k1 = UINT64_C(0x7265737365732d31)};

static const uint8_t families[2] = {LATH_FAMILY_IPV4, LATH_FAMILY_IPV6};

/* ---- addresses that are somebody's ------------------------------------------------------- */

struct taken {
	struct lath_ip *cells; /* family NONE: empty */
	uint32_t mask;
};

static bool
taken_find(const struct taken *taken, const struct lath_ip *ip, uint32_t *cell)
{
	uint32_t at = address_hash(ip, 0) & taken->mask;

	for (; taken->cells[at].family != LATH_FAMILY_NONE; at = (at + 1) & taken->mask) {
		if (lath_ip_equal(&taken->cells[at], ip))
			return true;
	}
	*cell = at;
	return false;
}

static void
taken_insert(struct taken *taken, const struct lath_ip *ip)
{
	uint32_t cell;

	if (ip->family != LATH_FAMILY_NONE && !taken_find(taken, ip, &cell))
		taken->cells[cell] = *ip;
}

/* ---- numbering the addresses of serviceCidrs ---------------------------------------------- */

/* Addresses of a prefix that a service may have; of IPv6 at most 2^62, which is enough. */
static uint64_t
usable_count(const struct lath_prefix *prefix)
{
	unsigned host_bits = (prefix->ip.family == LATH_FAMILY_IPV4 ? 32u : 128u) - prefix->bits;
	uint64_t count = UINT64_C(1) << (host_bits < 62 ? host_bits : 62);

	return host_bits < 2 ? count : count - 2;
}

static uint64_t
low_bits(const struct lath_ip *ip)
{
	size_t at = ip->family == LATH_FAMILY_IPV4 ? 0 : 8;
	size_t end = ip->family == LATH_FAMILY_IPV4 ? 4 : 16;
	uint64_t value = 0;

	for (; at < end; at++)
		value = value << 8 | ip->bytes[at];
	return value;
}

static struct lath_ip
usable_address(const struct lath_prefix *prefix, uint64_t number)
{
	struct lath_ip ip = lath_prefix_network(prefix).ip;
	size_t end = ip.family == LATH_FAMILY_IPV4 ? 4 : 16;
	size_t room = ip.family == LATH_FAMILY_IPV4 ? 4 : 8;
	uint64_t value = low_bits(&ip) + number;

	/* The first of a prefix with more than two is its network's own. */
	if (prefix->bits + 1u < end * 8)
		value++;
	for (size_t i = 0; i < room; i++, value >>= 8)
		ip.bytes[end - 1 - i] = (uint8_t)value;
	return ip;
}

/* How many numbers on from `ip` leaves `block`, which holds it, at most `room`. */
static uint64_t
steps_out_of(const struct lath_prefix *block, const struct lath_ip *ip, uint64_t room)
{
	unsigned host_bits = (ip->family == LATH_FAMILY_IPV4 ? 32u : 128u) - block->bits;
	struct lath_ip first = lath_prefix_network(block).ip;
	uint64_t inside = low_bits(ip) - low_bits(&first);
	uint64_t steps;

	if (host_bits >= 62)
		return room;
	steps = (UINT64_C(1) << host_bits) - inside;
	return steps < room ? steps : room;
}

/* ---- choosing ---------------------------------------------------------------------------- */

struct choice {
	struct taken taken;
	struct lath_prefix *blocks; /* VPCs' addresses that overlap serviceCidrs */
	uint32_t block_count;
	uint32_t block_capacity;
};

static int
block_add(struct choice *choice, const struct lath_config *cfg, const struct lath_prefix *block)
{
	uint32_t i = 0;

	while (i < cfg->service_cidr_count && !lath_prefix_overlaps(&cfg->service_cidrs[i], block))
		i++;
	if (i == cfg->service_cidr_count)
		return 0;
	if (choice->block_count == choice->block_capacity) {
		uint32_t capacity = choice->block_capacity * 2 + 8;
		struct lath_prefix *grown = realloc(choice->blocks, sizeof(*grown) * capacity);

		if (grown == NULL)
			return lath_err(ENOMEM);
		choice->blocks = grown;
		choice->block_capacity = capacity;
	}
	choice->blocks[choice->block_count++] = lath_prefix_network(block);
	return 0;
}

static int
blocks_collect(struct choice *choice, const struct lath_config *cfg)
{
	int rc = 0;

	for (uint32_t i = 0; i < cfg->vpc_count && rc == 0; i++) {
		const struct lath_config_vpc *vpc = &cfg->vpcs[i];

		for (uint32_t j = 0; j < vpc->prefix_count && rc == 0; j++)
			rc = block_add(choice, cfg, &vpc->prefixes[j]);
		for (uint32_t j = 0; j < vpc->nat_pool_count && rc == 0; j++)
			rc = block_add(choice, cfg, &vpc->nat_pool[j]);
		for (uint32_t j = 0; j < vpc->attachment_count && rc == 0; j++) {
			const struct lath_config_attachment *a = &vpc->attachments[j];

			for (uint32_t k = 0; k < a->address_count && rc == 0; k++)
				rc = block_add(choice, cfg, &a->addresses[k]);
		}
	}
	return rc;
}

static const struct lath_prefix *
block_of(const struct choice *choice, const struct lath_ip *ip)
{
	for (uint32_t i = 0; i < choice->block_count; i++) {
		if (lath_prefix_contains(&choice->blocks[i], ip))
			return &choice->blocks[i];
	}
	return NULL;
}

/* Every prefix from `number` on, then the beginning again. False: nothing is left. */
static bool
choose(const struct choice *choice, const struct lath_config *cfg, uint8_t family, uint64_t hash,
		struct lath_ip *out)
{
	uint64_t total = 0;
	uint64_t number;
	uint64_t walked = 0;

	for (uint32_t i = 0; i < cfg->service_cidr_count; i++) {
		if (cfg->service_cidrs[i].ip.family == family)
			total += usable_count(&cfg->service_cidrs[i]);
	}
	if (total == 0)
		return false;
	number = hash % total;
	while (walked < total) {
		uint64_t within = number;
		const struct lath_prefix *cidr = cfg->service_cidrs;
		const struct lath_prefix *block;
		uint64_t step = 1;
		uint32_t cell;

		for (; cidr->ip.family != family || within >= usable_count(cidr); cidr++)
			within -= cidr->ip.family == family ? usable_count(cidr) : 0;
		*out = usable_address(cidr, within);
		block = block_of(choice, out);
		if (block != NULL)
			step = steps_out_of(block, out, usable_count(cidr) - within);
		else if (!taken_find(&choice->taken, out, &cell))
			return true;
		walked += step;
		number = (number + step) % total;
	}
	return false;
}

/* ---- records ----------------------------------------------------------------------------- */

/* A service's wish for one family. */
struct wish {
	const char *id;
	uint32_t position;
	uint32_t family; /* 0: IPv4, 1: IPv6 */
};

static int
compare_wishes(const void *a, const void *b)
{
	const struct wish *wa = a;
	const struct wish *wb = b;
	int order = strcmp(wa->id, wb->id);

	return order != 0 ? order : (int)wa->family - (int)wb->family;
}

static bool
record_expired(const struct address_record *record, int64_t wall_s, uint32_t hold_s)
{
	return record->released_s != ADDRESS_IN_USE && wall_s - record->released_s >= hold_s;
}

/* A returning service has its old address back unless that has become somebody else's. */
static bool
record_usable(const struct choice *choice, const struct lath_config *cfg,
		const struct address_record *record)
{
	bool in_cidr = false;

	if (record->released_s == ADDRESS_IN_USE)
		return true;
	for (uint32_t i = 0; i < cfg->service_cidr_count; i++)
		in_cidr = in_cidr || lath_prefix_contains(&cfg->service_cidrs[i], &record->ip);
	if (!in_cidr || block_of(choice, &record->ip) != NULL)
		return false;
	for (uint32_t i = 0; i < cfg->service_count; i++) {
		if (lath_ip_equal(&cfg->services[i].addresses[0], &record->ip) ||
				lath_ip_equal(&cfg->services[i].addresses[1], &record->ip))
			return false;
	}
	return true;
}

static bool
has_cidr(const struct lath_config *cfg, uint8_t family)
{
	for (uint32_t i = 0; i < cfg->service_cidr_count; i++) {
		if (cfg->service_cidrs[i].ip.family == family)
			return true;
	}
	return false;
}

/* Services without a given address of a family, sorted; returns how many. */
static uint32_t
wishes_collect(const struct update *u, struct wish *wishes)
{
	const struct lath_config *cfg = u->cfg;
	uint32_t count = 0;

	for (uint32_t i = 0; i < cfg->service_count; i++) {
		for (uint32_t f = 0; f < 2; f++) {
			u->addresses[i][f] = cfg->services[i].addresses[f];
			if (cfg->services[i].addresses[f].family != LATH_FAMILY_NONE)
				continue;
			wishes[count].id = cfg->services[i].identity.id;
			wishes[count].position = i;
			wishes[count++].family = f;
		}
	}
	qsort(wishes, count, sizeof(*wishes), compare_wishes);
	return count;
}

/* Fulfils what the old records can, keeps held ones and writes the rest of the wishes to the front
 * of `wishes`. Both lists are sorted the same way.
 */
static void
match_records(struct update *u, const struct choice *choice, struct wish *wishes,
		uint32_t *wish_count, struct address_record *records, uint32_t *record_count)
{
	uint32_t kept = 0;
	uint32_t left = 0;
	uint32_t w = 0;

	for (uint32_t i = 0; i < *record_count; i++) {
		struct address_record record = records[i];
		uint32_t family = record.ip.family == LATH_FAMILY_IPV4 ? 0 : 1;
		struct wish wanted = {.id = record.service, .family = family};

		while (w < *wish_count && compare_wishes(&wishes[w], &wanted) < 0)
			wishes[left++] = wishes[w++];
		if (w < *wish_count && compare_wishes(&wishes[w], &wanted) == 0) {
			if (!record_usable(choice, u->cfg, &record))
				continue; /* forgotten: its service chooses anew */
			u->addresses[wishes[w++].position][family] = record.ip;
			record.released_s = ADDRESS_IN_USE;
		} else if (record.released_s == ADDRESS_IN_USE ||
				record.released_s > u->now.wall_s) {
			record.released_s = u->now.wall_s; /* removed now; or the clock was wrong */
		}
		if (!record_expired(&record, u->now.wall_s,
				    u->cfg->timeouts.service_address_hold_s))
			records[kept++] = record;
	}
	while (w < *wish_count)
		wishes[left++] = wishes[w++];
	*wish_count = left;
	*record_count = kept;
}

static int
refuse_full(const struct update *u, const struct wish *wish)
{
	char pointer[32];

	snprintf(pointer, sizeof(pointer), "/services/%u", wish->position);
	lath_error_set(u->err, pointer,
			"No address is left in serviceCidrs for service %s: all are given, held "
			"for "
			"%u s after their service was removed, or inside a VPC; add a prefix to "
			"serviceCidrs or give the service an address.",
			u->cfg->services[wish->position].identity.name,
			u->cfg->timeouts.service_address_hold_s);
	return lath_err(ENOSPC);
}

/* No prefix of a family is fine as long as the other family gives the service an address. */
static bool
needs_address(const struct lath_config *cfg, const struct wish *wish)
{
	uint32_t other = 1 - wish->family;

	return cfg->services[wish->position].addresses[other].family == LATH_FAMILY_NONE &&
			!has_cidr(cfg, families[other]);
}

static int
choose_rest(struct update *u, struct choice *choice, const struct wish *wishes, uint32_t wish_count,
		struct address_record *records, uint32_t *record_count)
{
	for (uint32_t i = 0; i < wish_count; i++) {
		struct address_record *record = &records[*record_count];
		struct lath_ip ip;

		if (!has_cidr(u->cfg, families[wishes[i].family])) {
			if (needs_address(u->cfg, &wishes[i]))
				return refuse_full(u, &wishes[i]);
			continue;
		}
		if (!choose(choice, u->cfg, families[wishes[i].family],
				    lath_siphash13(&choice_key, wishes[i].id, strlen(wishes[i].id)),
				    &ip))
			return refuse_full(u, &wishes[i]);
		memset(record, 0, sizeof(*record));
		snprintf(record->service, sizeof(record->service), "%s", wishes[i].id);
		record->ip = ip;
		record->released_s = ADDRESS_IN_USE;
		(*record_count)++;
		taken_insert(&choice->taken, &ip);
		u->addresses[wishes[i].position][wishes[i].family] = ip;
	}
	qsort(records, *record_count, sizeof(*records), lath_model_address_record_compare);
	return 0;
}

static int
choice_init(struct choice *choice, const struct update *u)
{
	uint32_t most = u->old->address_count + 4 * u->cfg->service_count;
	uint32_t cells = table_slots_for(most);

	choice->taken.cells = calloc(cells, sizeof(*choice->taken.cells));
	if (choice->taken.cells == NULL)
		return lath_err(ENOMEM);
	choice->taken.mask = cells - 1;
	for (uint32_t i = 0; i < u->cfg->service_count; i++) {
		taken_insert(&choice->taken, &u->cfg->services[i].addresses[0]);
		taken_insert(&choice->taken, &u->cfg->services[i].addresses[1]);
	}
	return blocks_collect(choice, u->cfg);
}

int
lath_model_addresses_take(struct update *u)
{
	struct draft *draft = u->draft;
	size_t room = 2 * (size_t)u->cfg->service_count + 1;
	struct wish *wishes = calloc(room, sizeof(*wishes));
	struct address_record *records = calloc(room + draft->address_count, sizeof(*records));
	struct choice choice = {.blocks = NULL};
	uint32_t record_count = draft->address_count;
	uint32_t wish_count;
	int rc = wishes == NULL || records == NULL ? -ENOMEM : choice_init(&choice, u);

	if (rc == 0) {
		if (record_count > 0)
			memcpy(records, draft->addresses, sizeof(*records) * record_count);
		wish_count = wishes_collect(u, wishes);
		match_records(u, &choice, wishes, &wish_count, records, &record_count);
		for (uint32_t i = 0; i < record_count; i++)
			taken_insert(&choice.taken, &records[i].ip);
		rc = choose_rest(u, &choice, wishes, wish_count, records, &record_count);
	}
	free(choice.taken.cells);
	free(choice.blocks);
	free(wishes);
	if (rc < 0) {
		free(records);
		return rc;
	}
	free(draft->addresses);
	draft->addresses = records;
	draft->address_count = record_count;
	return 0;
}
