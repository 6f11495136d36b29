"""Writes HDF5 files of many kinds with h5py, and says what h5py reads in them.

`main(folder)` writes the files into a folder. For each object a line of JSON: file, path, and either `bytes` (length and CRC-32
of the values as stored, in C order) with shape and dtype, or `texts`, or `refused`, a word of the
error that is expected; attributes are objects whose path contains `@`.
"""
import json
import os
import sys
import zlib

import h5py
import hdf5plugin
import numpy as np

rng = np.random.default_rng(1)
N = 3000
T = np.cumsum(rng.integers(0, 9, N)).astype("i8")
X = rng.integers(0, 640, N).astype("u2")


def new(name, **options):
    return h5py.File(name, "w", **options)


def low(parent, name, data, set_up, maxshape=None):
    """A dataset with settings that the high level lacks."""
    create = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    set_up(create)
    space = h5py.h5s.create_simple(data.shape, maxshape or data.shape)
    kind = h5py.h5t.py_create(data.dtype)
    made = h5py.h5d.create(parent.id, name.encode(), kind, space, create)
    made.write(h5py.h5s.ALL, h5py.h5s.ALL, data)


def indices(version):
    """Every kind of index that this version of the library writes."""
    with new(f"version_{version}.h5", libver=version if version in ("earliest", "latest") else (version, version)) as f:
        f.attrs["number"] = 7
        g = f.create_group("events")
        g.attrs["a"] = 1
        g.attrs["text"] = "text"
        g.create_dataset("t", data=T, chunks=(512,), compression="gzip", shuffle=True)
        g.create_dataset("x", data=X, chunks=(512,), maxshape=(None,), compression="gzip")
        g.create_dataset("one", data=X, chunks=(N,), compression="gzip")
        g.create_dataset("one_plain", data=X, chunks=(N,))
        g.create_dataset("plain", data=X, chunks=(512,))
        g.create_dataset("contiguous", data=X)
        two = np.arange(6000).reshape(60, 100)
        g.create_dataset("tree2", data=two, chunks=(7, 30), maxshape=(None, None), compression="gzip")
        g.create_dataset("tree2_plain", data=two, chunks=(7, 30), maxshape=(None, None))
        g.create_dataset("swizzled", data=two, chunks=(7, 30), maxshape=(70, None))
        g.create_dataset("swizzled_packed", data=two, chunks=(7, 30), maxshape=(70, None), compression="gzip")
        g.create_dataset("fixed_2d", data=two, chunks=(7, 30), maxshape=(90, 200))
        g.create_dataset("many", data=np.arange(20000, dtype="i4"), chunks=(4,), maxshape=(None,))
        g.create_dataset("many_fixed", data=np.arange(20000, dtype="i4"), chunks=(4,), compression="gzip")
        g.create_dataset("many_tree2", data=np.arange(40000, dtype="i4").reshape(200, 200), chunks=(2, 3), maxshape=(None, None))
        low(g, "implicit", np.arange(100, dtype="i4"),
            lambda c: (c.set_chunk((10,)), c.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)))
        low(g, "compact", np.arange(10, dtype="i4"), lambda c: c.set_layout(h5py.h5d.COMPACT))
        g.create_dataset("fletcher", data=T, chunks=(700,), fletcher32=True)
        g.create_dataset("partial", shape=(10000,), dtype="i4", chunks=(100,), maxshape=(None,), fillvalue=7)[4321:4400] = 1
        g.create_dataset("never", shape=(1000,), dtype="i4", chunks=(100,), fillvalue=9)
        g.create_dataset("never_contiguous", shape=(1000,), dtype="i4", fillvalue=9)
        g.create_dataset("no_rows", shape=(0, 3), dtype="i4", chunks=(1, 3), maxshape=(None, 3))
        g.create_dataset("null", data=h5py.Empty("f4"))
        g.create_dataset("scalar", data=np.float64(1.5))
        g.create_dataset("rank4", data=np.arange(7 * 2 * 9 * 5, dtype="u2").reshape(7, 2, 9, 5), chunks=(3, 2, 4, 5), compression="gzip", shuffle=True)
        g.create_dataset("large_chunk", data=np.zeros(100_000, "u1"), chunks=(70_000,), compression="gzip")
        if version not in ("v108", "latest"):
            return
        # Extensible arrays whose data blocks have pages, and their gaps: those of the super blocks from
        # entries 131,060 and 262,132 on, of which the second one has twice as many blocks.
        paged = g.create_dataset("paged", shape=(264_000,), dtype="u1", chunks=(1,), maxshape=(None,))
        paged[:1000] = 1
        paged[140_000:142_500] = 2
        paged[263_999] = 3
        paged = g.create_dataset("paged_fixed", shape=(100_000,), dtype="u1", chunks=(2,), compression="gzip")
        paged[5000:5003] = 1
        paged[99_999] = 3


