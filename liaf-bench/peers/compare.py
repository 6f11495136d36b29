"""Times other readers and LIAF in turn on the same files: python compare.py FOLDER [--rounds N]

FOLDER holds the recordings of recordings.py. Each round runs the peer, then LIAF, each in a process
of its own that warms up once and then takes the median of five runs; so both meet the same weather.
A line gives the medians of the rounds in seconds and the medians of their ratios, by the clock and of
the time that processors were used. `--liaf` names the benchmark program (target/release/liaf-bench).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable

sys.path.append(str(Path(__file__).resolve().parents[2] / "fixtures" / "oracles"))
import decoders  # noqa: E402

WINDOW_US, HEIGHT, WIDTH = 10_000, 260, 346
RUNS = 5

#: What is timed: the file, the peer, LIAF's job, its threads, the ratio that is aimed at, if one is.
ROWS = [
    ("davis346_lz4.aedat4", "dv_processing", "decode", 1, 2.0),
    ("davis346_lz4.aedat4", "dv_processing", "decode", 2, 4.0),
    ("davis346_zstd.aedat4", "dv_processing", "decode", 2, 3.0),
    ("davis346_none.aedat4", "aedat_packets", "decode", 2, 4.0),
    ("davis346.aedat", "tonic_davis", "decode", 1, 4.0),
    ("davis346.aedat", "tonic_davis", "decode", 2, 4.0),
    ("evt3.raw", "evt3", "decode", 1, 2.5),
    ("evt3.raw", "evt3", "decode", 2, 4.0),
    ("evt2.raw", "expelliarmus_evt2", "decode", 1, 1.3),
    ("evt2.raw", "expelliarmus_evt2", "decode", 2, None),
    ("cd.dat", "expelliarmus_dat", "decode", 1, 1.3),
    ("cd.dat", "expelliarmus_dat", "decode", 2, None),
    ("dvs.es", "event_stream", "decode", 1, 4.0),
    ("dvs.es", "event_stream", "decode", 2, None),
    ("polarity.aedat3", "tonic_words", "decode", 1, 5.0),
    ("polarity.aedat3", "tonic_words", "decode", 2, None),
    ("evt21.raw", "evutils", "decode", 1, None),
    ("events.csv", "loadtxt", "decode", 1, 10.0),
    ("events.csv", "polars_1", "decode", 1, 1.0),
    ("events.csv", "polars_2", "decode", 2, 1.0),
    ("ecf.hdf5", "evlib", "decode", 1, 3.0),
    ("ecf.hdf5", "evlib", "decode", 2, None),
    ("evt3.raw", "faery_aedat4", "aedat4", 1, 5.0),
    ("evt3.raw", "faery_aedat4", "aedat4", 2, 5.0),
    ("davis346_lz4.aedat4", "tonic_gzip", "convert", 2, 12.0),
    ("davis346_lz4.aedat4", "numpy_gzip", "convert", 2, 8.0),
    ("davis346_lz4.aedat4", "numpy_plain", "plain", 2, 2.3),
]


def dv_processing(path: str, _out: str) -> Any:
    import dv_processing as dv
    import numpy as np

    reader = dv.io.MonoCameraRecording(path)
    parts = []
    while (batch := reader.getNextEventBatch()) is not None:
        parts.append(batch.numpy())
    return np.concatenate(parts)


def aedat_packets(path: str, _out: str) -> Any:
    import aedat

    return [packet["events"] for packet in aedat.Decoder(path) if "events" in packet]


def tonic_davis(path: str, _out: str) -> Any:
    import tonic.io

    return tonic.io.read_davis_346(path)


def evt3(path: str, _out: str) -> Any:
    import evt3

    return evt3.decode_file(path)


def tonic_gzip(path: str, out: str) -> Any:
    """As tonic's documentation does it, then h5py."""
    import h5py
    import tonic.io
    import tonic.transforms

    events = tonic.io.read_aedat4(path)
    events.dtype.names = ("t", "x", "y", "p")
    events = events.astype([("t", "i8"), ("x", "i2"), ("y", "i2"), ("p", "u1")])
    to_frame = tonic.transforms.ToFrame(
        sensor_size=(WIDTH, HEIGHT, 2), time_window=WINDOW_US, include_incomplete=True
    )
    frames = to_frame(events)
    with h5py.File(out, "w") as file:
        file.create_dataset("frames", data=frames, chunks=(1, 2, HEIGHT, WIDTH), compression="gzip")
    return int(frames.sum())


