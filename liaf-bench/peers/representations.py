"""Times representations beside other tools: python representations.py FOLDER [--rounds N] [--only TEXT]

FOLDER holds the recordings of recordings.py. The rows of memory begin with the events in memory and are on one
thread; the others begin with the file, and eventcv may use all processors. Frames are those of windows of 10 ms.
Peer and LIAF alternate, in processes of their own. One run of the peer counts, after one that does not, and the median
of five runs of LIAF. The columns are those of compare.py; the last one is the share of the processors that other
processes had meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any, Callable

from compare import HEIGHT, WIDTH, WINDOW_US, time_here, time_liaf, time_peer

EVT3, LZ4, FEW = "evt3.raw", "davis346_lz4.aedat4", "evt3_few.raw"

#: What is timed: the file, the peer, LIAF's job and representation, its threads, the ratio that is aimed at.
ROWS = [
    (EVT3, "numpy_bincount", "bin", "count", 1, 5.0),
    (EVT3, "numpy_add_at", "bin", "count", 1, 5.0),
    (LZ4, "dv_edge_map", "bin", "count", 1, 2.5),
    (EVT3, "tonic_voxel_grid", "bin", "voxel_grid:bins=5,norm=b", 1, 10.0),
    (EVT3, "tonic_time_surface", "bin", "time_surface:tau=50ms", 1, 50.0),
    (FEW, "tonic_hats", "bin", "hats:tile=10,surface=7,memory=100ms,tau=50ms", 1, 50.0),
    (EVT3, "eventcv_count", "frames", "count", 2, None),
    (EVT3, "eventcv_voxel", "frames", "voxel_grid:bins=5", 2, 4.0),
    (EVT3, "eventcv_tsurf", "frames", "time_surface:tau=50ms", 2, 4.0),
    (LZ4, "eventcv_count", "frames", "count", 2, None),
    (LZ4, "eventcv_voxel", "frames", "voxel_grid:bins=5", 2, 2.5),
    (LZ4, "eventcv_tsurf", "frames", "time_surface:tau=50ms", 2, 2.5),
]

Job = Callable[[], Any]


def events_of(path: str) -> Any:
    """The events of a recording with the names that tonic expects."""
    import faery
    import numpy as np

    read = faery.events_stream_from_file(path).to_array()
    events = np.empty(len(read), [("t", "i8"), ("x", "i2"), ("y", "i2"), ("p", "i2")])
    for ours, theirs in (("t", "t"), ("x", "x"), ("y", "y"), ("p", "on")):
        events[ours] = read[theirs]
    return events


def cuts(t: Any) -> list[tuple[int, int]]:
    """Where the events of each window begin and end."""
    import numpy as np

    starts = np.searchsorted(t, np.arange(t[0], t[-1] + 1, WINDOW_US))
    return list(zip(starts, [*starts[1:], len(t)]))


def numpy_counts(path: str, count: Callable[[Any, Any], None]) -> Job:
    """Counts of each window in a frame that is used again, from one array for each of t, x, y and p."""
    import numpy as np

    events = events_of(path)
    t, x, y, p = (np.ascontiguousarray(events[name]) for name in "txyp")
    frame = np.zeros(2 * HEIGHT * WIDTH, "u2")

    def run() -> None:
        for a, b in cuts(t):
            count(frame, (p[a:b].astype("i8") * HEIGHT + y[a:b]) * WIDTH + x[a:b])

    return run


def numpy_bincount(path: str) -> Job:
    import numpy as np

    def count(frame: Any, cells: Any) -> None:
        frame[:] = np.bincount(cells, minlength=len(frame))

    return numpy_counts(path, count)


def numpy_add_at(path: str) -> Job:
    import numpy as np

    def count(frame: Any, cells: Any) -> None:
        frame[:] = 0
        np.add.at(frame, cells, 1)

    return numpy_counts(path, count)


def dv_edge_map(path: str) -> Job:
    import dv_processing as dv

    reader, store = dv.io.MonoCameraRecording(path), dv.EventStore()
    while (batch := reader.getNextEventBatch()) is not None:
        store.add(batch)
    accumulator = dv.EdgeMapAccumulator((WIDTH, HEIGHT))
    start, end = store.getLowestTime(), store.getHighestTime()

    def run() -> None:
        for t in range(start, end + 1, WINDOW_US):
            accumulator.accept(store.sliceTime(t, t + WINDOW_US))
            accumulator.generateFrame()

    return run


def by_window(path: str, transform: Callable[[Any], Any]) -> Job:
    events = events_of(path)
    slices = [events[a:b] for a, b in cuts(events["t"])]
    return lambda: [transform(events) is None for events in slices]


def tonic_voxel_grid(path: str) -> Job:
    from tonic.transforms import ToVoxelGrid

    return by_window(path, ToVoxelGrid((WIDTH, HEIGHT, 2), n_time_bins=5))


def tonic_hats(path: str) -> Job:
    from tonic.transforms import ToAveragedTimesurface

    return by_window(path, ToAveragedTimesurface((WIDTH, HEIGHT, 2), 7, 10, 100_000.0, 50_000.0))


def tonic_time_surface(path: str) -> Job:
    from tonic.transforms import ToTimesurface

    events = events_of(path)
    transform = ToTimesurface((WIDTH, HEIGHT, 2), dt=WINDOW_US, tau=50_000)
    return lambda: transform(events)


def eventcv(path: str, name: str, **options: Any) -> Job:
    """The faster of eventcv's ways: its iterator over windows, without a copy to numpy."""
    import eventcv

    def run() -> int:
        reader = eventcv.open(path, dt_ms=WINDOW_US / 1000).with_repr(name, **options)
        return sum(1 for _ in reader.windows())

    return run


def eventcv_count(path: str) -> Job:
    return eventcv(path, "count")


def eventcv_voxel(path: str) -> Job:
    return eventcv(path, "voxel", bins=5)


def eventcv_tsurf(path: str) -> Job:
    return eventcv(path, "tsurf", tau_ms=50)


def processors() -> tuple[float, float]:
    """Seconds for which all processors were not idle, and those of finished processes of this program."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    own = os.times()
    busy = (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")
    return busy, own.user + own.system + own.children_user + own.children_system


def main() -> None:
    if len(sys.argv) == 4 and sys.argv[1] == "--child":
        job = globals()[sys.argv[2]](sys.argv[3])
        print(json.dumps(time_here(lambda _path, _out: job(), sys.argv[3], runs=1)))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--liaf", default="target/release/liaf-bench")
    parser.add_argument("--only", default="", help="rows that have this text")
    args = parser.parse_args()
    print("| file | representation | peer | its s | threads | LIAF s | ratio | of processor time | aim | others |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, peer, job, representation, threads, aim in ROWS:
        if args.only not in f"{name} {peer} {job}":
            continue
        path, start, before = args.folder / name, time.time(), processors()
        pairs = []
        for _ in range(args.rounds):
            theirs = time_peer(peer, path, __file__)
            pairs.append((theirs, time_liaf(args.liaf, path, job, threads, "--repr", representation)))
        busy, own = (now - then for now, then in zip(processors(), before))
        others = (busy - own) / (time.time() - start) / (os.cpu_count() or 1)
        middle = statistics.median
        ratios = [middle(theirs[which] / ours[which] for theirs, ours in pairs) for which in (0, 1)]
        print(
            f"| {name} | {representation} | {peer} | {middle(a[0] for a, _ in pairs):.3f} | {threads} "
            f"| {middle(b[0] for _, b in pairs):.4f} | {ratios[0]:.1f} | {ratios[1]:.1f} | {aim or ''} | {others:.0%} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