def write():
    for version in ("earliest", "v108", "v110", "v112", "v114", "v200", "latest"):
        try:
            indices(version)
        except Exception as error:  # an older h5py does not know newer versions
            print("skipped", version, error, file=sys.stderr)

    with new("filters.h5") as f:
        kinds = {
            "lzf": dict(compression="lzf", shuffle=True), "zstd": hdf5plugin.Zstd(),
            "bitshuffle": hdf5plugin.Bitshuffle(cname="none"), "bitshuffle_lz4": hdf5plugin.Bitshuffle(cname="lz4"),
            "bitshuffle_zstd": hdf5plugin.Bitshuffle(cname="zstd"), "blosc": hdf5plugin.Blosc(), "lz4": hdf5plugin.LZ4(),
            "scaleoffset": dict(scaleoffset=0),
        }
        for name, options in kinds.items():
            f.create_dataset(name, data=X, chunks=(512,), **options)

    with new("types.h5") as f:
        f["big"] = T.astype(">i8")
        f["big_float"] = T.astype(">f4")
        f["half"] = X.astype("f2")
        f["bool"] = X > 300
        f["complex"] = X.astype("c8")
        f["texts"] = ["a", "bcd", "", "größer"]
        f.create_dataset("fixed_texts", data=np.array([b"ab", b"cdef"]))
        f["text"] = "scalar"
        f["long_texts"] = ["x" * n for n in range(0, 9000, 37)]
        f.create_dataset("compound", data=np.array([(i, -i, (i / 2, (1, 2, i)), b"ab") for i in range(50)], dtype=[("x", "<u2"), ("y", ">i4"), ("n", [("a", "f4"), ("b", "3u1")]), ("s", "S5")]))
        f.create_dataset("opaque", data=np.zeros(5, dtype="V7"))
        f["enum"] = np.zeros(4, dtype=h5py.enum_dtype({"a": 0, "b": 1}, basetype="u2"))
        f["named"] = np.dtype("i4")
        f.create_dataset("of_named", data=np.arange(4, dtype="i4"), dtype=f["named"])
        f["array"] = np.zeros(4, dtype="(3,2)i4")
        f.attrs["numbers"] = np.arange(5)
        f.attrs["texts"] = ["a", "b"]
        f.attrs["latin1"] = np.bytes_("café".encode("latin-1"))
        f.attrs["empty"] = h5py.Empty("f4")
        f.attrs.create("of_named", np.arange(3, dtype="i4"), dtype=f["named"])

    for name, libver in (("links.h5", "earliest"), ("links_new.h5", "latest")):
        with new(name, libver=libver) as f:
            f["a/b/c"] = np.arange(10)
            f["soft"] = h5py.SoftLink("/a/b/c")
            f["a/relative"] = h5py.SoftLink("b/c")
            f["chain"] = h5py.SoftLink("soft")
            f["circle"] = h5py.SoftLink("circle")
            f["hard"] = f["a/b/c"]
            f["other"] = h5py.ExternalLink("types.h5", "/big")
            f["dangling"] = h5py.SoftLink("/nope")
            f["a/loop"] = f["a"]
            g = f.create_group("many", track_order=libver == "latest")
            for i in range(2000):
                g[f"d{i:05}"] = i
            for i in range(40):
                g.attrs[f"at{i}"] = i

    for name, options in (("user_block.h5", dict(userblock_size=512)), ("user_block_new.h5", dict(userblock_size=1024, libver="latest")),
                          ("paged.h5", dict(fs_strategy="page", fs_page_size=4096, libver="latest"))):
        with new(name, **options) as f:
            f["t"] = T
            f.create_dataset("x", data=X, chunks=(512,), maxshape=(None,), compression="gzip")

    with new("outside.h5", libver="latest") as f:
        f.create_dataset("external", (N,), dtype="u2", external=[("outside.bin", 0, N * 2)])[...] = X
        layout = h5py.VirtualLayout((N,), dtype="i8")
        layout[:] = h5py.VirtualSource("user_block.h5", "t", (N,))
        f.create_virtual_dataset("virtual", layout)

    with new("mask.h5") as f:
        d = f.create_dataset("d", shape=(1024,), dtype="u2", chunks=(512,), compression="gzip", shuffle=True)
        d[:512] = X[:512]
        d.id.write_direct_chunk((512,), X[512:1024].tobytes(), filter_mask=3)
        low(f, "plain_end", np.arange(1000, dtype="i4"),
            lambda c: (c.set_chunk((300,)), c.set_deflate(4), c.set_chunk_opts(2) if hasattr(c, "set_chunk_opts") else None))

    with new("big_attribute.h5", libver="latest") as f:
        f.attrs["x"] = np.arange(20000)
        f["d"] = 1


