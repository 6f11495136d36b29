#!/usr/bin/env python3
"""Line coverage of liaf-data by its own tests, as a table: one row a folder of src/.

    .ci/coverage.py LLVM_BIN WORK [PART]

LLVM_BIN is the folder of llvm-cov and llvm-profdata of the LLVM that `rustc -vV` names; WORK a folder to
build and count in, a few gigabytes. With PART (formats/csv) the lines that no test reached are printed.
Lines of tests inside src/ do not count.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "liaf-data" / "src"
NOT_OURS = ("tests.rs", "testing.rs", "judge.rs")


def run(work: Path) -> list[str]:
    """Runs the tests; the programs that were run. Those that fail count as far as they come."""
    wrapper = work / "instrument.sh"
    wrapper.write_text('#!/bin/sh\nexec "$@" -Cinstrument-coverage\n')
    wrapper.chmod(0o755)
    for old in (work / "counts").glob("*.profraw"):
        old.unlink()
    env = os.environ | {
        "RUSTC_WORKSPACE_WRAPPER": str(wrapper),
        "CARGO_TARGET_DIR": str(work / "target"),
        "LLVM_PROFILE_FILE": str(work / "counts" / "%p.profraw"),
    }
    command = "cargo test -p liaf-data --features hdf5 --no-fail-fast --lib --tests".split()
    said = subprocess.run(command, cwd=ROOT, env=env, stderr=subprocess.PIPE, stdout=sys.stderr, text=True).stderr
    sys.stderr.write(said)
    return [str(ROOT / path) for path in re.findall(r"Running .*\((.*)\)", said)]


def count(llvm: Path, work: Path, programs: list[str]) -> dict[str, dict[int, int]]:
    """File below src/: line: how often it was reached."""
    merged = work / "merged.profdata"
    # Processes that tests kill leave half a file of counts.
    counts = [str(path) for path in (work / "counts").glob("*.profraw")]
    listed = work / "counts.txt"
    listed.write_text("\n".join(counts))
    merge = [llvm / "llvm-profdata", "merge", "-sparse", "--failure-mode=all", "-f", listed, "-o", merged]
    subprocess.run(merge, check=True, stderr=subprocess.DEVNULL)
    objects = [part for program in programs for part in ("-object", program)]
    export = [llvm / "llvm-cov", "export", "-format=lcov", f"-instr-profile={merged}", *objects]
    lines: dict[str, dict[int, int]] = defaultdict(dict)
    file = ""
    for line in subprocess.run(export, check=True, capture_output=True, text=True).stdout.splitlines():
        if line.startswith("SF:"):
            file = line[3:]
        elif line.startswith("DA:") and Path(file).is_relative_to(SRC):
            number, reached = map(int, line[3:].split(",")[:2])
            of = lines[Path(file).relative_to(SRC).as_posix()]
            of[number] = max(of.get(number, 0), reached)
    return lines


def without_tests(name: str, lines: dict[int, int]) -> dict[int, int]:
    """Those in front of a module of tests."""
    text = (SRC / name).read_text().splitlines()
    end = next((i for i, line in enumerate(text, 1) if line == "#[cfg(test)]" and text[i].startswith("mod tests {")), None)
    return {number: reached for number, reached in lines.items() if end is None or number < end}


def main() -> None:
    llvm, work = Path(sys.argv[1]), Path(sys.argv[2]).resolve()
    (work / "counts").mkdir(parents=True, exist_ok=True)
    part = sys.argv[3] if len(sys.argv) > 3 else None
    folders: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, lines in sorted(count(llvm, work, run(work)).items()):
        if name.endswith(NOT_OURS):
            continue
        lines = without_tests(name, lines)
        parents = name.split("/")[:-1]
        folder = "/".join(parents[:2]) or "lib.rs and beside it"
        missed = [number for number in sorted(lines) if lines[number] == 0]
        folders[folder][0] += len(lines)
        folders[folder][1] += len(missed)
        if part and name.startswith(part):
            text = (SRC / name).read_text().splitlines()
            print(*(f"{name}:{number}: {text[number - 1]}" for number in missed), sep="\n")
    folders["all"] = [sum(column) for column in zip(*folders.values())]
    print("| folder | lines | not reached | reached |\n|---|--:|--:|--:|")
    for folder, (lines, missed) in folders.items():
        print(f"| {folder} | {lines:,} | {missed:,} | {100 * (lines - missed) / max(lines, 1):.1f} % |")


if __name__ == "__main__":
    main()
