/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026 The Lath authors */

/*
 * The host port's addresses, and its kernel side with a real TAP. The latter needs a namespace of
 * its own to make the TAP in: as root, or as a user who may make user namespaces; else the test
 * says so and is skipped (77).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lath_hostaddr.h>
#include <lath_hostport.h>

#include "lath_test.h"

#define SKIPPED 77
#define INTERFACE "lathhost0"

static struct lath_prefix
test_prefix(void)
{
	struct lath_prefix prefix;

	assert_int_equal(lath_prefix_parse("fd6c:6174:6800::/64", &prefix), 0);
	return prefix;
}

static struct lath_ip
test_ip(const char *text)
{
	struct lath_ip ip;

	assert_int_equal(lath_ip_parse(text, &ip), 0);
	return ip;
}

/* ---- addresses --------------------------------------------------------------------------- */

//= RFC6146#3.5.4 RFC7915#6 type=test
static void
hostaddr_names_vpc_and_address(void **state)
{
	static const struct {
		const char *v4;
		uint32_t vpc;
		const char *expected;
	} rows[] = {
			{"10.0.0.5", 1, "fd6c:6174:6800:0:0:1:a00:5"},
			{"10.0.0.5", 2, "fd6c:6174:6800:0:0:2:a00:5"},
			{"192.0.2.33", 0x123456, "fd6c:6174:6800:0:12:3456:c000:221"},
			{"255.255.255.255", 0xfffffe, "fd6c:6174:6800:0:ff:fffe:ffff:ffff"},
	};
	struct lath_prefix prefix = test_prefix();

	(void)state;
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(rows); i++) {
		struct lath_ip v4 = test_ip(rows[i].v4);
		struct lath_ip out;
		struct lath_ip expected = test_ip(rows[i].expected);
		uint32_t vpc;
		lath_be32_t v4_be;

		assert_true(lath_hostaddr_make(&prefix, rows[i].vpc, &v4, &out));
		assert_true(lath_ip_equal(&out, &expected));
		assert_true(lath_hostaddr_parse(&prefix, out.bytes, &vpc, &v4_be));
		assert_int_equal(vpc, rows[i].vpc);
		assert_true(v4_be == lath_ip_v4_be(&v4));
	}
}

static void
hostaddr_refuses_what_it_cannot_name(void **state)
{
	struct lath_prefix prefix = test_prefix();
	struct lath_ip v4 = test_ip("10.0.0.5");
	struct lath_ip v6 = test_ip("2001:db8::1");
	struct lath_ip out;
	struct lath_ip strange = test_ip("fd6c:6174:6800:0:100:1:a00:5"); /* bits 64-71 */
	struct lath_ip outside = test_ip("fd6c:6174:6801:0:0:1:a00:5");
	uint32_t vpc;
	lath_be32_t v4_be;

	(void)state;
	assert_false(lath_hostaddr_make(&prefix, 1, &v6, &out));
	assert_false(lath_hostaddr_make(&prefix, 0xffffff, &v4, &out)); /* stands for targets */
	assert_false(lath_hostaddr_make(&prefix, 0x1000000, &v4, &out));
	assert_false(lath_hostaddr_parse(&prefix, strange.bytes, &vpc, &v4_be));
	assert_false(lath_hostaddr_parse(&prefix, outside.bytes, &vpc, &v4_be));
}

static void
hostaddr_names_targets_by_index(void **state)
{
	struct lath_prefix prefix = test_prefix();
	struct lath_ip out = lath_hostaddr_make_target(&prefix, 0x123456);
	struct lath_ip v4 = test_ip("0.18.52.86");
	struct lath_ip vpc_address;
	char text[LATH_IP_TEXT_MAX];
	lath_be32_t v4_be;
	uint32_t index;

	(void)state;
	assert_string_equal(lath_ip_format(&out, text), "fd6c:6174:6800:0:ff:ffff:12:3456");
	assert_true(lath_hostaddr_parse_target(&prefix, out.bytes, &index));
	assert_int_equal(index, 0x123456);
	assert_false(lath_hostaddr_parse(&prefix, out.bytes, &index, &v4_be));
	assert_true(lath_hostaddr_make(&prefix, LATH_HOSTADDR_VPC_MAX, &v4, &vpc_address));
	assert_false(lath_hostaddr_parse_target(&prefix, vpc_address.bytes, &index));
	out.bytes[0] ^= 1;
	assert_false(lath_hostaddr_parse_target(&prefix, out.bytes, &index));
}

static void
hostaddr_own_address_is_of_no_vpc(void **state)
{
	struct lath_prefix prefix = test_prefix();
	struct lath_ip own = lath_hostaddr_kernel(&prefix);
	char text[LATH_IP_TEXT_MAX];
	uint32_t vpc;
	lath_be32_t v4_be;

	(void)state;
	assert_string_equal(lath_ip_format(&own, text), "fd6c:6174:6800::1");
	assert_true(lath_hostaddr_parse(&prefix, own.bytes, &vpc, &v4_be));
	assert_int_equal(vpc, 0);
}

