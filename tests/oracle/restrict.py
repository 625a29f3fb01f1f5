# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Random security groups, network ACLs and auth policies for a random lath.json."""

PREFIXES = ("10.0.0.0/25", "10.0.0.0/26", "10.0.0.64/27", "10.9.0.0/24", "192.168.0.0/24",
            "172.16.0.0/16", "172.16.4.0/22", "0.0.0.0/0", "::/0")
SERVICES = ("198.18.0.0/16", "198.18.0.0/24", "198.18.1.0/24", "198.18.0.10/31", "0.0.0.0/0")
PORTS = ("80", "443", "53", "53-80", "81-443", "1-65535")
CLIENT_PORTS = ("30000-30020", "30010-30050", "1024-65535", "30001-30039")


def matched(rng, ports):
    protocol = rng.choice(("tcp", "tcp", "udp", "icmp", "all", "all"))
    rule = {"protocol": protocol}
    if protocol in ("tcp", "udp") and rng.random() < 0.7:
        rule["ports"] = rng.choice(ports)
    return rule


def group(rng, name, vpcs):
    rules = []
    for _ in range(rng.randint(0, 4)):
        rule = matched(rng, PORTS)
        if rng.random() < 0.6:
            rule["sourcePrefixes"] = rng.sample(PREFIXES, rng.randint(1, 3))
        if rng.random() < 0.2:
            rule["vpcIdentifiers"] = rng.sample(vpcs, 1)
        rules.append(rule)
    return {"name": name, "inbound": rules}


def direction(rng, prefixes, ports):
    rules = []
    for number in rng.sample(range(1, 200), rng.randint(0, 4)):
        rule = {"ruleNumber": number, "action": rng.choice(("allow", "allow", "deny")),
                **matched(rng, ports)}
        if rng.random() < 0.6:
            rule["prefix"] = rng.choice(prefixes)
        rules.append(rule)
    if rng.random() < 0.7:
        rules.append({"ruleNumber": 999, "action": "allow", "protocol": "all"})
    return rules


def statement(rng, effect, vpcs, arns):
    out = {"Effect": effect, "Principal": "*", "Action": "vpc-lattice-svcs:Connect",
           "Resource": "*"}
    conditions = {}
    for _ in range(rng.randint(1, 2)):
        kind = rng.randrange(5)
        if kind == 0:
            operator = rng.choice(("IpAddress", "NotIpAddress"))
            conditions[operator] = {"aws:SourceIp": rng.sample(PREFIXES, 2)}
        elif kind == 1:
            operator = rng.choice(("NumericEquals", "NumericLessThan", "NumericNotEquals",
                                   "NumericEqualsIfExists"))
            conditions[operator] = {"vpc-lattice-svcs:Port": rng.choice((53, 80, "443"))}
        elif kind == 2:
            operator = rng.choice(("StringEquals", "StringNotEquals"))
            conditions[operator] = {"vpc-lattice-svcs:SourceVpc": rng.sample(vpcs, 1)}
        elif kind == 3:
            operator = rng.choice(("ArnLike", "ArnNotEquals"))
            conditions[operator] = {"vpc-lattice-svcs:ServiceNetworkArn": rng.choice(arns)}
        else:
            out["Resource"] = [f"*{rng.randrange(4)}", "*/svc-*1"]
    if conditions:
        out["Condition"] = conditions
    return out


def policy(rng, vpcs, arns):
    if rng.random() < 0.1:
        return {"authType": "AWS_IAM"}
    statements = [statement(rng, rng.choice(("Allow", "Allow", "Deny")), vpcs, arns)
                  for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.6:
        statements.append({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"})
    return {"authType": rng.choice(("AWS_IAM", "AWS_IAM", "AWS_IAM", "NONE")),
            "authPolicy": {"Statement": statements}}


def name_all(conf):
    """Ids that policies can speak of."""
    for i, one in enumerate(conf["vpcs"]):
        one["id"] = f"vpc-{i:017x}"
    for i, one in enumerate(conf["services"]):
        one["id"] = f"svc-{i:017d}"
    for i, one in enumerate(conf["serviceNetworks"]):
        one["id"] = f"sn-{i:017d}"


def restrict(rng, conf):
    """`conf` with who may call, two times out of three. VPCs with targets have no ACL: what it says
    of the gateway's addresses would depend on choices that the model leaves open.
    """
    if rng.random() < 0.33:
        return conf
    name_all(conf)
    vpcs = [one["name"] for one in conf["vpcs"]]
    arns = [f"arn:*:*:*:*:servicenetwork/{one['id']}" for one in conf["serviceNetworks"]]
    ids = [one["id"] for one in conf["vpcs"]]
    conf["securityGroups"] = [group(rng, f"group{i}", vpcs) for i in range(3)]
    conf["networkAcls"] = [
        {"name": f"acl{i}", "inbound": direction(rng, SERVICES, CLIENT_PORTS),
         "outbound": direction(rng, SERVICES, PORTS)} for i in range(2)]
    held = {one["config"]["vpcIdentifier"] for one in conf["targetGroups"]}
    for one in conf["vpcs"]:
        if one["name"] not in held and rng.random() < 0.5:
            one["networkAclIdentifier"] = rng.choice(("acl0", "acl1"))
    for one in conf["vpcAssociations"]:
        if rng.random() < 0.4:
            one["securityGroupIds"] = rng.sample(("group0", "group1", "group2"),
                                                 rng.randint(1, 3))
        if rng.random() < 0.3:
            one["priority"] = rng.randint(1, 2000)
    for one in conf["serviceNetworks"] + conf["services"]:
        if rng.random() < 0.4:
            one.update(policy(rng, ids, arns))
    return conf
