#!/usr/bin/env python3
"""lint.names: nothing that belongs to one developer's machine, and nothing left for later, in a tracked file."""
import re
import common

RULES = [
    (re.compile(r"(?<![\w.\-$}])/(?:home|Users|root|work)/[\w.\-]+"), "a path of somebody's machine"),
    (re.compile(r"[A-Z]:\\\\?Users"), "a path of somebody's machine"),
    (re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b"), "left for later"),
]
# Bytes of other programs: recorded frames, seeds of fuzzers.
NOT_OURS = ("tests/vectors/", "tests/fuzz/corpus/", "LICENSE")
BINARY = (".png", ".woff2", ".ico", ".db", ".gz")


def main():
    findings, checked = [], 0
    for path in common.files():
        if path.startswith(NOT_OURS) or path.endswith(BINARY + ("package-lock.json",)):
            continue
        checked += 1
        for number, line in enumerate(common.read(path).splitlines(), 1):
            findings += [f"{path}:{number}: {why}: {line.strip()[:100]}" for rule, why in RULES if rule.search(line)]
    common.finish(findings, checked, "files")


main()
