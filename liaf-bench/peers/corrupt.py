"""What readers make of damaged files: python corrupt.py [--variants N] [--only FORMAT] [--liaf PROGRAM]

Takes one good recording of each format from fixtures/good, damages it in N seeded ways, and lets each
reader that claims the format (fixtures/oracles/decoders.py) read each variant in a child process, with
4 GiB of memory. Counted are:

    same      no error, and the events are those of the good file: the damage does not matter
    error     an error (an exception; exit code 1)
    told      events, and a warning or report that something is wrong
    unseen    other events than in the good file and not a word, but nothing in the file shows that
              it is damaged (sound.py): no reader could know
    silent    other events or fewer and not a word, where the file does show it
    crash     a panic that the language binding passes on, an abort or a signal: the reader is gone
    hang      no answer after 3 s of processor time or a minute, for files of 1 to 40 kB

`of` is the number of variants; a reader that hangs ten times is not asked further. `kept` is the share of
the good file's events that were given, over all variants, with an error or without: readers that save
what is whole give more. `peak` is the largest resident set of a child in MiB. Readers that find other
events in the good file are left out.

    python corrupt.py --why FORMAT READER NUMBER     what became of one variant
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import queue
import random
import resource
import subprocess
import sys
import tempfile
import threading
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator

import numpy as np

import sound

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "fixtures/oracles"))
import decoders  # noqa: E402
import containers  # noqa: E402

READERS = decoders.READERS | containers.READERS

SEED, MEMORY = 20_260_101, 4 << 30
PROCESSOR_SECONDS, SECONDS, HANGS = 3, 60, 10
KINDS = ["same", "error", "told", "unseen", "silent", "crash", "hang"]

#: What is damaged: a name for the table, the recording, its format.
FILES = [
    ("AEDAT 2.0", "aedat2/davis346.aedat", "AEDAT 2.0"),
    ("AEDAT 3.1", "aedat3/dvs128.aedat", "AEDAT 3"),
    ("AEDAT 4 LZ4", "aedat4/dv_lz4.aedat4", "AEDAT 4.0"),
    ("AEDAT 4 ZSTD", "aedat4/dv_zstd.aedat4", "AEDAT 4.0"),
    ("AEDAT 4 none", "aedat4/dv_none.aedat4", "AEDAT 4.0"),
    ("EVT 2.0", "evt2/faery.raw", "EVT 2.0"),
    ("EVT 2.1", "evt21/little.raw", "EVT 2.1"),
    ("EVT 3.0", "evt3/faery_vectors.raw", "EVT 3.0"),
    ("DAT", "dat/faery_cd.dat", "DAT"),
    ("Event Stream", "event_stream/dvs.es", "Event Stream"),
    ("ATIS bin", "atis_bin/nmnist.bin", "ATIS bin"),
    ("CSV", "csv/faery.csv", "CSV"),
    ("E2VID text", "csv/rpg_seconds.txt", "E2VID"),
    ("npy", "numpy/tiny.npy", "npy"),
    ("npz", "numpy/four_deflated.npz", "npz"),
    ("MAT 5", "mat/asl_dvs.mat", "MAT 5"),
    ("HDF5 Blosc", "hdf5/blosc_lz4.h5", "HDF5"),
    ("MAT 5 struct", "mat/td_struct.mat", "MAT 5 struct"),
    ("HDF5 deflate", "hdf5/rvt.h5", "HDF5"),
    ("ROS bag", "rosbag/tiny_none.bag", "ROS 1 bag"),
    ("ROS bag LZ4", "rosbag/tiny_lz4.bag", "ROS 1 bag"),
    ("ROS bag bzip2", "rosbag/tiny_bz2.bag", "ROS 1 bag"),
    ("MCAP", "mcap/tiny_none.mcap", "MCAP"),
    ("MCAP LZ4", "mcap/tiny_lz4.mcap", "MCAP"),
    ("CSV in gzip", "../packed/tiny.csv.gz", "CSV.gz"),
    ("CSV in xz", "../packed/tiny.csv.xz", "CSV.xz"),
    ("CSV in ZSTD", "../packed/frames.csv.zst", "CSV.zst"),
]


def keys(columns: Any) -> collections.Counter[int]:
    """How often each event is there; y is left out, since some readers turn it."""
    total: collections.Counter[int] = collections.Counter()
    for t, x, _, p in columns:
        t, x, p = (np.asarray(c).astype("i8") for c in (t, x, p))
        total.update(((t << 17) + (x << 1) + (p > 0)).tolist())
    return total


def damage(data: bytes, rng: random.Random) -> bytes:
    """One to three changes: cut, bits, bytes, pieces deleted, inserted, doubled, lies in place of numbers."""
    b = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(max(len(b), 1))
        end = min(len(b), at + rng.randint(1, 64))
        kind = rng.randrange(8)
        if kind == 0:
            del b[at:]
        elif kind == 1:
            if at < len(b):
                b[at] ^= 1 << rng.randrange(8)
        elif kind == 2:
            b[at:end] = bytes([rng.choice((0, 255))]) * (end - at)
        elif kind == 3:
            b[at:end] = rng.randbytes(end - at)
        elif kind == 4:
            del b[at:end]
        elif kind == 5:
            b[at:at] = rng.randbytes(end - at)
        elif kind == 6:
            b[at:at] = b[at:end]
        else:
            lie = rng.choice((0, 1, 2**31 - 1, 2**31, 2**32 - 1, len(b)))
            b[at : at + 4] = lie.to_bytes(4, "little")[: max(0, len(b) - at)]
    return bytes(b)


def variant(data: bytes, number: int) -> bytes:
    return damage(data, random.Random(SEED + number))


@dataclass
class Result:
    """What a reader made of all variants."""

    outcomes: collections.Counter[str] = field(default_factory=collections.Counter)
    kept: float = 0
    peak: int = 0
    #: For each variant without an error or a word: a number that its events have.
    quiet: dict[int, int] = field(default_factory=dict)
    silent: list[int] = field(default_factory=list)

    def add(self, number: int, outcome: str, kept: float, peak: int, mark: int | None) -> None:
        self.outcomes[outcome] += 1
        self.kept += kept
        self.peak = max(self.peak, peak)
        if outcome in ("unseen", "silent") and mark is not None:
            self.quiet[number] = mark
        if outcome == "silent":
            self.silent.append(number)


def judge(found: collections.Counter[int], truth: collections.Counter[int], told: bool, form: str, data: bytes) -> str:
    """The outcome of a read without an error."""
    if found == truth:
        return "same"
    if told:
        return "told"
    return "silent" if sound.fault(form, data) else "unseen"


def mark(found: collections.Counter[int]) -> int:
    """A number that depends on how many events there are at which times, and not on x and p, which some
    readers turn."""
    times = collections.Counter()
    for key, count in found.items():
        times[key >> 17] += count
    return sum((t * 0x9E37_79B9_7F4A_7C15 + n * n) % (1 << 61) for t, n in times.items())


def share(found: collections.Counter[int], truth: collections.Counter[int]) -> float:
    return sum((found & truth).values()) / max(1, sum(truth.values()))


# --- readers of others ---------------------------------------------------------------------------


@contextlib.contextmanager
def overheard() -> Iterator[list[str]]:
    """All that is printed by Python or from below it, and Python's warnings."""
    said: list[str] = []
    with tempfile.TemporaryFile() as file, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for kind in (ResourceWarning, DeprecationWarning):  # of the reader's own code, not of the file
            warnings.simplefilter("ignore", kind)
        kept = [os.dup(n) for n in (1, 2)]
        for n in (1, 2):
            os.dup2(file.fileno(), n)
        try:
            yield said
        finally:
            for n, copy in zip((1, 2), kept):
                os.dup2(copy, n)
                os.close(copy)
            file.seek(0)
            said += [str(w.message) for w in warned] + file.read().decode(errors="replace").splitlines()


