#!/usr/bin/env python3
"""lint.includes: which folder may include which headers. The arrows of docs/architecture.md, as a table.

A row: folder, the <...> headers of ours that it may name, and the system headers that it must not. The longest folder wins.
A "..." include names a file of the same module, never one by way of "../"."""
import fnmatch
import glob
import os
import re
import common

BASE = ["umbel/align.h", "umbel/err.h", "umbel/base.h", "umbel/bytes.h", "umbel/list.h", "umbel/map.h", "umbel/util.h"]
CRDT = sorted("umbel/" + h for h in os.listdir(os.path.join(common.ROOT, "core", "crdt", "include", "umbel")))
INSIDE_CORE = sorted("umbel/" + os.path.basename(h) for h in glob.glob(os.path.join(common.ROOT, "core", "**", "include", "umbel", "*.h"), recursive=True))
LIBUMBEL = sorted("umbel/" + h for h in os.listdir(os.path.join(common.ROOT, "include", "umbel")))
IO = ["time.h", "unistd.h", "fcntl.h", "pthread.h", "signal.h", "sys/*", "netinet/*", "arpa/*"]

TABLE = [
    # folder                 may include                                             must not include
    ("include",              LIBUMBEL,                                               []),
    ("core/lib",             LIBUMBEL,                                               []),
    ("core/lib/base",        BASE,                                                   []),
    ("core/api",             LIBUMBEL + ["umbel/api.h"],                             []),
    ("core/crdt",            BASE + CRDT,                                            IO),
    ("core/crdt/tool",       BASE + CRDT,                                            []),
    ("core/history",         BASE + CRDT + ["umbel/history.h"],                       IO),
    ("core/model",           BASE + ["umbel/model.h", "umbel/yaml.h"],               IO),
    ("core/model/files",     BASE + ["umbel/model.h", "umbel/model_files.h", "umbel/yaml.h"], []),
    ("core/store",           LIBUMBEL + ["umbel/sql.h", "umbel/sql_shared.h", "umbel/store.h", "umbel/store_shared.h", "umbel/store_transfer.h",
                                         "umbel/store_work.h"], []),
    ("core/archive",         LIBUMBEL + ["umbel/archive.h"],                         []),
    ("core/content",         LIBUMBEL + ["umbel/content.h", "umbel/content_sql.h", "umbel/sql.h", "umbel/store.h", "umbel/store_work.h"], []),
    ("core/versions",        LIBUMBEL + ["umbel/archive.h", "umbel/store.h", "umbel/versions.h"], []),
    ("core/jobs",            LIBUMBEL + ["umbel/jobs.h", "umbel/sql.h", "umbel/store_work.h"], []),
    ("core/reserve",         LIBUMBEL + ["umbel/reserve.h", "umbel/store.h", "umbel/store_shared.h"], []),
    ("core/native",          LIBUMBEL + ["umbel/native.h"],                          []),
    ("core/native/process",  ["umbel/handler.h"],                                    []),
    ("core/domain",          LIBUMBEL + ["umbel/content.h", "umbel/content_sql.h", "umbel/domain.h", "umbel/domain_calls.h", "umbel/domain_handlers.h", "umbel/jobs.h", "umbel/sql.h", "umbel/sql_shared.h",
                                         "umbel/store.h", "umbel/store_shared.h", "umbel/store_work.h", "umbel/yaml.h"], []),
    ("core/webhook",         LIBUMBEL + CRDT + ["umbel/collab.h", "umbel/jobs.h", "umbel/sql.h", "umbel/store.h", "umbel/store_work.h", "umbel/webhook.h"],
                                                                                     []),
    ("core/operations",      LIBUMBEL + ["umbel/content.h", "umbel/domain.h", "umbel/domain_calls.h", "umbel/domain_handlers.h", "umbel/jobs.h", "umbel/native.h", "umbel/operations.h",
                                         "umbel/reserve.h", "umbel/store.h", "umbel/store_shared.h", "umbel/store_work.h", "umbel/sql.h"], []),
    ("core/import",          LIBUMBEL + ["umbel/api.h", "umbel/domain.h", "umbel/domain_calls.h", "umbel/import.h", "umbel/model.h", "umbel/model_files.h", "umbel/store_shared.h"], []),
    ("core/collab",          LIBUMBEL + ["umbel/collab.h", "umbel/crdt.h", "umbel/store.h"], []),
    ("core/rest",            LIBUMBEL + CRDT + ["umbel/api.h", "umbel/rest.h", "umbel/collab.h", "umbel/content.h", "umbel/content_sql.h", "umbel/domain.h", "umbel/domain_calls.h", "umbel/history.h", "umbel/import.h", "umbel/jobs.h", "umbel/model.h", "umbel/sql.h", "umbel/store.h", "umbel/store_shared.h",
                                                  "umbel/store_work.h", "umbel/reserve.h", "umbel/versions.h"], []),
    ("core/rest/admin",      LIBUMBEL + CRDT + ["umbel/api.h", "umbel/rest.h", "umbel/collab.h", "umbel/domain.h", "umbel/sql.h", "umbel/sql_shared.h", "umbel/store.h", "umbel/store_shared.h",
                                         "umbel/store_work.h"], []),
    ("core/daemon",          LIBUMBEL + INSIDE_CORE,                                 []),
    ("gui-gateway/proxy",    LIBUMBEL + ["proxy/*"],                                 []),
    ("gui-gateway/auth",     LIBUMBEL + ["auth/*", "proxy/*"],                       []),
    ("gui-gateway/sio",      LIBUMBEL + ["proxy/*", "sio/*"],                         []),
    ("gui-gateway/daemon",   LIBUMBEL + ["auth/*", "proxy/*", "sio/*", "site.h", "assets.h", "actuator.h"], []),
    ("docs/examples",        CRDT + ["umbel/handler.h"],                             []),
    ("admin-api",            LIBUMBEL + ["umbel/store_transfer.h"],                  []),
]
OURS = ["umbel/*", "proxy/*", "auth/*", "sio/*", "site.h", "assets.h", "actuator.h"]
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def matches(header, patterns):
    return any(fnmatch.fnmatch(header, p) for p in patterns)


def row_of(path):
    rows = [r for r in TABLE if path.startswith(r[0] + "/")]
    return max(rows, key=lambda r: len(r[0]), default=None)


def judge(path, row, kind, header):
    if header.startswith("../") or "/../" in header:
        return "reaches out of its folder"
    if kind == '"':
        return None
    if matches(header, OURS) and not matches(header, row[1]):
        return f"{row[0]} may not know it"
    return f"{row[0]} does no input, output or clocks" if matches(header, row[2]) else None


def main():
    findings, checked = [], 0
    for header in INSIDE_CORE:
        if header in LIBUMBEL:
            findings.append(f"include/{header}: a header of the core among those of libumbel")
    for path in common.files(".c", ".h"):
        if path.startswith("tests/"):
            continue
        row = row_of(path)
        if row is None:
            findings.append(f"{path}: no row of the table in tests/lint/includes.py covers this folder")
            continue
        checked += 1
        for number, line in enumerate(common.read(path).splitlines(), 1):
            found = INCLUDE.match(line)
            why = judge(path, row, *found.groups()) if found else None
            if why:
                findings.append(f"{path}:{number}: {found.group(2)}: {why}")
    common.finish(findings, checked, "sources")


main()
