# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Real clients, real servers: what goes through arrives, whole."""
import hashlib
import json

import pytest

from world import LONG, SERVICE, BlueRed, group, listener, wait_for

MEGABYTE = 1_000_000
BIG = 100 * MEGABYTE
DRIVERS = ["tap", "af_packet"]
WORKERS = [1, 2, 3]


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("workers", WORKERS)
def test_curl_reaches_a_server_that_has_the_clients_own_address(world, driver, workers):
    pair = BlueRed(world, driver, workers, targets=1)
    answers = {pair.blue.curl(f"http://{SERVICE}/") for _ in range(20)}
    assert answers == {"hello from red/10.0.0.5\n"}


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("workers", WORKERS)
def test_many_connections_at_once_reach_both_servers(world, driver, workers):
    pair = BlueRed(world, driver, workers)
    out = pair.blue.run("curl", "-sS", "--max-time", "30", "--parallel", "--parallel-max", "16",
                        "-H", "Connection: close", f"http://{SERVICE}/?n=[1-200]").stdout
    lines = out.splitlines()
    assert len(lines) == 200
    assert set(lines) == {"hello from red/10.0.0.5", "hello from red/10.0.0.6"}


@pytest.mark.parametrize("driver", DRIVERS)
def test_download_of_100_mb_is_whole(world, driver):
    pair = BlueRed(world, driver, targets=1)
    file = world.tmp / "body"
    headers = pair.blue.curl(f"http://{SERVICE}/bytes/{BIG}", "-D", "-", "-o", str(file),
                             "--max-time", "100", timeout=110)
    with open(file, "rb") as body:
        got = hashlib.file_digest(body, "sha256").hexdigest()
    assert file.stat().st_size == BIG
    assert f"X-SHA256: {got}" in headers


