/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * Ports over virtual devices that need nothing: net_ring (no RSS, one MAC of zeroes) and net_null
 * (keeps an RSS key and a redirection table, so steering can be written and read back). EAL runs
 * without huge pages and leaves nothing behind.
 */

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <lath_ethdev.h>

#include "lath_test.h"

#define BUFFERS 8191u
#define WORKERS 3u

static struct rte_mempool *pool;
static struct lath_owner *owner;

static struct lath_config_port
config_of(const char *device)
{
	struct lath_config_port cfg = {
			.name = "p0", .mtu = 1500, .rx_descriptors = 256, .tx_descriptors = 256};

	snprintf(cfg.device, sizeof(cfg.device), "%s", device);
	return cfg;
}

static int
open_port(struct lath_port *port, const struct lath_config_port *cfg, unsigned workers,
		struct lath_error *err)
{
	struct lath_ethdev_setup setup = {
			.workers = workers,
			.owner = owner,
			.pool = pool,
			.plain_buffers = true,
	};

	return lath_port_open(port, cfg, &setup, err);
}

static void
must_open(struct lath_port *port, const struct lath_config_port *cfg, unsigned workers)
{
	struct lath_error err = {0};
	int rc = lath_ethdev_probe(port, cfg, workers, &err);

	if (rc == 0)
		rc = open_port(port, cfg, workers, &err);
	if (rc == 0)
		rc = lath_port_start(port, owner, &err);
	if (rc != 0)
		fail_msg("%s", err.text);
}

static void
queues_are_one_a_worker_where_the_driver_can(void **state)
{
	struct lath_config_port cfg = config_of("net_ring_q");
	struct lath_port port;

	(void)state;
	must_open(&port, &cfg, WORKERS);
	assert_int_equal(port.rx_queue_count, WORKERS);
	assert_int_equal(port.tx_queue_count, WORKERS);
	assert_false(port.tx_shared);
	assert_string_equal(port.driver, "net_ring");
	lath_port_close(&port);
	must_open(&port, &cfg, 32); /* net_ring has 16 */
	assert_int_equal(port.rx_queue_count, 16);
	assert_true(port.tx_shared);
	lath_port_close(&port);
}

static void
port_without_table_is_steered_in_software(void **state)
{
	struct lath_config_port cfg = config_of("net_ring0");
	struct lath_port port;

	(void)state;
	must_open(&port, &cfg, WORKERS);
	assert_int_equal(port.steering, LATH_STEER_SOFTWARE);
	assert_non_null(strstr(port.steering_reason, "redirection table"));
	lath_port_close(&port);
	/* One worker owns everything: nothing to steer. */
	must_open(&port, &cfg, 1);
	assert_int_equal(port.steering, LATH_STEER_NIC);
	lath_port_close(&port);
}

static void
key_and_table_are_written_as_the_owner_says(void **state)
{
	struct lath_config_port cfg = config_of("net_null0");
	struct rte_eth_rss_reta_entry64 table[2] = {{.mask = UINT64_MAX}, {.mask = UINT64_MAX}};
	uint8_t key[40] = {0};
	struct rte_eth_rss_conf conf = {.rss_key = key, .rss_key_len = sizeof(key)};
	struct lath_port port;

	(void)state;
	must_open(&port, &cfg, WORKERS);
	assert_string_equal(port.steering_reason, "");
	assert_int_equal(port.steering, LATH_STEER_NIC);
	assert_int_equal(rte_eth_dev_rss_hash_conf_get(port.port_id, &conf), 0);
	assert_memory_equal(key, owner->toeplitz.key, sizeof(key));
	assert_int_equal(rte_eth_dev_rss_reta_query(port.port_id, table, 128), 0);
	for (unsigned i = 0; i < 128; i++)
		assert_int_equal(table[i / 64].reta[i % 64], owner->map[i]);
	lath_port_steer_in_software(&port, "16 packets in a row came to the wrong worker");
	assert_int_equal(port.steering, LATH_STEER_SOFTWARE);
	lath_port_close(&port);
}

static void
owner_wider_than_the_table_is_not_believed(void **state)
{
	struct lath_config_port cfg = config_of("net_null0");
	struct lath_owner *wide = calloc(1, sizeof(*wide));
	struct lath_owner *const usual = owner;
	uint64_t random = 7;
	struct lath_port port;

	(void)state;
	assert_int_equal(lath_owner_init(wide, 9, WORKERS, &random), 0);
	owner = wide;
	must_open(&port, &cfg, WORKERS);
	owner = usual;
	assert_int_equal(port.steering, LATH_STEER_SOFTWARE);
	lath_port_close(&port);
	free(wide);
}

