#!/usr/bin/env python3
"""lint.openapi: docs/api/openapi.yaml has the routes of documents, versions, the archive, the cluster and reservations that core/rest/routes.c has,
with their methods; and docs/api/rest.md names each path of it."""
import re
import common

BASE = "/core/rest"
DESCRIBED = ("/collab/documents", "/admin/archive", "/admin/cluster", "/caches", "/reservation")
ROUTE = re.compile(r'\{\s*"([A-Z]+)",\s*"([^"]+)"')


def routes():
    found = {(method, path[len(BASE):]) for method, path in ROUTE.findall(common.read("core/rest/routes.c")) if path.startswith(BASE)}
    return {(m, p) for m, p in found if p.startswith(DESCRIBED)}


def described():
    """The file keeps one shape: paths two spaces deep, methods four."""
    found, path = set(), None
    for line in common.read("docs/api/openapi.yaml").split("\npaths:\n")[1].split("\ncomponents:\n")[0].splitlines():
        if re.match(r"  /\S+:$", line):
            path = line.strip()[:-1]
        elif re.match(r"    (get|put|post|delete|patch):$", line):
            found.add((line.strip()[:-1].upper(), path))
    return found


def main():
    code, spec = routes(), described()
    findings = [f"docs/api/openapi.yaml lacks {m} {p}" for m, p in sorted(code - spec)]
    findings += [f"docs/api/openapi.yaml has {m} {p}, which is no route" for m, p in sorted(spec - code)]
    manual = common.read("docs/api/rest.md")
    for method, path in sorted(code):
        short = path.replace("/collab/documents/{name}/", "…/documents/{name}/")
        if not any(f"`{method} {p}`" in manual for p in (BASE + path, short)):
            findings.append(f"docs/api/rest.md lacks {method} {path}")
    common.finish(findings, len(code), "routes")


main()
