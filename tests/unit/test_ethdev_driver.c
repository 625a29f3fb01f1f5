/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Drivers that this machine does not have: net_null with some calls of ethdev put in between by the
 * linker (--wrap), so that it claims offloads and another name, and lies about its RSS key and
 * table. What lath_ethdev asks for and believes is then seen here.
 */

#include <rte_ethdev.h>
#include <rte_log.h>
#include <rte_mbuf.h>

#include <lath_ethdev.h>

#include "eal_kit.h"

#define WORKERS 3u
#define BUFFERS 4095u

#define ALL_RX                                                      \
	(RTE_ETH_RX_OFFLOAD_CHECKSUM | RTE_ETH_RX_OFFLOAD_SCATTER | \
			RTE_ETH_RX_OFFLOAD_VLAN_STRIP | RTE_ETH_RX_OFFLOAD_TCP_LRO)
#define ALL_TX                                                                         \
	(RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE | RTE_ETH_TX_OFFLOAD_MULTI_SEGS |           \
			RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM | \
			RTE_ETH_TX_OFFLOAD_UDP_CKSUM)

/* What the driver says and does; what was asked of it. */
static struct {
	const char *name; /* NULL: its own */
	uint64_t rx_claimed;
	uint64_t tx_claimed;
	uint64_t rx_asked;
	uint64_t tx_asked;
	bool refuses_key;
	bool hides_key;
	bool keeps_other_key;
	bool drops_functions;
	bool refuses_table;
	bool hides_table;
	bool keeps_other_table;
} driver;

static struct rte_mempool *pool;
static struct lath_owner owner;

int __real_rte_eth_dev_info_get(uint16_t port_id, struct rte_eth_dev_info *info);
int __real_rte_eth_dev_configure(uint16_t port_id, uint16_t rx, uint16_t tx,
		const struct rte_eth_conf *conf);
int __real_rte_eth_dev_rss_hash_update(uint16_t port_id, struct rte_eth_rss_conf *conf);
int __real_rte_eth_dev_rss_hash_conf_get(uint16_t port_id, struct rte_eth_rss_conf *conf);
int __real_rte_eth_dev_rss_reta_update(uint16_t port_id, struct rte_eth_rss_reta_entry64 *table,
		uint16_t size);
int __real_rte_eth_dev_rss_reta_query(uint16_t port_id, struct rte_eth_rss_reta_entry64 *table,
		uint16_t size);

int __wrap_rte_eth_dev_info_get(uint16_t port_id, struct rte_eth_dev_info *info);
int __wrap_rte_eth_dev_configure(uint16_t port_id, uint16_t rx, uint16_t tx,
		const struct rte_eth_conf *conf);
int __wrap_rte_eth_dev_rss_hash_update(uint16_t port_id, struct rte_eth_rss_conf *conf);
int __wrap_rte_eth_dev_rss_hash_conf_get(uint16_t port_id, struct rte_eth_rss_conf *conf);
int __wrap_rte_eth_dev_rss_reta_update(uint16_t port_id, struct rte_eth_rss_reta_entry64 *table,
		uint16_t size);
int __wrap_rte_eth_dev_rss_reta_query(uint16_t port_id, struct rte_eth_rss_reta_entry64 *table,
		uint16_t size);

int
__wrap_rte_eth_dev_info_get(uint16_t port_id, struct rte_eth_dev_info *info)
{
	int rc = __real_rte_eth_dev_info_get(port_id, info);

	info->rx_offload_capa |= driver.rx_claimed;
	info->tx_offload_capa |= driver.tx_claimed;
	if (driver.name != NULL)
		info->driver_name = driver.name;
	return rc;
}

/* Notes what is asked for; the driver beneath has none of it. */
int
__wrap_rte_eth_dev_configure(uint16_t port_id, uint16_t rx, uint16_t tx,
		const struct rte_eth_conf *conf)
{
	struct rte_eth_conf plain = *conf;

	driver.rx_asked = conf->rxmode.offloads;
	driver.tx_asked = conf->txmode.offloads;
	plain.rxmode.offloads = 0;
	plain.txmode.offloads = 0;
	return __real_rte_eth_dev_configure(port_id, rx, tx, &plain);
}

int
__wrap_rte_eth_dev_rss_hash_update(uint16_t port_id, struct rte_eth_rss_conf *conf)
{
	return driver.refuses_key ? -EINVAL : __real_rte_eth_dev_rss_hash_update(port_id, conf);
}

int
__wrap_rte_eth_dev_rss_hash_conf_get(uint16_t port_id, struct rte_eth_rss_conf *conf)
{
	int rc = driver.hides_key ? -ENOTSUP : __real_rte_eth_dev_rss_hash_conf_get(port_id, conf);

	if (driver.keeps_other_key)
		conf->rss_key[conf->rss_key_len - 1] ^= 1;
	if (driver.drops_functions)
		conf->rss_hf &= ~RTE_ETH_RSS_NONFRAG_IPV4_UDP;
	return rc;
}