def worker(peer: str, name: str, form: str, first: int, count: int) -> None:
    """Reads variants one after another and says a line of each; what ends this process ends with one."""
    out = os.fdopen(os.dup(1), "w")
    good = ROOT / "fixtures/good" / name
    data, read = good.read_bytes(), READERS[form][peer]
    with overheard() as usual:
        truth = keys(read(str(good)))
    print(json.dumps({"truth": mark(truth)}), file=out, flush=True)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / good.name
        for number in range(first, first + count):
            damaged = variant(data, number)
            path.write_bytes(damaged)
            print(json.dumps({"begin": number}), file=out, flush=True)
            given: list[Any] = []
            why = ""
            with overheard() as said:
                try:
                    for columns in read(str(path)):
                        given.append(tuple(np.array(c) for c in columns))
                    outcome = ""
                except Exception as error:
                    outcome = "crash" if "panic" in type(error).__name__.lower() else "error"
                    why = f"{type(error).__name__}: {error}"
                except BaseException as error:
                    outcome, why = "crash", f"{type(error).__name__}: {error}"
            found = keys(given)
            said = [line for line in said if line not in usual]
            outcome = outcome or judge(found, truth, bool(said), form, damaged)
            why = why or "; ".join(said[:3]) or sound.fault(form, damaged) or ""
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            line = {"end": number, "is": outcome, "kept": share(found, truth), "peak": peak}
            print(json.dumps(line | {"mark": mark(found), "why": why[:300]}), file=out, flush=True)


