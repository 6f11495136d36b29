"""Makes the samples of a detection set again, from its DAT recordings and _bbox.npy files, and compares them with a
tensor file. Usage: detection.py FOLDER OUT SPLIT WINDOW_US STEPS around|along SCALE"""

import pathlib
import sys

import numpy
import tensor_file

folder, out, split, window, steps, how, scale = sys.argv[1:]
window, steps, scale = int(window), int(steps), int(scale)
file, about, names = tensor_file.load(out)
n, t, _, height, width = file["frames"].shape
assert t == steps, (t, steps)


def events(path):
    data = path.read_bytes()
    while data.startswith(b"%"):
        data = data[data.index(b"\n") + 1 :]
    rows = numpy.frombuffer(data[2:], "<u4").reshape(-1, 2)
    return rows[:, 0].astype("i8"), rows[:, 1] & 0x3FFF, rows[:, 1] >> 14 & 0x3FFF, rows[:, 1] >> 28 & 1


sample = 0
for source, name in enumerate(names):
    path = pathlib.Path(folder) / name
    if split != "all" and split not in path.parts[-2]:
        continue
    boxes = numpy.load(str(path).replace("_td.dat", "_bbox.npy"))
    boxes.dtype.names = ["t" if name == "ts" else name for name in boxes.dtype.names]
    x, y, w, h = (boxes[name].astype("f8") for name in "xywh")
    keep = (w > 0) & (h > 0) & (x < width * scale) & (y < height * scale) & (x + w > 0) & (y + h > 0)
    keep &= boxes["class_id"] < len(about["class_names"])
    boxes = boxes[keep]
    boxes = boxes[boxes["t"].astype("i8").argsort(kind="stable")]
    times, px, py, p = events(path)
    if how == "around":
        starts = [int(time) - window * steps for time in numpy.unique(boxes["t"])]
    else:
        starts = range(0, int(times[-1]) + 1 - window * steps + 1, window * steps)
    for start in starts:
        assert file["source"][sample] == source and file["t_start"][sample] == start, (name, start)
        frames = numpy.zeros(file["frames"].shape[1:], "u1")
        for k in range(steps):
            chosen = (times >= start + k * window) & (times < start + (k + 1) * window)
            numpy.add.at(frames[k], (p[chosen], py[chosen] // scale, px[chosen] // scale), 1)
        assert (file["frames"][sample] == frames).all(), (name, start)
        mine = boxes[(boxes["t"].astype("i8") > start) & (boxes["t"].astype("i8") <= start + window * steps)]
        a, b = file["box_offsets"][sample : sample + 2]
        assert b - a == len(mine), (name, start, b - a, len(mine))
        for row, box in zip(range(a, b), mine):
            place = [box[name] / scale for name in "xywh"]
            assert numpy.allclose(file["boxes"][row], place, rtol=1e-6), (name, start, row)
            assert file["box_labels"][row] == box["class_id"] and file["box_t"][row] == box["t"]
            assert file["box_tracks"][row] == box["track_id"]
            assert file["box_frames"][row] == (int(box["t"]) - start - 1) // window
            confidence = box["class_confidence" if "class_confidence" in boxes.dtype.names else "confidence"]
            assert file["box_confidences"][row] == confidence
        sample += 1
assert sample == n > 0 and file["box_offsets"][-1] == len(file["boxes"]), (sample, n)
print(n, len(file["boxes"]))
