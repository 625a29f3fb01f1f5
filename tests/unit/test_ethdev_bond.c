/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * A bond is one port of several members. What it can do is what they have in common, so it steers
 * by itself over members with an RSS table (net_null) and in software over others (net_ring).
 * Packets through a bond: tests/packets, cases/bonds.
 */

#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <lath_ethdev.h>

#include "eal_kit.h"

#define WORKERS 2u
#define BUFFERS 8191u
#define TABLE 128u /* entries of net_null's */

static struct rte_mempool *pool;
static struct lath_owner owner;

/* In ethdev's place, for the bonding driver too: net_ring cannot set a MAC, without which a bond does
 * not start. Rings take every frame anyway, and net_null sends none.
 */
int
rte_eth_dev_default_mac_addr_set(uint16_t port_id, struct rte_ether_addr *mac)
{
	(void)port_id;
	(void)mac;
	return 0;
}

static struct lath_port
opened(const char *device)
{
	struct lath_config_port cfg = {.name = "bond", .mtu = 1500, .rx_descriptors = 256};
	struct lath_ethdev_setup setup = {
			.workers = WORKERS,
			.owner = &owner,
			.pool = pool,
			.plain_buffers = true,
	};
	struct lath_error err = {0};
	struct lath_port port;
	int rc;

	snprintf(cfg.device, sizeof(cfg.device), "%s", device);
	rc = lath_ethdev_probe(&port, &cfg, WORKERS, &err);
	if (rc == 0)
		rc = lath_port_open(&port, &cfg, &setup, &err);
	if (rc == 0)
		rc = lath_port_start(&port, &owner, &err);
	if (rc != 0)
		fail_msg("%s", err.text);
	return port;
}

/* Members stay when their bond goes; here they are ours. */
static void
unplug(const char *name)
{
	struct rte_eth_dev_info info;
	uint16_t port_id;

	assert_int_equal(rte_eth_dev_get_port_by_name(name, &port_id), 0);
	assert_int_equal(rte_eth_dev_info_get(port_id, &info), 0);
	assert_int_equal(rte_eth_dev_close(port_id), 0);
	assert_int_equal(rte_dev_remove(info.device), 0);
}

static void
must_be_programmed(const char *name)
{
	struct rte_eth_rss_reta_entry64 table[TABLE / RTE_ETH_RETA_GROUP_SIZE] = {
			{.mask = UINT64_MAX}, {.mask = UINT64_MAX}};
	uint8_t key[40] = {0};
	struct rte_eth_rss_conf conf = {.rss_key = key, .rss_key_len = sizeof(key)};
	uint16_t port_id;

	assert_int_equal(rte_eth_dev_get_port_by_name(name, &port_id), 0);
	assert_int_equal(rte_eth_dev_rss_hash_conf_get(port_id, &conf), 0);
	assert_memory_equal(key, owner.toeplitz.key, sizeof(key));
	assert_int_equal(rte_eth_dev_rss_reta_query(port_id, table, TABLE), 0);
	for (unsigned i = 0; i < TABLE; i++)
		assert_int_equal(table[i / RTE_ETH_RETA_GROUP_SIZE]
						 .reta[i % RTE_ETH_RETA_GROUP_SIZE],
				owner.map[i]);
}

static void
bond_of_members_with_tables_steers_and_programs_each(void **state)
{
	struct lath_port port = opened("net_bonding0,mode=1,slave=net_null0,slave=net_null1");

	(void)state;
	assert_string_equal(port.driver, "net_bonding");
	assert_int_equal(port.rx_queue_count, WORKERS);
	assert_string_equal(port.steering_reason, "");
	assert_int_equal(port.steering, LATH_STEER_NIC);
	must_be_programmed("net_null0");
	must_be_programmed("net_null1");
	lath_port_close(&port);
	unplug("net_null0");
	unplug("net_null1");
}

static void
bond_of_members_without_is_steered_in_software(void **state)
{
	struct lath_port port = opened("net_bonding0,mode=1,slave=net_ring0,slave=net_ring1");

	(void)state;
	assert_int_equal(port.steering, LATH_STEER_SOFTWARE);
	assert_non_null(strstr(port.steering_reason, "redirection table"));
	assert_int_equal(port.tx_queue_count, WORKERS);
	lath_port_close(&port);
	unplug("net_ring0");
	unplug("net_ring1");
}

static void
one_member_without_a_table_is_enough_for_software(void **state)
{
	struct lath_port port = opened("net_bonding0,mode=1,slave=net_null0,slave=net_ring0");

	(void)state;
	assert_int_equal(port.steering, LATH_STEER_SOFTWARE);
	lath_port_close(&port);
	unplug("net_null0");
	unplug("net_ring0");
}

static int
check_clean(void **state)
{
	(void)state;
	return rte_eth_dev_count_avail() != 0 || rte_mempool_in_use_count(pool) != 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, check_clean)

int
main(void)
{
	const struct CMUnitTest tests[] = {
			TEST(bond_of_members_with_tables_steers_and_programs_each),
			TEST(bond_of_members_without_is_steered_in_software),
			TEST(one_member_without_a_table_is_enough_for_software),
	};
	uint64_t random = 1;
	int failed;

	if (eal_kit_start("ethdev_bond") < 0 || lath_owner_init(&owner, 7, WORKERS, &random) != 0)
		return 1;
	pool = rte_pktmbuf_pool_create("pool", BUFFERS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
			SOCKET_ID_ANY);
	failed = pool == NULL ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
	rte_mempool_free(pool);
	return eal_kit_stop(failed);
}
