/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/* 36 bytes of rewrite (the first 12 serve IPv4), 32 of outer addresses, 4 of MTU, and an IP packet.
 * Errors made about it are themselves right. As an error it is first taken as it is, then with its
 * sums mended: what is passed on is right again, speaks of the rewritten flow, and turns back into
 * what it was.
 */

#include <lath_icmperr.h>

#include "fuzz.h"

struct input {
	struct lath_rewrite6 rewrite6;
	struct lath_rewrite4 rewrite4;
	uint8_t addresses[32];
	uint32_t mtu_max;
};

static uint8_t
family_of(const uint8_t *ip, uint32_t len)
{
	return len > 0 && ip[0] >> 4 == 6 ? LATH_FAMILY_IPV6 : LATH_FAMILY_IPV4;
}

static enum lath_drop
parse(const uint8_t *ip, uint32_t len, uint8_t family, struct lath_icmperr *err)
{
	return family == LATH_FAMILY_IPV6 ? lath_icmperr_parse_v6(ip, len, err)
					  : lath_icmperr_parse_v4(ip, len, err);
}

static struct lath_icmperr_outer
outer_of(const struct input *input, uint8_t family)
{
	struct lath_icmperr_outer outer = {.mtu_max = input->mtu_max};
	uint32_t len = family == LATH_FAMILY_IPV6 ? 16 : 4;

	outer.src.family = outer.dst.family = family;
	memcpy(outer.src.bytes, input->addresses, len);
	memcpy(outer.dst.bytes, input->addresses + 16, len);
	return outer;
}

/* Otherwise nearly every input would end at its sums. */
static void
mend(uint8_t *ip, const struct lath_icmperr *where)
{
	struct lath_ipv4_hdr *quote = (void *)(ip + where->quote_offset);
	uint8_t *icmp = ip + where->icmp_offset;
	uint32_t icmp_len = (uint32_t)(where->len - where->icmp_offset);
	uint16_t cksum;

	if (where->family == LATH_FAMILY_IPV4 && icmp_len >= 28 && quote->version_ihl == 0x45) {
		quote->cksum_be = lath_to_be16(0);
		cksum = lath_cksum_ipv4_header(quote, 20);
		memcpy(&quote->cksum_be, &cksum, 2);
	}
	memset(icmp + 2, 0, 2);
	cksum = where->family == LATH_FAMILY_IPV6
			? lath_cksum_l4_v6((const void *)ip, LATH_PROTO_ICMPV6, icmp, icmp_len)
			: lath_cksum_message(icmp, icmp_len);
	memcpy(icmp + 2, &cksum, 2);
}

static void
check_bounds(const struct lath_icmperr *err, uint32_t len)
{
	must(err->len <= len && err->icmp_offset + 8 == err->quote_offset);
	must(err->quote_l4_offset >= err->quote_offset + 20);
	must(err->quote_offset + err->quote_len >= err->quote_l4_offset + 8);
	must(err->quote_offset + err->quote_len <= err->len);
	must(err->extension_len == 0 || err->extension_offset + err->extension_len == err->len);
	must(err->quote_fragment == 0 || err->quote_fragment + 8 <= err->quote_l4_offset);
}

/* The error at `ip` speaks of the flow that `input` rewrites to. */
static void
check_passed(const uint8_t *ip, uint32_t len, uint8_t family, const struct input *input)
{
	struct lath_icmperr err;

	must(parse(ip, len, family, &err) == LATH_DROP_NONE);
	check_bounds(&err, len);
	if (family == LATH_FAMILY_IPV6) {
		must(memcmp(err.key6.src, &input->rewrite6, sizeof(input->rewrite6)) == 0);
	} else {
		must(memcmp(&err.key4.src_be, &input->rewrite4, sizeof(input->rewrite4)) == 0);
		must(lath_cksum_ipv4_header(ip, (uint32_t)(ip[0] & 0xf) * 4) == 0);
	}
}

/* There and back; sums have two zeros, so the quoted ones are left out. */
static void
check_within(uint8_t *ip, const struct lath_icmperr *err, const struct input *input)
{
	const struct lath_icmperr_outer outer = outer_of(input, err->family);
	struct lath_icmperr_outer back = {0};
	uint8_t *before = exact_copy(ip, err->len);
	uint8_t *l4 = ip + err->quote_l4_offset;
	bool v6 = err->family == LATH_FAMILY_IPV6;
	uint32_t ttl_at = v6 ? 7 : 8;

	memcpy(back.src.bytes, ip + (v6 ? 8 : 12), v6 ? 16 : 4);
	memcpy(back.dst.bytes, ip + (v6 ? 24 : 16), v6 ? 16 : 4);
	if (v6) {
		struct lath_rewrite6 original;

		memcpy(&original, &err->key6, sizeof(original));
		lath_icmperr_6to6(ip, err, &input->rewrite6, &outer);
		check_passed(ip, err->len, err->family, input);
		lath_icmperr_6to6(ip, err, &original, &back);
	} else {
		struct lath_rewrite4 original;

		memcpy(&original, &err->key4, sizeof(original));
		lath_icmperr_4to4(ip, err, &input->rewrite4, &outer);
		check_passed(ip, err->len, err->family, input);
		lath_icmperr_4to4(ip, err, &original, &back);
		memcpy(ip + 10, before + 10, 2);
		memcpy(ip + err->quote_offset + 10, before + err->quote_offset + 10, 2);
	}
	must(ip[ttl_at] == (uint8_t)(before[ttl_at] - 2));
	ip[ttl_at] = before[ttl_at];
	memcpy(ip + err->icmp_offset + 2, before + err->icmp_offset + 2, 2);
	if (err->mtu != 0) /* may have been lowered */
		memcpy(ip + err->icmp_offset + 4, before + err->icmp_offset + 4, 4);
	for (uint32_t at = 2; at <= 16; at++)
		if ((at == 2 || at == 6 || at == 16) &&
				err->quote_offset + err->quote_len >= err->quote_l4_offset + at + 2)
			memcpy(l4 + at, before + err->quote_l4_offset + at, 2);
	must(memcmp(ip, before, err->len) == 0);
	free(before);
}

