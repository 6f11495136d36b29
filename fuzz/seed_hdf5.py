"""Small HDF5 files of every kind, for the corpora of the targets of HDF5: files(folder) makes them.

Needs h5py and hdf5plugin. Each file is some KiB: what a version of the library writes of indices,
links, types, filters and attributes, in few rows.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np

VERSIONS = ("earliest", "v108", "v110", "v112", "v114", "v200", "latest")
N = 40
T = np.arange(N, dtype="i8") * 3
X = (np.arange(N) * 7 % 50).astype("u2")
TWO = np.arange(48, dtype="u2").reshape(6, 8)


def low(parent, name, data, set_up):
    """A dataset with settings that the high level lacks."""
    create = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    set_up(create)
    space = h5py.h5s.create_simple(data.shape, data.shape)
    made = h5py.h5d.create(
        parent.id, name.encode(), h5py.h5t.py_create(data.dtype), space, create
    )
    made.write(h5py.h5s.ALL, h5py.h5s.ALL, data)


#: Name, and what makes it: one kind of index or layout a file, so that files stay small.
DATASETS = {
    "contiguous": lambda g: g.create_dataset("d", data=X),
    "tree1_or_array": lambda g: g.create_dataset("d", data=X, chunks=(8,)),
    "packed": lambda g: g.create_dataset("d", data=T, chunks=(8,), compression="gzip", shuffle=True),
    "growing": lambda g: g.create_dataset("d", data=X, chunks=(4,), maxshape=(None,)),
    "growing_packed": lambda g: g.create_dataset(
        "d", data=X, chunks=(4,), maxshape=(None,), compression="gzip"
    ),
    "many": lambda g: g.create_dataset("d", data=np.arange(200, dtype="u1"), chunks=(1,), maxshape=(None,)),
    "one": lambda g: g.create_dataset("d", data=X, chunks=(N,), compression="gzip"),
    "one_plain": lambda g: g.create_dataset("d", data=X, chunks=(N,)),
    "tree2": lambda g: g.create_dataset("d", data=TWO, chunks=(2, 3), maxshape=(None, None)),
    "tree2_packed": lambda g: g.create_dataset(
        "d", data=TWO, chunks=(2, 3), maxshape=(None, None), compression="gzip"
    ),
    "tree2_deep": lambda g: g.create_dataset(
        "d", data=np.arange(400, dtype="u1").reshape(20, 20), chunks=(1, 2), maxshape=(None, None)
    ),
    "swizzled": lambda g: g.create_dataset("d", data=TWO, chunks=(2, 3), maxshape=(9, None)),
    "fixed_2d": lambda g: g.create_dataset("d", data=TWO, chunks=(2, 3), maxshape=(9, 20)),
    "implicit": lambda g: low(
        g, "d", X, lambda c: (c.set_chunk((8,)), c.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY))
    ),
    "compact": lambda g: low(g, "d", X, lambda c: c.set_layout(h5py.h5d.COMPACT)),
    "fletcher": lambda g: g.create_dataset("d", data=X, chunks=(9,), fletcher32=True),
    "never": lambda g: g.create_dataset("d", shape=(99,), dtype="i4", chunks=(10,), fillvalue=9),
    "partial": lambda g: g.create_dataset(
        "d", shape=(99,), dtype="i4", chunks=(10,), maxshape=(None,), fillvalue=7
    ).__setitem__(slice(42, 60), 1),
    "scalar": lambda g: g.create_dataset("d", data=np.float64(1.5)),
    "empty": lambda g: g.create_dataset("d", data=h5py.Empty("f4")),
    "no_rows": lambda g: g.create_dataset("d", shape=(0, 3), dtype="i4", chunks=(1, 3), maxshape=(None, 3)),
    "compound": lambda g: g.create_dataset(
        "d", data=np.zeros(5, dtype=[("x", "<u2"), ("y", ">i4"), ("n", [("a", "f4"), ("b", "3u1")]), ("s", "S5")])
    ),
    "texts": lambda g: g.create_dataset("d", data=["a", "bcd", "", "größer"]),
    "array": lambda g: g.create_dataset("d", data=np.zeros(4, dtype="(3,2)i4")),
    "enum": lambda g: g.create_dataset(
        "d", data=np.zeros(4, dtype=h5py.enum_dtype({"a": 0, "b": 1}, basetype="u2"))
    ),
    "bool": lambda g: g.create_dataset("d", data=X > 30),
    "lzf": lambda g: g.create_dataset("d", data=X, chunks=(20,), compression="lzf"),
    "scale_offset": lambda g: g.create_dataset("d", data=X, chunks=(20,), scaleoffset=0),
    "zstd": lambda g: g.create_dataset("d", data=X, chunks=(20,), **hdf5plugin.Zstd()),
    "blosc": lambda g: g.create_dataset("d", data=X, chunks=(20,), **hdf5plugin.Blosc()),
    "lz4": lambda g: g.create_dataset("d", data=X, chunks=(20,), **hdf5plugin.LZ4()),
    "bitshuffle": lambda g: g.create_dataset("d", data=X, chunks=(20,), **hdf5plugin.Bitshuffle(cname="lz4")),
}


def links(f):
    f["a/b"] = X[:4]
    f["soft"] = h5py.SoftLink("/a/b")
    f["circle"] = h5py.SoftLink("circle")
    f["hard"] = f["a/b"]
    f["a/loop"] = f["a"]
    f["other"] = h5py.ExternalLink("types.h5", "/big")


def many_links(f):
    for i in range(24):
        f[f"d{i:02}"] = h5py.SoftLink("d00")


def attributes(f):
    f["named"] = np.dtype("i4")
    f.attrs["numbers"] = np.arange(5)
    f.attrs["text"] = "text"
    f.attrs["texts"] = ["a", "b"]
    f.attrs["fixed"] = np.bytes_("café".encode("latin-1"))
    f.attrs["empty"] = h5py.Empty("f4")
    f.attrs.create("of_named", np.arange(3, dtype="i4"), dtype=f["named"])


def many_attributes(f):
    for i in range(12):
        f.attrs[f"at{i}"] = i


def large_attribute(f):
    f.attrs["x"] = np.arange(9000)


def events(f):
    n = 12
    g = f.create_group("events")
    for name, dtype in (("t", "i8"), ("x", "u2"), ("y", "u2"), ("p", "u1")):
        g.create_dataset(name, data=np.arange(n).astype(dtype) % 2, chunks=(5,), compression="gzip")
    f["t_offset"] = 7
    f["ms_to_idx"] = np.zeros(2, "u8")
    f.attrs["sensor_resolution"] = [180, 240]


def records(f):
    dtype = np.dtype([("x", "<u2"), ("y", "<u2"), ("p", "<i2"), ("t", "<i8")], align=True)
    f.create_dataset("CD/events", data=np.zeros(12, dtype), chunks=(5,), maxshape=(None,), compression="gzip")
    f.attrs["geometry"] = "640x480"


def table(f):
    f.create_dataset("events", data=np.arange(48, dtype="u4").reshape(12, 4) % 2, chunks=(5, 4))


WHOLE = (links, many_links, attributes, many_attributes, large_attribute, events, records, table)


def files(folder: Path) -> list[Path]:
    """Makes the files, and returns their paths; what this h5py cannot write is left out."""
    made = []
    for version in VERSIONS:
        makers = {kind.__name__: kind for kind in WHOLE} | DATASETS
        for name, make in makers.items():
            path = folder / f"{version}_{name}.h5"
            with contextlib.suppress(ValueError, KeyError, TypeError, RuntimeError, OSError):
                libver = version if version in ("earliest", "latest") else (version, version)
                with h5py.File(path, "w", libver=libver) as f:
                    make(f)
                made.append(path)

    for name, options in (("user_block", dict(userblock_size=512)), ("pages", dict(fs_strategy="page", fs_page_size=512, libver="latest"))):
        path = folder / f"{name}.h5"
        with h5py.File(path, "w", **options) as f:
            f.create_dataset("x", data=X, chunks=(8,), compression="gzip")
        made.append(path)
    return made
