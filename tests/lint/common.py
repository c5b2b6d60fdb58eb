"""What the lint tests share: the files of the project, and how a finding is told."""
import os
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
NOT_OURS = {".git", "build", "node_modules", "var", "__pycache__"}


def files(*suffixes):
    """Tracked files as paths from the root; in an unpacked archive, all that are not made by a build."""
    try:
        out = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, check=True).stdout
        found = [f for f in out.decode().split("\0") if f and os.path.isfile(os.path.join(ROOT, f))]
    except (OSError, subprocess.CalledProcessError):
        found = []
        for folder, folders, names in os.walk(ROOT):
            folders[:] = [f for f in folders if f not in NOT_OURS]
            found += [os.path.relpath(os.path.join(folder, n), ROOT) for n in names]
    return sorted(f for f in found if not suffixes or f.endswith(suffixes))


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def finish(findings, checked, what):
    """Prints every finding and ends: 1 when there is one, or when nothing was looked at."""
    for finding in findings:
        print(finding)
    if checked == 0:
        print(f"nothing was checked: no {what} found")
    print(f"{checked} {what}, {len(findings)} findings")
    sys.exit(1 if findings or checked == 0 else 0)
