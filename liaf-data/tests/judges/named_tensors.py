"""Reads and writes files of named tensors with numpy, safetensors and h5py.

`named_tensors.py read FILE…` prints what is in the files, `named_tensors.py write FOLDER` writes some
and prints what is in them: one JSON object a file and line, with the path, the metadata, and of each
tensor its type, shape and bytes (hexadecimal, little-endian, row-major).
"""

import json
import sys
from pathlib import Path

import numpy as np


def described(array):
    little = np.ascontiguousarray(array).reshape(array.shape)
    little = little.astype(array.dtype.newbyteorder("<"))
    return {
        "dtype": little.dtype.name,
        "shape": list(array.shape),
        "bytes": little.tobytes().hex(),
    }


def report(path, tensors, metadata):
    tensors = {name: described(array) for name, array in tensors.items()}
    print(json.dumps({"path": str(path), "tensors": tensors, "metadata": metadata}), flush=True)


def read(path):
    kind = path.rsplit(".", 1)[1]
    if kind == "npy":
        return {"arr_0": np.load(path, allow_pickle=False)}, {}
    if kind == "npz":
        with np.load(path, allow_pickle=False) as archive:
            tensors = dict(archive)
        metadata = {}
        if "liaf" in tensors:
            metadata["liaf"] = bytes(tensors.pop("liaf")).decode()
        return tensors, metadata
    if kind == "h5":
        return read_h5(path)
    from safetensors import safe_open
    from safetensors.numpy import load_file

    tensors = load_file(path)
    with safe_open(path, framework="np") as file:
        assert sorted(file.keys()) == sorted(tensors)
        metadata = file.metadata() or {}
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    for name, array in tensors.items():
        start = 8 + length + header[name]["data_offsets"][0]
        assert start % array.dtype.itemsize == 0, f"{name} is not aligned"
    padding = tensors.pop("padding", np.zeros(0, np.uint8))
    assert len(padding) < 8
    return tensors, metadata


def read_h5(path):
    import h5py

    with h5py.File(path, "r") as file:
        tensors = {name: dataset[()] for name, dataset in file.items()}
        tensors = {name: np.asarray(array) for name, array in tensors.items()}
        metadata = dict(file.attrs)
        for name, dataset in file.items():
            metadata[name] = [dataset.chunks, dataset.maxshape, dataset.compression, dataset.shuffle]
    return tensors, metadata


def write(folder):
    from safetensors.numpy import save_file

    types = "bool u1 i1 u2 i2 u4 i4 u8 i8 f4 f8".split()
    rng = np.random.default_rng(7)
    tensors = {}
    for name in types:
        dtype = np.dtype(name)
        array = rng.integers(0, 256, (3, 4, 5 * dtype.itemsize), np.uint8)
        array = array % 2 if name == "bool" else array
        array = array.astype("bool") if name == "bool" else array.view(dtype)
        tensors[name] = np.nan_to_num(array, nan=1.5) if name.startswith("f") else array
    tensors["empty"] = np.zeros((0, 3), np.float32)
    tensors["scalar"] = np.array(-7, np.int64)
    tensors["ünicode"] = np.arange(5, dtype=np.int16)

    metadata = {"liaf": '{"made": "by numpy"}', "format": "np"}
    path = folder / "a.safetensors"
    save_file(tensors, path, metadata=metadata)
    report(path, tensors, metadata)

    tensors["big"] = np.arange(6, dtype=">i4").reshape(2, 3)
    tensors["fortran"] = np.asfortranarray(np.arange(24, dtype="<u2").reshape(2, 3, 4))
    tensors["both"] = np.asfortranarray(np.arange(24, dtype=">f8").reshape(4, 3, 2))
    for path, save in [(folder / "a.npz", np.savez), (folder / "b.npz", np.savez_compressed)]:
        save(path, **tensors)
        report(path, tensors, {})
    for name, array in tensors.items():
        path = folder / f"{name}.npy"
        np.save(path, array)
        report(path, {"arr_0": array}, {})


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(Path(sys.argv[2]))
    else:
        for path in sys.argv[2:]:
            report(path, *read(path))
