#!/usr/bin/env python3
"""lint.openapi BIN [--write]: docs/api/openapi.json is what BIN/umbel-core --print-openapi prints. With --write it is made anew."""
import difflib
import os
import subprocess
import sys
import common

PATH = "docs/api/openapi.json"


def main():
    wanted = subprocess.run([os.path.join(sys.argv[1], "umbel-core"), "--print-openapi"], capture_output=True, text=True, check=True).stdout
    if "--write" in sys.argv:
        with open(os.path.join(common.ROOT, PATH), "w", encoding="utf-8") as f:
            f.write(wanted)
    have = common.read(PATH)
    findings = []
    if have != wanted:
        diff = list(difflib.unified_diff(have.splitlines(), wanted.splitlines(), PATH, "as printed", lineterm="", n=1))
        findings = ["\n".join(diff[:40]), "make it anew: python3 tests/lint/openapi.py BIN --write"]
    common.finish(findings, wanted.count('"operationId"'), "operations")


main()
