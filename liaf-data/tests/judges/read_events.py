"""Reads event files with decoders that are not ours: one line of numbers a file.

    read_events.py READER FILE HEIGHT

Prints how many events there are, and a sum over them that depends on their order.
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


t, x, y, p = (np.asarray(c).astype(np.uint64) for c in globals()[sys.argv[1]](sys.argv[2]))
number = np.arange(1, len(t) + 1, dtype=np.uint64)
with np.errstate(over="ignore"):
    print(len(t), int((number * (t + x * np.uint64(7) + y * np.uint64(13) + p)).sum()))
