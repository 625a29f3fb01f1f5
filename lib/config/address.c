/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

#include "config_private.h"

static int
not_yet(const struct lath_config_node *node)
{
	return lath_config_fail(node,
			"\"%s\" is IPv6, which this release does not carry yet; only IPv4 is "
			"accepted here",
			json_string_value(node->json));
}

int
lath_config_read_prefix(const struct lath_config_node *node, bool v6, struct lath_prefix *prefix)
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
	if (!v6 && !lath_ip_is_v4(&parsed.ip))
		return not_yet(node);
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
	if (!lath_ip_is_v4(&parsed))
		return not_yet(node);
	why = lath_config_ip_unusable(&parsed);
	if (why != NULL)
		return lath_config_fail(node, "\"%s\" is no host's address but %s", text, why);
	*ip = parsed;
	return 0;
}

int
lath_config_read_prefixes(const struct lath_config_node *object, const char *key, bool v6,
		size_t min, size_t max, struct lath_prefix **prefixes, uint32_t *count)
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

		rc = lath_config_read_prefix(&element, v6, prefix);
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

const char *
lath_config_ip_unusable(const struct lath_ip *ip)
{
	uint32_t v4 = lath_from_be32(lath_ip_v4_be(ip));

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
	uint32_t v4;
	uint32_t host_mask;

	if (!lath_ip_is_v4(ip) || !lath_prefix_contains(host, ip))
		return NULL;
	if (host->bits >= 31) /* RFC 3021: both addresses of a /31 are hosts */
		return NULL;
	v4 = lath_from_be32(lath_ip_v4_be(ip));
	host_mask = host->bits == 0 ? UINT32_MAX : (UINT32_C(1) << (32 - host->bits)) - 1;
	if ((v4 & host_mask) == 0)
		return "network";
	return (v4 & host_mask) == host_mask ? "broadcast" : NULL;
}
