# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Who may call, between real kernels: a caller that is denied, and a right taken away."""
from world import SERVICE, BlueRed, finish_load, show_load, wait_for

URL = f"http://{SERVICE}/"
ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "vpc-lattice-svcs:Connect", "Resource": "*"}
BLUE_NEVER = {**ALLOW, "Effect": "Deny",
              "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.5/32"}}}


def asked(parts, *statements):
    network = {**parts["serviceNetworks"][0], "authType": "AWS_IAM",
               "authPolicy": {"Version": "2012-10-17", "Statement": list(statements)}}
    return {**parts, "serviceNetworks": [network]}


def explain(world):
    return world.ctl("explain", "--vpc", "blue", "--client", "10.0.0.5", "--service", "web",
                     "--port", 80, check=False)


def test_denied_caller_is_told_so_and_a_right_taken_away_ends_flows(world):
    pair = BlueRed(world, targets=1)
    world.apply(pair.build(asked(pair.parts, ALLOW)))
    keep = pair.blue.load("http", URL, "--keepalive")
    wait_for("answers", 10, lambda: show_load(keep)["ok"] > 5)
    assert "allowed by path main-blue" in explain(world)
    world.apply(pair.build(asked(pair.parts, ALLOW, BLUE_NEVER)))
    # The connection that was there ends by a reset, others by ICMP 3/13: never by waiting.
    wait_for("the flow to end", 10, lambda: show_load(keep)["failed"] > 0)
    assert finish_load(keep)["ok"] > 5
    assert "curl: (7)" in pair.blue.curl(URL, check=False)  # could not connect; 28 is a time-out
    text = explain(world)
    assert "network policy: deny by statement 1" in text and "refused: policy_network" in text
    assert "policy_network" in world.ctl("show", "drops")
    world.apply(pair.build(asked(pair.parts, ALLOW)))
    assert pair.blue.curl(URL) == "hello from red/10.0.0.5\n"
