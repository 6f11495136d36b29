"""Reads frames, inertial samples and triggers with decoders that are not ours, and holds files of ours
against them.

    read_measurements.py READER RECORDING OURS ...

READER is a function below. OURS is a .csv file, a folder of .png files or an .h5 file. Prints a line a
case: how many samples are equal, what differs, or that the reader's package is not installed.
"""

import csv
import struct
import sys
from pathlib import Path

import numpy as np

# --- others, and the tables of the formats ------------------------------------------------------

DV_TRIGGERS = (
    "timestamp_reset rising falling pulse generator_rising generator_falling "
    "frame_start frame_end exposure_start exposure_end"
).split()


def dv_imu(path):
    """By dv-processing."""
    import dv_processing as dv

    reader = dv.io.MonoCameraRecording(path)
    while (batch := reader.getNextImuBatch()) is not None:
        for s in batch:
            yield s.timestamp, [
                *(s.accelerometerX, s.accelerometerY, s.accelerometerZ),
                *(s.gyroscopeX, s.gyroscopeY, s.gyroscopeZ, s.temperature),
                *(s.magnetometerX, s.magnetometerY, s.magnetometerZ),
            ]


def dv_triggers(path):
    """By dv-processing."""
    import dv_processing as dv

    reader = dv.io.MonoCameraRecording(path)
    while (batch := reader.getNextTriggerBatch()) is not None:
        yield from ((s.timestamp, [DV_TRIGGERS[s.type.value], 0]) for s in batch)


def dv_frames(path):
    """By dv-processing; its colours are blue, green, red."""
    import dv_processing as dv

    reader = dv.io.MonoCameraRecording(path)
    while (frame := reader.getNextFrame()) is not None:
        image = frame.image if frame.image.ndim == 2 else frame.image[..., ::-1]
        yield frame.timestamp, [frame.positionX, frame.positionY, image]


def aedat_imu(path):
    """By aedat."""
    import aedat

    names = [f"{s}_{a}" for s in ("accelerometer", "gyroscope") for a in "xyz"]
    names += ["temperature"] + [f"magnetometer_{a}" for a in "xyz"]
    for packet in aedat.Decoder(path):
        for sample in packet.get("imus", ()):
            yield int(sample["t"]), [sample[name] for name in names]


def aedat_triggers(path):
    """By aedat."""
    import aedat

    for packet in aedat.Decoder(path):
        for sample in packet.get("triggers", ()):
            yield int(sample["t"]), [DV_TRIGGERS[sample["source"]], 0]


def aedat_frames(path):
    """By aedat, which turns colours into red, green, blue."""
    import aedat

    for packet in aedat.Decoder(path):
        if "frame" in packet:
            f = packet["frame"]
            yield f["t"], [f["offset_x"], f["offset_y"], f["pixels"]]


def evt3_triggers(path):
    """By evt3."""
    import evt3

    found = evt3.decode_file_with_triggers(path)[1]
    for t, channel, value in zip(found.timestamp, found.id, found.value, strict=True):
        yield int(t), ["rising" if value else "falling", int(channel)]


