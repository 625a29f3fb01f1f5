# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""One bad file per kind of error: the loader names file, line, pointer and cause, precisely."""

import pathlib

import pytest

BAD = pathlib.Path(__file__).parent / "bad"

# Name of the file, line, JSON pointer, part of the sentence ({dir}: the folder) and, where the
# error is in an included file, that file.
ROWS = [
    (
        "unknown_key",
        23,
        "/vpcs/0/attachments/0/vlann",
        'unknown key "vlann"; did you mean "vlan"?',
    ),
    (
        "unknown_key_far",
        23,
        "/vpcs/0/attachments/0/colour",
        'unknown key "colour"; known here: name, port, vlan',
    ),
    ("unknown_top_key", 119, "/vpc", 'unknown key "vpc"; did you mean "vpcs"?'),
    ("out_of_range", 23, "/vpcs/0/attachments/0/vlan", "5000 is not in 1..4094"),
    ("negative", 23, "/vpcs/0/attachments/0/mtu", "-1 is not in 576..9600"),
    ("not_integer", 23, "/vpcs/0/attachments/0/mtu", "1500.5 is not an integer"),
    ("number_as_text", 69, "/services/0/listeners/0/port", '"80" is not an integer'),
    ("not_bool", 23, "/vpcs/0/attachments/0/announce", '"yes" is not true or false'),
    ("not_text", 17, "/vpcs/0/name", "7 is not a string"),
    ("not_list", 22, "/vpcs/0/attachments/0/addresses", '"10.0.0.1/24" is not a list'),
    ("not_object", 119, "/gateway", "a list is not an object"),
    ("not_word", 23, "/vpcs/0/attachments/0/returnTo", '"back" is not one of "route", "sender"'),
    ("comment_not_text", 25, "/vpcs/0/$comment", "1 is not a string"),
    ("version_missing", 1, "", '"formatVersion" is missing'),
    ("version_other", 2, "/formatVersion", "2 is not in 1..1"),
    ("name_missing", 16, "/vpcs/0", '"name" is missing'),
    ("name_letters", 17, "/vpcs/0/name", '"Blue_1" is not a name of a-z, 0-9'),
    ("name_short", 46, "/serviceNetworks/0/name", "a text of 2 characters is not of 3..63"),
    ("name_reserved", 63, "/services/0/name", 'the name of a service cannot begin with "svc-"'),
    ("name_like_id", 17, "/vpcs/0/name", "looks like an id"),
    ("account_bad", 25, "/vpcs/0/account", '"1234" is not an account of 12 digits'),
    ("id_bad", 25, "/vpcs/0/id", '"vpc-xyz" is not "vpc-" and 17 hex digits'),
    (
        "vpc_twice",
        26,
        "/vpcs/1",
        'VPC name "blue" is used twice; the first is at {dir}/vpc_twice.json:16 (/vpcs/0)',
    ),
    (
        "id_twice",
        27,
        "/vpcs/1",
        'VPC id "vpc-0123456789abcdef0" is used twice; the first is at {dir}/id_twice.json:16 (/vpcs/0)',
    ),
    ("association_twice", 54, "/vpcAssociations/1", "this association is written twice"),
    (
        "port_unknown",
        21,
        "/vpcs/0/attachments/0/port",
        'no port in /system/ports is named "blu0"; near: "blue0", "red0"',
    ),
    ("port_twice", 9, "/system/ports/1", 'port name "blue0" is used twice'),
    ("mac_bad", 8, "/system/ports/0/mac", "is not the address of one station"),
    (
        "vpc_dangling",
        107,
        "/targetGroups/0/config/vpcIdentifier",
        'no VPC is named "rde" or has it as id or ARN; near: "red", "blue"',
    ),
    (
        "group_dangling",
        74,
        "/services/0/listeners/0/defaultAction/forward/targetGroups/0/targetGroupIdentifier",
        'no target group is named "wab"',
    ),
    (
        "service_dangling",
        58,
        "/serviceAssociations/0/serviceIdentifier",
        'no service is named "api"',
    ),
    (
        "network_dangling",
        51,
        "/vpcAssociations/0/serviceNetworkIdentifier",
        'no service network is named "demon" or has it as id or ARN; near: "demo"',
    ),
    (
        "prefix_bad",
        18,
        "/vpcs/0/prefixes/0",
        '"10.0.0/24" is not an address prefix like "10.0.0.0/24"',
    ),
    (
        "prefix_host_bits",
        18,
        "/vpcs/0/prefixes/0",
        '"10.0.0.5/24" has host bits set; the prefix is "10.0.0.0/24"',
    ),
    (
        "address_no_length",
        22,
        "/vpcs/0/attachments/0/addresses/0",
        "\"10.0.0.1\" is not an address with its subnet's length",
    ),
    (
        "address_broadcast",
        22,
        "/vpcs/0/attachments/0/addresses/0",
        "is the broadcast address of its subnet",
    ),
    (
        "address_link_local",
        22,
        "/vpcs/0/attachments/0/addresses/0",
        '"fe80::1/64" is link-local; the gateway has such an address on every attachment',
    ),
    (
        "vlan_twice",
        30,
        "/vpcs/1/attachments/0",
        'untagged frames of port "blue0" belong to the attachment at {dir}/vlan_twice.json:20 (/vpcs/0/attachments/0)',
    ),
    (
        "subnet_overlap",
        27,
        "/vpcs/0/attachments/1/addresses/0",
        'the subnet of "10.0.0.129/25" overlaps that of attachment 0',
    ),
    (
        "next_hop_outside",
        39,
        "/vpcs/1/routes/0/nextHop",
        "\"10.9.0.1\" is in no subnet that this VPC's attachments have",
    ),
    ("next_hop_self", 39, "/vpcs/1/routes/0/nextHop", "\"10.0.0.1\" is the gateway's own address"),
    (
        "route_family",
        39,
        "/vpcs/1/routes/0/nextHop",
        "\"fd00::fe\" is not of the prefix's address family",
    ),
    (
        "route_link_local",
        39,
        "/vpcs/1/routes/0/nextHop",
        "fe80::fe is link-local, but no attachment of this VPC has an IPv6 address",
    ),
    (
        "route_attachment",
        40,
        "/vpcs/1/routes/0/attachment",
        'no attachment of this VPC is named "red"; near: "red0"',
    ),
    ("route_twice", 42, "/vpcs/1/routes/1/prefix", '"10.1.0.0/16" is already route 0'),
    ("pool_overlap", 35, "/vpcs/1/natPool/1", '"10.0.0.40/32" overlaps element 0 of the pool'),
    ("pool_next_hop", 35, "/vpcs/1/natPool/0", "contains 10.0.0.254, the next hop of route 0"),
    (
        "pool_broadcast",
        35,
        "/vpcs/1/natPool/0",
        '"10.0.0.128/25" contains 10.0.0.254, the next hop',
    ),
    (
        "pool_network",
        35,
        "/vpcs/1/natPool/0",
        "contains 10.0.0.0, the network address of the attached subnet 10.0.0.0/24",
    ),
    (
        "pool_target",
        111,
        "/targetGroups/0/targets/0/id",
        '"10.0.0.5" is in the natPool of VPC "red"',
    ),
    (
        "target_outside",
        111,
        "/targetGroups/0/targets/0/id",
        '"10.2.0.5" is outside the prefixes of VPC "red"',
    ),
    (
        "target_self",
        111,
        "/targetGroups/0/targets/0/id",
        "\"10.0.0.1\" is the gateway's own address in VPC \"red\"",
    ),
    ("target_bad", 111, "/targetGroups/0/targets/0/id", '"10.0.0.300" is not an IP address'),
    ("target_twice", 113, "/targetGroups/0/targets/1", "10.0.0.5:8080 is already target 0"),
    (
        "target_ipv6",
        111,
        "/targetGroups/0/targets/0/id",
        '"2001:db8::5" is not of the group\'s ipAddressType, which is "IPV4"',
    ),
    ("target_weight", 112, "/targetGroups/0/targets/0/weight", "1000 is not in 0..999"),
    ("group_type", 117, "/targetGroups/0/type", '"INSTANCE" exists in a cloud only'),
    (
        "group_ipv6",
        112,
        "/targetGroups/0/targets/0/id",
        '"10.0.0.5" is not of the group\'s ipAddressType, which is "IPV6"',
    ),
    (
        "target_mapped",
        111,
        "/targetGroups/0/targets/0/id",
        '"::ffff:10.0.0.5" is no host\'s address but an IPv4-mapped address',
    ),
    (
        "service_address_ipv6_twice",
        64,
        "/services/0/addresses/1",
        "a service has one address of a family, and IPv6 is there already",
    ),
    (
        "group_protocol",
        106,
        "/targetGroups/0/config/protocol",
        '"HTTP" needs a proxy, which comes with a later release',
    ),
    (
        "protocol_mismatch",
        89,
        "/services/0/listeners/0/rules/0/action/forward/targetGroups/0",
        'target group "web" is UDP and cannot serve a TCP listener',
    ),
    (
        "listener_protocol",
        68,
        "/services/0/listeners/0/protocol",
        '"TLS_PASSTHROUGH" needs a proxy',
    ),
    (
        "listener_twice",
        98,
        "/services/0/listeners/1",
        "TCP port 80 is used twice in this service; the first is listener 0",
    ),
    (
        "priority_twice",
        98,
        "/services/0/listeners/0/rules/1/priority",
        "priority 10 is used twice",
    ),
    (
        "rule_default_name",
        80,
        "/services/0/listeners/0/rules/0",
        '"default" is the name of the default action',
    ),
    (
        "http_match",
        84,
        "/services/0/listeners/0/rules/0/match/httpMatch",
        '"httpMatch" needs an HTTP listener',
    ),
    (
        "fixed_response",
        71,
        "/services/0/listeners/0/defaultAction/fixedResponse",
        '"fixedResponse" needs an HTTP listener',
    ),
    (
        "weight_missing",
        77,
        "/services/0/listeners/0/defaultAction/forward/targetGroups/1",
        '"weight" is missing',
    ),
    (
        "weights_zero",
        72,
        "/services/0/listeners/0/defaultAction/forward/targetGroups",
        "all weights are 0",
    ),
    (
        "group_twice_in_action",
        73,
        "/services/0/listeners/0/defaultAction/forward/targetGroups/0",
        '"weight" is missing',
    ),
    (
        "policy_operator",
        67,
        "/serviceNetworks/0/authPolicy/Statement/0/Condition/StringEqual",
        '"StringEqual" is no operator; near: "StringEquals"; accepted: ',
    ),
    (
        "policy_key",
        68,
        "/serviceNetworks/0/authPolicy/Statement/0/Condition/StringEquals/vpc-lattice-svcs:RequestMethod",
        '"vpc-lattice-svcs:RequestMethod" is no condition key known at layer 4',
    ),
    (
        "policy_user",
        66,
        "/serviceNetworks/0/authPolicy/Statement/0/Principal/AWS/1",
        '"arn:aws:iam::111122223333:user/eve" is no principal that can be known',
    ),
    (
        "policy_action",
        64,
        "/serviceNetworks/0/authPolicy/Statement/0/Action",
        '"vpc-lattice-svcs:Invoke" covers no action of layer 4',
    ),
    (
        "policy_text",
        113,
        "/services/0/authPolicy",
        'is no policy: an object',
    ),
    (
        "group_unknown",
        64,
        "/vpcAssociations/0/securityGroupIds/0",
        'no security group is named "client" or has it as id or ARN; near: "clients"',
    ),
    (
        "security_group_twice",
        65,
        "/vpcAssociations/0/securityGroupIds/1",
        'this is already element 0',
    ),
    (
        "group_ports_back",
        142,
        "/securityGroups/0/inbound/0/ports",
        '"90-80" is no port or range of ports',
    ),
    (
        "group_ports_icmp",
        142,
        "/securityGroups/0/inbound/0/ports",
        'only "tcp" and "udp" have ports',
    ),
    (
        "group_vpc_unknown",
        143,
        "/securityGroups/0/inbound/0/vpcIdentifiers/0",
        'no VPC is named "blu"',
    ),
    (
        "acl_number_twice",
        144,
        "/networkAcls/0/outbound/1/ruleNumber",
        '1 is the number of rule 0 as well',
    ),
    (
        "acl_unknown",
        29,
        "/vpcs/0/networkAclIdentifier",
        'no network ACL is named "edge"',
    ),
    (
        "association_priority",
        63,
        "/vpcAssociations/0/priority",
        '0 is not in 1..65535',
    ),
    (
        "priority_of_service",
        69,
        "/serviceAssociations/0/priority",
        'unknown key "priority"',
    ),
    (
        "service_in_prefix",
        64,
        "/services/0/addresses/0",
        '"10.0.0.99" is inside 10.0.0.0/24 of VPC "blue"',
    ),
    (
        "service_collision",
        106,
        "/services/1/addresses/0",
        '"198.18.0.10" with TCP port 80 is also service "web" at {dir}/service_collision.json:',
    ),
    (
        "service_two_addresses",
        64,
        "/services/0/addresses/1",
        "a service has one address of a family",
    ),
    (
        "cidr_overlap",
        119,
        "/serviceCidrs/1",
        '"198.18.4.0/24" overlaps the prefix at {dir}/cidr_overlap.json:',
    ),
    ("cidr_multicast", 119, "/serviceCidrs/0", "cannot hold service addresses: multicast"),
    (
        "matcher_bad",
        111,
        "/targetGroups/0/config/healthCheck/matcher/httpCode",
        '"200-199" is not a list of status codes in 200..499',
    ),
    (
        "path_on_tcp",
        109,
        "/targetGroups/0/config/healthCheck/path",
        '"path" has no meaning for a TCP check',
    ),
    ("path_bad", 110, "/targetGroups/0/config/healthCheck/path", '"up" is not a path'),
    (
        "interval_zero",
        109,
        "/targetGroups/0/config/healthCheck/healthCheckIntervalSeconds",
        "0 is not in 1..300",
    ),
    ("cores_count", 16, "/system/workers/cores", "1 cores are not one for each of 2 workers"),
    ("poll_shared", 14, "/system/workers", "core 1 is used twice"),
    ("host_prefix", 15, "/system/hostPort/prefix", '"fd00::/48" is not an IPv6 /64'),
    ("path_relative", 14, "/system/runtimeDirectory", '"run" is not an absolute path'),
    ("too_many_vpcs", 29, "/vpcs/1", "more VPCs than system/memory/maxVpcs, 1"),
    ("include_missing", 119, "/include/0", 'there is no file "not_there.json"'),
    (
        "include_included",
        2,
        "/include",
        "an included file cannot include others",
        "parts/includes.part",
    ),
    (
        "include_twice",
        3,
        "/vpcs/0",
        'VPC name "blue" is used twice; the first is at {dir}/include_twice.json:16 (/vpcs/0)',
        "parts/blue.part",
    ),
    (
        "include_section_twice",
        2,
        "/system",
        '"system" is written twice; the first is at {dir}/include_section_twice.json:3 (/system)',
        "parts/system.part",
    ),
    ("key_twice", 19, "", "duplicate object key"),
    ("syntax", 3, "", "not JSON: "),
    ("empty", 1, "", "not JSON: "),
    ("not_an_object", 1, "", "a list is not an object"),
    ("underlay_unknown", 30, "/vpcs/0/attachments/0/vxlan/underlay", 'no underlay is named "fabrik"; near: "fabric"'),
    ("vni_twice", 53, "/vpcs/1/attachments/0/vxlan/vni", 'VNI 7 of underlay "fabric" belongs to the attachment at {dir}/vni_twice.json:'),
    ("remote_own", 34, "/vpcs/0/attachments/0/vxlan/remotes/0/address", '"192.0.2.1" is the underlay\'s own address'),
    ("remote_unreachable", 34, "/vpcs/0/attachments/0/vxlan/remotes/0/address", '"198.51.100.1" is in no subnet of underlay "fabric" and no route leads to it'),
    ("remote_twice", 36, "/vpcs/0/attachments/0/vxlan/remotes/1", "its address is already that of remote 0"),
    ("remote_rest_twice", 36, "/vpcs/0/attachments/0/vxlan/remotes/1", '"prefixes" are needed: remote 0 has none'),
    ("remote_prefix_twice", 43, "/vpcs/0/attachments/0/vxlan/remotes/1/prefixes/1", '"10.0.0.0/25" is already a prefix of remote 0'),
    ("tunnel_mtu", 41, "/vpcs/0/attachments/0/mtu", '1551 and 50 bytes of headers are more than the MTU of underlay "fabric", 1600'),
    ("underlay_mtu", 28, "/vpcs/0/attachments/0", 'the MTU of underlay "fabric", 600, leaves 550 bytes inside; at least 576 are needed'),
    ("tunnel_port", 41, "/vpcs/0/attachments/0/port", 'an attachment by "vxlan" has no "port" of its own'),
    ("vxlan_ip", 37, "/vpcs/0/attachments/0/vxlan/inner", "VXLAN carries Ethernet only (RFC 7348)"),
    ("tunnel_both", 41, "/vpcs/0/attachments/0/geneve", 'an attachment has one of "vxlan" and "geneve"'),
    ("underlay_twice", 21, "/underlays/1/name", '"fabric" is already underlay 0'),
    ("underlay_vlan", 20, "/underlays/1", 'untagged frames of port "blue0" belong to the underlay at {dir}/underlay_vlan.json:'),
    ("underlay_addresses", 17, "/underlays/0/addresses/1", "an underlay has one address of a family; this is the second"),
    ("outer_vlan_alone", 30, "/vpcs/0/attachments/0/outerVlan", 'an outer tag needs an inner one, "vlan"'),
    ("tags_twice", 44, "/vpcs/1/attachments/0", 'VLAN 6 in VLAN 5 of port "blue0" belongs to the attachment at {dir}/tags_twice.json:'),
    ("gwlb_mtu", 29, "/vpcs/0/attachments/0/gwlb",
     'needs an MTU of at least 8568, not 8567'),
    ("gwlb_endpoint", 35, "/vpcs/0/attachments/0/gwlb/endpoints/0",
     '"vpce-0123" is not "vpce-0" and 16 hex digits'),
    ("gwlb_endpoint_twice", 53, "/vpcs/1/attachments/0/gwlb/endpoints",
     'endpoint "vpce-0123456789abcdef0" of underlay "fabric" belongs to the attachment at {dir}/gwlb_endpoint_twice.json:'),
    ("gwlb_balancer_twice", 33, "/vpcs/0/attachments/0/gwlb/balancers/1",
     '"192.0.2.9" is already element 0'),
]


@pytest.fixture(scope="module")
def answers(check):
    said = check([BAD / f"{row[0]}.json" for row in ROWS])
    return {row[0]: answer for row, answer in zip(ROWS, said)}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_loader_says_where_and_why(row, answers):
    name, line, pointer, sentence = row[:4]
    file = BAD / (row[4] if len(row) > 4 else f"{name}.json")
    answer = answers[name]
    assert not answer["ok"]
    assert (answer["file"], answer["line"], answer["pointer"]) == (str(file), line, pointer)
    assert sentence.format(dir=BAD) in answer["text"]


def test_every_bad_file_has_a_row():
    assert {path.stem for path in BAD.glob("*.json")} == {row[0] for row in ROWS}


def test_missing_file_is_named(check, tmp_path):
    (answer,) = check([tmp_path / "none.json"])
    assert answer["file"].endswith("none.json") and "No such file" in answer["text"]
