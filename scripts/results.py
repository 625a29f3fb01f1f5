#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Turns what meson and pytest wrote into one line a test: "pass|fail|skip TAB name TAB why".

results.py meson TESTLOG.json      one for each meson test
results.py junit JUNIT.xml         one for each pytest case
results.py tests BUILD             the meson tests of a build, one "suite TAB name" a line
"""
import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

MESON = {"OK": "pass", "EXPECTEDFAIL": "pass", "SKIP": "skip"}


def line(verdict, name, why=""):
    print(verdict, name, " ".join(why.split())[:1000], sep="\t")


def meson(path):
    with open(path, encoding="utf-8") as file:
        for text in file:
            test = json.loads(text)
            verdict = MESON.get(test["result"], "fail")
            said = (test.get("stdout") or "") + (test.get("stderr") or "")
            why = "" if verdict == "pass" else f"{test['result']} {said[-900:]}"
            line(verdict, test["name"].split(" / ")[-1], why)


def junit(path):
    for case in ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        for kind, verdict in (("failure", "fail"), ("error", "fail"), ("skipped", "skip")):
            found = case.find(kind)
            if found is not None:
                line(verdict, name, found.get("message") or found.text or kind)
                break
        else:
            line("pass", name)


def tests(build):
    out = subprocess.run(["meson", "introspect", "--tests", build], check=True, text=True,
                         capture_output=True).stdout
    for test in json.loads(out):
        for suite in test["suite"]:
            print(suite.split(":")[-1], test["name"], sep="\t")


if __name__ == "__main__":
    {"meson": meson, "junit": junit, "tests": tests}[sys.argv[1]](sys.argv[2])
