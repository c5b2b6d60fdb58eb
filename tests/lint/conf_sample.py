#!/usr/bin/env python3
"""lint.conf-sample BIN [--write]: conf/*.properties and docs/admin/properties.md are what the programs in BIN print.
With --write they are made anew."""
import difflib
import os
import re
import subprocess
import sys
import common

PROGRAMS = [("umbel-core", "conf/core.properties"), ("umbel-gateway", "conf/gui-gateway.properties")]
MANUAL = "docs/admin/properties.md"
HEAD = """# Properties

Every key of both programs, as they print it themselves (`python3 tests/lint/conf_sample.py build/release/bin --write`).
A key may stand in a file, in the environment (`SERVER_PORT` for `server.port`) or on the command line (`--server.port=0`);
[operate.md](operate.md#configuration) says what wins. `conf/` has the same rows as files to copy from.
"""


def run(program, option):
    return subprocess.run([program, option], capture_output=True, text=True, check=True).stdout


def rendered(folder):
    """path -> text that it should have."""
    texts = {MANUAL: HEAD}
    for name, path in PROGRAMS:
        program = os.path.join(folder, name)
        texts[path] = run(program, "--print-sample")
        texts[MANUAL] += f"\n## {name}\n\n" + run(program, "--print-manual").replace("## ", "### ")
    return texts


def keys(text):
    return set(re.findall(r"^#([^#\s=][^=]*)=|^\| `([^`]+)` \|", text, re.M))


def compare(path, wanted):
    try:
        have = common.read(path)
    except FileNotFoundError:
        return [f"{path} is missing"]
    if have == wanted:
        return []
    name = lambda k: k[0] or k[1]
    findings = [f"{path}: the key {name(k)} is missing" for k in sorted(keys(wanted) - keys(have))]
    findings += [f"{path}: no program knows the key {name(k)}" for k in sorted(keys(have) - keys(wanted))]
    diff = list(difflib.unified_diff(have.splitlines(), wanted.splitlines(), path, "as printed", lineterm="", n=1))
    return findings + ["\n".join(diff[:40]), "make it anew: python3 tests/lint/conf_sample.py BIN --write"]


def main():
    findings, texts = [], rendered(sys.argv[1])
    for path, wanted in texts.items():
        if "--write" in sys.argv:
            with open(os.path.join(common.ROOT, path), "w", encoding="utf-8") as f:
                f.write(wanted)
        findings += compare(path, wanted)
    common.finish(findings, len(texts), "files")


main()
