"""Whether a damaged recording shows that it is damaged: what an attentive reader could notice.

`fault(format, data)` names the first thing in the bytes that the format does not allow, or is `None`
where the damage has left another sound recording, whose events no reader can tell from true ones.
It looks at structure alone: records, words, packets and headers that are not whole or not possible.
Pixels outside the sensor and times that step back do not count, so that nobody is blamed for them.
Written from the layouts in liaf-data/docs/formats; it shares no code with LIAF.
"""

from __future__ import annotations

import io
import re
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import lz4.frame
import zstandard

import containers

ORACLES = Path(__file__).resolve().parents[2] / "fixtures/oracles"


class Fault(Exception):
    """What is wrong."""


def fault(form: str, data: bytes) -> str | None:
    try:
        CHECKS[form](data)
    except (Fault, struct.error, ValueError, IndexError, KeyError, ElementTree.ParseError) as error:
        return str(error) or type(error).__name__
    except Exception as error:  # a library's own, for a file it cannot read
        return f"{type(error).__name__}: {error}"
    return None


def need(holds: object, what: str) -> None:
    if not holds:
        raise Fault(what)


# --- records ------------------------------------------------------------------------------------


def aedat2(data: bytes) -> None:
    end = data.find(b"# End of ASCII Header\r\n")
    need(data.startswith(b"#!AER-DAT2.0\r\n") and end > 0, "the header")
    need((len(data) - end - 23) % 8 == 0, "a record is not whole")


def dat(data: bytes) -> None:
    lines = header(data)
    need(lines.get("Version", "2") in ("1", "2"), "the version")
    kind, size = data[lines["end"] : lines["end"] + 2]
    need(kind in (0, 12) and size == 8, "type or size of a record")
    need((len(data) - lines["end"] - 2) % 8 == 0, "a record is not whole")


def atis(data: bytes) -> None:
    need(len(data) % 5 == 0, "a record is not whole")


def header(data: bytes) -> dict:
    """The `% key value` lines, and where they end."""
    lines, at = {}, 0
    while data.startswith(b"% ", at):
        end = data.index(b"\n", at) + 1
        key, _, value = data[at + 2 : end].decode("ascii").strip().partition(" ")
        lines.setdefault(key, value)
        at = end
        if key == "end":
            break
    need(at > 0, "the header")
    return lines | {"end": at}


# --- words --------------------------------------------------------------------------------------


def words(data: bytes, size: int, known: set[int], encoding: str, shift: int) -> list[int]:
    lines = header(data)
    named = lines.get("format", "").split(";")[0] or {"2.0": "EVT2", "2.1": "EVT21", "3.0": "EVT3"}[lines["evt"]]
    need(named == encoding, "the encoding")
    body = data[lines["end"] :]
    need(len(body) % size == 0, "a word is not whole")
    found = [int.from_bytes(body[i : i + size], "little") for i in range(0, len(body), size)]
    need(all(word >> shift in known for word in found), "a word of a reserved type")
    return found


def evt2(data: bytes) -> None:
    words(data, 4, {0, 1, 8, 10, 13, 14, 15}, "EVT2", 28)


def evt21(data: bytes) -> None:
    words(data, 8, {0, 1, 8, 10, 13, 14, 15}, "EVT21", 60)


def evt3(data: bytes) -> None:
    row = base = False
    for word in words(data, 2, {0, 2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15}, "EVT3", 12):
        kind = word >> 12
        row, base = row or kind == 0, base or kind == 3
        need(kind != 2 or row, "an event without a row")
        need(kind not in (4, 5) or base, "a vector without a base")


# --- Event Stream -------------------------------------------------------------------------------


def event_stream(data: bytes) -> None:
    need(data[:12] == b"Event Stream" and data[12] == 2 and data[15] == 1 and len(data) >= 20, "the header")
    at = 20
    while at < len(data):
        at += 1 if data[at] >= 0xFE else 5
    need(at == len(data), "an event is not whole")


# --- packets ------------------------------------------------------------------------------------


def aedat3(data: bytes) -> None:
    end = data.find(b"#!END-HEADER\r\n")
    need(data.startswith(b"#!AER-DAT3.1\r\n#Format: RAW\r\n") and end > 0, "the header")
    at = end + 14
    while at < len(data):
        kind, _, size, place, overflow, room, number, valid = struct.unpack_from("<hhiiiiii", data, at)
        need(0 <= kind <= 12 and place >= 0 and overflow >= 0, "the header of a packet")
        need(size >= place + 4 and 0 <= valid <= number <= room, "the numbers of a packet")
        need(kind != 1 or (size == 8 and place == 4), "the events of a packet")
        at += 28 + size * room
    need(at == len(data), "a packet is not whole")


