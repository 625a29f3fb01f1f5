#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Turns what meson and pytest wrote into one line a test: "pass|fail|skip TAB name TAB why".

results.py meson TESTLOG.json      one for each meson test
results.py junit JUNIT.xml         one for each pytest case
results.py tests BUILD             the meson tests of a build, one "suite TAB name" a line
results.py second RESULTS COMMAND  runs what failed in RESULTS once more: see second()
"""
import json
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

MESON = {"OK": "pass", "EXPECTEDFAIL": "pass", "SKIP": "skip"}
SECOND_TRIES = 2  # more failures than that in a suite are no accident


def line(verdict, name, why=""):
    print(*row(verdict, name, why), sep="\t")


def row(verdict, name, why=""):
    return verdict, name, " ".join(why.split())[:1000]


def meson(path):
    with open(path, encoding="utf-8") as file:
        for text in file:
            test = json.loads(text)
            verdict = MESON.get(test["result"], "fail")
            said = (test.get("stdout") or "") + (test.get("stderr") or "")
            why = "" if verdict == "pass" else f"{test['result']} {said[-900:]}"
            line(verdict, test["name"].split(" / ")[-1], why)


def junit_rows(path):
    for case in ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        for kind, verdict in (("failure", "fail"), ("error", "fail"), ("skipped", "skip")):
            found = case.find(kind)
            if found is not None:
                yield row(verdict, name, found.get("message") or found.text or kind)
                break
        else:
            yield row("pass", name)


def junit(path):
    for verdict, name, why in junit_rows(path):
        line(verdict, name, why)


def second(path, *command):
    """Real kernels on a busy machine now and then miss a deadline that has nothing to do with what
    is tested. So at most SECOND_TRIES tests of a suite may fail and pass when they are run once
    more, alone; their verdict is then "second", with why they failed at first, which scripts/test
    prints. What fails again stays failed, and with more failures nothing is tried.

    COMMAND is pytest with its arguments, but for the test and where to write the verdict.
    """
    rows = [tuple(text.split("\t")) for text in Path(path).read_text("utf-8").splitlines()]
    # A case that fails and then cleans up badly has two rows.
    whys = {}
    for verdict, name, why in rows:
        if verdict == "fail":
            whys.setdefault(name, why)
    if len(whys) > SECOND_TRIES or not all("::" in name for name in whys):
        return  # what is no case of pytest's is a process that died
    passed = [name for name in whys if passes(name, command)]
    rows = [found for found in rows if found[1] not in passed]
    rows += [("second", name, whys[name]) for name in passed]
    Path(path).write_text("".join("\t".join(found) + "\n" for found in rows), "utf-8")


def passes(name, command):
    """Whether this one case of pytest's, run alone, passes."""
    module, case = name.split("::", 1)
    place = f"{module.replace('.', '/')}.py::{case}"
    with tempfile.NamedTemporaryFile(suffix=".xml") as xml:
        subprocess.run([*command, f"--junitxml={xml.name}", place], check=False,
                       stdin=subprocess.DEVNULL)
        try:
            return [found[:2] for found in junit_rows(xml.name)] == [("pass", name)]
        except ElementTree.ParseError:
            return False  # pytest itself died


def tests(build):
    out = subprocess.run(["meson", "introspect", "--tests", build], check=True, text=True,
                         capture_output=True).stdout
    for test in json.loads(out):
        for suite in test["suite"]:
            print(suite.split(":")[-1], test["name"], sep="\t")


if __name__ == "__main__":
    {"meson": meson, "junit": junit, "tests": tests, "second": second}[sys.argv[1]](*sys.argv[2:])