static void
bits_come_from_the_smallest_table_that_steers(void **state)
{
	struct lath_port ports[3] = {
			{.probed = true, .reta_size = 512, .key_len = 40},
			{.probed = true, .reta_size = 128, .key_len = 52},
			{.probed = true, .reta_size = 64, .key_len = 16}, /* cannot steer */
	};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		ports[i].driver_rx_queue_max = 4;
		ports[i].rss_functions = RTE_ETH_RSS_NONFRAG_IPV4_TCP |
				RTE_ETH_RSS_NONFRAG_IPV4_UDP;
	}
	assert_int_equal(lath_ethdev_reta_bits(ports, 3, 2), 7);
	assert_int_equal(lath_ethdev_reta_bits(ports, 1, 2), 9);
	assert_int_equal(lath_ethdev_reta_bits(ports, 3, 8), 7); /* fewer queues than workers */
	assert_int_equal(lath_ethdev_reta_bits(ports, 0, 2), 7);
	ports[1].reta_size = 64;
	assert_int_equal(lath_ethdev_reta_bits(ports, 2, 2), 6);
}

static void
mac_is_given_or_made_up_and_stays_the_same(void **state)
{
	struct lath_config_port cfg = config_of("net_ring0");
	struct lath_mac first;
	struct lath_port port;

	(void)state;
	must_open(&port, &cfg, 1);
	first = port.mac;
	assert_int_equal(first.bytes[0], 0x02); /* local, not a group */
	lath_port_close(&port);
	must_open(&port, &cfg, 1);
	assert_memory_equal(&first, &port.mac, sizeof(first));
	lath_port_close(&port);
	cfg.has_mac = true;
	assert_int_equal(lath_mac_parse("02:00:00:00:aa:01", &cfg.mac), 0);
	must_open(&port, &cfg, 1);
	assert_memory_equal(&cfg.mac, &port.mac, sizeof(first));
	lath_port_close(&port);
}

static void
packets_go_round_and_are_counted(void **state)
{
	struct lath_config_port cfg = config_of("net_ring0");
	struct lath_port_stats stats;
	struct lath_port port;
	struct rte_mbuf *pkt;

	(void)state;
	must_open(&port, &cfg, 2);
	pkt = rte_pktmbuf_alloc(pool);
	assert_non_null(pkt);
	assert_non_null(rte_pktmbuf_append(pkt, 60));
	assert_int_equal(rte_eth_tx_burst(port.port_id, 1, &pkt, 1), 1);
	assert_int_equal(rte_eth_rx_burst(port.port_id, 1, &pkt, 1), 1);
	rte_pktmbuf_free(pkt);
	assert_int_equal(lath_port_stats(&port, &stats), 0);
	assert_int_equal(stats.tx_packets_total, 1);
	assert_int_equal(stats.rx_packets_total, 1);
	assert_true(port.link_up);
	assert_false(lath_port_poll_link(&port));
	lath_port_stop(&port);
	assert_true(lath_port_poll_link(&port));
	assert_int_equal(port.link_changes_total, 1);
	lath_port_close(&port);
	lath_port_close(&port); /* again: nothing to do */
}

static void
wrong_devices_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *device;
		const char *said;
	} rows[] = {
			{"net_nosuch0", "neither a PCI address"},
			{"eth0", "neither a PCI address"},
			{"0000:7f:1f.7", "There is no PCI device 0000:7f:1f.7"},
			{"7f:1f.7", "There is no PCI device 0000:7f:1f.7"},
			{"net_af_packet0", "names no interface"},
			{"net_af_packet0,iface=nosuch", "no network interface \"nosuch\""},
			{"net_null0,nosuch=1", "DPDK cannot open"},
			{"net_memif0,socket-abstract=no,socket=nosuch.sock", "nobody serves"},
	};
	struct lath_port port;

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_config_port cfg = config_of(rows[i].device);
		struct lath_error err = {0};

		print_message("%s\n", rows[i].device);
		assert_true(lath_ethdev_probe(&port, &cfg, 1, &err) < 0);
		assert_non_null(strstr(err.text, "port \"p0\""));
		if (strstr(err.text, rows[i].said) == NULL)
			fail_msg("%s", err.text);
		assert_int_equal(rte_eth_dev_count_avail(), 0);
	}
}

/* The driver itself refuses a path that exists, whether anybody listens or not. */
static void
memif_servers_replace_a_dead_ones_socket_and_share_their_own(void **state)
{
	char path[] = "/tmp/lath-memif-XXXXXX";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct lath_port ports[2];
	char device[256];
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	(void)state;
	assert_non_null(mkdtemp(path));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/sock", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	for (unsigned i = 0; i < 2; i++) {
		struct lath_config_port cfg;

		snprintf(device, sizeof(device),
				"net_memif%u,role=server,id=%u,socket-abstract=no,socket=%s", i, i,
				address.sun_path);
		cfg = config_of(device);
		must_open(&ports[i], &cfg, 1);
		assert_false(ports[i].link_up);
	}
	lath_port_close(&ports[0]);
	assert_int_equal(access(address.sun_path, F_OK), 0);
	lath_port_close(&ports[1]);
	assert_int_equal(access(address.sun_path, F_OK), -1);
	assert_int_equal(rmdir(path), 0);
}

