#!/usr/bin/env python3
"""lint.lockfiles: a package-lock.json names versions and hashes, and no registry: whoever builds uses the one he has set."""
import json
import os
import common


def main():
    findings = []
    locks = [f for f in common.files("package-lock.json")]
    for path in locks:
        for name, entry in json.loads(common.read(path)).get("packages", {}).items():
            if "resolved" in entry:
                findings.append(f"{path}: {name} names its address {entry['resolved']}")
            if name and not entry.get("link") and "integrity" not in entry:
                findings.append(f"{path}: {name} has no integrity hash")
    common.finish(findings, len(locks), "lock files")


main()