/* ---- the kernel's side ------------------------------------------------------------------- */

static int
make_tap(void)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	assert_true(fd >= 0);
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", INTERFACE);
	assert_int_equal(ioctl(fd, TUNSETIFF, &request), 0);
	return fd;
}

static struct lath_hostport_options
test_options(void)
{
	return (struct lath_hostport_options){
			.interface = INTERFACE,
			.prefix = test_prefix(),
			.mtu = 1520,
			.gateway_mac = lath_hostaddr_gateway_mac(),
	};
}

static struct lath_hostport *
setup_or_explain(const struct lath_hostport_options *options)
{
	struct lath_hostport *hostport = NULL;
	struct lath_error err = {0};
	char text[900];

	if (lath_hostport_setup(&hostport, options, &err) != 0) {
		lath_error_format(&err, text, sizeof(text));
		fail_msg("%s", text);
	}
	return hostport;
}

static int
run_in_namespace(const struct lath_hostport *hostport, const char *command)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (lath_hostport_enter(hostport) != 0)
			_exit(125);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(126);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void
setup_configures_the_namespace(void **state)
{
	static const char *const commands[] = {
			"ip -o link show dev lo | grep -q '[<,]UP[,>]'",
			"ip -o link show dev " INTERFACE " | grep -q '[<,]UP[,>].* mtu 1520 '",
			"ip -o -6 addr show dev " INTERFACE " | grep -q 'fd6c:6174:6800::1/128 '",
			"ip -o -6 addr show dev " INTERFACE " | grep -q 'fe80::2/64 '",
			"test $(ip -o -6 addr show dev " INTERFACE " | wc -l) = 2",
			"! ip -6 addr show dev " INTERFACE " | grep -q tentative",
			"ip -6 neigh show dev " INTERFACE
			" | grep -q 'fe80::1 lladdr 02:6c:61:74:68:01 .*PERMANENT'",
			"ip -6 route show fd6c:6174:6800::/64 | grep -q 'via fe80::1 dev " INTERFACE
			" .*src fd6c:6174:6800::1'",
			"ip -6 route get fd6c:6174:6800:0:0:2:a00:5 | grep -q 'src "
			"fd6c:6174:6800::1'",
			"test $(cat /proc/sys/net/ipv6/conf/all/forwarding) = 0",
			"test $(cat /proc/sys/net/ipv4/ip_forward) = 0",
			"test $(cat /proc/sys/net/ipv6/conf/" INTERFACE "/accept_ra) = 0",
			"test $(cat /proc/sys/net/ipv6/conf/" INTERFACE "/accept_dad) = 0",
			"! ip route get 192.0.2.1 2>/dev/null",
	};
	struct lath_hostport_options options = test_options();
	struct lath_hostport *hostport;
	int tap = make_tap();

	(void)state;
	hostport = setup_or_explain(&options);
	for (unsigned i = 0; i < LATH_ARRAY_SIZE(commands); i++) {
		print_message("  %s\n", commands[i]);
		assert_int_equal(run_in_namespace(hostport, commands[i]), 0);
	}
	assert_int_equal(if_nametoindex(INTERFACE), 0); /* gone from here */
	lath_hostport_free(hostport);
	close(tap);
}

/* What a worker will see first: a SYN from the kernel's address to the gateway's MAC, at once. */
static void
first_packet_is_a_syn_to_the_gateway(void **state)
{
	struct lath_hostport_options options = test_options();
	struct lath_mac gateway = lath_hostaddr_gateway_mac();
	struct lath_hostport *hostport;
	struct lath_mac kernel;
	uint8_t frame[2048];
	bool found = false;
	int tap = make_tap();

	(void)state;
	hostport = setup_or_explain(&options);
	kernel = lath_hostport_mac(hostport);
	run_in_namespace(hostport,
			"python3 -c 'import socket; s = socket.socket(socket.AF_INET6);"
			"s.setblocking(False); s.connect_ex((\"fd6c:6174:6800:0:0:2:a00:5\", "
			"80))'");
	for (unsigned i = 0; i < 64 && !found; i++) {
		ssize_t len = read(tap, frame, sizeof(frame));

		if (len < 74)
			continue;
		found = frame[14 + 6] == 6 && frame[54 + 13] == 0x02;
	}
	assert_true(found);
	assert_memory_equal(frame, gateway.bytes, 6);
	assert_memory_equal(&frame[6], kernel.bytes, 6);
	lath_hostport_free(hostport);
	close(tap);
}

static bool
name_exists(const char *name)
{
	char path[64];
	struct stat info;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	return stat(path, &info) == 0;
}

static void
named_namespace_comes_and_goes(void **state)
{
	struct lath_hostport_options options = test_options();
	struct lath_hostport *hostport;
	int tap = make_tap();

	(void)state;
	options.namespace_name = "lath-test";
	hostport = setup_or_explain(&options);
	assert_true(name_exists("lath-test"));
	assert_int_equal(system("ip -n lath-test link show dev " INTERFACE " >/dev/null"), 0);
	lath_hostport_free(hostport);
	assert_false(name_exists("lath-test"));
	close(tap);
}