def evt2_triggers(path):
    """By the table of the format: no wraps."""
    data = Path(path).read_bytes()
    words = np.frombuffer(data[data.index(b"% end\n") + 6 :][: len(data) // 4 * 4], "<u4")
    high = None
    for word in words[: len(words)].tolist():
        if word >> 28 == 8:
            high = word & 0xFFFFFFF
        if word >> 28 == 10 and high is not None:
            t = high << 6 | word >> 22 & 63
            yield t, ["rising" if word & 1 else "falling", word >> 8 & 31]


def hdf5_triggers(path):
    """By h5py."""
    import h5py

    with h5py.File(path) as file:
        for p, t, channel in file["EXT_TRIGGER/events"][:].tolist():
            yield t, ["rising" if p else "falling", channel]


def dat_triggers(path):
    """By the table of the format: no wraps."""
    data = Path(path).read_bytes()
    at = 0
    while data[at : at + 2] == b"% ":
        at = data.index(b"\n", at) + 1
    for t, word in struct.iter_unpack("<II", data[at + 2 :]):
        yield t, ["rising" if word & 1 else "falling", word >> 26]


def davis_words(path):
    """Addresses and times of AEDAT 2.0."""
    data = Path(path).read_bytes()
    at = 0
    while data[at : at + 1] == b"#":
        at = data.index(b"\n", at) + 1
    words = np.frombuffer(data[at:][: (len(data) - at) // 8 * 8], ">u4").reshape(-1, 2)
    return words[:, 0].astype(np.int64), words[:, 1].astype(np.int64)


def davis_imu(path):
    """By the table of the format, with jAER's scales: ±4 g and ±500 °/s."""
    address, t = davis_words(path)
    imu = address & 0x80000C00 == 0x80000C00
    address, t = address[imu], t[imu]
    whole = len(address) // 7 * 7
    assert (address[:whole] >> 28 & 7 == np.arange(whole) % 7).all()
    values = (address[:whole] >> 12 & 0xFFFF).astype(np.uint16).astype(np.int16).reshape(-1, 7)
    for row, time in zip(values.astype(float), t[:whole:7], strict=True):
        accelerometer, gyroscope = row[:3] / 8192, row[4:] / 65.5
        yield int(time), [*accelerometer, *gyroscope, row[3] / 340 + 35]


def davis_triggers(path):
    """By the table of the format."""
    address, t = davis_words(path)
    external = address & 0x80000400 == 0x400
    for word, time in zip(address[external], t[external], strict=True):
        yield int(time), ["rising" if word >> 11 & 1 else "falling", 0]


def davis_frames(path):
    """By the table of the format: all pixels at reset, then all again; rows from the bottom of 180."""
    address, t = davis_words(path)
    aps = (address >> 31 == 1) & (address >> 10 & 3 != 3)
    address, t = address[aps], t[aps]
    read = address >> 10 & 3
    starts = np.flatnonzero((read == 0) & (np.r_[1, read[:-1]] == 1))
    for a, t in zip(np.split(address, starts[1:]), np.split(t, starts[1:]), strict=True):
        x, y, read, sample = a >> 12 & 1023, a >> 22 & 511, a >> 10 & 3, a & 1023
        image = np.zeros((2, y.max() + 1 - y.min(), x.max() + 1 - x.min()), np.int64)
        image[read, y.max() - y, x - x.min()] = sample
        light = np.maximum(image[0] - image[1], 0).astype(np.uint16) << 6
        yield int(t[read == 0].max()), [int(x.min()), 179 - int(y.max()), light]


def aedat3_packets(path, kinds):
    """Type, overflow and bytes of the valid events of AEDAT 3.1."""
    data = Path(path).read_bytes()
    at = data.index(b"#!END-HEADER\r\n") + 14
    while at < len(data):
        kind, _, size, _, overflow, room, number, _ = struct.unpack_from("<hh6i", data, at)
        for i in range(number):
            event = data[at + 28 + i * size :][:size]
            if kind in kinds and event[0] & 1:
                yield kind, overflow << 31, event
        at += 28 + room * size


def aedat3_imu(path):
    """By the table of the format."""
    for kind, above, event in aedat3_packets(path, (3, 4)):
        t, *values = struct.unpack_from("<i10f" if kind == 4 else "<i7f", event, 4)
        yield above | t, values


def aedat3_triggers(path):
    """By the table of the format."""
    names = {14: "frame_start", 15: "frame_end", 2: "rising", 3: "falling"}
    for _, above, event in aedat3_packets(path, (0,)):
        yield above | struct.unpack_from("<i", event, 4)[0], [names[event[0] >> 1], 0]


def aedat3_frames(path):
    """By the table of the format."""
    for _, above, event in aedat3_packets(path, (2,)):
        _, end, _, _, width, height, x, y = struct.unpack_from("<8i", event, 4)
        channels = event[0] >> 1 & 7
        pixels = np.frombuffer(event, "<u2", width * height * channels, 36)
        shape = (height, width) if channels == 1 else (height, width, channels)
        yield above | end, [x, y, pixels.reshape(shape)]


def ros_imu(messages):
    """Readings of ROS: m/s² and rad/s, and no temperature."""
    for message in messages:
        stamp, a, w = message.header.stamp, message.linear_acceleration, message.angular_velocity
        values = [v / 9.80665 for v in (a.x, a.y, a.z)]
        values += [np.degrees(v) for v in (w.x, w.y, w.z)]
        yield stamp.sec * 10**6 + stamp.nanosec // 1000, [*values, np.nan]


def ros_frames(messages):
    """Images of ROS: rows may be longer than their pixels, and colours are blue, green, red."""
    for message in messages:
        stamp = message.header.stamp
        rows = np.frombuffer(bytes(message.data), np.uint8).reshape(message.height, message.step)
        if message.encoding == "bgr8":
            image = rows[:, : 3 * message.width].reshape(message.height, message.width, 3)[..., ::-1]
        else:
            image = rows[:, : message.width]
        yield stamp.sec * 10**6 + stamp.nanosec // 1000, [0, 0, image]


def rosbags_messages(path, kind):
    """The messages of a type in a bag, by rosbags."""
    from rosbags.rosbag1 import Reader
    from rosbags.typesys import Stores, get_typestore

    types = get_typestore(Stores.ROS1_NOETIC)
    with Reader(path) as reader:
        mine = [c for c in reader.connections if c.msgtype == kind]
        for connection, _, data in reader.messages(connections=mine):
            yield types.deserialize_ros1(data, connection.msgtype)


def mcap_messages(path, kind):
    """The messages of a type in MCAP, by mcap-ros2-support."""
    from mcap.reader import make_reader
    from mcap_ros2.decoder import DecoderFactory

    with open(path, "rb") as stream:
        reader = make_reader(stream, decoder_factories=[DecoderFactory()])
        for schema, _, _, message in reader.iter_decoded_messages():
            if schema.name == kind:
                yield message


def rosbags_imu(path):
    """By rosbags."""
    return ros_imu(rosbags_messages(path, "sensor_msgs/msg/Imu"))


def rosbags_frames(path):
    """By rosbags."""
    return ros_frames(rosbags_messages(path, "sensor_msgs/msg/Image"))


def mcap_imu(path):
    """By mcap-ros2-support."""
    return ros_imu(mcap_messages(path, "sensor_msgs/msg/Imu"))


def mcap_frames(path):
    """By mcap-ros2-support."""
    return ros_frames(mcap_messages(path, "sensor_msgs/msg/Image"))


# --- ours ---------------------------------------------------------------------------------------


def ours(path):
    """The samples of a file of ours, by libraries that are not ours."""
    if path.is_dir():
        from PIL import Image

        with open(path / "frames.csv", newline="") as table:
            for row in csv.DictReader(table):
                image = np.asarray(Image.open(path / row["file"]))
                yield int(row["t"]), [int(row["x"]), int(row["y"]), image]
    elif path.suffix == ".h5":
        import h5py

        with h5py.File(path) as file:
            assert len(file["frames"]) == len(file["exposure_end"])
            for t, x, y, image in zip(*(file[n][:] for n in ("t", "x", "y", "frames")), strict=True):
                yield int(t), [int(x), int(y), image]
    else:
        with open(path, newline="") as table:
            for row in csv.DictReader(table):
                t, *cells = row.values()
                yield int(t), [cell for cell in cells if cell != ""]


def same(a, b):
    """Whether two cells are equal, numbers as 32-bit floats."""
    if isinstance(a, np.ndarray):
        return a.dtype.itemsize == np.asarray(b).dtype.itemsize and np.array_equal(a, b)
    if isinstance(a, str):
        return a == b
    return np.isclose(np.float32(a), np.float32(b), rtol=3e-7, atol=0, equal_nan=True)


def line(reader, recording, path):
    """What is said of one case."""
    try:
        theirs = list(globals()[reader](recording))
    except ImportError as error:
        return f"skipped: {error}"
    mine = list(ours(Path(path)))
    if len(theirs) != len(mine):
        return f"differs: {len(theirs)} samples, ours {len(mine)}"
    for i, ((t, cells), (u, values)) in enumerate(zip(theirs, mine, strict=True)):
        if t != u or len(cells) != len(values) or not all(map(same, cells, values)):
            return f"differs: sample {i} is {t} {cells}, ours {u} {values}"
    return f"equal: {len(mine)}"


jobs = iter(sys.argv[1:])
for job in zip(jobs, jobs, jobs):
    print(line(*job), flush=True)
