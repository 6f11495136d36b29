"""Reads tensor files with the libraries that users read them with, and prints what is in them.

One JSON object a file and line: shape, dtype, sum, sha256 of the frames' bytes (little-endian,
row-major), timestamps, provenance, and what is peculiar to the container.
"""

import hashlib
import json
import sys
import zipfile


def read_h5(path):
    import h5py

    with h5py.File(path, "r") as file:
        frames = file["frames"]
        extra = {
            "keys": sorted(file),
            "chunks": list(frames.chunks),
            "maxshape": list(frames.maxshape),
            "compression": frames.compression,
            "attribute": type(file.attrs["liaf"]).__name__,
        }
        return frames[...], file["timestamps"][...], file.attrs["liaf"], extra


def read_npz(path):
    import numpy as np

    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        extra = {
            "keys": archive.namelist(),
            "deflated": all(i.compress_type == zipfile.ZIP_DEFLATED for i in archive.infolist()),
        }
    with np.load(path, allow_pickle=False) as arrays:
        return arrays["frames"], arrays["timestamps"], bytes(arrays["liaf"]).decode(), extra


def read_npy(path):
    import numpy as np

    frames = np.load(path, allow_pickle=False, mmap_mode="r")
    assert (frames == np.load(path, allow_pickle=False)).all()
    return frames, None, None, {"offset": frames.offset}


def read_safetensors(path):
    import numpy as np
    from safetensors import safe_open
    from safetensors.numpy import load_file

    tensors = load_file(path)
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    with safe_open(path, framework="np") as file:
        for name in file.keys():
            assert np.array_equal(file.get_tensor(name), tensors[name], equal_nan=True)
        provenance = file.metadata()["liaf"]
    start = 8 + length + header["timestamps"]["data_offsets"][0]
    extra = {"keys": sorted(tensors), "aligned": start % 8 == 0}
    return tensors["frames"], tensors["timestamps"], provenance, extra


READERS = {"h5": read_h5, "npz": read_npz, "npy": read_npy, "safetensors": read_safetensors}


def main(paths):
    import numpy as np

    for path in paths:
        frames, timestamps, provenance, extra = READERS[path.rsplit(".", 1)[1]](path)
        assert frames.dtype.byteorder in "<|=" and sys.byteorder == "little"
        print(
            json.dumps(
                {
                    "path": path,
                    "shape": list(frames.shape),
                    "dtype": str(frames.dtype),
                    "sum": float(frames.sum(dtype=np.float64)),
                    "sha256": hashlib.sha256(np.ascontiguousarray(frames).tobytes()).hexdigest(),
                    "timestamps": None if timestamps is None else timestamps.tolist(),
                    "timestamps_dtype": None if timestamps is None else str(timestamps.dtype),
                    "provenance": provenance,
                    "extra": extra,
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
