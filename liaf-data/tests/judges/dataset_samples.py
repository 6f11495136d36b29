"""Recomputes the samples of a data set from CSV recordings with numpy alone, and compares them with the files.

The argument is a JSON file: a list of cases with `folder` (of `<class>/<name>.csv`, names t,x,y,p), `files`
(a path for each of the splits `none`, `train` and `test`), `window` in microseconds, `rule`
(`{"kind": "whole" | "bins" | "cut", "steps": T or null, "pad": bool}`), `time` (the fraction that trains, or
null), `contents` (`frames`, `sparse` or `events`) and `size` ([width, height] of sensor and frames).
"""

import json
import math
import pathlib
import sys

import numpy as np
import tensor_file


def recordings(folder):
    """Class, name and events of each recording, in the order of the names."""
    paths = sorted(pathlib.Path(folder).glob("*/*.csv"), key=lambda p: (p.parent.name, int(p.stem)))
    classes = sorted({path.parent.name for path in paths})
    for path in paths:
        events = np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.int64, ndmin=2)
        yield classes.index(path.parent.name), f"{path.parent.name}/{path.name}", events


def parts(events, fraction):
    """The part of each split: its name, its events, and the interval that it was cut from, if it was."""
    if fraction is None:
        return [("none", events, None, None)]
    t = events[:, 0]
    first, border = t[0], t[0] + math.floor((t[-1] - t[0] + 1) * fraction)
    return [
        ("train", events[t < border], first, border),
        ("test", events[t >= border], border, None),
    ]


def samples(events, start, end, window, rule):
    """Start, duration, events and number of frames of each sample."""
    if len(events) == 0:
        return
    t = events[:, 0]
    start = t[0] if start is None else start
    # The time after the last window is that of the border, or after the last event.
    end = t[-1] + 1 if end is None else end
    kind, steps = rule["kind"], rule["steps"]
    if kind == "bins":
        # Equal parts of the time up to the last event.
        yield start, t[-1] + 1 - start, events, steps
        return
    frames = -(-(end - start) // window)
    if kind == "whole":
        n = frames if steps is None else min(steps, frames)
        stop = min(start + n * window, end)
        yield start, stop - start, events[t < start + n * window], n
        return
    length = steps * window
    for k in range(-(-(end - start) // length)):
        a, b = start + k * length, start + (k + 1) * length
        if b > end and not rule["pad"]:
            return
        b = min(b, end)
        yield a, b - a, events[(t >= a) & (t < b)], -(-(b - a) // window)


def dense(chosen, start, duration, n, steps, window, rule, size):
    frames = np.zeros((steps, 2, size[1], size[0]), np.int64)
    t, x, y, p = chosen.T
    if rule["kind"] == "bins":
        step = (t - start) * n // duration
    else:
        step = (t - start) // window
    np.add.at(frames, (step, p, y, x), 1)
    return np.minimum(frames, 255)


def compare(case, split, expected, steps):
    file, about, names = tensor_file.load(case["files"][split])
    shape = [steps, 2, case["size"][1], case["size"][0]]
    assert about["shape"] == shape, (about["shape"], shape)
    assert len(file["source"]) == len(expected), (split, len(file["source"]), len(expected))
    for k, (label, name, start, duration, n, chosen) in enumerate(expected):
        what = (case["name"], split, k)
        assert file["labels"][k] == label and names[file["source"][k]] == name, what
        assert file["t_start"][k] == start, (what, file["t_start"][k], start)
        rows = slice(*file["offsets"][k:k + 2]) if "offsets" in file else None
        if case["contents"] == "events":
            assert file["duration"][k] == duration, (what, file["duration"][k], duration)
            found = np.stack([file[c][rows].astype(np.int64) for c in "txyp"], axis=1)
            assert np.array_equal(found, chosen), what
            continue
        assert file["lengths"][k] == n, (what, file["lengths"][k], n)
        frames = dense(chosen, start, duration, n, steps, case["window"], case["rule"], case["size"])
        if case["contents"] == "sparse":
            found = np.zeros(shape, file["count"].dtype)
            at = tuple(file[c][rows] for c in ("frame", "c", "y", "x"))
            assert (np.diff(np.ravel_multi_index(at, shape)) > 0).all(), what
            found[at] = file["count"][rows]
            assert (file["count"][rows] > 0).all(), what
        else:
            found = file["frames"][k]
        assert np.array_equal(found, frames), what


def main():
    for case in json.loads(pathlib.Path(sys.argv[1]).read_text()):
        expected = {split: [] for split in case["files"]}
        for label, name, events in recordings(case["folder"]):
            for split, some, start, end in parts(events, case["time"]):
                for a, d, chosen, n in samples(some, start, end, case["window"], case["rule"]):
                    expected[split].append((label, name, a, d, int(n), chosen))
        longest = max(row[4] for rows in expected.values() for row in rows)
        for split, rows in expected.items():
            compare(case, split, rows, case["rule"]["steps"] or longest)
        print(case["name"], {split: len(rows) for split, rows in expected.items()})


main()
