"""Reads HDF5 files with h5py, and extends them.

`main("read", file, …)` prints a line for each object and each attribute. `main("extend", file, …)` opens each
file for writing, adds and extends what it can, opens it again and checks that what was there before is still
the same. `main("rows", file, path, row, …)` prints single rows.

What is printed of an array is its type, its shape, and a checksum: the sum of all bytes, each times
its number from 1 on, modulo 2^64. A text counts as its UTF-8 bytes and a zero.
"""

import shutil
import subprocess

import h5py
import numpy as np

PIECE = 1 << 20
# Of the datasets and of the groups of a file, so many are extended.
MOST = 40
FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32"}


def checksum(data):
    data = np.frombuffer(data, np.uint8)
    total = 0
    for start in range(0, len(data), PIECE):
        piece = data[start : start + PIECE]
        if not piece.any():
            continue
        piece = piece.astype(np.uint64)
        factors = np.arange(start + 1, start + 1 + len(piece), dtype=np.uint64)
        total += int((piece * factors).sum(dtype=np.uint64))
    return total % 2**64


def numbers(sizes):
    return "x".join("inf" if size is None else str(size) for size in sizes)


def value(dtype, shape, array):
    """The type, shape and checksum of what was read."""
    text = h5py.check_string_dtype(dtype)
    if text is not None and text.length is None:
        flat = np.array(array, dtype=object).reshape(-1)
        # An attribute is read as str, a dataset as bytes.
        flat = [each if isinstance(each, bytes) else each.encode() for each in flat]
        assert text.encoding == "utf-8"
        return f"text {numbers(shape)} {checksum(b''.join(each + bytes(1) for each in flat))}"
    if text is not None:
        name = f"text{text.length}"
        assert text.encoding == "utf-8"
    else:
        name = dtype.name
        assert dtype.byteorder != ">"
    return f"{name} {numbers(shape)} {checksum(np.ascontiguousarray(array).tobytes())}"


def creation(dataset):
    properties = dataset.id.get_create_plist()
    assert h5py.h5g.get_objinfo(dataset.id).mtime == 0
    assert properties.fill_value_defined() == h5py.h5d.FILL_VALUE_DEFAULT
    filters = []
    for i in range(properties.get_nfilters()):
        code, flags, values, _ = properties.get_filter(i)
        assert flags == h5py.h5z.FLAG_OPTIONAL
        filters.append(f"{FILTERS[code]}{''.join(f':{v}' for v in values)}")
    return "+".join(filters) or "none"


def describe(path):
    """Prints everything that is in the file."""
    # To follow groups in groups by recursion would end at some depth.
    with h5py.File(path, "r") as file:
        waiting = [("", file)]
        while waiting:
            name, thing = waiting.pop(0)
            here = name or "/"
            for key in sorted(thing.attrs, key=str.encode):
                attribute = thing.attrs.get_id(key)
                said = value(attribute.dtype, attribute.shape, thing.attrs[key])
                if attribute.dtype == object and attribute.shape == ():
                    assert isinstance(thing.attrs[key], str)
                print(f"{here} @{key} {said}")
            if isinstance(thing, h5py.Dataset):
                chunks = "whole"
                if thing.chunks is not None:
                    chunks = f"{numbers(thing.chunks)} {thing.id.get_num_chunks()}"
                print(
                    f"{here} {value(thing.dtype, thing.shape, thing[()])}",
                    f"{numbers(thing.maxshape)} {chunks} {creation(thing)}",
                )
                continue
            members = list(thing)
            assert members == sorted(members, key=str.encode)
            print(f"{here} group {len(members)}")
            # By its name, a member is found through the keys of the tree.
            waiting[:0] = [(f"{name}/{member}", thing[member]) for member in members]
    tools(path)


def contents(file):
    """All datasets by name, as bytes or texts."""
    found = {}

    def visit(name, thing):
        if isinstance(thing, h5py.Dataset):
            found[name] = thing[()]

    file.visititems(visit)
    return found


def extend(path):
    with h5py.File(path, "r+") as file:
        before = contents(file)
        groups = [file]
        file.visititems(lambda _, thing: groups.append(thing) if isinstance(thing, h5py.Group) else None)
        grown = []
        for name in list(before)[:MOST]:
            dataset = file[name]
            dataset.attrs["judged"] = "yes"
            dataset.attrs["numbers"] = np.arange(100)
            if dataset.maxshape[:1] == (None,):
                rows = dataset.shape[0]
                dataset.resize(rows + 3 * dataset.chunks[0] + 1, axis=0)
                dataset[rows:] = 1
                grown.append(name)
        for group in groups[:MOST]:
            group.attrs["judged"] = "yes"
            for i in range(40):
                group[f"{i * 37 % 40} added"] = np.full(3, i)
            group["0 text"] = "added"
            del group["7 added"]
            assert len([key for key in group if key.endswith(" added")]) == 39
    with h5py.File(path, "r") as file:
        after = contents(file)
        for name, old in before.items():
            new = after[name][: len(old)] if name in grown else after[name]
            assert np.array_equal(new, old), name
        for name in list(before)[:MOST]:
            assert file[name].attrs["judged"] == "yes"
        for name in grown:
            assert (after[name][len(before[name]) :] == 1).all(), name
        assert file.attrs["judged"] == "yes" and file["0 text"][()] == b"added"
        assert all((file[f"{i * 37 % 40} added"][:] == i).all() for i in range(40) if i * 37 % 40 != 7)
    tools(path)
    print(f"extended {len(before)} datasets, {len(grown)} of them grown, and {len(groups)} groups")


def tools(path):
    """The programs of The HDF Group, where they are installed, read the file to its end."""
    for tool in ["h5dump", "h5stat"]:
        if shutil.which(tool):
            ran = subprocess.run([tool, path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            assert ran.returncode == 0 and not ran.stderr, (tool, path, ran.stderr[:2000])


def rows(path, name, *wanted):
    with h5py.File(path, "r") as file:
        for row in map(int, wanted):
            print(row, value(file[name].dtype, file[name].shape, file[name][row]))


def main(mode, *paths):
    if mode == "rows":
        rows(*paths)
    for path in paths if mode in ("read", "extend") else []:
        print(f"file {path}")
        describe(path) if mode == "read" else extend(path)
