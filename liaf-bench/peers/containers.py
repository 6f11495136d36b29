"""Readers for corrupt.py of what fixtures/oracles has none for: bags and MCAP by rosbags and mcap, texts of E2VID
and packed ones by numpy and Python's own modules, and structures of MATLAB by scipy."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import zstandard

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixtures"))

TOPIC = "/dvs/events"


def rosbags(path: str) -> Iterator[Any]:
    from recipe import ros

    e = ros.read_bag(Path(path), TOPIC)
    yield tuple(e[name] for name in "txyp")


def mcap(path: str) -> Iterator[Any]:
    from recipe import ros

    e = ros.read_mcap(Path(path), TOPIC)
    yield tuple(e[name] for name in "txyp")


def e2vid(path: str) -> Iterator[Any]:
    """A text in seconds, after a line with the size of the sensor."""
    t, x, y, p = np.loadtxt(path, skiprows=1, dtype=np.longdouble, ndmin=2).T
    yield np.rint(t * 1_000_000), x, y, p


def mat_struct(path: str) -> Iterator[Any]:
    """A structure of the Matlab tools of ATIS, where 2 is ON."""
    import scipy.io

    td = scipy.io.loadmat(path)["TD"]
    t, x, y, p = (np.ravel(td[name][0, 0]).astype(np.int64) for name in ("ts", "x", "y", "p"))
    yield t, x, y, p == 2


def only_member(data: bytes) -> bytes:
    """The only file of an archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        (name,) = archive.namelist()
        return archive.read(name)


def unzstd(data: bytes) -> bytes:
    """All frames."""
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True) as stream:
        return stream.read()


UNPACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".xz": lzma.decompress,
    ".bz2": bz2.decompress,
    ".zst": unzstd,
    ".zip": only_member,
}


def packed_text(path: str) -> Iterator[Any]:
    """A text of t, x, y and p with a line of names, inside another file."""
    text = UNPACK[Path(path).suffix](Path(path).read_bytes()).decode()
    t, x, y, p = np.loadtxt(io.StringIO(text), delimiter=",", skiprows=1, dtype=np.int64, ndmin=2).T
    yield t, x, y, p


READERS: dict[str, dict[str, Callable[[str], Iterator[Any]]]] = {
    "E2VID": {"numpy": e2vid},
    "ROS 1 bag": {"rosbags": rosbags},
    "MCAP": {"mcap": mcap},
    "MAT 5 struct": {"scipy": mat_struct},
    **{f"CSV{suffix}": {"Python and numpy": packed_text} for suffix in UNPACK},
}
