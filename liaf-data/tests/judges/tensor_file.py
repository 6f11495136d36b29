"""Reads a file of a data set with numpy or h5py: its arrays by name, what it says about itself, and the names of its
recordings."""

import json

import numpy


def load(path):
    path = str(path)
    if path.endswith(".npz"):
        arrays = dict(numpy.load(path))
        text, ends = bytes(arrays.pop("liaf")), arrays.pop("names_offsets")
        names = bytes(arrays.pop("names"))
        names = [names[a:b] for a, b in zip(ends, ends[1:])]
    else:
        import h5py

        with h5py.File(path) as file:
            arrays, text = {name: data[()] for name, data in file.items()}, file.attrs["liaf"]
        names = arrays.pop("names")
        assert names.dtype.kind == "S" and names.dtype.itemsize == max(map(len, names)), names.dtype
        assert "names_offsets" not in arrays
    return arrays, json.loads(text)["dataset"], [name.decode() for name in names]
