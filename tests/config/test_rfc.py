# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""docs/rfc-compliance.md says what the tags in the tests say; scripts/rfc-compliance reads them."""

import importlib.machinery
import importlib.util
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def load():
    path = str(ROOT / "scripts/rfc-compliance")
    loader = importlib.machinery.SourceFileLoader("rfc_compliance", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


RFC = load()
RULES = RFC.requirements()
TAGS = RFC.all_tags()


def test_tags_and_requirements_fit():
    """Unknown names, a MUST with neither test nor exception, known gaps that are none any more."""
    assert list(RFC.problems(RULES, TAGS)) == []


def test_document_is_fresh():
    said = RFC.DOCUMENT.read_text(encoding="utf-8") == RFC.document(RULES, TAGS)
    assert said, "run scripts/rfc-compliance and commit what it writes"


# ---- the script itself -------------------------------------------------------------------------

def rule(name, level="MUST", **more):
    return {"id": name, "level": level, "text": "x", **more}


def tag(name, kind="test", reason="", path="tests/unit/test_x.c"):
    return RFC.Tag(1, name, kind, reason, path, 7, "f")


@pytest.mark.parametrize("row,tags,said", [
    (rule("A"), [], "neither test nor exception"),
    (rule("A"), [tag("A")], None),
    (rule("A"), [tag("A", "exception", "so")], None),
    (rule("A"), [tag("A", "exception")], "without a reason"),
    (rule("A"), [tag("A", "todo")], "neither test nor exception"),
    (rule("A"), [tag("A"), tag("B")], "no such requirement"),
    (rule("A"), [tag("A", path="lib/x.c")], "outside of tests/"),
    (rule("A", gap="soon"), [], None),
    (rule("A", gap="soon"), [tag("A")], "a gap no more"),
    (rule("A", partly="half"), [tag("A")], None),
    (rule("A", not_applicable="no"), [], None),
    (rule("A", not_applicable="no"), [tag("A", "exception", "so")], "does not apply"),
    (rule("A", "SHOULD"), [], None),
])
def test_problems(row, tags, said):
    wrong = list(RFC.problems({1: ("t", {row["id"]: row})}, tags))
    assert (wrong == []) if said is None else any(said in text for text in wrong), wrong


def test_tags_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(RFC, "ROOT", tmp_path)
    source = tmp_path / "case.py"
    source.write_text('''
def case_first(t):
    #= RFC1#REQ-1 RFC2#REQ-2a: both.
    f = 1  #= RFC3#section-4.2

#= RFC1#REQ-3 type=exception reason=One line
#= and the next.
def case_second(t):
    pass
''')
    assert [(one.rfc, one.id, one.kind, one.reason, one.function)
            for one in RFC.tags_of(source)] == [
        (1, "REQ-1", "test", "", "case_first"), (2, "REQ-2a", "test", "", "case_first"),
        (3, "4.2", "test", "", "case_first"),
        (1, "REQ-3", "exception", "One line and the next.", "case_second")]


def test_document_shows_what_is_missing():
    rules = {1: ("t", {"A": rule("A", gap="not yet"), "B": rule("B")})}
    text = RFC.document(rules, [tag("B")])
    assert "| A | MUST | x | **missing**: not yet |" in text
    assert "| B | MUST | x | [f](../tests/unit/test_x.c) |" in text
