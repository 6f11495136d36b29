"""Makes recordings of 10 million events to time readers with: python recordings.py FOLDER [--events N]

Ten seconds of a 346x260 sensor: bars that cross it at several speeds, neighbours in x that fire
together, and 5 % noise. The same events are written by the encoders of other projects where there
is one, and else by numpy after the layout of the format.
"""

from __future__ import annotations

import argparse
import struct
import sys
from pathlib import Path

import numpy as np

WIDTH, HEIGHT, SECONDS = 346, 260, 10
FEW = 30_000
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


def write_by_faery(events: np.ndarray, folder: Path) -> None:
    """EVT 3.0, also of a few events for what takes long, EVT 2.0, DAT and Event Stream."""
    import faery

    array = np.zeros(len(events), faery.EVENTS_DTYPE)
    for theirs, ours in (("t", "t"), ("x", "x"), ("y", "y"), ("on", "p")):
        array[theirs] = events[ours]
    files = {"evt3.raw": "evt3", "evt2.raw": "evt2", "cd.dat": "dat2", "dvs.es": None, "evt3_few.raw": "evt3"}
    for name, version in files.items():
        some = array[:FEW] if "few" in name else array
        stream = faery.events_stream_from_array(some, dimensions=(WIDTH, HEIGHT))
        stream.to_file(folder / name, version=version, zero_t0=False)


def write_csv(events: np.ndarray, folder: Path) -> None:
    """By Polars: t, x, y, p in whole microseconds."""
    import polars

    columns = {name: np.ascontiguousarray(events[name]) for name in "txyp"}
    polars.DataFrame(columns).write_csv(folder / "events.csv")


def write_evt21(events: np.ndarray, folder: Path) -> None:
    """By its layout: a time word every 64 us, and a word for the pixels of a row of 32 that spike at
    one time, as cameras send them."""
    t, x, y, p = (events[name].astype(np.uint64) for name in "txyp")
    new = np.ones(len(t), bool)
    new[1:] = (t[1:] != t[:-1]) | (y[1:] != y[:-1]) | (p[1:] != p[:-1])
    new[1:] |= (x[1:] >> 5 != x[:-1] >> 5) | (x[1:] <= x[:-1])
    at = np.flatnonzero(new)
    bits = np.bitwise_or.reduceat(np.uint64(1) << (x & 31), at)
    words = p[at] << 60 | (t[at] & 63) << 54 | (x[at] & ~np.uint64(31)) << 43 | y[at] << 32 | bits
    high = t[at] >> 6
    tick = np.ones(len(high), bool)
    tick[1:] = high[1:] != high[:-1]
    places = np.flatnonzero(tick)
    words = np.insert(words, places, np.uint64(8) << 60 | (high[places] & 0xFFFFFFF) << 32)
    header = f"% evt 2.1\n% format EVT21;height={HEIGHT};width={WIDTH}\n% end\n"
    (folder / "evt21.raw").write_bytes(header.encode() + words.astype("<u8").tobytes())


def write_aedat3(events: np.ndarray, folder: Path) -> None:
    """By its layout: packets of 4,096 polarity events."""
    words = np.empty((len(events), 2), "<u4")
    x, y, p = (events[name].astype("u4") for name in "xyp")
    words[:, 0] = x << 17 | y << 2 | p << 1 | 1
    words[:, 1] = events["t"]
    lines = "#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DAVIS346\r\n#!END-HEADER\r\n"
    with open(folder / "polarity.aedat3", "wb") as out:
        out.write(lines.encode())
        for at in range(0, len(words), 4096):
            packet = words[at : at + 4096]
            n = len(packet)
            out.write(struct.pack("<hh6i", 1, 1, 8, 4, 0, n, n, n) + packet.tobytes())


def write_ecf(events: np.ndarray, folder: Path) -> None:
    """Prophesee's HDF5 with ECF chunks by the encoder of the fixtures, in whole chunks, a second later:
    evlib 0.13.2 takes no padded chunk and loses its way in some that begin before 1,000,000 µs."""
    import h5py

    sys.path.append(str(Path(__file__).resolve().parents[2] / "fixtures"))
    from recipe import ecf

    chunk = 16384
    part = events[: len(events) // chunk * chunk].copy()
    part["t"] += 1_000_000
    record = np.dtype({"names": list("xypt"), "formats": ["<u2", "<u2", "<i2", "<i8"],
                       "offsets": [0, 2, 4, 8], "itemsize": 16})  # fmt: skip
    with h5py.File(folder / "ecf.hdf5", "w") as file:
        file.attrs["geometry"] = f"{WIDTH}x{HEIGHT}"
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((chunk,))
        plist.set_filter(36559, h5py.h5z.FLAG_OPTIONAL, ())
        space = h5py.h5s.create_simple((len(part),), (h5py.h5s.UNLIMITED,))
        group = file.create_group("CD")
        data = h5py.h5d.create(group.id, b"events", h5py.h5t.py_create(record), space, plist)
        for at in range(0, len(part), chunk):
            data.write_direct_chunk((at,), ecf.encode(part[at : at + chunk], ecf.MASKED))
        file.create_dataset("CD/indexes", data=np.zeros(3, dtype=[("id", "<u8"), ("ts", "<i8")]))


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
    for write in (
        write_aedat2, write_by_faery, write_aedat4, write_csv, write_evt21, write_aedat3, write_ecf,
    ):  # fmt: skip
        write(events, args.folder)
    for path in sorted(args.folder.iterdir()):
        print(f"{path.stat().st_size / 1e6:9.1f} MB  {path.name}")


if __name__ == "__main__":
    main()
