"""Reads event files with decoders that are not ours: one line of numbers a file.

    read_events.py READER FILE HEIGHT

Prints how many events there are, and a sum over them that depends on their order; or, where READER
is not installed, that it is skipped.
"""

import sys

import numpy as np


def dv_processing(path):
    """AEDAT 4."""
    import dv_processing as dv

    reader = dv.io.MonoCameraRecording(path)
    parts = []
    while (batch := reader.getNextEventBatch()) is not None:
        parts.append(batch.numpy())
    a = np.concatenate(parts)
    return a["timestamp"], a["x"], a["y"], a["polarity"]


def aedat(path):
    """AEDAT 4."""
    import aedat

    a = np.concatenate([packet["events"] for packet in aedat.Decoder(path) if "events" in packet])
    return a["t"], a["x"], a["y"], a["on"]


def davis_words(path):
    """AEDAT 2.0 by its layout: words of a DAVIS, both axes turned around."""
    data = open(path, "rb").read()
    start = data.index(b"# End of ASCII Header\r\n") + 23
    words = np.frombuffer(data, ">u4", offset=start).reshape(-1, 2).astype(np.int64)
    address, time = words[:, 0], words[:, 1]
    height = int(sys.argv[3])
    x, y = 345 - (address >> 12 & 1023), height - 1 - (address >> 22 & 511)
    return time, x, y, address >> 11 & 1


def event_stream(path):
    """Rows as stored, from the bottom."""
    import event_stream

    a = np.concatenate(list(event_stream.Decoder(path)))
    return a["t"], a["x"], int(sys.argv[3]) - 1 - a["y"].astype(np.int64), a["on"]


def faery(path):
    """Upright."""
    import faery

    a = faery.events_stream_from_file(path).to_array()
    return a["t"], a["x"], a["y"], a["on"]


def expelliarmus_evt2(path):
    """EVT 2.0."""
    from expelliarmus import Wizard

    a = Wizard(encoding="evt2").read(path)
    return a["t"], a["x"], a["y"], a["p"]


def expelliarmus_dat(path):
    """DAT."""
    from expelliarmus import Wizard

    a = Wizard(encoding="dat").read(path)
    return a["t"], a["x"], a["y"], a["p"]


def evt3(path):
    """EVT 3.0."""
    import evt3

    a = evt3.decode_file(path)
    return a.timestamp, a.x, a.y, a.polarity


def csv_lines(path):
    """CSV behind a line of names."""
    return np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.int64).T


def evutils(path):
    """AEDAT 3.1."""
    import evutils.io

    a = evutils.io.EventReader(path).read_all()
    return a["t"], a["x"], a["y"], a["p"]


def tonic(path):
    """ATIS of 5 bytes, with y = 240 as an overflow."""
    import tonic.io

    kinds = np.dtype([("x", "u8"), ("y", "u8"), ("t", "u8"), ("p", "u8")])
    a = tonic.io.read_mnist_file(path, kinds)
    return a["t"], a["x"], a["y"], a["p"]


reader, path = sys.argv[1:3]
try:
    columns = globals()[reader](path)
except ModuleNotFoundError as error:
    sys.exit(print(f"skipped: {reader} as a judge: {error}"))
t, x, y, p = (np.asarray(column).astype(np.uint64) for column in columns)
number = np.arange(1, len(t) + 1, dtype=np.uint64)
with np.errstate(over="ignore"):
    print(len(t), int((number * (t + x * np.uint64(7) + y * np.uint64(13) + p)).sum()))
