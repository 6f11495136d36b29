"""Judge filters: python filters.py CASES.json, or python filters.py --map FILE to make a calibration map.

Applies the same filters with numpy, plainly, and asks tonic and dv_processing where they are installed and
have the filter. Random filters are judged by what must hold whatever the random numbers are, and by their
distributions. Prints what was compared; ends with an error at the first difference.
"""
import json
import pathlib
import sys

import numpy as np

import bin_frames


def us(text):
    for unit, factor in (("us", 1), ("ms", 1_000), ("s", 1_000_000)):
        if text.endswith(unit) and text[: -len(unit)].replace(".", "").isdigit():
            return int(float(text[: -len(unit)]) * factor)
    raise ValueError(text)


def calibration():
    """A map that turns pixels about the middle by 9 degrees."""
    y, x = np.mgrid[0:17, 0:23].astype(np.float32)
    c, s = np.cos(np.pi / 20), np.sin(np.pi / 20)
    return np.stack([11 + c * (x - 11) - s * (y - 8), 8 + s * (x - 11) + c * (y - 8)], -1).astype(np.float32)


def refractory(ev, opt, sensor):
    ready, keep = {}, []
    for e in ev:
        key = int(e["x"]), int(e["y"])
        keep.append(int(e["t"]) >= ready.get(key, -1))
        if keep[-1]:
            ready[key] = int(e["t"]) + us(opt["period"])
    return ev[np.array(keep)]


def background(ev, opt, sensor):
    last, keep = {}, []
    eight = opt.get("neighbours", "8") == "8"
    around = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if (a, b) != (0, 0) and (eight or a == 0 or b == 0)]
    for e in ev:
        x, y, t = int(e["x"]), int(e["y"]), int(e["t"])
        last[x, y] = t
        keep.append(any(t - last.get((x + a, y + b), -(10**9)) < us(opt["period"]) for a, b in around))
    return ev[np.array(keep)]


def mask(ev, opt, sensor):
    if "file" in opt:
        pixels = np.loadtxt(opt["file"], delimiter=",", skiprows=1, dtype=int)
        hit = [(int(e["x"]), int(e["y"])) in set(map(tuple, pixels)) for e in ev]
        return ev[~np.array(hit)]
    x, y, w, h = (int(opt[k]) for k in "xywh")
    inside = (ev["x"] >= x) & (ev["x"] < x + w) & (ev["y"] >= y) & (ev["y"] < y + h)
    return ev[~inside]


def decimate(ev, opt, sensor):
    seen, keep = {}, []
    for e in ev:
        key = int(e["x"]), int(e["y"])
        seen[key] = seen.get(key, 0) + 1
        keep.append(seen[key] % int(opt["n"]) == 0)
    return ev[np.array(keep)]


def changed(**columns):
    def apply(ev, opt, sensor):
        new = ev.copy()
        for name, function in columns.items():
            new[name] = function(ev, opt, sensor)
        return new

    return apply


def undistort(ev, opt, sensor):
    to = np.floor(np.load(opt["map"]).astype(float) + 0.5)[ev["y"], ev["x"]]
    new = ev.copy()
    ok = (to[:, 0] >= 0) & (to[:, 0] < sensor[0]) & (to[:, 1] >= 0) & (to[:, 1] < sensor[1])
    new["x"][ok], new["y"][ok] = to[ok].T
    return new[ok]