def aedat4(data: bytes) -> None:
    need(data[:14] == b"#!AER-DAT4.0\r\n", "the first line")
    size = struct.unpack_from("<I", data, 14)[0]
    need(18 + size <= len(data) and data[22:26] == b"IOHE", "the header")
    head = data[14 : 18 + size]
    at, text = field(head, 0), field(head, 2)
    codec = struct.unpack_from("<i", head, at)[0] if at else 0
    at = field(head, 1)
    end = struct.unpack_from("<q", head, at)[0] if at else -1
    need(codec in range(5) and text, "the header")
    text += struct.unpack_from("<I", head, text)[0]
    length = struct.unpack_from("<I", head, text)[0]
    need(text + 4 + length <= len(head), "the header's text")
    root = ElementTree.fromstring(head[text + 4 : text + 4 + length].decode("utf-8"))
    streams = {int(n.get("name", "")): n.findtext("./attr[@key='typeIdentifier']") for n in root.findall("./node/node")}
    need(streams, "the header's streams")

    def inflate(body: bytes) -> bytes:
        if codec in (1, 2):
            return lz4.frame.decompress(body)
        return zstandard.ZstdDecompressor().decompress(body, 1 << 26) if codec else body

    at, stop = 18 + size, end if end >= 0 else len(data)
    while at < stop:
        stream, size = struct.unpack_from("<ii", data, at)
        need(size > 0 and at + 8 + size <= len(data) and stream in streams, "the header of a packet")
        body = inflate(data[at + 8 : at + 8 + size])
        need(struct.unpack_from("<I", body)[0] == len(body) - 4, "the size of a packet")
        need(body[8:12].decode("latin1") == streams[stream], "the identifier of a packet")
        if body[8:12] == b"EVTS" and (vector := field(body, 0)):
            vector += struct.unpack_from("<I", body, vector)[0]
            need(vector + 4 + 16 * struct.unpack_from("<I", body, vector)[0] <= len(body), "the events of a packet")
        at += 8 + size
    need(at == stop, "a packet is not whole")
    if end >= 0:
        need(stop < len(data), "the data table")
        need(inflate(data[stop:])[8:12] == b"FTAB", "the data table")


def field(buffer: bytes, number: int) -> int | None:
    """Where field `number` of the root table of a flatbuffer with a size in front is."""
    table = 4 + struct.unpack_from("<I", buffer, 4)[0]
    vtable = table - struct.unpack_from("<i", buffer, table)[0]
    need(vtable >= 0, "a table outside of its packet")
    if 4 + 2 * number >= struct.unpack_from("<H", buffer, vtable)[0]:
        return None
    slot = struct.unpack_from("<H", buffer, vtable + 4 + 2 * number)[0]
    return table + slot if slot else None


# --- text and arrays ----------------------------------------------------------------------------


def text_lines(data: bytes) -> list[str]:
    lines = data.decode("ascii").replace("\r\n", "\n").split("\n")
    if len(lines) > 1 and lines[-1] == "":  # the last line may lack its end
        lines.pop()
    return lines


def csv(data: bytes) -> None:
    first, *lines = text_lines(data)
    need(re.fullmatch(r"t,x@\d+,y@\d+,(on|p)", first), "the names")
    for line in lines:
        need(re.fullmatch(r"\d{1,18},\d{1,5},\d{1,5},[01]", line), "a line")


def e2vid(data: bytes) -> None:
    first, *lines = text_lines(data)
    need(re.fullmatch(r"\d{1,5} \d{1,5}", first), "the size of the sensor")
    for line in lines:
        need(re.fullmatch(r"\d{1,12}\.\d{1,9} \d{1,5} \d{1,5} [01]", line), "a line")


def npy(data: bytes) -> None:
    import numpy as np

    stream = io.BytesIO(data)
    array = np.load(stream, allow_pickle=False)
    need(not stream.read(1), "bytes behind the array")
    need(array.dtype.names == ("t", "x", "y", "p"), "the names of the members")


def npz(data: bytes) -> None:
    import numpy as np

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        need(archive.testzip() is None, "a checksum")
    arrays = np.load(io.BytesIO(data), allow_pickle=False)
    need(len({len(arrays[name]) for name in "txyp"}) == 1, "arrays of one length")


def mat(data: bytes) -> None:
    import scipy.io

    need(data.startswith(b"MATLAB 5.0 MAT-file"), "the header")
    columns = scipy.io.loadmat(io.BytesIO(data))
    need(len({columns[name].size for name in ("ts", "x", "y", "pol")}) == 1, "columns of one length")


def mat_struct(data: bytes) -> None:
    import scipy.io

    td = scipy.io.loadmat(io.BytesIO(data))["TD"]
    need(len({td[name][0, 0].size for name in ("ts", "x", "y", "p")}) == 1, "columns of one length")


def read_whole(form: str) -> Callable[[bytes], None]:
    """What the only other reader of a container cannot read."""

    def check(data: bytes) -> None:
        with tempfile.NamedTemporaryFile(suffix=".bag" if "bag" in form else ".mcap") as file:
            file.write(data)
            file.flush()
            (read,) = containers.READERS[form].values()
            list(read(file.name))

    return check


def packed(suffix: str) -> Callable[[bytes], None]:
    """A text inside another file."""
    return lambda data: csv(containers.UNPACK[suffix](data))


def hdf5(data: bytes) -> None:
    """By h5py in a process of its own, as its library may crash."""
    with tempfile.NamedTemporaryFile(suffix=".h5") as file:
        file.write(data)
        file.flush()
        decode = "import decoders, sys; list(decoders.h5py(sys.argv[1]))"
        done = subprocess.run([sys.executable, "-c", decode, file.name], capture_output=True, cwd=ORACLES)
    need(done.returncode == 0, "what h5py cannot read")


CHECKS: dict[str, Callable[[bytes], None]] = {
    "AEDAT 2.0": aedat2,
    "AEDAT 3": aedat3,
    "AEDAT 4.0": aedat4,
    "EVT 2.0": evt2,
    "EVT 2.1": evt21,
    "EVT 3.0": evt3,
    "DAT": dat,
    "Event Stream": event_stream,
    "ATIS bin": atis,
    "CSV": csv,
    "E2VID": e2vid,
    "npy": npy,
    "npz": npz,
    "MAT 5": mat,
    "MAT 5 struct": mat_struct,
    "HDF5": hdf5,
    "ROS 1 bag": read_whole("ROS 1 bag"),
    "MCAP": read_whole("MCAP"),
    **{f"CSV{suffix}": packed(suffix) for suffix in containers.UNPACK},
}
