"""Judges filters: main(folder).

The HDF5 library and the plugins of hdf5plugin write chunks through all filters that are read, in all
their modes, for many types, lengths and contents. FOLDER/bytes.bin gets the packed chunks and what
the library itself reads from them; FOLDER/cases.txt has a line for each chunk, of which the parts
are separated by tabs:

    name    mask    filters    offset, length of packed    offset, length of unpacked

where the filters, separated by semicolons, are numbers separated by commas: id and values.
"""
import pathlib

import h5py
import hdf5plugin
import numpy as np
from h5py import h5d, h5p, h5s, h5t, h5z

TYPES = ["u1", "<u2", "<i4", "<i8", "<f4", "<f8"]
LENGTHS = [1, 7, 8, 128, 1000, 5003]
CONTENTS = ["noise", "constant", "ramp"]


def content(kind, dtype, n, seed):
    """Values that do not compress, that are all one, or that grow like times of events."""
    random = np.random.default_rng(seed)
    if kind == "noise":
        if dtype.kind == "f":
            return random.normal(0, 1000, n).astype(dtype)
        return np.frombuffer(random.bytes(n * dtype.itemsize), dtype).copy()
    if kind == "constant":
        return np.full(n, 77, dtype)
    return (np.cumsum(random.integers(0, 3, n)) % 200).astype(dtype)


def plugin(filter_):
    """A filter of hdf5plugin."""
    return lambda dcpl: dcpl.set_filter(
        filter_.filter_id, h5z.FLAG_OPTIONAL, filter_.filter_options
    )


def lzf(dcpl):
    dcpl.set_filter(h5z.FILTER_LZF, h5z.FLAG_OPTIONAL)


def shuffle(dcpl):
    dcpl.set_shuffle()


def fletcher32(dcpl):
    dcpl.set_fletcher32()


def gzip(level):
    return lambda dcpl: dcpl.set_deflate(level)


def nbit(dcpl):
    dcpl.set_filter(h5z.FILTER_NBIT, h5z.FLAG_OPTIONAL)


def scale(kind, factor):
    return lambda dcpl: dcpl.set_scaleoffset(kind, factor)


def pipelines():
    """Name and steps of each pipeline that takes all types."""
    for level in (0, 1, 6, 9):
        yield f"gzip {level}", [gzip(level)]
    yield "none", []
    yield "shuffle", [shuffle]
    yield "fletcher32", [fletcher32]
    yield "shuffle gzip", [shuffle, gzip(4)]
    yield "shuffle gzip fletcher32", [shuffle, gzip(4), fletcher32]
    yield "fletcher32 shuffle gzip", [fletcher32, shuffle, gzip(4)]
    yield "lzf", [lzf]
    yield "shuffle lzf fletcher32", [shuffle, lzf, fletcher32]
    for size in (0, 64, 1000):
        yield f"lz4 {size}", [plugin(hdf5plugin.LZ4(nbytes=size))]
    yield "shuffle lz4 fletcher32", [shuffle, plugin(hdf5plugin.LZ4()), fletcher32]
    for level in (1, 3, 19):
        yield f"zstd {level}", [plugin(hdf5plugin.Zstd(clevel=level))]
    yield "shuffle zstd", [shuffle, plugin(hdf5plugin.Zstd())]
    for codec in ("none", "lz4", "zstd"):
        for size in (0, 8, 64, 1024):
            packed = plugin(hdf5plugin.Bitshuffle(nelems=size, cname=codec))
            yield f"bitshuffle {codec} {size}", [packed]
    yield "bitshuffle gzip", [plugin(hdf5plugin.Bitshuffle(cname="none")), gzip(4)]
    yield "bitshuffle fletcher32", [plugin(hdf5plugin.Bitshuffle()), fletcher32]
    for codec in ("blosclz", "lz4", "lz4hc", "zlib", "zstd"):
        for mode in (0, 1, 2):
            for level in (0, 1, 9):
                packed = plugin(hdf5plugin.Blosc(cname=codec, clevel=level, shuffle=mode))
                yield f"blosc {codec} {mode} {level}", [packed]
    yield "blosc fletcher32", [plugin(hdf5plugin.Blosc()), fletcher32]


class Cases:
    def __init__(self, folder):
        self.lines = []
        self.bytes = open(folder / "bytes.bin", "wb")
        self.file = h5py.File("judge", "w", driver="core", backing_store=False)

    def keep(self, data):
        at = self.bytes.tell()
        self.bytes.write(data)
        return f"{at},{len(data)}"

    def add(self, name, values, steps, ftype=None, fill=None):
        """Writes `values` as one chunk and keeps what the library made of it."""
        dcpl = h5p.create(h5p.DATASET_CREATE)
        dcpl.set_chunk(values.shape)
        if fill is not None:
            dcpl.set_fill_value(np.array(fill, values.dtype))
        for step in steps:
            step(dcpl)
        ftype = ftype or h5t.py_create(values.dtype)
        space = h5s.create_simple(values.shape)
        dset = h5d.create(self.file.id, b"data", ftype, space, dcpl)
        dset.write(h5s.ALL, h5s.ALL, values)
        # Only a chunk that has been written to the file has gone through its filters.
        dset.flush()
        mask, packed = dset.read_direct_chunk((0,) * len(values.shape))
        # The library forgets the chunk that was written, and reads what is in the file.
        del dset
        dset = h5d.open(self.file.id, b"data")
        raw = np.zeros(values.size * ftype.get_size(), "u1")
        dset.read(h5s.ALL, h5s.ALL, raw, mtype=ftype)
        filters = []
        kept = dset.get_create_plist()
        for i in range(kept.get_nfilters()):
            number, _, numbers, _ = kept.get_filter(i)
            if number == h5z.FILTER_SCALEOFFSET:
                # h5py gives no more than 16 of its 20 values; the last of them are always 0 here.
                numbers = tuple(numbers[:16]) + (0,) * (20 - len(numbers[:16]))
            filters.append(",".join(map(str, (number, *numbers))))
        parts = [name, str(mask), ";".join(filters), self.keep(packed), self.keep(raw)]
        self.lines.append("\t".join(parts))
        del dset
        self.file.id.unlink(b"data")


