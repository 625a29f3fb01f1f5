# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Schema, loader, examples and documentation say the same."""

import copy
import json
import pathlib
import re

import jsonschema
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
REMARKS = ("$schema", "$comment")
OPEN = ("authPolicy",)  # another language is below: tests/unit/test_policy.c has its mistakes
EXAMPLES = ("minimal", "dual-stack", "full")


def example(name):
    return json.loads((ROOT / f"config/{name}.json").read_text())


def schema_keys(node, path=""):
    """Every key of the schema as the documentation writes it: vpcs[].attachments[].vlan."""
    if node.get("type") == "array":
        yield from schema_keys(node["items"], path + "[]")
    for key, child in node.get("properties", {}).items():
        if key not in REMARKS:
            below = f"{path}.{key}" if path else key
            yield below, child
            yield from schema_keys(child, below)


def used_keys(value, path=""):
    if isinstance(value, list):
        for item in value:
            yield from used_keys(item, path + "[]")
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in REMARKS:
                below = f"{path}.{key}" if path else key
                yield below
                if key not in OPEN:
                    yield from used_keys(item, below)


def documented():
    text = (ROOT / "docs/configuration.md").read_text()
    rows = re.findall(r"^\| `([^`]+)` \|(.*)\|$", text, re.MULTILINE)
    return {key: [cell.strip() for cell in rest.split(" | ")] for key, rest in rows}


def places(value, node, path=()):
    """(path, schema) of every value below."""
    yield path, node
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, node["items"], path + (index,))
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in REMARKS and key not in OPEN:
                yield from places(item, node["properties"][key], path + (key,))


def changed(value, path, new):
    value = copy.deepcopy(value)
    inner = value
    for step in path[:-1]:
        inner = inner[step]
    if new is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = new
    return value


def wrong_values(node):
    """What the schema refuses here, one of each kind."""
    kind = node["type"]
    yield {"string": 7, "integer": "7", "boolean": "yes", "array": {}, "object": []}[kind]
    if kind == "integer":
        yield 1.5
        yield node["minimum"] - 1 if "minimum" in node else node["const"] + 1
        if node.get("maximum", 2**63) < 2**63 - 1:
            yield node["maximum"] + 1
    if "enum" in node:
        yield "something-else"
    if kind == "string" and "maxLength" in node:
        yield "a" * (node["maxLength"] + 1)
    if kind == "string" and node.get("minLength", 0) > 0:
        yield ""
    if "pattern" in node:
        yield "!"


def samples():
    full = example("full")
    schema = json.loads((ROOT / "config/lath.schema.json").read_text())
    for path, node in places(full, schema):
        if path and path[0] != "include":
            for wrong in wrong_values(node):
                yield path, changed(full, path, wrong)
        if node.get("type") == "object":
            yield path, changed(full, path + ("surely-unknown",), 1)
            for key in node.get("required", []):
                yield path + (key,), changed(full, path + (key,), None)


def write_all(folder, values):
    paths = []
    for number, value in enumerate(values):
        value.pop("include", None)
        paths.append(folder / f"{number}.json")
        paths[-1].write_text(json.dumps(value))
    return paths


def test_schema_is_a_schema(schema):
    jsonschema.Draft7Validator.check_schema(schema)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_fits_schema_and_loader(name, schema, check):
    jsonschema.Draft7Validator(schema).validate(example(name))
    (answer,) = check([ROOT / f"config/{name}.json"])
    assert answer["ok"], answer
    assert name == "full" or answer["warnings"] == []


def test_full_example_uses_every_key(schema):
    assert {key for key, _ in schema_keys(schema)} == set(used_keys(example("full")))


def test_documentation_has_every_key_and_no_other(schema):
    assert {key for key, _ in schema_keys(schema)} == set(documented())


def test_documentation_is_complete():
    for key, cells in documented().items():
        assert len(cells) == 6 and all(cells), key
        assert cells[4] in ("live", "restart"), key
        assert cells[5].endswith("."), key


def test_documented_ranges_and_defaults_are_the_schema_s(schema):
    for key, node in schema_keys(schema):
        _, _, span, default, _, _ = documented()[key]
        if "minimum" in node:
            assert span.startswith(f"{node['minimum']}..{node['maximum']}"), key
        if node.get("type") in ("integer", "string") and "default" in node and node["default"]:
            assert str(node["default"]) in default, key


