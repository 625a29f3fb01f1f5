# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""What management says of VPCs, services and NAT pools of both families."""

from topology import WEB, attachment, base, edit, group, listener, service, vpc

OWN4, OWN6 = "10.0.0.1/24", "2001:db8:1::1/64"
BOTH = ("10.0.0.0/24", "2001:db8:1::/64")


def dual(pool, announce=True):
    return vpc("blue", [attachment("blue0", [OWN4, OWN6], announce=announce)], prefixes=BOTH,
               natPool=pool)


CONFIG = base(
    vpcs=[dual(None),
          vpc("red", [attachment("red0", [OWN4, OWN6])], prefixes=BOTH,
              natPool=["2001:db8:1::8/126", "2001:db8:99::/64"]),
          vpc("green", [attachment("trunk0", OWN4, vlan=100)], natPool=["192.0.2.7"]),
          vpc("teal", [attachment("trunk0", OWN6, vlan=200)], prefixes=BOTH[1:])],
    services=[service("web", WEB, [listener("http", "TCP", 80, "web"),
                                   listener("dns", "UDP", 53, "dns")])],
    groups=[group("web", "red", "TCP", 8080, ["10.0.0.5"]),
            group("dns", "red", "UDP", 5353, ["10.0.0.5"])])


def pools(t):
    return {pool["vpc"]["name"]: pool for pool in t.rpc("show.nat")["pools"]}


def case_pools_of_both_families(t):
    by_name = pools(t)
    seen = {name: (pool["from"], pool["allowSources"], pool["addresses"], pool["ipv6Addresses"])
            for name, pool in by_name.items()}
    assert seen == {
        "blue": ("gateway addresses", ["10.0.0.1/32", "2001:db8:1::1/128"], 1, 1),
        "red": ("gateway addresses (IPv4), natPool (IPv6)",
                ["10.0.0.1/32", "2001:db8:1::8/126", "2001:db8:99::/96"], 1, 2**32 - 1),
        "green": ("natPool", ["192.0.2.7/32"], 1, 0),
        "teal": ("gateway addresses", ["2001:db8:1::1/128"], 0, 1),
    }
    assert by_name["blue"]["flowsPerTargetMax"] == by_name["blue"]["flowsPerIpv6TargetMax"] == 64512
    assert by_name["teal"]["flowsPerTargetMax"] == 0
    assert by_name["red"]["flowsPerIpv6TargetMax"] == 64512 * (2**32 - 1)


def case_routes_to_add_name_next_hops_of_their_family(t):
    by_name = pools(t)
    assert by_name["blue"]["routesToAdd"] == []
    assert by_name["red"]["routesToAdd"] == [{
        "prefix": "2001:db8:99::/96", "nextHops": ["2001:db8:1::1"],
        "reason": "outside the attached subnets"}]


def case_pool_that_is_not_announced(t):
    t.reload(edit(CONFIG, vpcs={"blue": dual(["10.0.0.9", "2001:db8:1::10/127"], announce=False)}))
    assert pools(t)["blue"]["routesToAdd"] == [
        {"prefix": "10.0.0.9/32", "nextHops": ["10.0.0.1"],
         "reason": "in a subnet where the gateway does not answer ARP (announce: false)"},
        {"prefix": "2001:db8:1::10/127", "nextHops": ["2001:db8:1::1"],
         "reason": "in a subnet where the gateway does not answer neighbour solicitations "
                   "(announce: false)"}]


def case_vpcs_and_services_show_both_families(t):
    by_name = {one["name"]: one for one in t.rpc("show.vpcs")["vpcs"]}
    assert by_name["blue"]["prefixes"] == list(BOTH)
    assert by_name["blue"]["attachments"][0]["addresses"] == [OWN4, OWN6]
    assert (by_name["teal"]["natAddresses"], by_name["teal"]["natIpv6Addresses"]) == (0, 1)
    routed = {one["prefix"]: one["nextHop"] for one in by_name["blue"]["routes"]}
    assert routed["2001:db8:1::/64"] is None
    addresses = t.rpc("show.services")["services"][0]["addresses"]
    assert addresses[0] == WEB and addresses[1].startswith("fd6c:6174:6801:")