@pytest.mark.parametrize("driver", DRIVERS)
def test_upload_of_100_mb_is_whole(world, driver):
    pair = BlueRed(world, driver, targets=1)
    file = world.tmp / "body"
    block = bytes(range(256)) * 3906 + bytes(64)
    with open(file, "wb") as body:
        for i in range(BIG // len(block) + 1):
            body.write(i.to_bytes(8, "big") + block[8:])
        body.truncate(BIG)
    with open(file, "rb") as body:
        sent = hashlib.file_digest(body, "sha256").hexdigest()
    answer = pair.blue.curl(f"http://{SERVICE}/", "-T", str(file), "-H", "Expect:",
                            "--max-time", "100", timeout=110)
    assert answer == f"{BIG} {sent}\n"


@pytest.mark.parametrize("workers", WORKERS)
def test_iperf3_runs_both_ways(world, workers):
    pair = BlueRed(world, workers=workers, targets=1, servers=False,
                   listeners=[listener("TCP", 5201, "perf")],
                   groups=[group("perf", "red", 5201, ["10.0.0.5"])])
    pair.red.start("iperf3", "-s", "-B", "10.0.0.5")
    world.wait_healthy(1)
    for way in ([], ["-R"]):
        out = pair.blue.run("iperf3", "-c", SERVICE, "-t", "2", "-P", "2", "-J", *way).stdout
        assert json.loads(out)["end"]["sum_received"]["bits_per_second"] > 1e6


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("workers", WORKERS)
def test_nc_gets_its_udp_datagrams_back(world, driver, workers):
    pair = BlueRed(world, driver, workers, targets=1, servers=False,
                   listeners=[listener("UDP", 53, "dns")],
                   groups=[group("dns", "red", 5353, ["10.0.0.5"], "UDP")])
    pair.red.load("echo", "10.0.0.5", 5353, "--udp")
    for i in range(5):
        out = pair.blue.run("sh", "-c", f"echo 'datagram {i}' | nc -u -w 1 {SERVICE} 53").stdout
        assert out == f"datagram {i}\n"


@pytest.mark.parametrize("driver", DRIVERS)
def test_ping_is_answered_by_gateway_and_service(world, driver):
    pair = BlueRed(world, driver, targets=1)
    for address in ("10.0.0.1", SERVICE):
        pair.blue.run("ping", "-c", "5", "-i", "0.2", "-W", "1", address)
    pair.red.run("ping", "-c", "3", "-i", "0.2", "-W", "1", "10.0.0.1")
    assert pair.red.run("ping", "-c", "2", "-i", "0.2", "-W", "1", SERVICE, check=False).returncode != 0


def test_server_sees_the_gateways_address(world):
    pair = BlueRed(world, targets=1)
    headers = pair.blue.curl(f"http://{SERVICE}/", "-D", "-")
    assert "X-Seen-From: 10.0.0.1:" in headers


def test_closed_port_of_a_service_is_refused_at_once(world):
    pair = BlueRed(world, targets=1)
    done = pair.blue.run("curl", "-sS", "--max-time", "5", f"http://{SERVICE}:81/", check=False)
    assert done.returncode == 7, done.stderr  # "connection refused", not 28, "timed out"
    assert "no_listener" in world.ctl("show", "drops")


def test_address_without_service_stays_silent(world):
    pair = BlueRed(world, targets=1)
    done = pair.blue.run("curl", "-sS", "--max-time", "1", "http://198.18.0.99/", check=False)
    assert done.returncode == 28, done.stderr
    assert "no_service" in world.ctl("show", "drops")


@pytest.mark.parametrize("workers", [2, 3])
def test_many_flows_of_one_client_to_one_target_all_live(world, workers):
    """55,000 of the 64,512 that one NAT address has to one target, shared out by class."""
    count, processes = (55_000, 4) if LONG else (2_000, 1)
    pair = BlueRed(world, workers=workers, targets=1, servers=False,
                   flows=65_536 if LONG else 16_384,
                   listeners=[listener("TCP", 80, "echo")],
                   groups=[group("echo", "red", 7, ["10.0.0.5"])])
    for namespace in (pair.blue, pair.red):
        namespace.write("net/core/somaxconn", 8192)
        namespace.write("net/ipv4/tcp_max_syn_backlog", 8192)
        namespace.write("net/ipv4/ip_local_port_range", "1024 65535")
    pair.red.load("echo", "10.0.0.5", 7, "--processes", processes)
    world.wait_healthy(1)
    client = pair.blue.load("flows", SERVICE, 80, count, "--processes", processes)
    out, _ = client.communicate(timeout=280)
    seen = json.loads(out)
    assert (seen["opened"], seen["alive"]) == (count, count), seen
    assert seen["errors"] == {}, world.ctl("show", "drops")


def test_ports_in_the_servers_time_wait_can_be_used_again(world):
    """The server closes first, so its kernel remembers each tuple for 60 s; the gateway may give
    the ports out again much sooner (ports rest shortly here), and nobody is refused.
    """
    first, second = (20_000, 6_000) if LONG else (4_000, 2_000)
    pair = BlueRed(world, targets=1, servers=False, flows=65_536,
                   listeners=[listener("TCP", 80, "echo")],
                   groups=[group("echo", "red", 7, ["10.0.0.5"])],
                   timeouts={"tcpClosingSeconds": 1, "portRestTimeWaitSeconds": 1,
                             "portRestSeconds": 1})
    pair.red.load("echo", "10.0.0.5", 7, "--close-after")
    world.wait_healthy(1)
    for start, count in ((2_000, first), (30_000, second)):
        client = pair.blue.load("flows", SERVICE, 80, count, "--first-port", start, "--short")
        out, _ = client.communicate(timeout=200)
        seen = json.loads(out)
        assert seen["opened"] == count and seen["errors"] == {}, seen
        waiting = pair.red.run("ss", "-Htan", "state", "time-wait").stdout.count("\n")
        wait_for("flows to end", 20, lambda: "10.0.0.5" not in world.ctl("show", "flows"))
    # Of `second` random ports of 64,512 about second * first / 64,512 hit one that waits.
    assert waiting > first // 2


def test_udp_and_tcp_of_one_port_number_are_two_services(world):
    pair = BlueRed(world, targets=1, servers=False,
                   listeners=[listener("UDP", 80, "udp"), listener("TCP", 80, "tcp")],
                   groups=[group("udp", "red", 8080, ["10.0.0.5"], "UDP"),
                           group("tcp", "red", 8080, ["10.0.0.5"])])
    pair.red.webserver("red", "10.0.0.5")
    pair.red.load("echo", "10.0.0.5", 8080, "--udp")
    world.wait_healthy(2)  # the UDP target is from the start: nobody probes it
    assert pair.blue.curl(f"http://{SERVICE}/") == "hello from red/10.0.0.5\n"
    out = pair.blue.run("sh", "-c", f"echo udp | nc -u -w 1 {SERVICE} 80").stdout
    assert out == "udp\n"
