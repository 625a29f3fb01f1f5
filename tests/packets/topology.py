# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""What a configuration looks like, in one place.

Cases and the oracle build lath.json content with these functions, so that a key is spelled
here and nowhere else. Keys that are not given are not written: defaults are the gateway's.
"""

import copy

WEB = "198.18.0.10"  # the service address of base()
NAT_RED = "10.0.0.100"
NAT_BLUE = "10.0.0.101"


def _given(**fields):
    return {key: value for key, value in fields.items() if value is not None}


def attachment(port, address, vlan=None, mtu=None, returnTo=None, announce=None, name=None):
    """`vlan`: a number; two tags as one, qinq(outer, inner)."""
    addresses = [address] if isinstance(address, str) else list(address)
    inner = vlan & 0xfff if vlan is not None else None
    outer = vlan >> 12 if vlan is not None and vlan >> 12 else None
    return _given(name=name or (port if vlan is None else f"{port}-{vlan}"), port=port, vlan=inner,
                  outerVlan=outer, mtu=mtu, addresses=addresses, returnTo=returnTo,
                  announce=announce)


def qinq(outer, inner):
    return outer << 12 | inner


def underlay(name, port, address, vlan=None, mtu=1600, routes=None,
             healthPort=None):
    addresses = [address] if isinstance(address, str) else list(address)
    return _given(name=name, port=port, vlan=vlan, addresses=addresses, mtu=mtu, routes=routes,
                  healthPort=healthPort)


def remote(address, prefixes=None):
    return _given(address=address, prefixes=prefixes)


def tunnel(kind, on, vni, remotes, address, inner=None, mtu=None, name=None):
    """An attachment by a tunnel; `remotes`: addresses or remote()s."""
    addresses = [address] if isinstance(address, str) else list(address)
    far = [remote(one) if isinstance(one, str) else one for one in remotes]
    return _given(name=name or f"{on}-{kind}-{vni}", addresses=addresses, mtu=mtu,
                  **{kind: _given(underlay=on, vni=vni, remotes=far, inner=inner)})


def gwlb(on, balancers, endpoints, address=None, mtu=None, name=None):
    """An attachment by a Gateway Load Balancer; endpoints: numbers."""
    return _given(name=name or f"{on}-gwlb", addresses=None if address is None else [address],
                  mtu=mtu, gwlb={"underlay": on, "balancers": list(balancers),
                                 "endpoints": [f"vpce-0{one:016x}" for one in endpoints]})


def vpc(name, attachments, prefixes=("10.0.0.0/24",), natPool=None, routes=None):
    return _given(name=name, prefixes=list(prefixes), attachments=list(attachments),
                  natPool=natPool, routes=routes)


def route(prefix, nextHop):
    return {"prefix": prefix, "nextHop": nextHop}


def forward(groups):
    """{"name": weight} or "name" as an action."""
    if isinstance(groups, str):
        groups = {groups: None}
    return {"forward": {"targetGroups": [
        _given(targetGroupIdentifier=name, weight=weight) for name, weight in groups.items()]}}


def rule(name, priority, sources, groups):
    return {"name": name, "priority": priority, "match": {"sourcePrefixes": list(sources)},
            "action": forward(groups)}


def listener(name, protocol, port, groups, rules=None):
    return _given(name=name, protocol=protocol, port=port, defaultAction=forward(groups),
                  rules=rules)


def service(name, address, listeners, **fields):
    return _given(name=name, addresses=None if address is None else [address],
                  listeners=list(listeners), **fields)


def target(ip, port=None, weight=None):
    return _given(id=ip, port=port, weight=weight)


def group(name, vpc_name, protocol, port, targets, health=False, **fields):
    """`health`: False switches checks off, None leaves the default, a dict is the section."""
    check = {"enabled": False} if health is False else health
    return _given(name=name, config=_given(
        protocol=protocol, port=port, vpcIdentifier=vpc_name, healthCheck=check),
        targets=[target(one) if isinstance(one, str) else one for one in targets], **fields)


def config(ports, vpcs, services, groups, networks, system=None, **sections):
    """`networks`: {"network": {"vpcs": [names], "services": [names]}}."""
    conf = {
        "formatVersion": 1,
        "system": {"ports": [{"name": port, "device": f"net_ring_{port}"} for port in ports],
                   "hostPort": {"enabled": False}},
        "vpcs": vpcs,
        "serviceNetworks": [{"name": name} for name in networks],
        "vpcAssociations": [
            {"name": f"{network}-{name}", "serviceNetworkIdentifier": network,
             "vpcIdentifier": name}
            for network, ends in networks.items() for name in ends.get("vpcs", ())],
        "serviceAssociations": [
            {"name": f"{network}-{name}", "serviceNetworkIdentifier": network,
             "serviceIdentifier": name}
            for network, ends in networks.items() for name in ends.get("services", ())],
        "services": services,
        "targetGroups": groups,
    }
    conf["system"].update(system or {})
    conf.update(sections)
    return conf


def base(**changes):
    """Two VPCs with equal addresses and one service; what most cases start from.

    blue (port blue0): clients. red (port red0): targets 10.0.0.5:8080 and udp 10.0.0.5:5353.
    green (trunk0, VLAN 100) may call too; teal (trunk0, VLAN 200) has no association.
    Each keyword replaces what it names; `services` and `groups` are lists of the same shape.
    """
    known = {
        "ports": ["blue0", "red0", "trunk0"],
        "vpcs": [
            vpc("blue", [attachment("blue0", "10.0.0.1/24")], natPool=[NAT_BLUE + "/32"]),
            vpc("red", [attachment("red0", "10.0.0.1/24")], natPool=[NAT_RED + "/32"]),
            vpc("green", [attachment("trunk0", "10.0.0.1/24", vlan=100)]),
            vpc("teal", [attachment("trunk0", "10.0.0.1/24", vlan=200)]),
        ],
        "services": [service("web", WEB, [
            listener("http", "TCP", 80, "web"), listener("dns", "UDP", 53, "dns")])],
        "groups": [group("web", "red", "TCP", 8080, ["10.0.0.5"]),
                   group("dns", "red", "UDP", 5353, ["10.0.0.5"])],
        "networks": {"main": {"vpcs": ["blue", "green"], "services": ["web"]}},
    }
    known.update(changes)
    return copy.deepcopy(config(**known))


def edit(conf, **objects):
    """A copy of `conf` in which `vpcs={"red": {"natPool": [...]}}` and so on are merged in by name;
    None as the whole value removes the object, a key with None removes the key.
    """
    conf = copy.deepcopy(conf)
    for section, changes in objects.items():
        for name, fields in changes.items():
            found = [one for one in conf[section] if one["name"] == name]
            assert len(found) == 1, f"{section} has no {name}"
            if fields is None:
                conf[section].remove(found[0])
                continue
            for key, value in fields.items():
                if value is None:
                    found[0].pop(key, None)
                else:
                    found[0][key] = value
    return conf
