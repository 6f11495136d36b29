"""Runs the fuzz targets one after the other and prints a row of Markdown for each.

    python seed.py
    cargo fuzz build -s none -a --no-trace-compares
    python campaign.py --runs 8000000 decode_evt3 ...        # all that were built if none is named

Without the tracing of compared numbers a target runs two to four times as fast; build without that
option for fewer, deeper runs. The corpus grows in corpus/, finds are in artifacts/. Interrupt it
and the rows so far stand.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def commit() -> str:
    command = ["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def run(binary: Path, runs: int, max_len: int) -> tuple[int, float, list[str]]:
    """Executions, seconds, and the names of what was found."""
    corpus = HERE / "corpus" / binary.name
    artifacts = HERE / "artifacts" / binary.name
    artifacts.mkdir(parents=True, exist_ok=True)
    corpus.mkdir(parents=True, exist_ok=True)
    command = [
        str(binary), str(corpus), f"-runs={runs}", f"-max_len={max_len}", "-timeout=10",
        "-rss_limit_mb=512", "-reload=0", "-print_final_stats=1", f"-artifact_prefix={artifacts}/",
    ]  # fmt: skip
    before = set(artifacts.iterdir())
    start = time.monotonic()
    log = subprocess.run(command, capture_output=True, text=True, errors="replace").stderr
    seconds = time.monotonic() - start
    done = re.search(r"number_of_executed_units:\s*(\d+)", log)
    found = sorted(path.name for path in set(artifacts.iterdir()) - before)
    if done is None:
        found.append(f"no end: {log[-300:]!r}")
    return int(done[1]) if done else 0, seconds, found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--max-len", type=int, default=512)
    parser.add_argument("--binaries", type=Path, help="folder of the built targets")
    options = parser.parse_args()
    folder = options.binaries or next((HERE / "target").glob("*/release"))
    built = (p.stem for p in (HERE / "fuzz_targets").glob("*.rs") if (folder / p.stem).exists())
    targets = options.targets or sorted(built)
    at = commit()
    for target in targets:
        runs, seconds, found = run(folder / target, options.runs, options.max_len)
        finds = ", ".join(found) or "none"
        print(f"| `{target}` | {at} | {runs} | {options.max_len} | {seconds:.0f} s | {finds} |", flush=True)


if __name__ == "__main__":
    main()
