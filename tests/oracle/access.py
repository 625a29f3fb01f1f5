# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Who may call, read off a lath.json: network ACLs, security groups, paths and auth policies, each
rule by rule. Policies are asked of tests/policy/evaluator.py. Written from docs/configuration.md.
"""

import ipaddress
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "policy"))
import evaluator  # noqa: E402  pylint: disable=wrong-import-position

NAMES = {6: "tcp", 17: "udp", 1: "icmp"}
ANY_PORT = "0-65535"


def address(value):
    return ipaddress.ip_address(value)


def holds(prefix, ip):
    net = ipaddress.ip_network(prefix)
    return net.version == ip.version and ip in net


def matches(rule, proto, port, prefixes, ip):
    """Protocol, port and, where there are any, one of the prefixes."""
    if rule["protocol"] not in ("all", NAMES[proto]):
        return False
    first, _, last = rule.get("ports", ANY_PORT).partition("-")
    if rule["protocol"] in ("tcp", "udp") and not int(first) <= port <= int(last or first):
        return False
    return not prefixes or any(holds(one, ip) for one in prefixes)


def first_allows(rules, proto, port, peer):
    for rule in sorted(rules, key=lambda one: one["ruleNumber"]):
        prefixes = [rule["prefix"]] if "prefix" in rule else []
        if matches(rule, proto, port, prefixes, peer):
            return rule["action"] == "allow"
    return False


class Access:
    def __init__(self, conf):
        self.acls = {one["name"]: one for one in conf.get("networkAcls", ())}
        self.groups = {one["name"]: one for one in conf.get("securityGroups", ())}
        self.networks = {one["name"]: one for one in conf["serviceNetworks"]}
        self.services = {one["name"]: one for one in conf["services"]}
        self.vpcs = {one["name"]: one for one in conf["vpcs"]}
        self.gates = conf["vpcAssociations"]
        self.members = {(one["serviceNetworkIdentifier"], one["serviceIdentifier"])
                        for one in conf["serviceAssociations"]}

    # ACLs -----------------------------------------------------------------------------------

    def edge(self, vpc, leaves, proto, peer, port, reply_port):
        """Both directions at a VPC's edge: the call, which leaves it or comes in, and replies."""
        acl = self.acls.get(self.vpcs[vpc].get("networkAclIdentifier"))
        if acl is None:
            return None
        there, back = ("outbound", "inbound") if leaves else ("inbound", "outbound")
        if not first_allows(acl.get(there, ()), proto, port, peer):
            return "policy_acl"
        return None if first_allows(acl.get(back, ()), proto, reply_port, peer) \
            else "policy_acl_reply"

    # Paths ----------------------------------------------------------------------------------

    def admits(self, gate, proto, port, client):
        groups = [self.groups[name] for name in gate.get("securityGroupIds", ())]
        for group in groups:
            for rule in group.get("inbound", ()):
                sources, vpcs = rule.get("sourcePrefixes", []), rule.get("vpcIdentifiers", [])
                if not matches(rule, proto, port, [], client):
                    continue
                if not sources and not vpcs:
                    return True
                if gate["vpcIdentifier"] in vpcs or any(holds(one, client) for one in sources):
                    return True
        return not groups

    @staticmethod
    def ask(thing, request):
        if thing.get("authType", "NONE") == "NONE":
            return "Allow"
        if "authPolicy" not in thing:
            return "none"
        return evaluator.evaluate(thing["authPolicy"], request)[0]

    @staticmethod
    def arn(kind, thing):
        return f"arn:aws:vpc-lattice:local-1:000000000000:{kind}/{thing.get('id', '-')}"

    def refuses(self, vpc, service, proto, client, sport, dst, dport):
        """The reason, or None: allowed."""
        client, dst = address(client), address(dst)
        sport, dport = (0, 0) if proto == 1 else (sport, dport)
        edge = self.edge(vpc, True, proto, dst, dport, sport)
        if edge:
            return edge
        request = {"vpc": self.vpcs[vpc].get("id", "-"),
                   "account": self.vpcs[vpc].get("account", "000000000000"),
                   "service": self.arn("service", self.services[service]), "ip": str(client)}
        if dport:
            request["port"] = dport
        worst, allowed = "policy_group", False
        for gate in self.gates:
            network = gate["serviceNetworkIdentifier"]
            if gate["vpcIdentifier"] != vpc or (network, service) not in self.members:
                continue
            if not self.admits(gate, proto, dport, client):
                continue
            request["network"] = self.arn("servicenetwork", self.networks[network])
            if self.ask(self.networks[network], request) != "Allow":
                worst = worst if worst == "policy_service" else "policy_network"
                continue
            worst = "policy_service"
            said = self.ask(self.services[service], request)
            if said == "Deny":
                return "policy_service"
            allowed = allowed or said == "Allow"
        return None if allowed else worst
