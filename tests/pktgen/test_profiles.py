# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Every profile, run to its end against the stand-in for Pktgen, and what it then has sent."""

import re

import pytest

from conftest import FROM_CAPTURE, NAMES, PROFILES

RANGE_FRAMES = 24576
EXPECTED = ["established", "imix", "latency", "new-flows", "replay", "rfc2544", "syn-flood",
            "tenants-vlan", "vxlan"]


def test_every_kind_of_load_has_its_profile():
    assert NAMES == EXPECTED


@pytest.mark.parametrize("name", NAMES)
def test_profile_runs_to_its_end(name, profile):
    done = profile(name)
    assert done.code == 0, done.text
    assert done.measured["packets"] > 0 and not done.quit
    assert done.modes_left == [], "the next profile would start with these on"


@pytest.mark.parametrize("name", NAMES)
def test_profile_quits_when_told(name, profile):
    assert profile(name, LATH_QUIT="yes").quit


@pytest.mark.parametrize("name", NAMES)
def test_profile_takes_another_port(name, profile):
    assert profile(name, LATH_PORT=1, STANDIN_PORTS=2).code == 0
    done = profile(name, LATH_PORT=1)
    assert done.code != 0 and "there is no port 1" in done.text


@pytest.mark.parametrize("name", [n for n in NAMES if n not in FROM_CAPTURE])
def test_frames_fit_the_address_plan(name, profile):
    for run in profile(name, LATH_GATEWAY_MAC="02:00:00:00:00:99").runs:
        bounds = run["bounds"]
        assert bounds["dst_mac"] == ["02:00:00:00:00:99"] * 2
        assert bounds["src_mac"] == ["02:00:00:00:00:05"] * 2
        first, last = (number.to_bytes(4, "big") for number in bounds["src_ip"])
        assert first[:3] == last[:3] == bytes((10, 0, 0))
        assert 5 <= first[3] <= last[3] <= 254, "neither the gateway's nor the broadcast address"
        assert bounds["dst_ip"][0] == bounds["dst_ip"][1]
        assert bounds["ttl"][0] >= 2, "the gateway takes one, a router may"
        assert run["flows"] <= RANGE_FRAMES
        assert run["mode"] != "sequence" or run["frames"] <= 16


def test_established_makes_its_flows_before_it_counts(profile):
    first, measured = profile("established", LATH_FLOWS=777, LATH_SIZE=128).runs
    assert first["flows"] == measured["flows"] == 777
    assert first["packets"] >= 777
    assert measured["sizes"] == {"128": RANGE_FRAMES}


def test_new_flows_do_not_come_again_within_three_seconds(profile):
    done = profile("new-flows")
    assert done.measured["flows"] == RANGE_FRAMES
    each_second = done.measured["packets"] / done.measured["seconds"]
    assert each_second == pytest.approx(8192, rel=0.001)
    assert RANGE_FRAMES / each_second >= 3 - 0.01
    assert "shorter than three" not in done.text
    assert "shorter than three" in profile("new-flows", LATH_FLOWS_PER_SECOND=9000).text


@pytest.mark.parametrize("gbit", [1, 10, 100])
def test_new_flows_come_as_fast_on_any_link(gbit, profile):
    measured = profile("new-flows", LATH_LINK_GBIT=gbit, STANDIN_LINK_GBIT=gbit).measured
    assert measured["packets"] / measured["seconds"] == pytest.approx(8192, rel=0.001)


def test_imix_has_the_weights_of_imix(profile):
    measured = profile("imix").measured
    assert measured["mode"] == "sequence" and measured["flows"] == 12
    assert measured["sizes"] == {"64": 7, "594": 4, "1518": 1}
    assert measured["average_size"] == pytest.approx(361.83, abs=0.01)


def test_syn_flood_is_of_different_flows(profile):
    done = profile("syn-flood", STANDIN_ANSWERS="no")
    assert done.measured["protocols"] == {"tcp": RANGE_FRAMES}
    assert done.measured["flows"] == RANGE_FRAMES
    assert "something answered" not in done.text
    assert "something answered" in profile("syn-flood").text


def test_tenants_differ_in_nothing_but_the_vlan(profile):
    measured = profile("tenants-vlan").measured
    assert measured["vlans"] == {str(vlan): 1535 for vlan in range(100, 116)}
    assert measured["bounds"]["src_port"] == [1024, 1024 + 1534]
    assert measured["flows"] == 16 * 1535