def numpy_frames(path: str, out: str, **compression: str) -> int:
    """Packet by packet with aedat, numpy.bincount and h5py: as good as Python gets."""
    import aedat
    import h5py
    import numpy as np

    cells, total = 2 * HEIGHT * WIDTH, 0
    with h5py.File(out, "w") as file:
        shape = (2, HEIGHT, WIDTH)
        frames = file.create_dataset(
            "frames", (0, *shape), "u2", maxshape=(None, *shape), chunks=(1, *shape), **compression
        )

        def write(flat: Any) -> int:
            counts = np.bincount(flat, minlength=cells)
            frames.resize(len(frames) + 1, 0)
            frames[-1] = counts.reshape(shape).astype("u2")
            return int(counts.sum())

        start, times, places = None, np.empty(0, "i8"), np.empty(0, "i8")
        for packet in aedat.Decoder(path):
            if "events" not in packet:
                continue
            events = packet["events"]
            flat = (events["on"].astype("i8") * HEIGHT + events["y"]) * WIDTH + events["x"]
            times = np.concatenate([times, events["t"].astype("i8")])
            places = np.concatenate([places, flat])
            start = int(times[0]) if start is None else start
            while times[-1] >= start + WINDOW_US:
                cut = np.searchsorted(times, start + WINDOW_US)
                total += write(places[:cut])
                times, places, start = times[cut:], places[cut:], start + WINDOW_US
        return total + write(places)


def numpy_gzip(path: str, out: str) -> Any:
    return numpy_frames(path, out, compression="gzip")


def numpy_plain(path: str, out: str) -> Any:
    return numpy_frames(path, out)


def tonic_words(path: str, _out: str) -> Any:
    """The half of tonic's reader of AEDAT 3 that works: the address and time of each event."""
    import tonic.io

    version, start, _ = tonic.io.read_aedat_header_from_file(path)
    words = tonic.io.get_aer_events_from_file(path, version, start)
    return words["address"], words["timeStamp"]


def loadtxt(path: str, _out: str) -> Any:
    import numpy as np

    return np.loadtxt(path, dtype=np.int64, delimiter=",", skiprows=1)


def polars_threads(threads: int) -> Callable[[str, str], Any]:
    def read(path: str, _out: str) -> Any:
        os.environ["POLARS_MAX_THREADS"] = str(threads)
        import polars

        kinds = {"t": polars.Int64, "x": polars.UInt16, "y": polars.UInt16, "p": polars.UInt8}
        return polars.read_csv(path, schema=kinds)

    return read


polars_1, polars_2 = polars_threads(1), polars_threads(2)


def faery_aedat4(path: str, out: str) -> Any:
    import faery

    return faery.events_stream_from_file(path).to_file(out + ".aedat4")


def job_of(peer: str) -> Callable[[str, str], Any]:
    """What a peer does: a function of this file, or else of the decoders that judge for the tests."""
    if peer in globals():
        return globals()[peer]
    decoder = decoders.named(peer)
    return lambda path, _out: list(decoder(path))


def time_here(job: Callable[[str, str], Any], path: str, runs: int = RUNS) -> tuple[float, float]:
    """Median seconds of some runs after one that is not counted, by the clock and of processors; files
    stay in the page cache."""
    times, cpu = [], []
    with tempfile.TemporaryDirectory(dir=Path(path).parent) as folder:
        for _ in range(1 + runs):
            start, used = time.perf_counter(), time.process_time()
            kept = job(path, os.path.join(folder, "frames.h5"))
            times.append(time.perf_counter() - start)
            cpu.append(time.process_time() - used)
            del kept
    return statistics.median(times[1:]), statistics.median(cpu[1:])


def time_peer(peer: str, path: Path, script: str = __file__) -> tuple[float, float]:
    command = [sys.executable, script, "--child", peer, str(path)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(out.splitlines()[-1])


def time_liaf(program: str, path: Path, job: str, threads: int, *options: str) -> tuple[float, float, float]:
    command = [program, "data", "--json", "--runs", str(RUNS), "--jobs", job, "-j", str(threads), path, *options]
    row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return row["s"], row["cpu_s"], row["rss_mib"]


def main() -> None:
    if len(sys.argv) == 4 and sys.argv[1] == "--child":
        print(json.dumps(time_here(job_of(sys.argv[2]), sys.argv[3])))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--liaf", default="target/release/liaf-bench")
    parser.add_argument("--only", default="", help="rows that have this text")
    args = parser.parse_args()
    print("| file | job | peer | its s | threads | LIAF s | ratio | of processor time | aim | peak MiB |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, peer, job, threads, aim in ROWS:
        if args.only not in f"{name} {peer} {job}":
            continue
        path = args.folder / name
        theirs, ours = [], []
        for _ in range(args.rounds):
            theirs.append(time_peer(peer, path))
            ours.append(time_liaf(args.liaf, path, job, threads))

        def middle(which: int) -> tuple[float, float, float]:
            pairs = [(a[which], b[which]) for a, b in zip(theirs, ours)]
            ratio = statistics.median(a / b for a, b in pairs)
            return *(statistics.median(side) for side in zip(*pairs)), ratio

        (their_s, our_s, ratio), cpu_ratio = middle(0), middle(1)[2]
        print(
            f"| {name} | {job} | {peer} | {their_s:.3f} | {threads} | {our_s:.4f} | {ratio:.2f} "
            f"| {cpu_ratio:.2f} | {aim or ''} | {max(peak for *_, peak in ours):.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
