"""What readers make of damaged files: python corrupt.py [--variants N] [--liaf PROGRAM] [--out FILE]

Takes one good recording of each format from fixtures/good, damages it in N seeded ways, and lets each
reader that knows the format read each variant in a child process. Counted are:

    same      no error, and the events are those of the good file (the damage does not show)
    error     an error (an exception, or exit code 1), and no events
    told      events, and a report or warning that something was wrong
    unsaid    events that differ from those of the good file, and not a word
    panic     a panic that the language binding passes on, or an abort or a signal: the reader is gone
    hang      no answer within ten seconds

`saved` is the share of the good file's events that were given, over all variants: readers that salvage
give more. `peak` is the largest resident set of a child in MiB.
"""

from __future__ import annotations

import argparse
import collections
import json
import random
import resource
import select
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
SEED, SECONDS, SENSOR = 20_260_101, 10, "346x260"

#: Format: the recording, its header's bytes, and who reads it.
FILES = {
    "AEDAT 4 LZ4": ("aedat4/dv_lz4.aedat4", ["dv_processing", "aedat", "faery"]),
    "AEDAT 4 ZSTD": ("aedat4/dv_zstd.aedat4", ["dv_processing", "aedat", "faery"]),
    "AEDAT 4 none": ("aedat4/dv_none.aedat4", ["dv_processing", "aedat", "faery"]),
    "EVT 2.0": ("evt2/faery.raw", ["expelliarmus_evt2", "faery", "evlib"]),
    "EVT 3.0": ("evt3/faery_vectors.raw", ["evt3", "faery", "evlib"]),
    "DAT": ("dat/faery_cd.dat", ["expelliarmus_dat", "faery"]),
    "Event Stream": ("event_stream/dvs.es", ["event_stream", "faery"]),
}


def dv_processing(path: str) -> Iterator[Any]:
    import dv_processing as dv

    reader = dv.io.MonoCameraRecording(path)
    while reader.isRunning() and (batch := reader.getNextEventBatch()) is not None:
        array = batch.numpy()
        yield array["timestamp"], array["x"], array["polarity"]


def aedat(path: str) -> Iterator[Any]:
    import aedat

    for packet in aedat.Decoder(path):
        if "events" in packet:
            yield packet["events"]["t"], packet["events"]["x"], packet["events"]["on"]


def faery(path: str) -> Iterator[Any]:
    import faery

    stream = faery.events_stream_from_file(path, dimensions_fallback=(346, 260))
    for events in stream:
        yield events["t"], events["x"], events["on"]


def evlib(path: str) -> Iterator[Any]:
    import evlib
    import polars as pl

    frame = evlib.load_events(path).collect()
    yield frame["t"].cast(pl.Int64).to_numpy(), frame["x"].to_numpy(), frame["polarity"].to_numpy()


def evt3(path: str) -> Iterator[Any]:
    import evt3

    events = evt3.decode_file(path)
    yield events.timestamp, events.x, events.polarity


def event_stream(path: str) -> Iterator[Any]:
    import event_stream

    for events in event_stream.Decoder(path):
        yield events["t"], events["x"], events[events.dtype.names[3]]


def expelliarmus(encoding: str) -> Callable[[str], Iterator[Any]]:
    def read(path: str) -> Iterator[Any]:
        from expelliarmus import Wizard

        events = Wizard(encoding=encoding).read(path)
        yield events["t"], events["x"], events["p"]

    return read


expelliarmus_evt2, expelliarmus_dat = expelliarmus("evt2"), expelliarmus("dat")


def keys(columns: Any) -> collections.Counter[int]:
    """How often each event is there; y is left out, since some readers turn it."""
    import numpy as np

    total: collections.Counter[int] = collections.Counter()
    for t, x, p in columns:
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


def worker(peer: str, name: str, first: int, count: int) -> None:
    """Reads variants one after another and says a line of each; what ends this process ends with one."""
    data = (ROOT / "fixtures/good" / name).read_bytes()
    read = globals()[peer]
    truth = keys(read(str(ROOT / "fixtures/good" / name)))
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / Path(name).name
        for number in range(first, first + count):
            path.write_bytes(variant(data, number))
            print(json.dumps({"begin": number}), flush=True)
            given: list[Any] = []
            try:
                for columns in read(str(path)):
                    given.append(tuple(c.copy() for c in columns))
                outcome = "same" if keys(given) == truth else "unsaid"
            except Exception as error:
                outcome = "panic" if "panic" in type(error).__name__.lower() else "error"
            except BaseException:
                outcome = "panic"
            found = keys(given)
            saved = sum((found & truth).values()) / max(1, sum(truth.values()))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(json.dumps({"end": number, "is": outcome, "saved": saved, "peak": peak}), flush=True)