static void
check_across(const uint8_t *ip, const struct lath_icmperr *err, const struct input *input)
{
	bool v6 = err->family == LATH_FAMILY_IPV6;
	uint8_t to = v6 ? LATH_FAMILY_IPV4 : LATH_FAMILY_IPV6;
	const struct lath_icmperr_outer outer = outer_of(input, to);
	uint32_t max = v6 ? LATH_ICMPERR_V4_LEN_MAX : LATH_ICMPERR_V6_LEN_MAX;
	uint8_t *out = malloc(max);
	uint32_t len;

	must(out != NULL);
	len = v6 ? lath_icmperr_6to4(out, ip, err, &input->rewrite4, &outer)
		 : lath_icmperr_4to6(out, ip, err, &input->rewrite6, &outer);
	must(len <= max);
	if (len != 0)
		check_passed(out, len, to, input);
	free(out);
}

static void
check_made(const uint8_t *ip, uint32_t len, const struct input *input)
{
	uint8_t family = family_of(ip, len);
	bool v6 = family == LATH_FAMILY_IPV6;
	uint32_t max = v6 ? LATH_ICMPERR_V6_LEN_MAX : LATH_ICMPERR_V4_LEN_MAX;
	const struct lath_icmperr_outer outer = outer_of(input, family);
	const struct lath_icmperr_cause cause = {.src = outer.src, .type = 3, .detail = 1400};
	uint8_t *out = malloc(max);
	struct lath_icmperr err;
	enum lath_drop drop;
	uint32_t made;

	must(out != NULL);
	if (v6 ? lath_icmperr_may_answer_v6(ip, len, false)
	       : lath_icmperr_may_answer_v4(ip, len, false)) {
		made = v6 ? lath_icmperr_make_v6(out, &cause, ip, len)
			  : lath_icmperr_make_v4(out, &cause, ip, len);
		must(made <= max);
		drop = parse(out, made, family, &err);
		must(drop == LATH_DROP_NONE || drop == LATH_DROP_icmp_quote ||
				drop == LATH_DROP_icmp_quote_cksum);
		must(!(v6 ? lath_icmperr_may_answer_v6(out, made, false)
			  : lath_icmperr_may_answer_v4(out, made, false)));
	}
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lath_icmperr err = {0};
	struct input input;
	uint8_t family;
	uint32_t len;
	uint8_t *ip;

	if (size < 72 || size > 4096)
		return 0;
	memcpy(&input.rewrite6, data, sizeof(input.rewrite6));
	memcpy(&input.rewrite4, data, sizeof(input.rewrite4));
	memcpy(input.addresses, data + 36, sizeof(input.addresses));
	memcpy(&input.mtu_max, data + 68, sizeof(input.mtu_max));
	len = (uint32_t)size - 72;
	ip = exact_copy(data + 72, len);
	check_made(ip, len, &input);
	family = family_of(ip, len);
	if (parse(ip, len, family, &err) == LATH_DROP_NONE)
		check_bounds(&err, len);
	/* The message of a packet without options or extension headers. */
	err = (struct lath_icmperr){.family = family, .icmp_offset = family == 6 ? 40 : 20};
	err.quote_offset = (uint16_t)(err.icmp_offset + 8);
	if (len >= err.quote_offset) {
		err.len = (uint16_t)(family == 6 ? (ip[4] << 8 | ip[5]) + 40 : ip[2] << 8 | ip[3]);
		if (err.len >= err.quote_offset && err.len <= len)
			mend(ip, &err);
	}
	if (parse(ip, len, family, &err) == LATH_DROP_NONE) {
		check_bounds(&err, len);
		if (err.quote_proto == LATH_PROTO_ICMP || err.quote_proto == LATH_PROTO_ICMPV6) {
			input.rewrite4.dst_port_be = input.rewrite4.src_port_be;
			input.rewrite6.dst_port_be = input.rewrite6.src_port_be;
		}
		check_across(ip, &err, &input);
		check_within(ip, &err, &input);
	}
	free(ip);
	return 0;
}
