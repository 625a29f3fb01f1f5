# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""The configurations beside the profiles are good, and profiles and README name them."""

import json
import os
import pathlib
import re
import subprocess

import jsonschema
import pytest

from conftest import NAMES, PROFILES, ROOT

BUILD = pathlib.Path(os.environ.get("LATH_BUILD", ROOT / "build"))
FILES = sorted(PROFILES.glob("*.json"))
PARTS = sorted((PROFILES / "parts").glob("*.json"))
README = (PROFILES / "README.md").read_text()


def merged(path):
    """The file and what it includes, as one object."""
    whole = json.loads(path.read_text())
    for name in whole.get("include", []):
        whole.update(json.loads((path.parent / name).read_text()))
    return whole


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_lathctl_finds_it_good(path):
    done = subprocess.run([str(BUILD / "app/lathctl/lathctl"), "check", str(path)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0 and " is good" in done.stdout + done.stderr, done.stderr
    warnings = [line for line in (done.stdout + done.stderr).splitlines() if "warning" in line]
    if path.stem.startswith("new-flows"):
        assert len(warnings) == 2 and all("/timeouts/udp" in line for line in warnings)
    else:
        assert warnings == []


@pytest.mark.parametrize("path", [*FILES, *PARTS], ids=lambda p: p.stem)
def test_it_fits_the_schema(path):
    schema = json.loads((ROOT / "config/lath.schema.json").read_text())
    value = json.loads(path.read_text())
    assert (path.parent / value["$schema"]).resolve() == ROOT / "config/lath.schema.json"
    if path in PARTS:
        schema = {**schema, "required": []}
    jsonschema.Draft7Validator(schema).validate(value)


def test_each_is_there_for_both_rigs_and_every_part_is_used():
    stems = {re.sub(r"-(nic|veth)$", "", path.stem) for path in FILES}
    both = {f"{stem}-{rig}" for stem in stems for rig in ("nic", "veth")}
    assert {path.stem for path in FILES} == both
    used = {name for path in FILES for name in json.loads(path.read_text())["include"]}
    assert used == {f"parts/{path.name}" for path in PARTS}
    for path in FILES:
        ports = merged(path)["system"]["ports"]
        veth = [port["device"].startswith("net_af_packet") for port in ports]
        assert veth == [path.stem.endswith("-veth")] * 2


@pytest.mark.parametrize("name", [name for name in NAMES if name != "vxlan"])
def test_profile_names_configurations_that_are_there(name):
    text = (PROFILES / f"{name}.lua").read_text()
    named = re.findall(r"([\w-]+)-(?:nic|veth)\.json", text)
    assert named
    for stem in named:
        for rig in ("nic", "veth"):
            assert f"{stem}-{rig}.json" in text and (PROFILES / f"{stem}-{rig}.json").exists()


def test_vxlan_profile_says_what_is_missing():
    assert "LIMIT: Lath has no VXLAN attachments yet" in (PROFILES / "vxlan.lua").read_text()


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_services_are_where_profiles_send(path):
    common = (PROFILES / "common.lua").read_text()
    plan = dict(re.findall(r'^common\.(\w+) = "?([\d.]+)"?$', common, re.M))
    where = {(service["addresses"][0], listener["protocol"], listener["port"])
             for service in merged(path)["services"] for listener in service["listeners"]}
    assert (plan["service"], "UDP", int(plan["service_port"])) in where
    if not path.stem.startswith("tenants"):
        assert (plan["tcp_service"], "TCP", int(plan["tcp_service_port"])) in where


def test_tenants_are_on_the_profiles_vlans():
    text = (PROFILES / "tenants-vlan.lua").read_text()
    found = re.search(r"local first_vlan, tenants, ports = (\d+), (\d+),", text)
    first, count = map(int, found.groups())
    vlans = [attachment["vlan"] for vpc in merged(PROFILES / "tenants-vlan-nic.json")["vpcs"]
             for attachment in vpc["attachments"] if "vlan" in attachment]
    assert vlans == list(range(first, first + count))


def test_flow_tables_hold_what_profiles_send():
    for path in FILES:
        assert merged(path)["system"]["memory"]["flowsPerWorker"] >= 2 * 65536


def test_readme_names_every_file_and_setting():
    for path in [*PROFILES.glob("*.lua"), *FILES]:
        stem = re.sub(r"-(nic|veth)$", "", path.stem)
        assert f"`{path.name}`" in README or f"`{stem}-*.json`" in README, path.name
    sources = "".join(path.read_text() for path in PROFILES.glob("*.lua"))
    settings = set(re.findall(r"\bLATH_[A-Z_]+\b", sources))
    assert settings == set(re.findall(r"\bLATH_[A-Z_]+\b", README))