def every_pipeline(cases):
    seed = 0
    for name, steps in pipelines():
        for type_ in TYPES:
            for n in LENGTHS:
                seed += 1
                kinds = CONTENTS if n == 1000 else [CONTENTS[seed % 3]]
                for kind in kinds:
                    values = content(kind, np.dtype(type_), n, seed)
                    cases.add(f"{name} {type_} {n} {kind}", values, steps)


def many_blocks(cases):
    """Chunks of more than one block of Blosc at any level."""
    for type_, n in (("<u2", 200_001), ("<f8", 60_000)):
        values = content("ramp", np.dtype(type_), n, 1)
        values[::50] = content("noise", np.dtype(type_), len(values[::50]), 2)
        for codec in ("blosclz", "lz4", "zlib", "zstd"):
            for mode in (0, 1, 2):
                steps = [plugin(hdf5plugin.Blosc(cname=codec, clevel=3, shuffle=mode))]
                cases.add(f"blosc {codec} {mode} {type_} {n}", values, steps)


def odd_elements(cases):
    """Elements of no power of two, and of many bytes."""
    for size in (3, 5, 12, 24, 40, 300):
        dtype = np.dtype(f"V{size}")
        for n in (1, 8, 130, 999):
            values = content("ramp", np.dtype("u1"), n * size, n).view(dtype)
            blosc = [hdf5plugin.Blosc(cname=c, shuffle=m) for c in ("blosclz", "lz4") for m in (1, 2)]
            for steps in (
                [shuffle],
                [shuffle, gzip(1)],
                [plugin(hdf5plugin.Bitshuffle())],
                *([plugin(one)] for one in blosc),
            ):
                cases.add(f"elements of {size} bytes {n}", values, steps)


def scaled(cases):
    """Scale-offset of integers and floating-point numbers, both byte orders, with fill values."""
    integers = ["i1", "u1", "<i2", ">u2", "<u4", ">i4", "<i8", ">u8"]
    for type_ in integers:
        dtype = np.dtype(type_)
        for n in (1, 9, 1000):
            for kind in CONTENTS:
                for fill in (None, 0, 77, dtype.type(100)):
                    values = content(kind, dtype, n, n)
                    for bits in (0, 5, 8 * dtype.itemsize):
                        steps = [scale(h5z.SO_INT, bits)]
                        cases.add(f"scale-offset {bits} {type_} {n} {kind} {fill}", values, steps, fill=fill)
                        cases.add(f"scale-offset gzip {bits} {type_} {n} {kind} {fill}", values, steps + [gzip(1)], fill=fill)
    for type_ in ("<f4", ">f4", "<f8", ">f8"):
        dtype = np.dtype(type_)
        for n in (1, 9, 1000):
            for kind in CONTENTS:
                for fill in (None, 77, -0.1):
                    values = content(kind, dtype, n, n)
                    if kind == "ramp":
                        values = (values / 7).astype(dtype)
                        values[::3] = -0.1
                    for digits in (0, 2, 4, 9):
                        steps = [scale(h5z.SO_FLOAT_DSCALE, digits)]
                        cases.add(f"scale-offset {digits} {type_} {n} {kind} {fill}", values, steps, fill=fill)
                        cases.add(f"scale-offset shuffle {digits} {type_} {n} {kind} {fill}", values, steps + [shuffle], fill=fill)


def few_bits(cases):
    """N-bit, of types that use a part of their bits."""
    integers = [
        h5t.STD_U8LE, h5t.STD_I16LE, h5t.STD_U16BE, h5t.STD_I32LE, h5t.STD_I32BE, h5t.STD_U64LE,
        h5t.STD_I64BE,
    ]
    for base in integers:
        size = 8 * base.get_size()
        for precision in (1, 3, 8, 13, 16, 31, 33, 57, 64):
            for offset in (0, 1, 5, 8, 17):
                if precision + offset > size or (precision == 1 and base.get_sign()):
                    continue
                if size > 8 and 2 * precision < size:
                    # HDF5 2 takes a type with so many unused bits for damage.
                    continue
                ftype = base.copy()
                ftype.set_precision(precision)
                ftype.set_offset(offset)
                for n in (1, 10, 333):
                    values = content("noise", np.dtype("<i8"), n, n + precision)
                    name = f"n-bit {base.dtype} {precision} {offset} {n}"
                    cases.add(name, values, [nbit], ftype)
                    cases.add(name, values, [nbit, gzip(1)], ftype)
    small = h5t.IEEE_F32LE.copy()
    small.set_fields(26, 20, 6, 7, 13)
    small.set_offset(7)
    small.set_precision(20)
    for ftype in (small, h5t.IEEE_F32BE, h5t.IEEE_F64LE, h5t.NATIVE_LDOUBLE):
        for n in (1, 10, 333):
            values = content("noise", np.dtype("<f8"), n, n)
            cases.add(f"n-bit float {ftype.get_size()} {n}", values, [nbit], ftype)


def main(folder):
    folder = pathlib.Path(folder)
    cases = Cases(folder)
    every_pipeline(cases)
    many_blocks(cases)
    odd_elements(cases)
    scaled(cases)
    few_bits(cases)
    cases.bytes.close()
    (folder / "cases.txt").write_text("".join(f"{line}\n" for line in cases.lines))
