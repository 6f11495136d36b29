"""Makes recordings of 10 million events to time readers with: python recordings.py FOLDER [--events N]

Ten seconds of a 346x260 sensor: bars that cross it at several speeds, neighbours in x that fire
together, and 5 % noise. The same events are written by the encoders of other projects, and as
AEDAT 2.0 by its trivial layout.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

WIDTH, HEIGHT, SECONDS = 346, 260, 10
UNIX_START = 1_700_000_000_000_000
EVENT = np.dtype([("t", "<i8"), ("x", "<u2"), ("y", "<u2"), ("p", "u1")])


def scene(count: int) -> np.ndarray:
    """`count` events in order of time."""
    rng = np.random.default_rng(11)
    runs = count // 2 + 1000
    t = np.sort(rng.integers(0, SECONDS * 1_000_000, runs))
    bar = rng.integers(0, 5, runs)
    y = rng.integers(0, HEIGHT, runs)
    speed = np.array([70, -110, 190, -260, 350])[bar]
    slant = np.array([0.2, -0.4, 0.0, 0.7, -0.1])[bar]
    x = (70 * bar + speed * t / 1e6 + slant * y + rng.normal(0, 0.9, runs)) % WIDTH
    length = np.clip(rng.geometric(0.42, runs), 1, 12)
    noise = rng.random(runs) < 0.1
    x[noise], length[noise] = rng.integers(0, WIDTH, noise.sum()), 1
    x = x.astype(int)
    length = np.minimum(length, WIDTH - x)
    on = (bar % 2 == 0) ^ (rng.random(runs) < 0.04)
    step = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    events = np.zeros(length.sum(), EVENT)
    events["t"], events["y"] = np.repeat(t, length), np.repeat(y, length)
    events["x"], events["p"] = np.repeat(x, length) + step, np.repeat(on, length)
    return events[:count]


def write_aedat4(events: np.ndarray, folder: Path) -> None:
    """By dv-processing, a packet every 10 ms, in each compression."""
    import dv_processing as dv

    writers = []
    for name in ("NONE", "LZ4", "ZSTD"):
        config = dv.io.MonoCameraWriter.Config("bench", getattr(dv.CompressionType, name))
        config.addEventStream((WIDTH, HEIGHT))
        path = folder / f"davis346_{name.lower()}.aedat4"
        writers.append(dv.io.MonoCameraWriter(str(path), config))
    cuts = np.searchsorted(events["t"], np.arange(0, SECONDS * 1_000_000 + 1, 10_000))
    for start, end in zip(cuts[:-1], cuts[1:]):
        store = dv.EventStore()
        packet = events[start:end]
        columns = (packet["t"] + UNIX_START, packet["x"], packet["y"], packet["p"] > 0)
        for event in zip(*(column.tolist() for column in columns)):
            store.push_back(*event)
        if start < end:
            for writer in writers:
                writer.writeEvents(store)


def write_evt3(events: np.ndarray, folder: Path) -> None:
    """By faery."""
    import faery

    array = np.zeros(len(events), faery.EVENTS_DTYPE)
    for theirs, ours in (("t", "t"), ("x", "x"), ("y", "y"), ("on", "p")):
        array[theirs] = events[ours]
    stream = faery.events_stream_from_array(array, dimensions=(WIDTH, HEIGHT))
    stream.to_file(folder / "evt3.raw", version="evt3", zero_t0=False)


def write_aedat2(events: np.ndarray, folder: Path) -> None:
    """Big-endian address and time; rows and columns count from the far end."""
    words = np.empty((len(events), 2), ">u4")
    x, y = WIDTH - 1 - events["x"].astype("u4"), HEIGHT - 1 - events["y"].astype("u4")
    words[:, 0] = y << 22 | x << 12 | events["p"].astype("u4") << 11
    words[:, 1] = events["t"]
    header = b"#!AER-DAT2.0\r\n# Creation time: System.currentTimeMillis() 1700000000000\r\n"
    (folder / "davis346.aedat").write_bytes(header + words.tobytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, default=10_000_000)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    events = scene(args.events)
    for write in (write_aedat2, write_evt3, write_aedat4):
        write(events, args.folder)
    for path in sorted(args.folder.iterdir()):
        print(f"{path.stat().st_size / 1e6:9.1f} MB  {path.name}")


if __name__ == "__main__":
    main()