def processor_seconds(pid: int) -> float:
    """What a process has used so far."""
    times = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")


class Lines:
    """The lines of a worker as they come."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self.child, self.queue = child, queue.SimpleQueue[str]()
        threading.Thread(target=self.take, daemon=True).start()

    def take(self) -> None:
        assert self.child.stdout
        for line in self.child.stdout:
            self.queue.put(line)
        self.queue.put("")

    def next(self, is_reading: bool) -> str | None:
        """The next one; empty at the end, `None` if the worker hangs."""
        used = processor_seconds(self.child.pid)
        for _ in range(SECONDS if is_reading else 4 * SECONDS):
            with contextlib.suppress(queue.Empty):
                return self.queue.get(timeout=1)
            if is_reading and processor_seconds(self.child.pid) - used > PROCESSOR_SECONDS:
                return None
        return None


def watch(
    peer: str, name: str, form: str, truth: int, first: int, count: int, why: bool = False
) -> Result | str:
    """Runs workers until every variant has its outcome; or why it is not asked."""
    result, done, last = Result(), first, first + count
    while done < last and result.outcomes["hang"] < HANGS:
        command = [sys.executable, __file__, "--worker", peer, name, form, str(done), str(last - done)]
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        began, lines = None, Lines(child)
        while line := lines.next(began is not None):
            said = json.loads(line)
            if said.get("truth", truth) != truth:
                child.kill()
                child.wait()
                return "finds other events in the good file"
            if "truth" in said:
                continue
            if "begin" in said:
                began = said["begin"]
                continue
            began, done = None, said["end"] + 1
            result.add(said["end"], said["is"], said["kept"], said["peak"], said["mark"])
            if why:
                print(f"{peer}: {said['is']}, {said['kept']:.0%} kept: {said['why']}")
        child.kill()
        code = child.wait()
        if done < last:
            if began is None and result.outcomes.total() == 0:
                return "cannot read the good file"
            kind = "hang" if line is None else "crash"
            result.add(done, kind, 0, 0, None)
            if why:
                print(f"{peer}: {kind}: exit code {code}")
            done += 1
    return result


# --- LIAF ----------------------------------------------------------------------------------------


#: Starts programs from a process that is small, as a child's largest resident set is never below what
#: its parent had when it was started. Takes a command as JSON a line, gives exit code, MiB and stderr.
STARTER = """
import json, os, select, subprocess, sys
for line in sys.stdin:
    command, seconds = json.loads(line)
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    answers = bool(select.select([child.stderr], [], [], seconds)[0])
    if not answers:
        child.kill()
    said = child.stderr.read().decode(errors="replace")
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    code = child.returncode if answers else None
    print(json.dumps([code, usage.ru_maxrss // 1024, said]), flush=True)
"""


class Liaf:
    """`liaf convert`, a process a variant: what it gives, and whether it said that something is wrong."""

    def __init__(self, program: str, name: str, form: str, folder: Path) -> None:
        self.program, self.form = program, form
        good = ROOT / "fixtures/good" / name
        self.data = good.read_bytes()
        self.path, self.out = folder / good.name, folder / "events.aedat4"
        command = [sys.executable, "-I", "-S", "-c", STARTER]
        self.starter = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.path.write_bytes(self.data)
        _, given, self.usual, _ = self.run()
        self.truth = keys(given)

    def run(self) -> tuple[str, list[Any], set[str], int]:
        """Outcome as far as the process tells, events, what was said, and its memory in MiB."""
        self.out.unlink(missing_ok=True)
        command = [self.program, "convert", str(self.path), "-o", str(self.out), "--compress", "none", "--no-sync"]
        assert self.starter.stdin and self.starter.stdout
        # Nothing is said before the end.
        print(json.dumps([command, SECONDS]), file=self.starter.stdin, flush=True)
        code, peak, said = json.loads(self.starter.stdout.readline())
        # Numbers differ from file to file, and so do the paths; what counts is what is spoken of.
        lines = [line.split(": warning: ")[-1].strip() for line in said.splitlines()]
        words = {"".join(c for c in line if not c.isdigit() and c not in ",.") for line in lines[2:]}
        words |= {"unusable"} if " unusable" in said and ", 0 unusable" not in said else set()
        if code is None:
            return "hang", [], words, peak
        if code not in (0, 1) or "panicked" in said:
            return "crash", [], {said}, peak
        if not self.out.exists():
            return "error", [], {said.strip()}, peak
        return "", list(decoders.aedat(str(self.out))), words, peak

    def close(self) -> None:
        self.starter.terminate()
        self.starter.wait()

    def read(self, number: int) -> tuple[str, float, int, int | None, str]:
        damaged = variant(self.data, number)
        self.path.write_bytes(damaged)
        outcome, given, said, peak = self.run()
        found = keys(given)
        new = {word for word in said - self.usual if "events:" not in word}
        outcome = outcome or judge(found, self.truth, bool(new), self.form, damaged)
        why = "; ".join(sorted(new)) or sound.fault(self.form, damaged) or ""
        return outcome, share(found, self.truth), peak, mark(found), why


def liaf(
    program: str, name: str, form: str, first: int, count: int, why: bool = False
) -> tuple[Result, int]:
    """What LIAF makes of the variants, and a number that the events of the good file have."""
    result = Result()
    with tempfile.TemporaryDirectory() as folder:
        reader = Liaf(program, name, form, Path(folder))
        for number in range(first, first + count):
            outcome, kept, peak, events, text = reader.read(number)
            result.add(number, outcome, kept, peak, events)
            if why:
                print(f"liaf: {outcome}, {kept:.0%} kept: {text}")
        reader.close()
    return result, mark(reader.truth)


# --- the table -----------------------------------------------------------------------------------


def check(form: str, results: dict[str, Result]) -> None:
    """Says which variants a reader took without a word, and whether another one agrees on ours."""
    for peer, result in results.items():
        if result.silent:
            print(f"{form}: {peer}: silent at {result.silent[:20]}", file=sys.stderr)
    ours = results["liaf"].quiet
    others = [result.quiet for peer, result in results.items() if peer != "liaf"]
    alone = [n for n, events in ours.items() if all(other.get(n) != events for other in others)]
    print(f"{form}: liaf: {len(ours)} unseen, of which others find the same events in {len(ours) - len(alone)}; "
          f"not in {alone[:20]}", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--variants", type=int, default=300)
    parser.add_argument("--liaf", default=str(ROOT / "target/release/liaf"))
    parser.add_argument("--only", default="", help="formats that contain this")
    parser.add_argument("--why", nargs=3, metavar=("FORMAT", "READER", "NUMBER"), help="explain one variant")
    args = parser.parse_args()
    if args.why:
        _, name, form = next(file for file in FILES if file[0] == args.why[0])
        number = int(args.why[2])
        _, truth = liaf(args.liaf, name, form, number, 1, why=args.why[1] == "liaf")
        if args.why[1] != "liaf":
            watch(args.why[1], name, form, truth, number, 1, why=True)
        return
    print(f"| format | reader | of | {' | '.join(KINDS)} | kept | peak MiB |")
    print("|---|---|" + "--:|" * (len(KINDS) + 3))
    for title, name, form in FILES:
        if args.only not in title:
            continue
        ours, truth = liaf(args.liaf, name, form, 0, args.variants)
        results = {"liaf": ours}
        row(title, "liaf", ours)
        for peer in READERS[form]:
            read = watch(peer, name, form, truth, 0, args.variants)
            if isinstance(read, str):
                print(f"{title}: {peer}: left out: {read}", file=sys.stderr)
                continue
            results[peer] = read
            row(title, peer, read)
        check(title, results)


def row(title: str, peer: str, read: Result) -> None:
    """A line of the table."""
    asked = read.outcomes.total()
    numbers = " | ".join(str(read.outcomes[kind] or "") for kind in KINDS)
    print(f"| {title} | {peer} | {asked} | {numbers} | {read.kept / asked:.0%} | {read.peak} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        worker(*sys.argv[2:5], int(sys.argv[5]), int(sys.argv[6]))
    else:
        main()
