/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "config_private.h"

int
lath_config_read_prefix(const struct lath_config_node *node, struct lath_prefix *prefix)
{
	const char *text = json_string_value(node->json);
	char value[LATH_CONFIG_VALUE_MAX];
	char proper[LATH_PREFIX_TEXT_MAX];
	struct lath_prefix parsed;
	int rc = text == NULL ? -EINVAL : lath_prefix_parse(text, &parsed);

	if (rc == -ERANGE && lath_prefix_parse_host(text, &parsed) == 0) {
		parsed = lath_prefix_network(&parsed);
		return lath_config_fail(node, "\"%s\" has host bits set; the prefix is \"%s\"",
				text, lath_prefix_format(&parsed, proper));
	}
	if (rc != 0)
		return lath_config_fail(node, "%s is not an address prefix like \"10.0.0.0/24\"",
				lath_config_value(node->json, value));
	*prefix = parsed;
	return 0;
}

int
lath_config_read_ip(const struct lath_config_node *node, struct lath_ip *ip)
{
	const char *text = json_string_value(node->json);
	char value[LATH_CONFIG_VALUE_MAX];
	struct lath_ip parsed;
	const char *why;

	if (text == NULL || lath_ip_parse(text, &parsed) != 0)
		return lath_config_fail(node, "%s is not an IP address like \"10.0.0.5\"",
				lath_config_value(node->json, value));
	why = lath_config_ip_unusable(&parsed);
	if (why != NULL)
		return lath_config_fail(node, "\"%s\" is no host's address but %s", text, why);
	*ip = parsed;
	return 0;
}

int
lath_config_read_host(const struct lath_config_node *node, struct lath_ip *ip)
{
	struct lath_ip parsed;

	if (lath_config_read_ip(node, &parsed) != 0)
		return lath_err(EINVAL);
	if (lath_config_is_link_local(&parsed))
		return lath_config_fail(node, "\"%s\" is link-local, which means nothing here",
				json_string_value(node->json));
	*ip = parsed;
	return 0;
}

int
lath_config_read_prefixes(const struct lath_config_node *object, const char *key, size_t min,
		size_t max, struct lath_prefix **prefixes, uint32_t *count)
{
	struct lath_config_node list;
	int rc = lath_config_read_list(object, key, min, max, &list);
	size_t size = json_array_size(list.json);

	if (rc != 0 || size == 0)
		return rc;
	*prefixes = calloc(size, sizeof(**prefixes));
	if (*prefixes == NULL)
		return lath_config_no_memory(object->loader);
	for (size_t i = 0; i < size; i++) {
		struct lath_config_node element = lath_config_element(&list, i);
		struct lath_prefix *prefix = &(*prefixes)[i];

		rc = lath_config_read_prefix(&element, prefix);
		for (size_t j = 0; rc == 0 && j < i; j++) {
			if (memcmp(&(*prefixes)[j], prefix, sizeof(*prefix)) == 0)
				rc = lath_config_fail(&element, "\"%s\" is already element %zu",
						json_string_value(element.json), j);
		}
		if (rc != 0)
			return rc;
		(*count)++;
	}
	return 0;
}

bool
lath_config_is_link_local(const struct lath_ip *ip)
{
	return ip->family == LATH_FAMILY_IPV6 && ip->bytes[0] == 0xfe &&
			(ip->bytes[1] & 0xc0) == 0x80;
}

/* RFC 4291 section 2.4, and 2.5.5.2 for what only stands for IPv4. */
static const char *
unusable6(const struct lath_ip *ip)
{
	static const uint8_t zeros[15];
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (memcmp(ip->bytes, zeros, sizeof(zeros)) == 0 && ip->bytes[15] <= 1)
		return ip->bytes[15] == 0 ? "the unspecified address" : "loopback";
	if (ip->bytes[0] == 0xff)
		return "multicast";
	if (memcmp(ip->bytes, mapped, sizeof(mapped)) == 0)
		return "an IPv4-mapped address";
	return NULL;
}

const char *
lath_config_ip_unusable(const struct lath_ip *ip)
{
	uint32_t v4 = lath_from_be32(lath_ip_v4_be(ip));

	if (!lath_ip_is_v4(ip))
		return unusable6(ip);
	if (v4 >> 24 == 0)
		return "\"this network\" (0.0.0.0/8)";
	if (v4 >> 24 == 127)
		return "loopback";
	if (v4 >> 28 == 0xe)
		return "multicast";
	if (v4 >> 28 == 0xf)
		return "reserved or broadcast (240.0.0.0/4)";
	return NULL;
}

const char *
lath_config_subnet_reserves(const struct lath_prefix *host, const struct lath_ip *ip)
{
	struct lath_prefix network = lath_prefix_network(host);
	uint32_t v4;
	uint32_t host_mask;

	if (!lath_prefix_contains(host, ip))
		return NULL;
	if (!lath_ip_is_v4(ip)) /* RFC 4291 section 2.6.1; RFC 6164: not of a /127 */
		return host->bits < 127 && lath_ip_equal(&network.ip, ip) ? "subnet-router anycast"
									  : NULL;
	if (host->bits >= 31) /* RFC 3021: both addresses of a /31 are hosts */
		return NULL;
	v4 = lath_from_be32(lath_ip_v4_be(ip));
	host_mask = host->bits == 0 ? UINT32_MAX : (UINT32_C(1) << (32 - host->bits)) - 1;
	if ((v4 & host_mask) == 0)
		return "network";
	return (v4 & host_mask) == host_mask ? "broadcast" : NULL;
}