def watch(peer: str, name: str, count: int) -> tuple[collections.Counter[str], float, int]:
    """Runs workers until every variant has its outcome."""
    outcomes: collections.Counter[str] = collections.Counter()
    saved, peak, done = 0.0, 0, 0
    while done < count:
        command = [sys.executable, __file__, "--worker", peer, name, str(done), str(count - done)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert child.stdout
        began = None
        while True:
            ready, _, _ = select.select([child.stdout], [], [], 60 if began is None else SECONDS)
            line = child.stdout.readline() if ready else ""
            if not line:
                break
            said = json.loads(line)
            if "begin" in said:
                began = said["begin"]
                continue
            began, done = None, said["end"] + 1
            outcomes[said["is"]] += 1
            saved, peak = saved + said["saved"], max(peak, said["peak"])
        hung = child.poll() is None and not ready
        child.kill()
        child.wait()
        if done < count:
            if began is None and not hung and outcomes.total() == done == 0:
                raise SystemExit(f"{peer} cannot read the good {name}")
            outcomes["hang" if hung else "panic"] += 1
            done += 1
    return outcomes, saved / count, peak


def liaf(program: str, name: str, count: int) -> tuple[collections.Counter[str], float, int]:
    """LIAF, one process a variant: what it gives, and whether it said that something was wrong."""
    import numpy as np

    good = ROOT / "fixtures/good" / name
    data = good.read_bytes()
    outcomes: collections.Counter[str] = collections.Counter()
    saved = 0.0
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / good.name, Path(folder) / "events.csv"

        def read(file: Path) -> tuple[str, Any, str]:
            out.unlink(missing_ok=True)
            command = [program, "convert", str(file), "-o", str(out), "--sensor", SENSOR]
            try:
                ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
            except subprocess.TimeoutExpired:
                return "hang", [], ""
            if ran.returncode not in (0, 1) or "panicked" in ran.stderr:
                return "panic", [], ran.stderr
            events = np.loadtxt(out, delimiter=",", skiprows=1, dtype="i8", ndmin=2) if out.exists() else None
            given = [] if events is None or not events.size else [(events[:, 0], events[:, 1], events[:, 3])]
            return ("events" if out.exists() else "error"), given, ran.stderr

        _, columns, quiet = read(good)
        truth = keys(columns)
        for number in range(count):
            path.write_bytes(variant(data, number))
            outcome, columns, said = read(path)
            found = keys(columns)
            if outcome == "events":
                told = "warning" in said or " unusable" in said and ", 0 unusable" not in said
                told = told or said.count("also") > quiet.count("also") or "skipped" in said
                outcome = "same" if found == truth else "told" if told else "unsaid"
            outcomes[outcome] += 1
            saved += sum((found & truth).values()) / max(1, sum(truth.values()))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    return outcomes, saved / count, peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--variants", type=int, default=300)
    parser.add_argument("--liaf", default=str(ROOT / "target/release/liaf"))
    parser.add_argument("--only", default="", help="formats that contain this")
    args = parser.parse_args()
    kinds = ["same", "error", "told", "unsaid", "panic", "hang"]
    print(f"| format | reader | {' | '.join(kinds)} | saved | peak MiB |")
    print("|---|---|" + "--:|" * (len(kinds) + 2))
    for form, (name, peers) in FILES.items():
        if args.only not in form or not (ROOT / "fixtures/good" / name).exists():
            continue
        for peer in ["liaf", *peers]:
            result = liaf(args.liaf, name, args.variants) if peer == "liaf" else watch(peer, name, args.variants)
            outcomes, saved, peak = result
            row = " | ".join(str(outcomes[kind]) for kind in kinds)
            print(f"| {form} | {peer.split('_evt')[0].split('_dat')[0]} | {row} | {saved:.0%} | {peak} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        worker(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    else:
        main()
