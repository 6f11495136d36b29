"""Judge representations: python representations.py CASES.json

Makes the same frames again with numpy in f64, from the formulas in the documentation. Where tonic or
dv_processing is installed, they are asked too. Prints what was compared; ends with an error at the first
difference.
"""
import collections
import json
import pathlib
import sys

import numpy as np

import bin_frames

TOP = {**bin_frames.TOP}
UNITS = {"us": 1, "ms": 1_000, "s": 1_000_000}


def duration(text):
    digits = text.rstrip("mus")
    return float(digits) * UNITS[text[len(digits):]]


def span(choice, part, window):
    start, end = window if choice == "window" else (part["t"].min(), part["t"].max())
    return start, max(end - start, 0)


def bilinear(part, size, bins, tau, signs, planes, clamp=False):
    w, h = size
    volume = np.zeros((bins, planes.max(initial=0) + 1, h, w))
    low = np.floor(tau).astype(int)
    right = tau - low
    for bin, weight in ((low, 1 - right), (low + 1, right)):
        if clamp:
            bin = np.clip(bin, 0, bins - 1)
        ok = (bin >= 0) & (bin < bins)
        np.add.at(volume, (bin[ok], planes[ok], part["y"][ok], part["x"][ok]), (signs * weight)[ok])
    return volume


def voxel_grid(part, size, window, opt, split):
    bins, norm = int(opt.get("bins", 5)), opt.get("norm", "b-1")
    start, length = span(opt.get("span", "events"), part, window)
    n = bins if norm == "b" else bins - 1
    tau = n * (part["t"] - start) / length if length else np.zeros(len(part))
    volume = bilinear(part, size, bins, tau, 2 * part["p"] - 1, np.zeros(len(part), int))
    return volume[:, 0]


def event_volume(part, size, window, opt, split):
    bins = int(opt.get("bins", 5))
    start, length = span(opt.get("span", "window"), part, window)
    tau = bins * (part["t"] - start) / length - 0.5 if length else np.zeros(len(part))
    signs = np.ones(len(part)) if split else 2 * part["p"] - 1
    planes = part["p"] if split else np.zeros(len(part), int)
    volume = bilinear(part, size, bins, tau, signs, planes, opt.get("border") == "keep")
    full = np.zeros((bins, 2 if split else 1, *volume.shape[2:]))
    full[:, : volume.shape[1]] = volume
    return full.reshape(-1, *volume.shape[2:])


