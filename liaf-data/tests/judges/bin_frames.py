"""Judge frames: python bin_frames.py CASES.json

Bins the same events again, plainly, with numpy, from the definitions of the window and edge rules,
and compares every window, every cell and every count. Where tonic is installed, its ToFrame is asked
too. Prints what was compared; ends with an error at the first difference.
"""
import json
import pathlib
import sys

import numpy as np

EVENT = np.dtype([("t", "<i8"), ("x", "<u2"), ("y", "<u2"), ("p", "u1")])
TOP = {"u8": 255, "u16": 65535, "i16": 32767, "f32": 2**24}


def keep(ev, case):
    """Events of the chosen time and crop, moved to the chosen size; and what was left out."""
    width, height = case["sensor"]

    def absolute(point):
        kind, us = point
        return int(ev["t"][0]) + us if kind == "relative" else us

    lo = absolute(case["from"]) if case["from"] else None
    hi = absolute(case["to"]) if case["to"] else None
    in_time = np.ones(len(ev), bool)
    if lo is not None:
        in_time &= ev["t"] >= lo
    if hi is not None:
        in_time &= ev["t"] < hi
    cx, cy, cw, ch = case["crop"] or (0, 0, width, height)
    x, y = ev["x"].astype(int) - cx, ev["y"].astype(int) - cy
    in_crop = (x >= 0) & (x < cw) & (y >= 0) & (y < ch)
    to_w, to_h = case["size"] or (cw, ch)
    kept = in_time & in_crop
    new = np.zeros(kept.sum(), [("t", "i8"), ("x", "i8"), ("y", "i8"), ("p", "i8")])
    new["t"], new["p"] = ev["t"][kept], ev["p"][kept]
    new["x"], new["y"] = x[kept] * to_w // cw, y[kept] * to_h // ch
    if case["sort"]:
        new = new[np.argsort(new["t"], kind="stable")]
    out = int((~in_time).sum()), int((in_time & ~in_crop).sum())
    return new, (to_w, to_h), lo, hi, out


def moved(ev, case):
    """How many events of the chosen time and crop come after a later one, if they are sorted."""
    if not case["sort"]:
        return {}
    t = keep(ev, {**case, "sort": False})[0]["t"]
    n = int((t < np.maximum.accumulate(t)).sum()) if len(t) else 0
    return {"moved": n} if n else {}


