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
KEY = re.compile(r"^#([^#\s][^=]*)=(.*)$")


def run(program, option):
    return subprocess.run([program, option], capture_output=True, text=True, check=True).stdout


def unescape(text):
    return re.sub(r"\\(.)", r"\1", text)


def manual_of(sample):
    """The sample's rows as tables: the same rows that a program's --print-manual shows."""
    out, comments = [], []
    for line in sample.splitlines():
        title, key = re.match(r"^# ---- (.*) ----$", line), KEY.match(line)
        if title:
            out.append(f"\n### {title.group(1)}\n\n| key | default | type | meaning |\n|---|---|---|---|")
            comments = []
        elif key and len(comments) >= 2:
            sentence, traits = comments[-2:]
            traits, _, also = traits.partition("; also: ")
            default = unescape(key.group(2)).replace("|", "\\|")
            out.append("| `{}` | {}| {} | {}{} |".format(unescape(key.group(1)), f"`{default}` " if default else "", traits,
                                                       sentence.replace("|", "\\|"), f"; also {also}" if also else ""))
            comments = []
        elif line.startswith("# "):
            comments.append(line[2:])
    return "\n".join(out) + "\n"


def rendered(folder):
    """path -> text that it should have."""
    samples = {path: run(os.path.join(folder, name), "--print-sample") for name, path in PROGRAMS}
    manual = HEAD
    for name, path in PROGRAMS:
        manual += f"\n## {name}\n" + manual_of(samples[path])
    return {**samples, MANUAL: manual}


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
    folder = sys.argv[1]
    texts = rendered(folder)
    core = run(os.path.join(folder, PROGRAMS[0][0]), "--print-manual")
    findings = []
    if core.replace("## ", "### ").strip() != manual_of(texts[PROGRAMS[0][1]]).strip():
        findings.append("umbel-core --print-manual and --print-sample tell different rows")
    for path, wanted in texts.items():
        if "--write" in sys.argv:
            with open(os.path.join(common.ROOT, path), "w", encoding="utf-8") as f:
                f.write(wanted)
        findings += compare(path, wanted)
    common.finish(findings, len(texts), "files")


main()
