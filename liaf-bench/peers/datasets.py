"""Times a data set of small recordings beside tonic: python datasets.py FOLDER [--rounds N] [--recordings N]

Makes recordings like those of N-MNIST in FOLDER: 34x34 pixels, 300 ms, about 4,000 events, ten classes. Then it
times, alternating, and prints medians of seconds, of ratios, and of ratios of processor time:

- convert: all recordings to samples of 10 frames of 30 ms in one HDF5 file, by `liaf dataset`, which compresses it,
  and, without compression, by tonic's ToFrame with a pool of as many processes as there are processors. The start
  of Python and its imports are not counted; the start of `liaf` is.
- epoch: all samples as shuffled batches of 32 in f32, by `liaf-bench load` and from tonic's DiskCachedDataset
  (without compression) by two worker processes, which stack the samples of a batch.
- first: the first batch of a shuffled epoch, from opening the tensor file on, beside reading the bytes of the file,
  both by `liaf-bench load` from a file without compression. With "in memory", all samples are read first.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any, Callable

import h5py
import numpy as np
import tonic

SIDE, STEPS, WINDOW_US, BATCH, WORKERS = 34, 10, 30_000, 32, 2
SENSOR = (SIDE, SIDE, 2)
EVENT = np.dtype([("x", "i2"), ("y", "i2"), ("t", "i8"), ("p", "i2")])


def make(folder: Path, recordings: int) -> list[Path]:
    """Recordings of a blob that moves in three saccades, and noise, as N-MNIST stores them."""
    rng = np.random.default_rng(5)
    paths = []
    for number in range(recordings):
        path = folder / str(number % 10) / f"{number:05}.bin"
        paths.append(path)
        if path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        n = int(rng.integers(3_000, 5_000))
        t = np.sort(rng.integers(0, STEPS * WINDOW_US, n))
        angle = 2 * np.pi * (t / 100_000 + number % 10 / 10)
        x = np.clip(16 + 6 * np.cos(angle) + rng.normal(0, 4, n), 0, SIDE - 1).astype("u4")
        y = np.clip(16 + 6 * np.sin(angle) + rng.normal(0, 4, n), 0, SIDE - 1).astype("u4")
        bits = rng.integers(0, 2, n) << 23 | t
        rows = np.stack([x, y, bits >> 16, bits >> 8 & 255, bits & 255], axis=1)
        path.write_bytes(rows.astype("u1").tobytes())
    return paths


def frames_of(path: Path) -> np.ndarray:
    """The frames of a recording, u8, as many as a sample has."""
    events = tonic.io.read_mnist_file(str(path), EVENT)
    to_frame = tonic.transforms.ToFrame(SENSOR, time_window=WINDOW_US, include_incomplete=True)
    frames = to_frame(events)[:STEPS]
    return np.pad(frames, [(0, STEPS - len(frames)), (0, 0), (0, 0), (0, 0)]).astype("u1")


def convert(paths: list[Path], out: Path) -> None:
    shape = (len(paths), STEPS, 2, SIDE, SIDE)
    with multiprocessing.Pool() as pool, h5py.File(out, "w") as file:
        frames = file.create_dataset("frames", shape, "u1", chunks=(1, *shape[1:]))
        for number, sample in enumerate(pool.imap(frames_of, paths, chunksize=16)):
            frames[number] = sample
        file["labels"] = [int(path.parent.name) for path in paths]
        pool.close()
        pool.join()


class Recordings:
    """A data set as tonic's cache takes it."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, number: int) -> tuple[np.ndarray, int]:
        return frames_of(self.paths[number]), int(self.paths[number].parent.name)


def batch(task: tuple[str, list[int]]) -> tuple[np.ndarray, list[int]]:
    cache = tonic.DiskCachedDataset(None, task[0])
    samples = [cache[number] for number in task[1]]
    frames = np.stack([frames for frames, _ in samples]).astype("f4")
    return frames, [int(label) for _, label in samples]


def epoch(cache: str, samples: int) -> None:
    order = np.random.default_rng(1).permutation(samples).tolist()
    tasks = [(cache, order[at : at + BATCH]) for at in range(0, samples, BATCH)]
    with multiprocessing.Pool(WORKERS) as pool:
        for frames, labels in pool.imap(batch, tasks):
            assert len(frames) == len(labels)
        pool.close()
        pool.join()


def processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def timed(job: Callable[[], Any]) -> tuple[float, float]:
    start, used = time.perf_counter(), processor_seconds()
    job()
    return time.perf_counter() - start, processor_seconds() - used


def report(what: str, pairs: list[tuple[tuple[float, float], tuple[float, float]]], aim: str) -> None:
    """A row of the table: the other side of each pair comes first, and ratios are the first to the second."""
    middle = statistics.median
    theirs, ours = (middle(side[0] for side in sides) for sides in zip(*pairs))
    clock, cpu = (middle(a[which] / max(b[which], 1e-9) for a, b in pairs) for which in (0, 1))
    print(f"| {what} | {theirs:.4f} | {ours:.4f} | {clock:.2f} | {cpu:.2f} | {aim} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--recordings", type=int, default=1000)
    parser.add_argument("--programs", type=Path, default="target/release", help="where liaf and liaf-bench are")
    args = parser.parse_args()
    source = args.folder / "recordings"
    paths = sorted(make(source, args.recordings))
    theirs, ours, cache = args.folder / "tonic.h5", args.folder / "liaf.h5", str(args.folder / "cache")
    plain = args.folder / "liaf.safetensors"

    def liaf_dataset(out: Path = ours) -> None:
        command = [args.programs / "liaf", "dataset", "folder", source, "-o", out, "--force", "--quiet"]
        command += ["--window", "30ms", "--steps", str(STEPS), "--sensor", f"{SIDE}x{SIDE}"]
        subprocess.run([*command, "--format", "ATIS bin"], check=True)

    def load() -> dict[str, float]:
        command = [args.programs / "liaf-bench", "load", plain, "--batch", str(BATCH), "-j", str(WORKERS)]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    liaf_dataset()
    liaf_dataset(plain)
    convert(paths, theirs)
    with h5py.File(ours) as a, h5py.File(theirs) as b:
        assert np.array_equal(a["frames"][:], b["frames"][:]) and np.array_equal(a["labels"][:], b["labels"][:])
    shutil.rmtree(cache, ignore_errors=True)
    cached = tonic.DiskCachedDataset(Recordings(paths), cache, compress=False)
    assert sum(cached[number][0] is not None for number in range(len(paths))) == len(paths)

    print("| what | other s | LIAF s | ratio | of processor time | aim |")
    print("|---|---|---|---|---|---|")
    pairs = []
    for _ in range(args.rounds):
        ours.unlink()
        pairs.append((timed(lambda: convert(paths, theirs)), timed(liaf_dataset)))
    report("convert", pairs, "15")
    pairs, first, held = [], [], []
    for _ in range(args.rounds):
        peer, row = timed(lambda: epoch(cache, len(paths))), load()
        pairs.append((peer, (row["epoch"], row["epoch_cpu"])))
        bytes_read = (row["read"], row["read_cpu"])
        first.append((bytes_read, (row["first"], row["first_cpu"])))
        held.append((bytes_read, (row["held"], row["held_cpu"])))
    report("epoch", pairs, "5")
    report("bytes / first batch", first, "at least 1/3")
    report("bytes / first batch with all in memory", held, "at least 1/3")
    print(f"{os.path.getsize(plain) / 1e6:.1f} MB, {args.recordings} samples")


if __name__ == "__main__":
    main()