PLAIN = {
    "refractory": refractory,
    "background-activity": background,
    "mask": mask,
    "decimate": decimate,
    "downsample": changed(x=lambda e, o, s: e["x"] // int(o["factor"]), y=lambda e, o, s: e["y"] // int(o["factor"])),
    "scale-time": changed(t=lambda e, o, s: e["t"][0] + us(o.get("offset", "0us"))
                          + np.floor((e["t"] - e["t"][0]) * float(o["factor"])).astype(int)),
    "time-reversal": lambda e, o, s: changed(
        t=lambda e, o, s: e["t"].min() + e["t"].max() - e["t"],
        p=lambda e, o, s: e["p"] if o.get("polarity") == "keep" else 1 - e["p"])(e, o, s)[::-1],
    "flip-x": changed(x=lambda e, o, s: s[0] - 1 - e["x"]),
    "flip-y": changed(y=lambda e, o, s: s[1] - 1 - e["y"]),
    "flip-polarity": changed(p=lambda e, o, s: 1 - e["p"]),
    "transpose": changed(x=lambda e, o, s: e["y"], y=lambda e, o, s: e["x"]),
    "undistort": undistort,
}


def subset(ev, kept):
    """Which events were dropped, if the others are those that were kept, in order."""
    i, dropped = 0, np.zeros(len(ev), bool)
    for n, e in enumerate(ev):
        if i < len(kept) and e == kept[i]:
            i += 1
        else:
            dropped[n] = True
    assert i == len(kept), "what was kept is not a part of the events"
    return dropped


def random(name, ev, kept, opt, sensor):
    if name == "drop":
        share, n = subset(ev, kept).mean(), len(ev)
        p = float(opt["fraction"])
        assert abs(share - p) < 4 * np.sqrt(p * (1 - p) / n), share
    elif name == "drop-area":
        dropped = ev[subset(ev, kept)]
        x, y = ([int(dropped[k].min()), int(dropped[k].max()) + 1] for k in "xy")
        inside = (ev["x"] >= x[0]) & (ev["x"] < x[1]) & (ev["y"] >= y[0]) & (ev["y"] < y[1])
        assert inside.sum() == len(dropped)
        side = np.sqrt(float(opt["fraction"]))
        assert [x[1] - x[0], y[1] - y[0]] == [int(side * sensor[0] + 0.5), int(side * sensor[1] + 0.5)]
    elif name == "drop-time":
        dropped, period = subset(ev, kept), us(opt["period"])
        after, length = ev["t"] - ev["t"][0], float(opt["fraction"]) * period
        for k in range(int(after.max() // period)):
            here = after // period == k
            gone = after[here & dropped]
            assert gone.max() - gone.min() < length
            between = here & (after >= gone.min()) & (after <= gone.max())
            assert dropped[between].all(), "an event in the middle was kept"
            around = after[here & ~dropped]
            lower = around[around < gone.min()].max(initial=k * period)
            upper = around[around > gone.max()].min(initial=(k + 1) * period)
            assert upper - lower >= length - 1
    elif name == "jitter":
        if "time" in opt:
            shift, deviation = kept["t"] - ev["t"], us(opt["time"])
            assert len(kept) == len(ev) and (kept["x"] == ev["x"]).all() and (kept["y"] == ev["y"]).all()
            assert abs(shift.mean()) < 4 * deviation / np.sqrt(len(ev))
            assert abs(shift.std() / deviation - 1) < 0.05
            assert 0.94 < (abs(shift) < 2 * deviation).mean() < 0.97
        else:
            # Events in the middle hardly ever leave the sensor; the rest is matched by time and polarity.
            times, counts = np.unique(ev["t"], return_counts=True)
            alone = set(times[counts == 1])
            middle = [e for e in ev if e["t"] in alone and 6 <= e["x"] < 17 and 6 <= e["y"] < 11]
            found = {int(e["t"]): e for e in kept}
            moves = np.array([[found[int(e["t"])][k] - e[k] for k in "xy"] for e in middle if int(e["t"]) in found])
            assert len(moves) > 0.999 * len(middle) - 1
            expected = np.sqrt(float(opt["space"]) ** 2 + 1 / 12)
            assert (abs(moves.std(0) / expected - 1) < 0.08).all(), moves.std(0)
            assert (abs(moves.mean(0)) < 4 * expected / np.sqrt(len(moves))).all()
            assert (kept["x"] < sensor[0]).all() and (kept["y"] < sensor[1]).all()
    else:
        return False
    return True


def as_numbers(events):
    new = np.zeros(len(events), [("t", "i8"), ("x", "i8"), ("y", "i8"), ("p", "i8")])
    for name in new.dtype.names:
        new[name] = events[name]
    return new


def ask_tonic(name, ev, opt, sensor):
    import tonic.functional as tonic

    if name == "background-activity" and opt.get("neighbours") == "4":
        return tonic.denoise_numpy(ev.copy(), us(opt["period"]))
    if name == "decimate":
        return tonic.decimate_numpy(ev.copy(), int(opt["n"]))
    if name == "downsample" and opt["factor"] == "2":
        new = ev.copy()
        for k in "xy":
            new[k] = new[k] * (1 / int(opt["factor"]))
        return new
    if name == "time-reversal":
        from tonic.transforms import RandomTimeReversal

        new = RandomTimeReversal(p=1, flip_polarities=opt.get("polarity") != "keep")(ev.copy())
        new["t"] += ev["t"].min()
        return new
    if name == "scale-time" and "offset" not in opt:
        new = ev.copy()
        first = new["t"][0]
        new["t"] -= first
        new = tonic.time_skew_numpy(new, float(opt["factor"]))
        new["t"] += first
        return new
    return None


def ask_dv(name, ev, opt, sensor):
    import datetime

    import dv_processing as dv

    if name == "background-activity" and opt.get("neighbours", "8") == "8":
        chosen = dv.noise.BackgroundActivityNoiseFilter(
            (sensor[0], sensor[1]), datetime.timedelta(microseconds=us(opt["period"])))
    elif name == "mask" and "file" in opt:
        keep = np.full((sensor[1], sensor[0]), 255, np.uint8)
        for x, y in np.loadtxt(opt["file"], delimiter=",", skiprows=1, dtype=int):
            keep[y, x] = 0
        chosen = dv.EventMaskFilter(keep)
    else:
        return None
    store = dv.EventStore()
    for e in ev:
        store.push_back(int(e["t"]), int(e["x"]), int(e["y"]), bool(e["p"]))
    chosen.accept(store)
    theirs = chosen.generateEvents().numpy()
    new = np.zeros(len(theirs), ev.dtype)
    for name, key in (("t", "timestamp"), ("x", "x"), ("y", "y"), ("p", "polarity")):
        new[name] = theirs[key]
    return new


def main():
    if sys.argv[1] == "--map":
        np.save(sys.argv[2], calibration())
        return
    path = pathlib.Path(sys.argv[1])
    ev = as_numbers(np.fromfile(path.parent / "events.bin", bin_frames.EVENT))
    asked = []
    cases = json.loads(path.read_text())
    for case in cases:
        name, opt, sensor = case["filter"], case["parameters"], case["sensor"]
        kept = as_numbers(np.fromfile(path.parent / case["kept"], bin_frames.EVENT))
        assert len(kept) > 0 and (kept["x"] < case["after"][0]).all() and (kept["y"] < case["after"][1]).all(), name
        if random(name, ev, kept, opt, sensor):
            continue
        expected = PLAIN[name](ev, opt, sensor)
        assert np.array_equal(kept, expected), f"{name} {opt}: {len(kept)} events, expected {len(expected)}"
        for tool, ask in (("tonic", ask_tonic), ("dv_processing", ask_dv)):
            try:
                theirs = ask(name, ev, opt, sensor)
            except ImportError:
                print(f"skipped: {tool} is not installed")
                continue
            if theirs is not None:
                same = np.array_equal(kept, theirs)
                assert same, f"{name} {opt}: {len(kept)} events, {tool} keeps {len(theirs)}"
                asked.append(f"{name} by {tool}")
    print(f"equal: {len(cases)} filters; {', '.join(asked)}")


if __name__ == "__main__":
    main()
