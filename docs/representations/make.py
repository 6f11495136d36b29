"""Makes the pictures of docs/representations.md: one for each representation, of a bundled recording.

    python docs/representations/make.py target/release/liaf            # writes them
    python docs/representations/make.py target/release/liaf --check    # says which are not what would be written

`liaf convert` makes the frames; this script needs numpy and draws them as they are: cells that have a sign from blue
(negative) over white to red, others from white to black, each picture up to its largest value. The channels of a
frame stand side by side."""

import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

import numpy

HERE = pathlib.Path(__file__).resolve().parent
RECORDING = HERE.parents[1] / "fixtures/good/atis_bin/ncaltech101.bin"
# The rectangle with the rotating bar; the second of three windows is drawn.
OPTIONS = ["--sensor", "240x180", "--crop", "88,66,64,48", "--window", "50ms"]
WINDOW = 1
PIXEL, GAP = 3, 6

# A name, the value of --repr, and whether the cells have a sign.
PICTURES = [
    ("count", "count", False),
    ("binary", "binary", False),
    ("signed", "signed", True),
    ("cumulative", "cumulative", False),
    ("voxel_grid", "voxel_grid:bins=5", True),
    ("event_volume", "event_volume:bins=3", False),
    ("stacked_histogram", "stacked_histogram:bins=3", False),
    ("time_surface", "time_surface:tau=30ms", False),
    ("sae", "sae", False),
    ("averaged_timestamps", "averaged_timestamps", False),
    ("hats", "hats:tile=8,surface=7", False),
    ("bina_rep", "bina_rep:bits=8", False),
]


def frame(program, representation):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "frames.npz"
        command = [program, "convert", RECORDING, "-o", path, "-q", "--repr", representation, *OPTIONS]
        subprocess.run(command, check=True)
        return numpy.load(path)["frames"][WINDOW].astype(float)


def draw(channels, signed):
    """The channels as pixels [height, width, 3]."""
    if not signed and channels.min() < 0:
        # The surface of active events: times before the end of the window. No event is as long ago as possible.
        channels = numpy.where(channels == 0, 0, channels - channels.min() + 1)
    value = channels / max(abs(channels).max(), 1e-12)
    light = 1 - abs(value)
    rest = numpy.ones_like(light)
    colours = [numpy.where(value >= 0, rest, light), light, numpy.where(value <= 0, rest, light)]
    if not signed:
        colours = [light] * 3
    pixels = numpy.stack(colours, -1)
    pixels = numpy.round(255 * pixels).astype("u1")
    pixels = pixels.repeat(PIXEL, 1).repeat(PIXEL, 2)
    count, height, width, _ = pixels.shape
    picture = numpy.full((height + 2 * GAP, count * (width + GAP) + GAP, 3), 200, "u1")
    for k, channel in enumerate(pixels):
        left = GAP + k * (width + GAP)
        picture[GAP : GAP + height, left : left + width] = channel
    return picture


def png(pixels):
    height, width, _ = pixels.shape
    rows = numpy.concatenate([numpy.zeros((height, 1), "u1"), pixels.reshape(height, -1)], 1)
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    ]
    data = b"\x89PNG\r\n\x1a\n"
    for name, body in chunks:
        data += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return data


def unpacked(data):
    """The header and the rows of a picture, however they are compressed."""
    length = struct.unpack(">I", data[33:37])[0]
    return data[:33], zlib.decompress(data[41 : 41 + length])


def main():
    program, check = sys.argv[1], "--check" in sys.argv[2:]
    wrong = []
    for name, representation, signed in PICTURES:
        data = png(draw(frame(program, representation), signed))
        path = HERE / f"{name}.png"
        assert len(data) <= 30_000, f"{name} has {len(data)} bytes"
        if not check:
            path.write_bytes(data)
        elif not path.exists() or unpacked(path.read_bytes()) != unpacked(data):
            wrong.append(name)
    if wrong:
        sys.exit(f"these pictures are not what would be written: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