def which(part, bins, start, length):
    if not length:
        return np.zeros(len(part), int)
    return np.minimum(bins - 1, bins * (part["t"] - start) // length)


def stacked_histogram(part, size, window, opt, split):
    bins = int(opt.get("bins", 10))
    start, length = span(opt.get("span", "events"), part, window)
    out = np.zeros((2 if split else 1, bins, size[1], size[0]))
    plane = part["p"] if split else np.zeros(len(part), int)
    np.add.at(out, (plane, which(part, bins, start, length), part["y"], part["x"]), 1)
    if "cutoff" in opt:
        out = np.minimum(out, int(opt["cutoff"]))
    return out.reshape(-1, size[1], size[0])


def averaged_timestamps(part, size, window, opt, split):
    start, length = span(opt.get("span", "events"), part, window)
    sums, counts = (np.zeros((2 if split else 1, size[1], size[0])) for _ in range(2))
    plane = part["p"] if split else np.zeros(len(part), int)
    where = (plane, part["y"], part["x"])
    np.add.at(sums, where, (part["t"] - start) / max(length, 1))
    np.add.at(counts, where, 1)
    return sums / np.maximum(counts, 1)


def bina_frames(part, size, window, opt, split):
    bits = int(opt.get("bits", 8))
    start, length = span(opt.get("span", "window"), part, window)
    frames = np.zeros((bits, 2 if split else 1, size[1], size[0]))
    plane = part["p"] if split else np.zeros(len(part), int)
    frames[which(part, bits, start, length), plane, part["y"], part["x"]] = 1
    return frames


def bina_rep(part, size, window, opt, split):
    frames = bina_frames(part, size, window, opt, split)
    n = len(frames)
    return sum(frames[k] * 2.0 ** (n - 1 - k) for k in range(n)) / (2.0**n - 1)


def hats_tiles(part, size, opt, split):
    """[tiles, P, surface, surface], event by event."""
    tile, side = int(opt.get("tile", 10)), int(opt.get("surface", 7))
    memory, tau = duration(opt.get("memory", "100ms")), duration(opt.get("tau", "50ms"))
    columns, rows, reach = -(-size[0] // tile), -(-size[1] // tile), side // 2
    out = np.zeros((rows * columns, 2 if split else 1, side, side))
    members = collections.defaultdict(list)
    for e in part:
        key = int(e["y"] // tile * columns + e["x"] // tile), int(e["p"]) if split else 0
        t, x, y = int(e["t"]), int(e["x"]), int(e["y"])
        out[key][reach, reach] += 1
        for tj, xj, yj in members[key]:
            if tj >= t - memory and abs(xj - x) <= reach and abs(yj - y) <= reach:
                value = 1 - (t - tj) / (3 * tau) if opt.get("decay") == "lin" else np.exp(-(t - tj) / tau)
                out[key][yj - y + reach, xj - x + reach] += value
        members[key].append((t, x, y))
    for key, events in members.items():
        out[key] /= len(events)
    return out


def side_by_side(tiles, size, tile):
    columns, rows = -(-size[0] // tile), -(-size[1] // tile)
    planes, side = tiles.shape[1], tiles.shape[2]
    grid = tiles.reshape(rows, columns, planes, side, side).transpose(2, 0, 3, 1, 4)
    return grid.reshape(planes, rows * side, columns * side)


def hats(part, size, window, opt, split):
    return side_by_side(hats_tiles(part, size, opt, split), size, int(opt.get("tile", 10)))


def counts(part, size, window, opt, split):
    out = np.zeros((2 if split else 1, size[1], size[0]))
    np.add.at(out, (part["p"] if split else np.zeros(len(part), int), part["y"], part["x"]), 1)
    return out


def signed(part, size, window, opt, split):
    out = np.zeros((1, size[1], size[0]))
    np.add.at(out, (0, part["y"], part["x"]), 2 * part["p"] - 1)
    return out


PLAIN = {
    "count": counts,
    "binary": lambda *a: np.minimum(counts(*a), 1),
    "signed": signed,
    "voxel_grid": voxel_grid,
    "event_volume": event_volume,
    "stacked_histogram": stacked_histogram,
    "averaged_timestamps": averaged_timestamps,
    "bina_rep": bina_rep,
    "hats": hats,
}


def latest_up_to(events, size, split, memory, part):
    plane = part["p"] if split else np.zeros(len(part), int)
    np.maximum.at(memory, (plane, part["y"], part["x"]), part["t"])
    return memory


def expected(case, events, size, cuts):
    """The frames by the formula, and the number of saturated cells."""
    cells, split, opt = case["cells"], case["polarity"] == "split", case["parameters"]
    planes = 2 if split else 1
    total = np.zeros((planes, size[1], size[0]))
    memory = np.full((planes, size[1], size[0]), -np.inf)
    frames = []
    for (_, _, a, b), (start, end) in zip(cuts, case["windows"]):
        part = events[a:b]
        if cells == "cumulative":
            total += counts(part, size, None, opt, split)
            frames.append(total.copy())
        elif cells in ("time_surface", "sae"):
            latest_up_to(events, size, split, memory, part)
            if cells == "sae":
                frames.append(np.where(np.isfinite(memory), memory - end, 0))
            else:
                frames.append(np.exp(-(end - memory) / duration(opt.get("tau", "50ms"))))
        elif len(part) == 0:
            frames.append(np.zeros(case["shape"]))
        else:
            frames.append(PLAIN[cells](part, size, (start, end), opt, split))
    frames = np.array(frames).reshape(-1, *case["shape"])
    top = TOP[case["dtype"]]
    has_cutoff = "cutoff" in opt
    saturated = int((frames > top).sum()) if case["dtype"] != "f32" and not has_cutoff else 0
    return (np.minimum(frames, top) if case["dtype"] != "f32" else frames), saturated


def judge(case, folder):
    ev = np.fromfile(folder / case["events"], bin_frames.EVENT)
    events, size, lo, hi, _ = bin_frames.keep(ev, case)
    ours = np.fromfile(folder / case["frames"], "<f8").reshape(-1, *case["shape"])
    cuts = bin_frames.cut(events["t"], case, lo, hi)
    name = case["name"]
    assert len(ours) == len(cuts), f"{name}: {len(ours)} frames, expected {len(cuts)}"
    theirs, saturated = expected(case, events, size, cuts)
    if case["dtype"] == "f32":
        bad = np.abs(ours - theirs) > 1e-6 * np.abs(theirs) + 1e-9
    else:
        bad = ours != theirs
    assert not bad.any(), f"{name}: {np.argwhere(bad)[:5]}: {ours[bad][:5]}, expected {theirs[bad][:5]}"
    assert case["saturated"] == saturated or case["cells"] == "binary", f"{name}: {case['saturated']}, {saturated}"
    return events, size, ours, cuts


def near(name, ours, theirs):
    assert ours.shape == theirs.shape, f"{name}: {ours.shape}, by the tool {theirs.shape}"
    bad = np.abs(ours - theirs) > 1e-5 * np.abs(theirs) + 1e-6
    assert not bad.any(), f"{name}: the tool differs: {ours[bad][:5]}, {theirs[bad][:5]}"


def ask_tonic(case, events, size, ours, cuts):
    """How many frames tonic was asked about."""
    import tonic.functional as tonic

    cells, opt, split = case["cells"], case["parameters"], case["polarity"] == "split"
    asked, rule = 0, case["rule"]
    if cells == "time_surface" and split and rule["kind"] == "time" and not rule["overlap"] and case["edge"] == "tonic":
        surfaces = tonic.to_timesurface_numpy(events, (*size, 2), dt=rule["us"], tau=duration(opt.get("tau", "50ms")))
        near(case["name"], ours, surfaces)
        return len(surfaces)
    for (_, _, a, b), frame, window in zip(cuts, ours, case["windows"]):
        part = events[a:b].copy()
        if cells == "voxel_grid" and opt.get("norm") == "b" and opt.get("span", "events") == "events":
            if b - a < 2 or part["t"][0] == part["t"][-1]:
                continue
            theirs = tonic.to_voxel_grid_numpy(part, (*size, 2), int(opt["bins"]))
            near(case["name"], frame, theirs[:, 0])
        elif cells == "hats" and b > a and window[1] < 2**24 and window[0] >= 0:
            if not split:
                part["p"] = 0
            theirs = tonic.to_averaged_timesurface_numpy(
                part, (*size, 2 if split else 1), int(opt["tile"]), int(opt["surface"]),
                duration(opt.get("memory", "100ms")), duration(opt.get("tau", "50ms")), opt.get("decay", "exp"))
            near(case["name"], frame, side_by_side(theirs, size, int(opt["tile"])))
        elif cells == "bina_rep" and b > a:
            frames = bina_frames(part, size, window, opt, split)
            near(case["name"], frame, tonic.to_bina_rep_numpy(frames, 1, len(frames))[0])
        else:
            continue
        asked += 1
    return asked


def ask_dv(case, events, size, ours, cuts):
    """How many frames dv_processing was asked about."""
    import dv_processing as dv

    if case["cells"] != "sae" or case["polarity"] == "split" or case["edge"] != "all" or case["sort"]:
        return 0
    if (events["t"] < 0).any() or case["rule"].get("overlap"):
        return 0
    surface = dv.TimeSurface((int(size[0]), int(size[1])))
    for (_, _, a, b), frame, (_, end) in zip(cuts, ours, case["windows"]):
        store = dv.EventStore()
        for e in events[a:b]:
            store.push_back(int(e["t"]), int(e["x"]), int(e["y"]), bool(e["p"]))
        surface.accept(store)
        theirs = np.array([[surface.at(y, x) for x in range(size[0])] for y in range(size[1])])
        # Cells without events are 0 in both; theirs cannot tell them from an event at 0 µs.
        times = np.where(frame[0] == 0, 0, frame[0] + end)
        bad = np.abs(times - theirs) > 1
        assert not bad.any(), f"{case['name']}: dv differs: {times[bad][:5]}, {theirs[bad][:5]}"
    return len(cuts)


def main():
    path = pathlib.Path(sys.argv[1])
    tools = {}
    for name, ask in (("tonic", ask_tonic), ("dv_processing", ask_dv)):
        try:
            __import__(name)
            tools[ask] = name
        except ImportError:
            print(f"skipped: {name} is not installed")
    asked = collections.Counter()
    cases = json.loads(path.read_text())
    for case in cases:
        events, size, ours, cuts = judge(case, path.parent)
        for ask, name in tools.items():
            asked[f"{case['cells']} by {name}"] += ask(case, events, size, ours, cuts)
    asked = {key: n for key, n in asked.items() if n}
    print(f"equal: {len(cases)} cases by numpy; frames that tools were asked about: {asked}")


if __name__ == "__main__":
    main()