def test_every_object_allows_remarks_and_nothing_unknown(schema):
    objects = [schema] + [node for _, node in schema_keys(schema)]
    objects += [node["items"] for node in objects if node.get("type") == "array"]
    for node in objects:
        if node.get("type") == "object" and "properties" in node:
            assert node["additionalProperties"] is False
            assert all(remark in node["properties"] for remark in REMARKS)


def test_what_the_schema_refuses_the_loader_refuses(schema, check, tmp_path):
    validator = jsonschema.Draft7Validator(schema)
    cases = [(path, value) for path, value in samples() if not validator.is_valid(value)]
    assert len(cases) > 500
    answers = check(write_all(tmp_path, [value for _, value in cases]))
    for (path, value), answer in zip(cases, answers):
        assert not answer["ok"], (path, value)
        assert answer["text"], path


def test_errors_point_at_the_wrong_value(check, tmp_path, schema):
    cases = []
    for path, node in places(example("full"), schema):
        if node.get("type") == "integer" and path != ("formatVersion",):
            cases.append((path, changed(example("full"), path, "wrong")))
    answers = check(write_all(tmp_path, [value for _, value in cases]))
    for (path, _), answer in zip(cases, answers):
        assert answer["pointer"] == "/" + "/".join(map(str, path))
        assert '"wrong" is not' in answer["text"]


def test_ends_of_ranges_are_accepted(schema, check, tmp_path):
    """Alone, with everything else left out: other limits do not interfere."""
    cases = []
    for path, node in places(example("full"), schema):
        if path and path[0] in ("timeouts", "limits", "gateway") and "minimum" in node:
            for end in (node["minimum"], node["maximum"]):
                cases.append({"formatVersion": 1, path[0]: {path[1]: end}})
        if path[:2] == ("system", "memory") and "minimum" in node:
            for end in (node["minimum"], node["maximum"]):
                cases.append({"formatVersion": 1, "system": {"memory": {path[2]: end}}})
    assert len(cases) > 40
    for value, answer in zip(cases, check(write_all(tmp_path, cases))):
        assert answer["ok"], (value, answer)


def test_order_of_keys_and_remarks_do_not_change_the_hash(check, tmp_path):
    full = example("full")
    backwards = dict(reversed(list(full.items())))
    bare = copy.deepcopy(full)
    for key in REMARKS:
        bare.pop(key)
    answers = check(write_all(tmp_path, [full, backwards, bare, changed(full, ("gateway", "node"), 1)]))
    hashes = [answer["sha256"] for answer in answers]
    assert hashes[0] == hashes[1] == hashes[2] != hashes[3]


def test_canonical_text_loads_as_the_same_configuration(check, tmp_path):
    first = check([ROOT / f"config/{name}.json" for name in EXAMPLES])
    paths = []
    for number, answer in enumerate(first):
        paths.append(tmp_path / f"canonical-{number}.json")
        paths[-1].write_text(answer["json"])
    for before, after in zip(first, check(paths)):
        assert (before["json"], before["sha256"]) == (after["json"], after["sha256"])


def test_included_files_are_joined(check, tmp_path):
    """One object a file, in a folder with an odd name, is the same as one file."""
    folder = tmp_path / "odd [name]*"
    (folder / "conf.d").mkdir(parents=True)
    full = example("full")
    whole = {key: value for key, value in full.items() if key != "include"}
    (tmp_path / "whole.json").write_text(json.dumps(whole))
    top = {"formatVersion": 1, "include": ["conf.d/*.json", "conf.d/000.json"]}
    (folder / "lath.json").write_text(json.dumps(top))
    number = 0
    for key, value in whole.items():
        for part in [[item] for item in value] if isinstance(value, list) else [value]:
            if key not in (*REMARKS, "formatVersion"):
                (folder / f"conf.d/{number:03}.json").write_text(json.dumps({key: part}))
                number += 1
    one, many = check([tmp_path / "whole.json", folder / "lath.json"])
    assert one["ok"] and many["ok"], (one, many)
    assert one["sha256"] == many["sha256"]