int
__wrap_rte_eth_dev_rss_reta_update(uint16_t port_id, struct rte_eth_rss_reta_entry64 *table,
		uint16_t size)
{
	return driver.refuses_table ? -EINVAL
				    : __real_rte_eth_dev_rss_reta_update(port_id, table, size);
}

int
__wrap_rte_eth_dev_rss_reta_query(uint16_t port_id, struct rte_eth_rss_reta_entry64 *table,
		uint16_t size)
{
	int rc = driver.hides_table ? -ENOTSUP
				    : __real_rte_eth_dev_rss_reta_query(port_id, table, size);

	if (driver.keeps_other_table)
		table[(size - 1) / RTE_ETH_RETA_GROUP_SIZE].reta[RTE_ETH_RETA_GROUP_SIZE - 1] ^= 1;
	return rc;
}

static struct lath_config_port
config_of(const char *device, uint16_t mtu)
{
	struct lath_config_port cfg = {.name = "p0", .mtu = mtu};

	snprintf(cfg.device, sizeof(cfg.device), "%s", device);
	return cfg;
}

static struct lath_port
opened(uint16_t mtu, bool plain_buffers)
{
	struct lath_config_port cfg = config_of("net_null0", mtu);
	struct lath_ethdev_setup setup = {
			.workers = WORKERS,
			.owner = &owner,
			.pool = pool,
			.plain_buffers = plain_buffers,
	};
	struct lath_error err = {0};
	struct lath_port port;
	int rc = lath_ethdev_probe(&port, &cfg, WORKERS, &err);

	if (rc == 0)
		rc = lath_port_open(&port, &cfg, &setup, &err);
	if (rc == 0)
		rc = lath_port_start(&port, &owner, &err);
	if (rc != 0)
		fail_msg("%s", err.text);
	return port;
}

static uint32_t
used(const struct lath_port *port)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < LATH_OFFLOAD_COUNT; i++)
		bits |= port->offloads[i] ? 1u << i : 0;
	return bits;
}

#define BIT(name) (1u << LATH_OFFLOAD_##name)
#define RX_CKSUMS (BIT(RX_IP_CKSUM) | BIT(RX_L4_CKSUM))

static void
offloads_are_used_where_they_are_and_safe(void **state)
{
	static const struct {
		const char *what;
		const char *driver;
		uint64_t rx;
		uint64_t tx;
		uint32_t used;
	} rows[] = {
			{"nothing", NULL, 0, 0, 0},
			{"all", NULL, ALL_RX, ALL_TX, RX_CKSUMS | BIT(TX_FAST_FREE)},
			{"IP only", NULL, RTE_ETH_RX_OFFLOAD_IPV4_CKSUM, 0, BIT(RX_IP_CKSUM)},
			{"half of L4", NULL, RTE_ETH_RX_OFFLOAD_TCP_CKSUM, 0, 0},
			{"in software", "net_tap", ALL_RX, ALL_TX, BIT(TX_FAST_FREE)},
			{"half-done checksums", "net_virtio", ALL_RX, ALL_TX, BIT(TX_FAST_FREE)},
			{"the same from a vhost", "net_virtio_user", ALL_RX, ALL_TX,
					BIT(TX_FAST_FREE)},
			{"the same from another host", "net_vmxnet3", ALL_RX, ALL_TX,
					BIT(TX_FAST_FREE)},
			{"own pools", "net_bonding", ALL_RX, ALL_TX, BIT(RX_IP_CKSUM)},
	};

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_port port;
		bool ip = (rows[i].used & BIT(RX_IP_CKSUM)) != 0;
		bool l4 = (rows[i].used & BIT(RX_L4_CKSUM)) != 0;

		print_message("%s\n", rows[i].what);
		driver.name = rows[i].driver;
		driver.rx_claimed = rows[i].rx;
		driver.tx_claimed = rows[i].tx;
		port = opened(1500, true);
		assert_int_equal(used(&port), rows[i].used);
		assert_int_equal(driver.rx_asked,
				(ip ? RTE_ETH_RX_OFFLOAD_IPV4_CKSUM : 0) |
						(l4 ? RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM
						    : 0));
		/* No checksum of what is sent, whatever the port can do. */
		assert_int_equal(driver.tx_asked,
				(rows[i].used & BIT(TX_FAST_FREE)) != 0
						? RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE
						: 0);
		lath_port_close(&port);
	}
}

