"""Fills corpus/ from the bundled recordings: python seed.py

A target decode_<format> or chunking_<format> gets what stands behind the headers of the recordings of
that format, good and damaged; probe_any gets the whole files, and read_tensors those of NumPy and a
tensor file. The targets of HDF5 get whole files as well, and where h5py is installed small ones of many
kinds (seed_hdf5.py). Files over 16 KiB are left out.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parent / "fixtures"
MOST = 16 << 10

#: Target: the folder of its recordings, their extension, and how long their header is.
FORMATS = {
    "aedat1": ("aedat1", "", "header_only.aedat"),
    "aedat2": ("aedat2", "", "header_only.aedat"),
    "aedat3": ("aedat3", "", "header_only.aedat"),
    "aedat4": ("aedat4", "", "header_only.aedat4"),
    "atis_bin": ("atis_bin", "", 0),
    "csv": ("csv", "", 0),
    "dat": ("dat", "", b"% end\n"),
    "es": ("event_stream", "", 20),
    "evt2": ("evt2", "", b"% end\n"),
    "evt21": ("evt21", "", b"% end\n"),
    "evt3": ("evt3", "", b"% end\n"),
    "mat": ("mat", "", 128),
    "npy": ("numpy", ".npy", 8),
    "npz": ("numpy", ".npz", 4),
    "mcap": ("mcap", "", 8),
    "rosbag": ("rosbag", "", 13),
}


def header(data: bytes, folder: str, rule: str | int | bytes) -> int:
    if isinstance(rule, int):
        return rule
    if isinstance(rule, bytes):
        end = data.find(rule)
        return end + len(rule) if end >= 0 else 0
    if (end := data.find(b"#!END-HEADER\r\n")) >= 0:
        return end + 14
    return (FIXTURES / "good" / folder / rule).stat().st_size


def put(target: str, data: bytes) -> None:
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


def hdf5() -> None:
    """Whole files for those that read HDF5, and the packed bytes of filters."""
    folders = [FIXTURES / "good" / "hdf5", FIXTURES / "bad" / "hdf5"]
    paths = [path for folder in folders for path in sorted(folder.glob("*"))]
    with tempfile.TemporaryDirectory() as folder:
        try:
            import seed_hdf5

            paths += seed_hdf5.files(Path(folder))
        except ImportError as error:
            print(f"without small HDF5 files: {error}")
        for path in paths:
            if len(data := path.read_bytes()) <= MOST:
                for target in ("read_hdf5", "decode_hdf5", "against_libhdf5"):
                    put(target, data)
    # Each filter that is read, after its number among those of the target, and a size.
    for i in range(11):
        for values in (0, 1, 5, 8):
            put("unpack_hdf5", bytes([0, i | values << 4]) + bytes([4] * values) + bytes([64, 0]) + bytes(range(80)))


def main() -> None:
    hdf5()
    for name, (folder, extension, rule) in FORMATS.items():
        for kind in ("good", "bad"):
            for path in sorted((FIXTURES / kind / folder).glob("*")):
                data = path.read_bytes()
                if len(data) > MOST or not path.name.endswith(extension):
                    continue
                put("probe_any", data)
                if name in ("npy", "npz"):
                    put("read_tensors", data)
                for target in (f"decode_{name}", f"chunking_{name}"):
                    put(target, data[header(data, folder, rule) :])
    put("read_tensors", (HERE.parent / "liaf-data/tests/old/frames.safetensors").read_bytes())
    for path in sorted((FIXTURES / "packed").glob("*")):
        data = path.read_bytes()
        if len(data) <= MOST and path.suffix != ".toml":
            put("decode_packed", data)
            put("probe_any", data)
    for path in sorted((FIXTURES / "fuzz").glob("*/*")):
        put(path.parent.name, path.read_bytes())


if __name__ == "__main__":
    main()
