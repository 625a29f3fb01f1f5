# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""The stand-in is strict and has exactly what Pktgen 23.03 has: else the other tests say little."""

import re
import shutil

import pytest

from conftest import NAMES, PROFILES

# All that Pktgen 23.03 gives to Lua, as far as it was seen working (issue 3, item 4).
FUNCTIONS = """
start stop clr clear reset quit delay sleep pause continue input load run save screen cls update
page port set set_mac set_ipaddr set_proto set_type vlan vlanid cos tos vxlan vxlan_id mpls qinq gre
gre_eth pattern userPattern ping4 send_arp icmp_echo set_range range gtpu_teid rnd rnd_list seq
seqTable pcap capture rxtap txtap latency jitter latsampler_params latsampler portStats portSizes
pktStats portInfo linkState isSending portCount totalPorts
""".split()
RANGE = """
dst_mac src_mac set_type src_ip dst_ip ip_proto src_port dst_port ttl hop_limits vlan_id mpls_entry
qinqids gre_key pkt_size cos tos traffic_class
""".split()


def script(tmp_path, text):
    path = tmp_path / "script.lua"
    path.write_text(text)
    return path


def test_standin_has_exactly_the_functions(tmp_path, lua):
    done = lua(script(tmp_path, """
        for name in pairs(pktgen) do print("function " .. name) end
        for name in pairs(pktgen.range) do print("field " .. name) end
    """))
    assert done.code == 0, done.text
    assert sorted(re.findall(r"^function (\S+)$", done.text, re.M)) == sorted(FUNCTIONS)
    assert sorted(re.findall(r"^field (\S+)$", done.text, re.M)) == sorted(RANGE)


@pytest.mark.parametrize("text, why", [
    ('pktgen.strat("0")', "pktgen has no strat"),
    ('pktgen.range.src_prot("0", "start", 1)', "pktgen.range has no src_prot"),
    ('pktgen.start("1")', "there is no port 1"),
    ('pktgen.start("0-1")', "there is no port 0-1"),
    ('pktgen.start("")', "there is no port"),
    ('pktgen.start()', "wrong number of arguments"),
    ('pktgen.start("0", 1)', "wrong number of arguments"),
    ('pktgen.set("0", "sise", 64)', "set does not support sise"),
    ('pktgen.set("0", "size", 60)', "60 is not in 64..1518"),
    ('pktgen.set("0", "size", "64")', "64 is not an integer"),
    ('pktgen.set("0", "rate", 100.5)', "100.5 is not in"),
    ('pktgen.set("0", "rate", 0)', "0 is not in"),
    ('pktgen.set("0", "seq_cnt", 17)', "17 is not in 0..16"),
    ('pktgen.set("0", "count", 0.5)', "0.5 is not an integer"),
    ('pktgen.set_mac("0", "dst", "02:00")', "is no MAC address"),
    ('pktgen.set_mac("0", "to", "02:00:00:00:00:01")', "set_mac does not support to"),
    ('pktgen.set_ipaddr("0", "src", "10.0.0.1")', "is no address with a mask"),
    ('pktgen.set_ipaddr("0", "dst", "10.0.0.256")', "is no address"),
    ('pktgen.set_proto("0", "udb")', "set_proto does not support udb"),
    ('pktgen.set_range("0", "yes")', "set_range does not support yes"),
    ('pktgen.range.ip_proto("0", "start", "udp")', "wrong number of arguments"),
    ('pktgen.range.src_ip("0", "step", "0.0.0.1")', "range.src_ip does not support step"),
    ('pktgen.range.src_port("0", "max", 65536)', "65536 is not in 0..65535"),
    ('pktgen.range.vlan_id("0", "start", 0)', "0 is not in 1..4095"),
    ('pktgen.set_range("0", "on") pktgen.start("0")', "was never set"),
    ('pktgen.set("0", "seq_cnt", 1) pktgen.start("0")', "sequence 0 is sent and was never set"),
    ('pktgen.seq(16, "0")', "wrong number of arguments"),
    ('pktgen.start("0")', "a MAC address was never set"),
    ('pktgen.pcap("0", "on")', "no file was given"),
    ('pktgen.latsampler("0", "on")', "no parameters"),
    ('pktgen.latsampler_params("0", "normal", 1, 1, "x")', "does not support normal"),
    ('print(pktgen.portStats("0", "ports")[0])', "portStats does not support ports"),
    ('print(pktgen.portStats("0", "port")[0].opacket)', "portStats has no opacket"),
    ('print(pktgen.portStats("0", "port")[0].pkts_tx)', "portStats has no pkts_tx"),
    ('print(pktgen.portStats("0", "port")["0"])', "portStats has no 0"),
    ('pktgen.sleep(0.5)', "0.5 is not an integer"),
    ('pktgen.mine = 1', "not a script's to change"),
    ('total = 1', "total becomes a global"),
    ('printf("x")', "there is no global printf"),
    ('pktgen.rnd("0", 0, 0, "X")', "does not play it"),
    ('pktgen.start("0"', "expected"),
])
def test_mistake_ends_the_script(text, why, tmp_path, lua):
    done = lua(script(tmp_path, text))
    assert done.code != 0 and why in done.text


def misspelt(text):
    """A copy for each name of Pktgen's and each key in the text, with a letter of it doubled."""
    names = re.finditer(r'pktgen\.(?:range\.)?(\w+)|"(rate|size|count|seq_cnt|start|inc|min|max'
                        r'|port|on|off|udp|tcp|src|dst|sport|dport|ipv4|simple)"|\.(pkts_[rt]x|imissed'
                        r'|[io]packets|[io]errors|rx_nombuf)\b', text)
    for found in names:
        at = found.end(found.lastindex)
        yield found.group(0), text[:at] + text[at - 1] + text[at:]


@pytest.mark.parametrize("name", [*NAMES, "common"])
def test_misspelt_copy_of_a_profile_fails(name, tmp_path, lua, capture):
    original = (PROFILES / f"{name}.lua").read_text()
    tried = 0
    for word, text in misspelt(original):
        # pktgen.quit is reached only when told; LATH_QUIT makes every line of every profile run.
        for source in PROFILES.glob("*.lua"):
            shutil.copy(source, tmp_path)
        (tmp_path / f"{name}.lua").write_text(text)
        start = "tenants-vlan" if name == "common" else name
        done = lua(tmp_path / f"{start}.lua", LATH_QUIT="yes", LATH_SECONDS=1,
                   STANDIN_PCAP=capture("--flows", "64"))
        assert done.code != 0, f"{word} with a letter too many went unnoticed"
        tried += 1
    assert tried >= 2