static void
one_device_serves_one_port(void **state)
{
	struct lath_config_port cfg = config_of("net_ring0");
	struct lath_error err = {0};
	struct lath_port port;
	struct lath_port second;

	(void)state;
	must_open(&port, &cfg, 1);
	assert_int_equal(lath_ethdev_probe(&second, &cfg, 1, &err), -EBUSY);
	assert_non_null(strstr(err.text, "another port"));
	assert_int_equal(rte_eth_dev_is_valid_port(port.port_id), 1);
	lath_port_close(&port);
}

static void
frames_beyond_an_mbuf_need_a_driver_with_segments(void **state)
{
	struct lath_config_port cfg = config_of("net_null0");
	struct lath_error err = {0};
	struct lath_port port;

	(void)state;
	cfg.mtu = 9000;
	assert_int_equal(lath_ethdev_probe(&port, &cfg, 1, &err), 0);
	assert_true(open_port(&port, &cfg, 1, &err) < 0);
	assert_non_null(strstr(err.text, "segments"));
	assert_int_equal(rte_eth_dev_count_avail(), 0);
}

static void
real_time_signals_are_blocked_and_taken(void **state)
{
	sigset_t set;

	(void)state;
	lath_ethdev_block_rt_signals();
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	assert_int_equal(sigismember(&set, SIGRTMIN), 1);
	assert_int_equal(sigismember(&set, SIGRTMAX), 1);
	assert_int_equal(sigismember(&set, SIGTERM), 0);
	lath_ethdev_take_rt_signals();
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	assert_int_equal(sigismember(&set, SIGRTMIN), 0);
}

/* Nothing may be left: no port, no mbuf. */
static int
check_clean(void **state)
{
	(void)state;
	if (rte_eth_dev_count_avail() != 0 || rte_mempool_in_use_count(pool) != 0) {
		print_error("left: %u ports, %u mbufs\n", rte_eth_dev_count_avail(),
				rte_mempool_in_use_count(pool));
		return -1;
	}
	return 0;
}

static int
start_eal(void)
{
	static char prog[] = "test_ethdev";
	static char args[][40] = {"--no-huge", "--no-shconf", "--no-pci", "-m", "64",
			"--no-telemetry", "-l", "0", "--log-level=lib.eal:warning"};
	static char prefix[64];
	char *argv[LATH_ARRAY_SIZE(args) + 2] = {prog};
	int argc = 1;

	for (unsigned i = 0; i < LATH_ARRAY_SIZE(args); i++)
		argv[argc++] = args[i];
	snprintf(prefix, sizeof(prefix), "--file-prefix=lath-ethdev-%d", (int)getpid());
	argv[argc++] = prefix;
	return rte_eal_init(argc, argv);
}

#define TEST(name) cmocka_unit_test_teardown(name, check_clean)

int
main(void)
{
	const struct CMUnitTest tests[] = {
			TEST(queues_are_one_a_worker_where_the_driver_can),
			TEST(port_without_table_is_steered_in_software),
			TEST(key_and_table_are_written_as_the_owner_says),
			TEST(owner_wider_than_the_table_is_not_believed),
			TEST(bits_come_from_the_smallest_table_that_steers),
			TEST(mac_is_given_or_made_up_and_stays_the_same),
			TEST(packets_go_round_and_are_counted),
			TEST(wrong_devices_are_refused_with_a_reason),
			TEST(memif_servers_replace_a_dead_ones_socket_and_share_their_own),
			TEST(one_device_serves_one_port),
			TEST(frames_beyond_an_mbuf_need_a_driver_with_segments),
			TEST(real_time_signals_are_blocked_and_taken),
	};
	char directory[] = "/tmp/lath-test-ethdev-XXXXXX";
	char command[128];
	uint64_t random = 1;
	int failed;

	if (mkdtemp(directory) == NULL || setenv("RUNTIME_DIRECTORY", directory, 1) != 0)
		return 1;
	owner = calloc(1, sizeof(*owner));
	if (owner == NULL || lath_owner_init(owner, 7, WORKERS, &random) != 0 || start_eal() < 0)
		return 1;
	pool = rte_pktmbuf_pool_create("pool", BUFFERS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
			SOCKET_ID_ANY);
	failed = pool == NULL ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
	rte_mempool_free(pool);
	(void)rte_eal_cleanup();
	free(owner);
	/* DPDK leaves its prefix folder behind. */
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command) != 0 || failed != 0;
}
