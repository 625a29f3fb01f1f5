# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Traffic that does not notice: reloads, dying targets, targets being replaced."""
import json
import signal
import time

import pytest

from world import LONG, SERVICE, BlueRed, finish_load, show_load, wait_for

RELOADS = 100 if LONG else 20


@pytest.mark.parametrize("workers", [1, 2])
def test_reloads_under_traffic_lose_nothing(world, workers):
    pair = BlueRed(world, workers=workers)
    new = pair.blue.load("http", f"http://{SERVICE}/", "--threads", 4)
    old = pair.blue.load("http", f"http://{SERVICE}/", "--keepalive", "--threads", 4)
    for i in range(RELOADS):
        if i % 2 == 0:
            world.reload()
        else:
            world.lathd.send_signal(signal.SIGHUP)
        time.sleep(0.1)
    for load in (new, old):
        seen = finish_load(load)
        assert seen["failed"] == 0, seen
        assert seen["ok"] > RELOADS


def test_changed_configuration_under_traffic_loses_nothing(world):
    """Weights, another service, another VPC association: none concerns the living."""
    pair = BlueRed(world)
    old = pair.blue.load("http", f"http://{SERVICE}/", "--keepalive", "--threads", 4)
    new = pair.blue.load("http", f"http://{SERVICE}/", "--threads", 2)
    for i in range(RELOADS):
        weighted = [{"id": a, "weight": 1 + (i + j) % 5} for j, a in enumerate(pair.addresses)]
        changed = pair.build(pair.parts)
        changed["targetGroups"] = [{**pair.parts["targetGroups"][0], "targets": weighted}]
        world.apply(changed)
        time.sleep(0.05)
    for load in (new, old):
        seen = finish_load(load)
        assert seen["failed"] == 0, seen


def test_bad_file_changes_nothing_and_says_where(world):
    pair = BlueRed(world, targets=1)
    bad = pair.build({**pair.parts, "services": [{**pair.parts["services"][0], "colour": "red"}]})
    world.write(bad)
    done = world.ctl("reload", check=False)
    assert pair.blue.curl(f"http://{SERVICE}/") == "hello from red/10.0.0.5\n"
    text = done + world.log()
    assert "/services/0" in text and "colour" in text


def test_dead_target_gets_nothing_after_detection(world):
    pair = BlueRed(world)
    load = pair.blue.load("http", f"http://{SERVICE}/", "--threads", 4)
    wait_for("both to answer", 5, lambda: len(show_load(load)["answers"]) == 2)
    pair.servers["10.0.0.6"].kill()
    wait_for("detection", 10, lambda: world.targets("unhealthy") == 1)
    time.sleep(0.3)  # published to the workers, and the last refused request counted
    before = show_load(load)
    time.sleep(2)
    after = finish_load(load)
    assert after["failed"] == before["failed"], after
    assert after["ok"] > before["ok"] + 50
    dead = "hello from red/10.0.0.6"
    assert after["answers"][dead] == before["answers"][dead]


def test_target_that_comes_back_gets_traffic_again(world):
    pair = BlueRed(world)
    pair.servers["10.0.0.6"].kill()
    wait_for("detection", 10, lambda: world.targets("unhealthy") == 1)
    pair.red.webserver("again", "10.0.0.6")
    world.wait_healthy(2, 30)
    load = pair.blue.load("http", f"http://{SERVICE}/")
    wait_for("the one that came back to answer", 5,
             lambda: "hello from again/10.0.0.6" in show_load(load)["answers"])
    assert finish_load(load)["failed"] == 0


def test_established_flows_of_other_targets_outlive_a_death(world):
    pair = BlueRed(world)
    keep = pair.blue.load("http", f"http://{SERVICE}/", "--keepalive", "--threads", 8)
    wait_for("both to answer", 5, lambda: len(show_load(keep)["answers"]) == 2)
    pair.servers["10.0.0.6"].kill()
    wait_for("detection", 10, lambda: world.targets("unhealthy") == 1)
    time.sleep(0.3)
    before = show_load(keep)
    time.sleep(1)
    after = finish_load(keep)
    # Each connection to the dead server failed once and came back elsewhere; no other did.
    assert after["failed"] == before["failed"], after
    assert 0 < after["failed"], "nobody was connected to the server that died"


def alive_at(world, target):
    """Connections to the target that are open or half open: what a rolling update waits for."""
    listed = json.loads(world.ctl("-j", "show", "flows", "--target", f"{target}:8080",
                                  "--limit", 100000))
    return sum(row["state"] in ("syn_sent", "syn_received", "established", "fin_client", "fin_target")
               for row in listed["flows"])


def test_every_target_is_replaced_without_a_failed_request(world):
    pair = BlueRed(world)
    serving = list(pair.addresses)
    load = pair.blue.load("http", f"http://{SERVICE}/", "--threads", 4)
    for i, old in enumerate(pair.addresses):
        new = f"10.0.0.{20 + i}"
        pair.red.ip("addr", "add", f"{new}/24", "dev", f"r{world.serial}")
        pair.red.webserver("red", new)
        serving.append(new)
        world.apply(pair.set_targets(serving))
        world.wait_healthy(3)
        serving.remove(old)
        world.apply(pair.set_targets(serving))
        wait_for(f"{old} to be drained", 20, lambda: alive_at(world, old) == 0)
        pair.servers[old].kill()
    before = show_load(load)
    time.sleep(1)
    after = finish_load(load)
    assert after["failed"] == 0, after
    fresh = {key for key in after["answers"] if after["answers"][key] > before["answers"].get(key, 0)}
    assert fresh == {"hello from red/10.0.0.20", "hello from red/10.0.0.21"}
