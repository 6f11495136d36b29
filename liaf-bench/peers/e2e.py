"""The whole way from a file of events to classes in Python, as `liaf-bench e2e` goes it.

    python e2e.py [--model M2|gesture-a] [--way stream|batch] [--runs 5] [--threads 2] FILE...

Events are read by `aedat` (AEDAT 4) or `tonic` (AEDAT 2 of a DAVIS346), binned by numpy into frames of
10 ms, scaled down by dropping the remainder, and passed through the network by torch: the
layers at every step, and a loop over time in the neurons. Where torch is missing, the network is left
out, and `share_network` is null. Prints a line of JSON per file, with the keys of `liaf-bench e2e`.
"""

import argparse
import json
import resource
import time

import numpy as np

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    torch = None

# Steps, size, classes; channels of convolutions, whether a pool follows, units; activation, V_th shift.
MODELS = {
    "M2": (20, 28, 10, [(16, True), (32, True)], 128, "relu", True),
    "gesture-a": (60, 32, 11, [(64, False), (128, True), (128, True)], 256, "selu", False),
}
BATCH = 16
WINDOW = 10_000


def events(path):
    """t in us, x, y, polarity, and the size of the sensor."""
    if path.endswith(".aedat4"):
        import aedat

        decoder = aedat.Decoder(path)
        streams = decoder.id_to_stream()
        stream, about = next((i, s) for i, s in streams.items() if s["type"] == "events")
        packets = [p["events"] for p in decoder if p["stream_id"] == stream]
        all_ = np.concatenate(packets)
        size = about["width"], about["height"]
        return all_["t"].astype(np.int64), all_["x"], all_["y"], all_["on"], size
    # The readers of tonic 1.7 for DVS128 fail on its own header reader; that of DAVIS346 works.
    from tonic import io

    *_, all_ = io.read_davis_346(path)
    return all_["t"].astype(np.int64), all_["x"], all_["y"], all_["p"], (346, 260)


def frames(t, x, y, p, size, side):
    """Counts of [T, 2, side, side], T windows of 10 ms from the first event on."""
    k = (t - t[0]) // WINDOW
    k = np.maximum(k, 0)
    steps = int(k.max()) + 1
    column = x.astype(np.int64) * side // size[0]
    row = y.astype(np.int64) * side // size[1]
    cell = ((k * 2 + p.astype(np.int64)) * side + row) * side + column
    counts = np.bincount(cell, minlength=steps * 2 * side * side)
    return counts.reshape(steps, 2, side, side).astype(np.float32)


class Net:
    """The network, with random weights."""

    def __init__(self, model):
        self.steps, side, classes, convs, units, act, self.over = MODELS[model]
        self.act = getattr(F, act)
        torch.manual_seed(0)
        self.convs, channels = [], 2
        for out, pool in convs:
            self.convs.append((torch.nn.Conv2d(channels, out, 3, padding=1), pool))
            channels, side = out, side // 2 if pool else side
        self.fc = torch.nn.Linear(channels * side * side, units)
        self.out = torch.nn.Linear(units, classes)

    def neuron(self, x, v):
        """x [T, N, ...]; returns the output and the membrane after the last step."""
        y = []
        for current in x.unbind(0):
            u = current if v is None else v + current
            v = torch.where(u >= 0.5, torch.zeros_like(u), 0.3 * u)
            y.append(self.act(u - 0.5) if self.over else self.act(u))
        return torch.stack(y), v

    def __call__(self, x, state):
        """x [T, N, 2, H, W] -> [T, N, classes]; `state` has the membranes by layer."""
        steps, samples = x.shape[:2]
        for i, (conv, pool) in enumerate(self.convs):
            h = conv(x.flatten(0, 1)).unflatten(0, (steps, samples))
            x, state[i] = self.neuron(h, state.get(i))
            if pool:
                x = F.avg_pool2d(x.flatten(0, 1), 2).unflatten(0, (steps, samples))
        x, state["fc"] = self.neuron(self.fc(x.flatten(2)), state.get("fc"))
        return self.out(x)


def classify(net, cells, way):
    steps, classes = net.steps, []
    with torch.no_grad():
        if way == "stream":
            for start in range(0, len(cells), steps):
                state, total = {}, 0
                for frame in cells[start : start + steps]:
                    total = total + net(torch.from_numpy(frame)[None, None], state)
                classes.append(int(total.sum(0).argmax()))
            return classes
        samples = [cells[start : start + steps] for start in range(0, len(cells), steps)]
        for start in range(0, len(samples), BATCH):
            part = samples[start : start + BATCH]
            x = np.zeros((steps, len(part)) + cells.shape[1:], np.float32)
            for n, sample in enumerate(part):
                x[: len(sample), n] = sample
            y = net(torch.from_numpy(x), {})
            classes += [int(y[: len(s), n].mean(0).argmax()) for n, s in enumerate(part)]
    return classes


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--model", choices=list(MODELS), default="M2")
    parser.add_argument("--way", choices=["stream", "batch"], default="stream")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    if torch:
        torch.set_num_threads(args.threads)
    net = Net(args.model) if torch else None
    side = MODELS[args.model][1]
    for path in args.files:
        rows = []
        for _ in range(args.runs + 1):
            start = time.perf_counter()
            t, x, y, p, size = events(path)
            read = time.perf_counter()
            cells = frames(t, x, y, p, size, side)
            binned = time.perf_counter()
            classes = classify(net, cells, args.way) if net else None
            end = time.perf_counter()
            rows.append((end - start, read - start, binned - read, end - binned, classes))
        rows = sorted(rows[1:], key=lambda row: row[0])
        total, read, binned, network, classes = rows[len(rows) // 2]
        print(
            json.dumps(
                {
                    "fw": "torch" if net else "numpy",
                    "file": path.rsplit("/", 1)[-1],
                    "model": args.model,
                    "way": args.way,
                    "threads": args.threads,
                    "events": len(t),
                    "frames": len(cells),
                    "s": total,
                    "s_min": rows[0][0],
                    "events_s": len(t) / total,
                    "frames_s": len(cells) / total,
                    "share_read": read / total,
                    "share_frames": binned / total,
                    "share_network": network / total if net else None,
                    "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                    "classes": classes,
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
