/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Makes a NIC agree with owner(): the owner's Toeplitz key, and a redirection table whose entry i
 * leads to the queue of map[i mod 2^bits]. A NIC takes the low bits of the hash as the entry's
 * number, so a table longer than 2^bits repeats the map. What was written is read back: drivers
 * exist that take a key and keep another. Agreement is never trusted beyond that (rule 3 of the
 * architecture): workers compare, and 16 wrong packets in a row turn the port to software.
 *
 * Asked for are the functions whose Toeplitz input is the canonical tuple: addresses and ports of
 * TCP and UDP, addresses alone for the rest. Toeplitz is linear, so addresses alone hash as with
 * both ports 0, which is what owner() says of fragments. ICMP echo is the exception (owner() wants
 * the identifier in both port fields): workers hand those over and count them apart.
 */

#include <string.h>

#include "ethdev_private.h"

#define RSS_NEEDED (RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP)
#define RSS_WANTED                                                                                \
	(RSS_NEEDED | RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_OTHER | \
			RTE_ETH_RSS_IPV6 | RTE_ETH_RSS_FRAG_IPV6 | RTE_ETH_RSS_NONFRAG_IPV6_TCP | \
			RTE_ETH_RSS_NONFRAG_IPV6_UDP | RTE_ETH_RSS_NONFRAG_IPV6_OTHER)

#define RETA_GROUPS_MAX (RTE_ETH_RSS_RETA_SIZE_512 / RTE_ETH_RETA_GROUP_SIZE)

uint64_t
lath_ethdev_rss_functions(const struct rte_eth_dev_info *info)
{
	return info->flow_type_rss_offloads & RSS_WANTED;
}

const char *
lath_ethdev_steer_obstacle(const struct lath_port *port, unsigned workers)
{
	unsigned size = port->reta_size;

	if (workers <= 1)
		return "";
	if (port->driver_rx_queue_max < workers)
		return "fewer RX queues than workers";
	if (size == 0)
		return "driver has no redirection table (reta_size 0)";
	if (size > RTE_ETH_RSS_RETA_SIZE_512 || (size & (size - 1)) != 0 ||
			size < RTE_ETH_RETA_GROUP_SIZE)
		return "redirection table of unusual size";
	if (size < workers)
		return "redirection table smaller than the number of workers";
	if (port->key_len != 40 && port->key_len != LATH_TOEPLITZ_KEY_LEN)
		return "driver has no settable RSS key of 40 or 52 bytes";
	if ((port->rss_functions & RSS_NEEDED) != RSS_NEEDED)
		return "driver does not hash TCP and UDP ports of IPv4";
	return "";
}

static const char *
program_key(const struct lath_port *port, const struct lath_owner *owner)
{
	uint8_t key[LATH_TOEPLITZ_KEY_LEN];
	uint8_t got_key[LATH_TOEPLITZ_KEY_LEN] = {0};
	struct rte_eth_rss_conf want = {
			.rss_key = key,
			.rss_key_len = port->key_len,
			.rss_hf = port->rss_functions,
	};
	struct rte_eth_rss_conf got = {
			.rss_key = got_key,
			.rss_key_len = port->key_len,
	};

	memcpy(key, owner->toeplitz.key, sizeof(key));
	if (rte_eth_dev_rss_hash_update(port->port_id, &want) < 0)
		return "driver refuses the RSS key";
	if (rte_eth_dev_rss_hash_conf_get(port->port_id, &got) < 0)
		return "driver does not show its RSS key";
	if (memcmp(key, got_key, port->key_len) != 0)
		return "RSS key read back differs";
	if ((got.rss_hf & RSS_NEEDED) != RSS_NEEDED)
		return "RSS functions read back differ";
	return "";
}

static const char *
program_table(const struct lath_port *port, const struct lath_owner *owner)
{
	struct rte_eth_rss_reta_entry64 want[RETA_GROUPS_MAX] = {0};
	struct rte_eth_rss_reta_entry64 got[RETA_GROUPS_MAX] = {0};
	unsigned groups = port->reta_size / RTE_ETH_RETA_GROUP_SIZE;

	for (unsigned i = 0; i < port->reta_size; i++) {
		unsigned bucket = i & ((1u << owner->bits) - 1);

		want[i / RTE_ETH_RETA_GROUP_SIZE].mask = UINT64_MAX;
		want[i / RTE_ETH_RETA_GROUP_SIZE]
				.reta[i % RTE_ETH_RETA_GROUP_SIZE] = owner->map[bucket];
		got[i / RTE_ETH_RETA_GROUP_SIZE].mask = UINT64_MAX;
	}
	if (rte_eth_dev_rss_reta_update(port->port_id, want, port->reta_size) < 0)
		return "driver refuses the redirection table";
	if (rte_eth_dev_rss_reta_query(port->port_id, got, port->reta_size) < 0)
		return "driver does not show its redirection table";
	for (unsigned g = 0; g < groups; g++)
		if (memcmp(want[g].reta, got[g].reta, sizeof(want[g].reta)) != 0)
			return "redirection table read back differs";
	return "";
}

const char *
lath_ethdev_rss_program(const struct lath_port *port, const struct lath_owner *owner)
{
	const char *why;

	if (port->reta_size < 1u << owner->bits)
		return "redirection table smaller than the owner's map";
	why = program_key(port, owner);
	if (why[0] != '\0')
		return why;
	return program_table(port, owner);
}