static void
buffers_that_are_not_plain_forbid_fast_free_on_every_port(void **state)
{
	struct lath_config_port usual = config_of("0000:01:00.0", 1500);
	struct lath_config_port jumbo = config_of("0000:01:00.0", 9000);
	struct lath_port port = {.device = "0000:01:00.0"};
	struct lath_port attaching = {.device = "0000:01:00.0,mprq_en=1"};

	(void)state;
	assert_true(lath_ethdev_is_plain(&port, &usual, pool));
	assert_false(lath_ethdev_is_plain(&port, &jumbo, pool));
	assert_false(lath_ethdev_is_plain(&attaching, &usual, pool));
	driver.rx_claimed = ALL_RX;
	driver.tx_claimed = ALL_TX;
	/* Its own frames are whole; what another port receives and it sends may not be. */
	port = opened(1500, false);
	assert_int_equal(used(&port), RX_CKSUMS | BIT(TX_SEGMENTS));
	assert_int_equal(driver.tx_asked, RTE_ETH_TX_OFFLOAD_MULTI_SEGS);
	lath_port_close(&port);
}

static void
segments_are_received_where_the_mtu_needs_them(void **state)
{
	struct lath_port port;

	(void)state;
	driver.rx_claimed = RTE_ETH_RX_OFFLOAD_SCATTER;
	driver.tx_claimed = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	port = opened(1500, true);
	assert_int_equal(used(&port), 0);
	lath_port_close(&port);
	port = opened(9000, false);
	assert_int_equal(used(&port), BIT(RX_SEGMENTS) | BIT(TX_SEGMENTS));
	assert_int_equal(driver.rx_asked, RTE_ETH_RX_OFFLOAD_SCATTER);
	lath_port_close(&port);
}

static void
every_offload_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LATH_OFFLOAD_COUNT; i++)
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(lath_offload_name((enum lath_offload)i),
					lath_offload_name((enum lath_offload)j));
}

static void
driver_that_does_not_keep_what_is_written_is_not_believed(void **state)
{
	static const struct {
		bool *lie;
		const char *reason;
	} rows[] = {
			{&driver.refuses_key, "driver refuses the RSS key"},
			{&driver.hides_key, "driver does not show its RSS key"},
			{&driver.keeps_other_key, "RSS key read back differs"},
			{&driver.drops_functions, "RSS functions read back differ"},
			{&driver.refuses_table, "driver refuses the redirection table"},
			{&driver.hides_table, "driver does not show its redirection table"},
			{&driver.keeps_other_table, "redirection table read back differs"},
	};
	struct lath_port port = opened(1500, true);

	(void)state;
	assert_int_equal(port.steering, LATH_STEER_NIC); /* an honest one is believed */
	lath_port_close(&port);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		*rows[i].lie = true;
		port = opened(1500, true);
		assert_int_equal(port.steering, LATH_STEER_SOFTWARE);
		assert_string_equal(port.steering_reason, rows[i].reason);
		lath_port_close(&port);
		*rows[i].lie = false;
	}
}

static void
demotion_is_logged_once_and_keeps_its_first_reason(void **state)
{
	struct lath_port port = opened(1500, true);
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	const char *line;

	(void)state;
	assert_int_equal(rte_openlog_stream(stream), 0);
	lath_port_steer_in_software(&port, "16 packets in a row came to the wrong worker");
	lath_port_steer_in_software(&port, "again");
	assert_int_equal(rte_openlog_stream(NULL), 0);
	fclose(stream);
	assert_string_equal(port.steering_reason, "16 packets in a row came to the wrong worker");
	line = strstr(text, "steered in software: 16 packets");
	assert_non_null(line);
	assert_null(strstr(line + 1, "steered in software"));
	free(text);
	lath_port_close(&port);
}

static int
forget_claims(void **state)
{
	(void)state;
	memset(&driver, 0, sizeof(driver));
	return rte_eth_dev_count_avail() != 0 || rte_mempool_in_use_count(pool) != 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_claims)

int
main(void)
{
	const struct CMUnitTest tests[] = {
			TEST(offloads_are_used_where_they_are_and_safe),
			TEST(buffers_that_are_not_plain_forbid_fast_free_on_every_port),
			TEST(segments_are_received_where_the_mtu_needs_them),
			TEST(every_offload_has_a_name_of_its_own),
			TEST(driver_that_does_not_keep_what_is_written_is_not_believed),
			TEST(demotion_is_logged_once_and_keeps_its_first_reason),
	};
	uint64_t random = 1;
	int failed;

	if (eal_kit_start("ethdev_driver") < 0 || lath_owner_init(&owner, 7, WORKERS, &random) != 0)
		return 1;
	pool = rte_pktmbuf_pool_create("pool", BUFFERS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
			SOCKET_ID_ANY);
	failed = pool == NULL ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
	rte_mempool_free(pool);
	return eal_kit_stop(failed);
}