REFUSED = {
    "links.h5/circle": "malformed", "links_new.h5/circle": "malformed", "links.h5/other": "another file",
    "links_new.h5/other": "another file", "links.h5/dangling": "there is no", "links_new.h5/dangling": "there is no",
    "outside.h5/external": "other files", "outside.h5/virtual": "other files",
}


def say(file, path, **what):
    print(json.dumps(dict(file=file, path=path, **what)))


def values(file, path, shape, dtype, read):
    if h5py.check_string_dtype(dtype) is not None and dtype.kind == "O":
        data = np.asarray(read()).reshape(-1)
        texts = [v.decode("utf-8") if isinstance(v, bytes) else v for v in data.tolist()]
        say(file, path, shape=shape, texts=texts)
    elif dtype.kind != "O":
        data = np.ascontiguousarray(read(), dtype=dtype).tobytes() if shape is not None else b""
        say(file, path, shape=shape or [], dtype=dtype.str, bytes=[len(data), zlib.crc32(data)])


def describe():
    for file in sorted(os.listdir(".")):
        if not file.endswith(".h5"):
            continue
        for key, word in REFUSED.items():
            if key.split("/")[0] == file:
                say(file, "/" + key.split("/", 1)[1], refused=word)
        with h5py.File(file) as f:
            names = ["/"]
            f.visit_links(lambda name: names.append("/" + name))
            for name in names:
                if f"{file}{name}" in REFUSED:
                    continue
                thing = f[name]
                if isinstance(thing, h5py.Dataset):
                    shape = list(thing.shape) if thing.shape is not None else None
                    values(file, name, shape, thing.dtype, lambda: thing[()])
                elif isinstance(thing, h5py.Group):
                    say(file, name, names=sorted(thing.keys(), key=lambda k: k.encode()))
                if isinstance(thing, (h5py.Dataset, h5py.Group)):
                    for key in thing.attrs:
                        low_level = h5py.h5a.open(thing.id, key.encode())
                        shape = None if low_level.get_space().get_simple_extent_type() == h5py.h5s.NULL else list(low_level.shape)
                        values(file, f"{name}@{key}", shape, low_level.dtype, lambda: thing.attrs[key])


def main(folder):
    os.chdir(folder)
    write()
    describe()