def cut(t, case, lo, hi):
    """Windows as (start, end, first event, last event + 1); start None means by its events."""
    rule, edge = case["rule"], case["edge"]
    n_events, t0, t_last = len(t), int(t[0]) if lo is None else lo, int(t[-1])
    kind = rule["kind"]

    def between(a, b):
        return int(np.searchsorted(t, a, "left")), int(np.searchsorted(t, b, "left"))

    if kind == "time":
        width, stride = rule["us"], rule["us"] - rule["overlap"]
        if edge == "spikingjelly":
            cuts, left = [], 0
            while left < n_events:
                right = left
                while right < n_events and t[right] - t[left] <= width:
                    right += 1
                cuts.append((int(t[left]), int(t[left]) + width + 1, left, right))
                left = right
            return cuts
        if edge == "spikingjelly2":
            n = max(1, -(-(t_last - t0) // width))
            index = (t - t0) // width
            cuts = []
            for k in range(n):
                a = int(np.searchsorted(index, k, "left"))
                b = n_events if k == n - 1 else int(np.searchsorted(index, k + 1, "left"))
                cuts.append((t0 + k * width, t0 + (k + 1) * width, a, b))
            start, end, a, b = cuts[-1]
            cuts[-1] = (start, max(end, t_last + 1), a, b)
        elif edge == "tonic":
            n = max(1, (t_last - t0 - width) // stride + 1)
            cuts = [(a, a + width, *between(a, a + width)) for a in range(t0, t0 + n * stride, stride)]
        else:
            # A chosen end is reached even where the last windows hold nothing.
            n = (max(t_last, t_last if hi is None else hi - 1) - t0) // stride + 1
            cuts = [(a, a + width, *between(a, a + width)) for a in range(t0, t0 + n * stride, stride)]
        return [(a, b if hi is None else min(b, hi), i, j) for a, b, i, j in cuts]
    if kind == "bins":
        n = rule["n"]
        if edge == "all":
            bins = [min(n - 1, n * (int(v) - t0) // (t_last - t0 + 1)) for v in t]
            span = t_last - t0 + 1
            return [(t0 + -(-k * span // n), t0 + -(-(k + 1) * span // n),
                     int(np.searchsorted(bins, k)), int(np.searchsorted(bins, k + 1))) for k in range(n)]
        width = (t_last - t0) // n
        cuts = [(t0 + k * width, t0 + (k + 1) * width, *between(t0 + k * width, t0 + (k + 1) * width))
                for k in range(n)]
        if edge != "tonic":
            start = t0 + (n - 1) * width
            cuts[-1] = (start, max(start + width, t_last + 1), between(start, start)[0], n_events)
        return cuts
    if kind == "count":
        stride = rule["events"] - rule["overlap"]
        if edge == "all":
            return [(None, None, a, min(a + rule["events"], n_events)) for a in range(0, n_events, stride)]
        size = min(rule["events"], n_events)
        n = (n_events - size) // stride + 1
        return [(None, None, k * stride, k * stride + size) for k in range(n)]
    n = rule["n"]
    if edge == "all":
        bins = np.arange(n_events) * n // n_events
        return [(None, None, int(np.searchsorted(bins, k)), int(np.searchsorted(bins, k + 1)))
                for k in range(n)]
    size = n_events // n
    cuts = [(None, None, k * size, (k + 1) * size) for k in range(n)]
    if edge != "tonic":
        cuts[-1] = (None, None, (n - 1) * size, n_events)
    return cuts


def judge(case, folder):
    ev = np.fromfile(folder / case["events"], EVENT)
    events, (w, h), lo, hi, (out_of_window, out_of_crop) = keep(ev, case)
    channels = 2 if case["polarity"] == "split" else 1
    ours = np.fromfile(folder / case["frames"], "<f8").reshape(-1, channels, h, w)
    cuts = cut(events["t"], case, lo, hi) if len(events) else []
    frames = np.zeros((len(cuts), channels, h, w))
    windows, seen, binned, saturated = [], np.zeros(len(events), bool), 0, 0
    previous = int(events["t"][0]) if len(events) else 0
    for k, (start, end, a, b) in enumerate(cuts):
        part = events[a:b]
        if start is None:
            start = int(part["t"][0]) if len(part) else previous
            end = int(part["t"][-1]) + 1 if len(part) else previous
            previous = end
        windows.append([start, end])
        channel = part["p"] if channels == 2 else np.zeros(len(part), int)
        step = 2 * part["p"] - 1 if case["polarity"] == "signed" else 1
        np.add.at(frames[k], (channel, part["y"], part["x"]), step)
        seen[a:b] = True
        binned += len(part)
    if case["cells"] == "binary":
        frames = (frames > 0).astype(float)
    saturated = int((frames > TOP[case["dtype"]]).sum())
    frames = np.minimum(frames, TOP[case["dtype"]])
    name = case["name"]
    assert len(ours) == len(frames), f"{name}: {len(ours)} frames, expected {len(frames)}"
    assert case["windows"] == windows, f"{name}: windows {case['windows']}, expected {windows}"
    assert np.array_equal(ours, frames), f"{name}: frames {np.argwhere(ours != frames)[:5]} differ"
    report = {
        "kept": int(seen.sum()),
        "binned": binned,
        "late": 0,
        **moved(ev, case),
        "out_of_window": out_of_window + int((~seen).sum()),
        "out_of_crop": out_of_crop,
        "saturated_cells": saturated,
        "frames": len(frames),
    }
    found = {key: case["report"][key] for key in report}
    assert found == report, f"{name}: {found}, expected {report}"
    return events, (w, h), lo, ours


def ask_tonic(case, events, size, lo, ours, to_frame):
    """Whether tonic has this rule and could be asked; an error if it answers otherwise."""
    plain = case["cells"] == "count" and case["polarity"] == "split" and case["dtype"] == "u16"
    if case["edge"] != "tonic" or not plain or len(events) == 0:
        return False
    rule = case["rule"]
    if lo is not None and rule["kind"] != "time":
        return False
    arguments = {
        "time": lambda: {"time_window": rule["us"], "overlap": rule["overlap"], "start_time": lo},
        "count": lambda: {"event_count": rule["events"], "overlap": rule["overlap"]},
        "bins": lambda: {"n_time_bins": rule["n"]},
        "event_bins": lambda: {"n_event_bins": rule["n"]},
    }[rule["kind"]]()
    theirs = to_frame(events.copy(), sensor_size=(*size, 2), **arguments)
    assert np.array_equal(ours, theirs), f"{case['name']}: tonic differs"
    return True


def main():
    path = pathlib.Path(sys.argv[1])
    try:
        from tonic.functional import to_frame_numpy as to_frame
    except ImportError:
        to_frame = None
        print("skipped: tonic is not installed")
    by_tonic = 0
    cases = json.loads(path.read_text())
    for case in cases:
        events, size, lo, ours = judge(case, path.parent)
        if to_frame is not None:
            by_tonic += ask_tonic(case, events, size, lo, ours, to_frame)
    print(f"equal: {len(cases)} cases by numpy, {by_tonic} of them by tonic")


if __name__ == "__main__":
    main()
