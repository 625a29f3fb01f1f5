# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Who may call: security groups, auth policies, network ACLs and paths; and what becomes of flows
when a right is taken away.
"""

import copy

from scapy.layers.inet import ICMP, IP, TCP, UDP

from marks import workers
from topology import NAT_RED, WEB, base

CONFIG = base()
TOLD = {"icmp_unreachable": 1}


def statement(effect="Allow", principal="*", **conditions):
    out = {"Effect": effect, "Principal": principal, "Action": "vpc-lattice-svcs:Connect",
           "Resource": "*"}
    if conditions:
        out["Condition"] = {operator: {key.replace("aws_", "aws:") if key.startswith("aws_")
                                       else f"vpc-lattice-svcs:{key}": value
                                       for key, value in keys.items()}
                            for operator, keys in conditions.items()}
    return out


def asked(*statements):
    return {"authType": "AWS_IAM", "authPolicy": {"Version": "2012-10-17",
                                                  "Statement": list(statements)}}


def group(name, *rules):
    return {"name": name, "inbound": list(rules)}


def acl(number, action="allow", protocol="all", **fields):
    return {"ruleNumber": number, "action": action, "protocol": protocol, **fields}


def world(associations=None, network=None, service=None, vpcs=None, **lists):
    """base() with more said of its associations (by VPC), its network, its service and its VPCs."""
    conf = copy.deepcopy(CONFIG)
    for one in conf["vpcAssociations"]:
        one.update((associations or {}).get(one["vpcIdentifier"], {}))
    conf["serviceNetworks"][0].update(network or {})
    conf["services"][0].update(service or {})
    for one in conf["vpcs"]:
        one.update((vpcs or {}).get(one["name"], {}))
    conf.update(lists)
    return conf


def second_network(conf, priority, **network):
    """blue reaches web by `second` too."""
    conf["serviceNetworks"].append({"name": "second", **network})
    conf["vpcAssociations"].append({"serviceNetworkIdentifier": "second", "vpcIdentifier": "blue",
                                    "priority": priority})
    conf["serviceAssociations"].append({"serviceNetworkIdentifier": "second",
                                        "serviceIdentifier": "web"})
    return conf


def flow(t, ip="10.0.0.5", port="blue0", vlan=0, **fields):
    return t.flow(t.host(port, ip, vlan=vlan), t.host("red0", "10.0.0.5"), service=WEB, nat=NAT_RED,
                  **fields)


def refused(t, drop, ip="10.0.0.5", packet=None, port="blue0", vlan=0):
    host = t.host(port, ip, vlan=vlan)
    packet = packet or TCP(sport=4000, dport=80, flags="S", seq=1)
    t.told(host, IP(src=ip, dst=WEB) / packet, 3, 13, drop=drop)


def changed(t, conf):
    t.reload(conf)
    t.run(100)
    t.counted()


def ended(t, f):
    t.inject([f.sends_up(b"data", flags="PA", seq=1001, ack=5001)])
    t.run()
    t.check_counts({"revoked": 1}, {"rst": 2})


WEB_ONLY = group("some", {"protocol": "tcp", "ports": "80", "sourcePrefixes": ["10.0.0.4/31"]})


@workers(1, 2, 3)
def case_security_group_admits_by_port_and_source(t):
    t.reload(world({"blue": {"securityGroupIds": ["some"]}}, securityGroups=[WEB_ONLY]))
    flow(t).open().talk()
    refused(t, drop="policy_group", ip="10.0.0.6")
    # What listens is told only to who may call.
    refused(t, drop="policy_group", packet=TCP(sport=4000, dport=81, flags="S", seq=1))
    refused(t, drop="policy_group", packet=UDP(sport=4000, dport=53) / b"question")
    refused(t, drop="policy_group", packet=ICMP(type=8, id=7) / b"ping")
    # Another VPC's association has none.
    flow(t, "10.0.0.6", "trunk0", 100).open()


def case_empty_security_group_admits_nobody(t):
    t.reload(world({"blue": {"securityGroupIds": ["none"]}}, securityGroups=[group("none")]))
    refused(t, drop="policy_group")
    t.reload(world({"blue": {"securityGroupIds": []}}, securityGroups=[group("none")]))
    flow(t).open()


def case_one_of_several_groups_is_enough(t):
    by_vpc = group("shared", {"protocol": "all", "vpcIdentifiers": ["green"]},
                   {"protocol": "udp"})
    both = {"securityGroupIds": ["some", "shared"]}
    t.reload(world({"blue": both, "green": both}, securityGroups=[WEB_ONLY, by_vpc]))
    flow(t).open()
    refused(t, drop="policy_group", ip="10.0.0.6")
    flow(t, "10.0.0.6", "trunk0", 100).open()
    flow(t, "10.0.0.6", proto=UDP, dport=53, tport=5353).up(b"question")


@workers(1, 2, 3)
def case_network_policy(t):
    t.reload(world(network=asked(
        statement(IpAddress={"aws_SourceIp": "10.0.0.0/29"}, NumericEquals={"Port": 80}),
        statement("Deny", IpAddress={"aws_SourceIp": "10.0.0.6"}))))
    flow(t).open().talk()
    refused(t, drop="policy_network", ip="10.0.0.6")
    refused(t, drop="policy_network", ip="10.0.0.9")
    refused(t, drop="policy_network", packet=UDP(sport=1, dport=53) / b"question")
    refused(t, drop="policy_network", packet=ICMP(type=8, id=7) / b"ping")


def case_asked_without_a_policy_nobody_may_call(t):
    t.reload(world(network={"authType": "AWS_IAM"}))
    refused(t, drop="policy_network")
    t.reload(world(service={"authType": "AWS_IAM"}))
    refused(t, drop="policy_service")


def case_policy_that_is_not_asked(t):
    policy = asked(statement("Deny"))
    t.reload(world(network={**policy, "authType": "NONE"}, service={**policy, "authType": "NONE"}))
    flow(t).open()


def case_account_of_the_callers_vpc(t):
    t.reload(world(service=asked(statement(principal={"AWS": "111122223333"})),
                   vpcs={"blue": {"account": "111122223333"}}))
    flow(t).open()
    refused(t, drop="policy_service", port="trunk0", vlan=100)


def case_service_refuses_in_its_own_way(t):
    host = t.host("blue0", "10.0.0.5")
    syn = IP(src=host.ip, dst=WEB) / TCP(sport=4000, dport=80, flags="S", seq=1)
    t.reload(world(service={**asked(statement("Deny")), "refuse": "reset"}))
    t.refused(host, syn, drop="policy_service")
    t.reload(world(service={**asked(statement("Deny")), "refuse": "silent"}))
    t.dropped(host.sends(syn), drop="policy_service")


def case_middle_of_a_stream_is_silence_as_ever(t):
    host = t.host("blue0", "10.0.0.5")
    t.reload(world(network=asked(statement("Deny"))))
    t.dropped(host.sends(IP(src=host.ip, dst=WEB) / TCP(sport=4000, dport=80, flags="A")),
              drop="tcp_no_flow")


# ---- paths -------------------------------------------------------------------------------------

def case_deny_closes_its_path_only(t):
    t.reload(second_network(world(network=asked(statement("Deny"))), 10))
    flow(t).open().talk()
    refused(t, drop="policy_network", port="trunk0", vlan=100)


def case_deny_of_the_service_is_final(t):
    conf = world(service=asked(
        statement(),
        statement("Deny", ArnLike={"ServiceNetworkArn": "arn:*:*:*:*:servicenetwork/sn-2*"})))
    t.reload(conf)
    flow(t).open()
    t.reload(second_network(conf, 2000, id="sn-20000000000000000"))
    refused(t, drop="policy_service")


def case_a_path_less_keeps_the_flow(t):
    both = second_network(copy.deepcopy(CONFIG), 10)
    t.reload(both)
    f, g = flow(t).open(), flow(t, port="trunk0", vlan=100).open()
    changed(t, CONFIG)  # `second` is gone
    f.talk()
    closed = copy.deepcopy(both)
    closed["serviceNetworks"][0].update(asked(statement("Deny")))
    changed(t, both)
    changed(t, closed)  # green had this one only
    f.talk()
    ended(t, g)
    closed["serviceNetworks"][1].update(asked(statement("Deny")))
    changed(t, closed)
    ended(t, f)


# ---- rights taken away -------------------------------------------------------------------------

@workers(1, 2, 3)
def case_group_taken_from_under_a_flow(t):
    f, g = flow(t).open(), flow(t, "10.0.0.9").open()
    u = flow(t, proto=UDP, dport=53, tport=5353)
    u.up(b"question")
    changed(t, world({"blue": {"securityGroupIds": ["some"]}}, securityGroups=[WEB_ONLY]))
    f.talk()
    ended(t, g)
    u.up(b"again", drop="revoked")


def case_policy_taken_from_under_a_flow(t):
    named = {"blue": {"id": "vpc-0123456789abcdef0"}}
    t.reload(world(vpcs=named))
    f = flow(t).open()
    other = flow(t, port="trunk0", vlan=100).open()
    changed(t, world(vpcs=named, service=asked(
        statement(), statement("Deny", StringEquals={"SourceVpc": named["blue"]["id"]}))))
    other.talk()
    ended(t, f)


def case_flows_may_finish(t):
    may = world(service={"revokedFlows": "finish"})
    t.reload(may)
    f = flow(t).open()
    denied = copy.deepcopy(may)
    denied["services"][0].update(asked(statement("Deny")))
    changed(t, denied)
    f.talk()
    refused(t, drop="policy_service")
    # Without an association as well, but not without the service.
    changed(t, {**denied, "vpcAssociations": []})
    f.talk()
    gone = {**denied, "services": denied["services"][1:], "serviceAssociations": []}
    changed(t, gone)
    ended(t, f)


# ---- network ACLs ------------------------------------------------------------------------------

OPEN = {"inbound": [acl(1)], "outbound": [acl(1)]}


def edge(name, **directions):
    return {"name": name, **directions}


@workers(1, 2, 3)
def case_acl_of_the_client_s_vpc(t):
    lists = [edge("clients",
                  outbound=[acl(10, "deny", "tcp", ports="80", prefix="198.18.1.0/24"),
                            acl(20, "allow", "tcp", ports="80", prefix="198.18.0.0/15")],
                  inbound=[acl(10, "allow", "tcp", ports="1024-65535", prefix=WEB + "/32")])]
    t.reload(world(vpcs={"blue": {"networkAclIdentifier": "clients"}}, networkAcls=lists))
    flow(t).open().talk()
    refused(t, drop="policy_acl", packet=TCP(sport=4000, dport=81, flags="S", seq=1))
    refused(t, drop="policy_acl", packet=UDP(sport=4000, dport=53) / b"question")
    refused(t, drop="policy_acl", packet=ICMP(type=8, id=7) / b"ping")
    # The reply goes to the client's port.
    refused(t, drop="policy_acl_reply", packet=TCP(sport=1023, dport=80, flags="S", seq=1))
    flow(t, "10.0.0.6", "trunk0", 100).open()


@workers(1, 2, 3)
def case_acl_of_the_target_s_vpc(t):
    lists = [edge("servers",
                  inbound=[acl(10, "allow", "tcp", ports="8080", prefix=NAT_RED + "/32"),
                           acl(20, "allow", "udp")],
                  outbound=[acl(10, "allow", "tcp", ports="1024-65535", prefix=NAT_RED + "/32")])]
    t.reload(world(vpcs={"red": {"networkAclIdentifier": "servers"}}, networkAcls=lists))
    flow(t).open().talk()
    refused(t, drop="policy_acl_reply", packet=UDP(sport=4000, dport=53) / b"question")
    lists[0]["inbound"][0]["ports"] = "8081"
    changed(t, world(vpcs={"red": {"networkAclIdentifier": "servers"}}, networkAcls=lists))
    refused(t, drop="policy_acl")


def case_acl_attached_under_a_flow(t):
    f, g = flow(t).open(), flow(t, port="trunk0", vlan=100).open()
    changed(t, world(vpcs={"blue": {"networkAclIdentifier": "shut"}},
                     networkAcls=[edge("shut", outbound=[acl(1)])]))
    g.talk()
    ended(t, f)


def case_acl_without_a_rule_denies_all(t):
    t.reload(world(vpcs={"blue": {"networkAclIdentifier": "shut"}}, networkAcls=[edge("shut")]))
    refused(t, drop="policy_acl")
    t.reload(world(vpcs={"blue": {"networkAclIdentifier": "open"}},
                   networkAcls=[edge("open", **OPEN)]))
    flow(t).open()


# ---- lathctl explain ---------------------------------------------------------------------------

def explained(t, client="10.0.0.5", port=80, **more):
    return t.rpc("explain", vpc="blue", service="web", client=client, port=port, **more)


def case_explain_says_what_the_packet_gets(t):
    conf = second_network(world(
        {"blue": {"securityGroupIds": ["some"]}},
        network=asked(statement(IpAddress={"aws_SourceIp": "10.0.0.5"})),
        securityGroups=[WEB_ONLY]), 10, **asked({**statement("Deny"), "Sid": "nobody"}))
    t.reload(conf)
    flow(t).open()
    said = explained(t)
    assert said["allowed"] and said["path"]["association"] == "main-blue", said
    closed, open_ = said["paths"]
    assert not closed["open"] and closed["networkPolicy"] == {
        "effect": "deny", "statement": 0, "sid": "nobody"}, closed
    assert open_["open"] and open_["securityGroup"] == "some", open_
    assert open_["networkPolicy"] == {"effect": "allow", "statement": 0}, open_
    assert open_["servicePolicy"] == {"effect": "notAsked"}, open_
    for client, port, drop in (("10.0.0.4", 80, "policy_network"), ("10.0.0.4", 81, "policy_network"),
                               ("10.0.1.5", 80, "vpc_source")):
        said = explained(t, client, port)
        assert not said["allowed"] and said["drop"] == drop, said
    refused(t, drop="policy_network", ip="10.0.0.4")


def case_explain_asks_the_acls(t):
    t.reload(world(vpcs={"blue": {"networkAclIdentifier": "clients"}},
                   networkAcls=[edge("clients", outbound=[acl(7)],
                                     inbound=[acl(9, protocol="tcp", ports="50000-65535")])]))
    said = explained(t)
    assert (said["drop"], said["networkAcl"]) == ("policy_acl_reply", "clients"), said
    assert "networkAclRule" not in said, said
    said = explained(t, clientPort=50000)
    assert said["allowed"] and said["networkAclRule"] == 9, said
    assert explained(t, port=81, clientPort=50000)["drop"] == "no_listener"
    t.reload(world(vpcs={"red": {"networkAclIdentifier": "shut"}}, networkAcls=[edge("shut")]))
    said = explained(t)
    assert said["drop"] == "policy_acl" and said["targetVpc"]["name"] == "red", said
