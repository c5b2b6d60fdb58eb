#!/usr/bin/env python3
"""lint.headers CC: each public header compiles alone, so that nobody has to know what to include before it."""
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
import common

FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wstrict-prototypes", "-Werror", "-fsyntax-only", "-x", "c"]


def public_folders():
    """include/ and every <module>/include of the daemons."""
    headers = [h for h in common.files(".h") if h.startswith("include/") or "/include/" in h and not h.startswith("tests/")]
    folders = {h[:h.index("include/") + len("include")] for h in headers}
    return sorted(headers), sorted(folders)


def compile_alone(cc, header, folders):
    args = [cc, *FLAGS, *(f"-I{os.path.join(common.ROOT, f)}" for f in folders), "-"]
    name = header[header.index("include/") + len("include/"):]
    # Twice: the guard works.
    text = f"#include <{name}>\n#include <{name}>\n"
    run = subprocess.run(args, input=text, capture_output=True, text=True)
    return None if run.returncode == 0 else f"{header} does not compile alone:\n{run.stderr}"


def main():
    cc = sys.argv[1] if len(sys.argv) > 1 else "cc"
    headers, folders = public_folders()
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda h: compile_alone(cc, h, folders), headers))
    common.finish([r for r in results if r], len(headers), "headers")


main()
