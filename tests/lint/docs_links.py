#!/usr/bin/env python3
"""lint.docs-links: a relative link of a page leads to a file that is there, and to a heading that it has."""
import os
import re
import common

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.S)


def anchors(path):
    heads = re.findall(r"^#+ +(.*)$", re.sub(r"```.*?```", "", common.read(path), flags=re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in heads}


def judge(page, link):
    target, _, anchor = link.partition("#")
    path = os.path.normpath(os.path.join(os.path.dirname(page), target)) if target else page
    if path.startswith(".."):
        return "leads out of the project"
    if not os.path.exists(os.path.join(common.ROOT, path)):
        return "there is no such file"
    if anchor and path.endswith(".md") and anchor not in anchors(path):
        return f"{path} has no such heading"
    return None


def main():
    findings, checked = [], 0
    for page in common.files(".md"):
        for link in LINK.findall(CODE.sub("", common.read(page))):
            if re.match(r"[a-z]+:", link):
                continue
            checked += 1
            why = judge(page, link)
            if why:
                findings.append(f"{page}: {link}: {why}")
    common.finish(findings, checked, "links")


main()