@pytest.mark.parametrize("name", FROM_CAPTURE)
def test_capture_is_sent_whole_or_missed_aloud(name, profile, lua):
    assert profile(name).measured["frames"] == 64
    done = lua(PROFILES / f"{name}.lua")
    assert done.code != 0 and "no file was given" in done.text


def test_replay_has_more_flows_than_a_range(profile, capture):
    measured = profile("replay", STANDIN_PCAP=capture()).measured
    assert measured["mode"] == "pcap"
    assert measured["frames"] == 65536 > RANGE_FRAMES
    assert measured["sizes"] == {"64": 65536}


def percentiles(text):
    return {float(p): float(us) for p, us in re.findall(r"p([\d.]+) +([\d.]+) us", text)}


def test_latency_reads_the_samples(profile):
    # The stand-in's samples are 1,000 to 1,999 ns, as often each.
    done = profile("latency")
    assert percentiles(done.text) == {50: 1.5, 90: 1.9, 99: 1.99, 99.9: 2.0, 100: 2.0}
    assert done.measured["latency"] and done.measured["sizes"] == {"128": 1}


def test_latency_says_that_nothing_returned(profile, tmp_path):
    (tmp_path / "lath-latency.txt").write_text("Latency\n5\n")
    done = profile("latency", STANDIN_ANSWERS="no")
    assert done.code == 0 and "no samples" in done.text and not percentiles(done.text)


def throughput(text):
    found = re.search(r"throughput (\d+) bytes: ([\d.]+) % of the link, (\d+) packets", text)
    return (int(found[1]), float(found[2]), int(found[3])) if found else None


@pytest.mark.parametrize("size", [64, 128, 256, 512, 1024, 1280, 1518])
@pytest.mark.parametrize("capacity", [60_000, 400_000, 800_000])
def test_search_finds_the_rate_at_which_the_device_loses(size, capacity, profile):
    line = 10e9 / ((size + 20) * 8)
    done = profile("rfc2544", LATH_SIZE=size, STANDIN_CAPACITY=capacity)
    found_size, percent, packets = throughput(done.text)
    assert found_size == size
    assert packets <= capacity
    assert packets > min(capacity, line) - 0.005 * line - 1, "further off than LATH_STEP"
    assert percent == pytest.approx(packets / line * 100, abs=0.01)
    assert len(done.runs) - 1 <= 9, "halving takes no more trials than log2(100 / 0.5) + 1"


def test_search_ends_at_once_when_nothing_is_lost(profile):
    done = profile("rfc2544")
    assert len(done.runs) == 2 and throughput(done.text)[1] == 100


def test_search_says_that_everything_is_lost(profile):
    done = profile("rfc2544", STANDIN_ANSWERS="no")
    assert throughput(done.text) is None and "no rate down to 0.500 % passed" in done.text


def test_search_may_allow_losses(profile):
    # 10 s at line rate lose 880,952 frames a second here.
    environment = {"STANDIN_CAPACITY": 14_000_000}
    assert throughput(profile("rfc2544", **environment).text)[1] < 95
    environment["LATH_LOSS"] = 9_000_000
    assert throughput(profile("rfc2544", **environment).text)[1] == 100


def test_search_is_finer_when_told(profile):
    done = profile("rfc2544", STANDIN_CAPACITY=3_000_000, LATH_STEP=0.01)
    assert 0 <= 3_000_000 - throughput(done.text)[2] <= 1500


def test_trials_last_as_long_as_told(profile):
    done = profile("rfc2544", LATH_SECONDS=60, STANDIN_CAPACITY=3_000_000)
    assert {run["seconds"] for run in done.runs[1:]} == {60}


@pytest.mark.parametrize("name, value", [
    ("LATH_SIZE", "63"), ("LATH_SIZE", "1519"), ("LATH_SIZE", "64.5"), ("LATH_SIZE", "big"),
    ("LATH_RATE", "0"), ("LATH_RATE", "101"), ("LATH_SECONDS", "0"), ("LATH_FLOWS", "24577"),
    ("LATH_FLOWS", "0"), ("LATH_PORT", "-1"), ("LATH_GATEWAY_MAC", "02:00:00:00:00"),
])
def test_senseless_settings_are_refused(name, value, profile):
    done = profile("established", **{name: value})
    assert done.code != 0 and (name in done.text or "no MAC address" in done.text)


def test_rate_beyond_the_link_is_refused(profile):
    done = profile("new-flows", LATH_LINK_GBIT="0.001")
    assert done.code != 0 and "more than the link carries" in done.text