static void
left_over_name_is_taken_over_and_kept(void **state)
{
	struct lath_hostport_options options = test_options();
	struct lath_hostport *hostport;
	int tap = make_tap();

	(void)state;
	assert_int_equal(system("ip netns add lath-left"), 0);
	options.namespace_name = "lath-left";
	hostport = setup_or_explain(&options);
	assert_int_equal(system("ip -n lath-left link show dev " INTERFACE " >/dev/null"), 0);
	lath_hostport_free(hostport);
	assert_true(name_exists("lath-left"));
	close(tap);
	assert_int_equal(system("ip netns del lath-left"), 0);
}

static void
namespace_of_somebody_else_is_refused(void **state)
{
	struct lath_hostport_options options = test_options();
	struct lath_hostport *hostport = NULL;
	struct lath_error err = {0};
	int tap = make_tap();

	(void)state;
	assert_int_equal(system("ip netns add lath-busy && ip -n lath-busy link add other type "
				"veth "
				"peer name peer && ip -n lath-busy link set other up"),
			0);
	options.namespace_name = "lath-busy";
	assert_int_equal(lath_hostport_setup(&hostport, &options, &err), -EBUSY);
	assert_non_null(strstr(err.text, "lath-busy already holds other"));
	assert_true(if_nametoindex(INTERFACE) != 0); /* it has not moved */
	assert_null(hostport);
	close(tap);
	assert_int_equal(system("ip netns del lath-busy"), 0);
}

static void
errors_say_what_is_wrong(void **state)
{
	struct lath_hostport_options options = test_options();
	struct lath_hostport *hostport = NULL;
	struct lath_error err = {0};

	(void)state;
	assert_int_equal(lath_hostport_setup(&hostport, &options, &err), -ENODEV);
	assert_non_null(strstr(err.text, "Cannot move the interface " INTERFACE));
	err.text[0] = '\0';
	options.namespace_name = "a/b";
	assert_int_equal(lath_hostport_setup(&hostport, &options, &err), -EINVAL);
	assert_non_null(strstr(err.text, "\"a/b\" is no name"));
	err.text[0] = '\0';
	options.prefix.bits = 96;
	assert_int_equal(lath_hostport_setup(&hostport, &options, &err), -EINVAL);
	assert_non_null(strstr(err.text, "is not an IPv6 /64"));
}

/* ---- a place to do it in ----------------------------------------------------------------- */

static bool
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written;

	if (fd < 0)
		return false;
	written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return written;
}

/* Own network and mount namespaces with an empty /run, so that nothing of the machine is touched.
 * As another user than root a user namespace comes first, as `unshare -Urnm` makes it.
 */
static bool
enter_sandbox(void)
{
	char map[64];

	if (geteuid() != 0 || getenv("LATH_TEST_ROOTLESS") != NULL) {
		unsigned uid = geteuid();
		unsigned gid = getegid();

		if (unshare(CLONE_NEWUSER) != 0 || !write_file("/proc/self/setgroups", "deny"))
			return false;
		snprintf(map, sizeof(map), "0 %u 1", uid);
		if (!write_file("/proc/self/uid_map", map))
			return false;
		snprintf(map, sizeof(map), "0 %u 1", gid);
		if (!write_file("/proc/self/gid_map", map))
			return false;
	}
	return unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 &&
			mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
			mount("tmpfs", "/run", "tmpfs", 0, "size=1m") == 0 &&
			access("/dev/net/tun", R_OK | W_OK) == 0 &&
			system("ip link set lo up") == 0;
}

int
main(void)
{
	const struct CMUnitTest pure[] = {
			cmocka_unit_test(hostaddr_names_vpc_and_address),
			cmocka_unit_test(hostaddr_refuses_what_it_cannot_name),
			cmocka_unit_test(hostaddr_names_targets_by_index),
			cmocka_unit_test(hostaddr_own_address_is_of_no_vpc),
	};
	const struct CMUnitTest kernel[] = {
			cmocka_unit_test(setup_configures_the_namespace),
			cmocka_unit_test(first_packet_is_a_syn_to_the_gateway),
			cmocka_unit_test(named_namespace_comes_and_goes),
			cmocka_unit_test(left_over_name_is_taken_over_and_kept),
			cmocka_unit_test(namespace_of_somebody_else_is_refused),
			cmocka_unit_test(errors_say_what_is_wrong),
	};
	int failed = cmocka_run_group_tests_name("hostaddr", pure, NULL, NULL);

	if (!enter_sandbox()) {
		fprintf(stderr,
				"hostport: the kernel's side is not tested: needs /dev/net/tun, "
				"ip(8) "
				"and root or unprivileged user namespaces\n");
		return failed != 0 ? 1 : SKIPPED;
	}
	failed += cmocka_run_group_tests_name("hostport", kernel, NULL, NULL);
	return failed != 0;
}
