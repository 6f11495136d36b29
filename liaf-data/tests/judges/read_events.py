"""Reads event files with decoders that are not ours: one line of numbers a file.

    read_events.py READER FILE HEIGHT

Prints how many events there are, and a sum over them that depends on their order; or, where READER
is not installed, that it is skipped.
"""

import sys

import numpy as np


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
