"""An experiment in PyTorch, with the data, first weights and order of batches of a run of `liaf train`.

    liaf train experiments/static-mnist/static-mnist.toml --out runs/1 --threads 1
    python experiments/pytorch.py train runs/1
    python experiments/pytorch.py compare runs/1

`train` reads the experiment from the folder of the run and trains the same network by PyTorch, whose steps and epochs
are lines of `pytorch.jsonl` in that folder, with the keys of `metrics.jsonl`. The layers, the loss and the optimiser
are those of PyTorch, and the neuron is written here; the program only gives the first weights. With `--double` it
computes in double precision, and writes `pytorch-double.jsonl`. `compare` prints tables in Markdown, and `--plot FILE`
draws the curves, for which matplotlib is needed. Python 3.11, PyTorch and NumPy are needed. Of the types of data only
`images`, from a table of digits, is implemented, and of networks and recipes what experiments/static-mnist needs.
"""

import argparse
import gzip
import json
import math
import statistics
import subprocess
import tempfile
import time
import tomllib
from pathlib import Path

import numpy
import torch
from torch import nn
from torch.nn import functional

from runs import markdown, read

FIRST, LIMIT = 20, 0.001  # so many losses should differ by no more than this


class Key:
    """The random numbers of the program, as liaf-core/src/rng.rs defines them."""

    GOLDEN, MASK = 0x9E37_79B9_7F4A_7C15, (1 << 64) - 1
    ORDER = 0x6F72_6465  # of the samples of an epoch: liaf/src/samples/loader.rs

    def __init__(self, value):
        self.value = value

    @classmethod
    def new(cls, seed):
        return cls(cls.mix(seed + cls.GOLDEN))

    @classmethod
    def mix(cls, z):
        z &= cls.MASK
        z = ((z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9) & cls.MASK
        z = ((z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB) & cls.MASK
        return z ^ (z >> 31)

    def child(self, index):
        return Key(self.mix(self.value ^ self.mix(index + self.GOLDEN)))

    def uniform(self, index):
        return (self.mix(self.value + (index + 1) * self.GOLDEN) >> 11) / (1 << 53)

    def permutation(self, n):
        order = list(range(n))
        for i in range(n - 1, 0, -1):
            j = min(int(self.uniform(i) * (i + 1)), i)
            order[i], order[j] = order[j], order[i]
        return order


def digits(data):
    """Pictures `[N, 1, H, W]` and labels for training and for test: the first ones of each digit and those after
    them, one of each digit in turn."""
    with gzip.open(data["dir"], "rt") as file:
        table = numpy.loadtxt(file, delimiter=",", dtype=numpy.float32)
    light, labels = table[:, :-1] / table[:, :-1].max(), table[:, -1].astype(int)
    side = math.isqrt(light.shape[1])
    of_digit = [numpy.flatnonzero(labels == digit) for digit in range(10)]

    def part(first, end):
        chosen = [rows[number] for number in range(first, end) for rows in of_digit]
        pictures = torch.from_numpy(light[chosen].reshape(-1, 1, side, side))
        return pictures, torch.from_numpy(labels[chosen])

    train, test = data["train"], data["test"]
    return part(0, train), part(train, train + test)


def refuse(table, **known):
    """Ends the program if one of these keys has a value that is not implemented here."""
    for key, value in known.items():
        if table.get(key, value) != value:
            raise SystemExit(f"{key} = {table[key]!r} is not implemented here, only {value!r}")


class Spike(torch.autograd.Function):
    """1 from the threshold on, else 0; the derivative is a rectangle of area 1 with half-width `a`."""

    @staticmethod
    def forward(context, over, a):
        context.save_for_backward(over)
        context.a = a
        return (over >= 0).to(over.dtype)

    @staticmethod
    def backward(context, gradient):
        (over,) = context.saved_tensors
        return gradient * (over.abs() < context.a) / (2 * context.a), None


class Neuron(nn.Module):
    """LIF or LIAF neurons over the steps of `[T, N, ...]`, by the equations of the paper."""

    ACTIVATIONS = {"relu": functional.relu, "selu": functional.selu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}

    def __init__(self, layer):
        super().__init__()
        refuse(layer, gain=1.0, recurrent=False, synapse=None, norm=None)
        refuse(layer["surrogate"], kind="rectangle")
        constants = [layer[name] for name in ("alpha", "beta", "threshold", "reset")]
        if not all(isinstance(constant, float) for constant in constants):
            raise SystemExit("constants of neurons that are no single numbers are not implemented here")
        if layer["output"] not in ("spike", *self.ACTIVATIONS):
            raise SystemExit(f"the output {layer['output']} is not implemented here")
        self.alpha, self.beta, self.threshold, self.reset = constants
        self.activation = self.ACTIVATIONS.get(layer["output"])
        self.related, self.detach = layer["threshold_related"], layer["detach_reset"]
        self.a = layer["surrogate"]["a"]

    def forward(self, signal):
        membrane, outputs = 0.0, []
        for current in signal:
            potential = current + membrane
            spike = Spike.apply(potential - self.threshold, self.a)
            fired = spike.detach() if self.detach else spike
            membrane = self.alpha * (fired * self.reset + (1 - fired) * potential) + self.beta
            if self.activation is None:
                outputs.append(spike)
            else:
                outputs.append(self.activation(potential - self.threshold if self.related else potential))
        return torch.stack(outputs)


class EveryStep(nn.Module):
    """A layer of `[N, ...]`, applied to `[T, N, ...]` as to a batch of all steps."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, signal):
        return self.layer(signal.flatten(0, 1)).unflatten(0, signal.shape[:2])


class Mean(nn.Module):
    def forward(self, signal):
        return signal.mean(0)


def build(layer, shape):
    """The module of a layer for items of this shape."""
    kind = layer["type"]
    if kind == "conv2d":
        more = {name: layer[name] for name in ("stride", "padding", "dilation", "groups", "bias")}
        return EveryStep(nn.Conv2d(shape[0], layer["channels"], layer["kernel"], **more))
    if kind == "batch_norm":
        return EveryStep(nn.BatchNorm2d(shape[0], layer["eps"], layer["momentum"], layer["affine"]))
    if kind == "neuron":
        return Neuron(layer)
    if kind == "avg_pool":
        refuse(layer, padding=0)
        return EveryStep(nn.AvgPool2d(layer["kernel"]))
    if kind == "flatten":
        return EveryStep(nn.Flatten())
    if kind == "dense":
        return EveryStep(nn.Linear(shape[0], layer["units"], layer["bias"]))
    if kind == "aggregate":
        refuse(layer, kind="mean")
        return Mean()
    raise SystemExit(f"layers of the type {kind} are not implemented here")


def network(config):
    """The modules, by the names that the layers have in checkpoints."""
    (inputs,) = config["inputs"].values()
    net, signal = nn.Sequential(), torch.zeros(1, 1, *inputs["shape"])
    for number, layer in enumerate(config["layers"], 1):
        module = build(layer, signal.shape[2:])
        net.add_module(layer.get("name", f"{layer['type']}{number}"), module)
        with torch.no_grad():
            signal = module.eval()(signal)
    return net


def tensors(path):
    """The tensors of a file of the format safetensors."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    for name, entry in header.items():
        first, end = (start + offset for offset in entry["data_offsets"])
        numbers = numpy.frombuffer(data[first:end], "<f4").reshape(entry["shape"])
        yield name, torch.from_numpy(numbers.copy())


def load_first_weights(net, experiment, liaf):
    """Loads the weights from which the run started. They depend on the network and the seed alone: a training with a
    learning rate of 0 leaves them as they are. Running statistics start at 0 and 1 in both programs."""
    settings = {"recipe.epochs": 1, "recipe.optimizer.learning_rate": 0, "data.train": 2, "data.test": 1}
    with tempfile.TemporaryDirectory() as folder:
        command = [liaf, "train", experiment, "--out", f"{folder}/run", "--quiet", "--threads", "1"]
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        subprocess.run(command, check=True)
        (path,) = Path(folder).glob("run/checkpoints/*.safetensors")
        first = dict(tensors(path))
    named = {name.replace(".layer.", "."): parameter for name, parameter in net.named_parameters()}
    with torch.no_grad():
        for name, parameter in named.items():
            parameter.copy_(first[name])


def learning(net, recipe):
    """The optimiser, and the schedule, which is told the end of every epoch."""
    refuse(recipe, micro_batch=None, truncate=None, ema=None, patience=None, freeze=None, weights=None, bucket=0)
    refuse(recipe, tick="epoch", scale=1.0)
    refuse(recipe["schedule"], warmup=None)
    config, curve = recipe["optimizer"], recipe["schedule"]["curve"]
    refuse(config, type="adamw", decay="all")
    refuse(curve, type="cosine", last=0.0)
    refuse(recipe["loss"], type="cross_entropy")
    refuse(recipe.get("clip", {"type": None}), type="norm")
    if any(recipe["augment"].values()):
        raise SystemExit("random changes of samples are not implemented here")
    rate, decay = config["learning_rate"], config["weight_decay"]
    optimizer = torch.optim.AdamW(net.parameters(), rate, config["betas"], config["epsilon"], decay)
    return optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, curve["ticks"])


class Training:
    """The network, what it learns from, and the file of steps and epochs."""

    def __init__(self, folder, options):
        path = folder / "experiment.toml"
        experiment = tomllib.loads(path.read_text())
        self.recipe, data = experiment["recipe"], experiment["data"]
        refuse(data, type="images")
        self.train, self.test = digits(data)
        self.time, self.seed = data["steps"], self.recipe["seed"]
        self.net = network(experiment["network"])
        load_first_weights(self.net, path, options.liaf)
        self.type = torch.float64 if options.double else torch.float32
        self.net.to(self.type)
        self.optimizer, self.schedule = learning(self.net, self.recipe)
        self.smoothing = self.recipe["loss"]["label_smoothing"]
        self.steps, self.seconds, self.most = 0, 0.0, options.steps or math.inf

    def judge(self, pictures, labels):
        """Mean loss, and how many are right. All steps are the same picture."""
        signal = pictures.to(self.type).expand(self.time, *pictures.shape)
        scores = self.net(signal)
        loss = functional.cross_entropy(scores, labels, label_smoothing=self.smoothing)
        return loss, int((scores.argmax(1) == labels).sum())

    def step(self, numbers, epoch):
        pictures, labels = self.train
        self.optimizer.zero_grad()
        loss, correct = self.judge(pictures[numbers], labels[numbers])
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.net.parameters(), self.recipe["clip"]["max"])
        (rate,) = self.schedule.get_last_lr()
        self.optimizer.step()
        self.steps += 1
        return {
            "step": self.steps - 1,
            "epoch": epoch + 1,
            "loss": loss.item(),
            "correct": correct,
            "samples": len(numbers),
            "gradient_norm": norm.item(),
            "learning_rate": rate,
        }

    def evaluate(self):
        loss, correct, samples = 0.0, 0, len(self.test[1])
        with torch.no_grad():
            for part in zip(*(each.split(self.recipe["batch"]) for each in self.test)):
                own, right = self.judge(*part)
                loss, correct = loss + own.item() * len(part[1]), correct + right
        return {"loss": loss / samples, "correct": correct, "samples": samples}

    def epoch(self, epoch):
        """Yields a line for every step, and one for the epoch."""
        begun, batch, rows = time.monotonic(), self.recipe["batch"], []
        order = Key.new(self.seed).child(Key.ORDER).child(epoch).permutation(len(self.train[1]))
        self.net.train()
        for first in range(0, len(order), batch):
            rows.append(self.step(order[first : first + batch], epoch))
            yield rows[-1]
            if self.steps == self.most:
                return
        self.schedule.step()
        self.net.eval()
        test, samples = self.evaluate(), len(order)
        loss = sum(row["loss"] * row["samples"] for row in rows) / samples
        train = {"loss": loss, "correct": sum(row["correct"] for row in rows), "samples": samples}
        self.seconds += time.monotonic() - begun
        yield {"epoch": epoch + 1, "steps": self.steps, "train": train, "test": test, "seconds": self.seconds}

    def lines(self):
        for epoch in range(self.recipe["epochs"]):
            if self.steps < self.most:
                yield from self.epoch(epoch)


def train(options):
    torch.set_num_threads(options.threads)
    for folder in options.folders:
        training = Training(folder, options)
        with (folder / file_name(options.double)).open("w") as file:
            for line in training.lines():
                print(json.dumps(line), file=file, flush=True)
                if "test" in line:
                    right = line["test"]["correct"] / line["test"]["samples"]
                    print(f"{folder}, epoch {line['epoch']}: {100 * right:.2f} %, {line['seconds']:.0f} s", flush=True)


def file_name(double):
    return "pytorch-double.jsonl" if double else "pytorch.jsonl"


class Run:
    """Steps and epochs of a run by both programs."""

    def __init__(self, folder):
        experiment = tomllib.loads((folder / "experiment.toml").read_text())
        self.name, self.seed = experiment["name"], experiment["recipe"]["seed"]
        lines = (folder / name for name in ("metrics.jsonl", file_name(False), file_name(True)))
        self.liaf, self.pytorch, self.double = map(read, lines)

    def summary(self):
        line = {"experiment": self.name, "seed": self.seed}
        for name in ("liaf", "pytorch", "double"):
            lines = getattr(self, name)
            own = {"first_losses": losses(lines)[:FIRST], "test_accuracies": accuracies(lines)}
            line[name] = {key: numbers for key, numbers in own.items() if numbers}
        return line


def losses(lines):
    return [line["loss"] for line in lines if "step" in line]


def differences(first, second):
    return [abs(a - b) for a, b in zip(losses(first), losses(second))]


def accuracies(lines):
    """Of the test after each epoch."""
    return [line["test"]["correct"] / line["test"]["samples"] for line in lines if "steps" in line]


def of_losses(run):
    """A row of the table of the first losses."""
    pairs = (run.liaf, run.pytorch), (run.liaf, run.double), (run.pytorch, run.double)
    largest = [max(differences(*pair)[:FIRST], default=math.nan) for pair in pairs]
    apart = (step for step, by in enumerate(differences(*pairs[0]), 1) if by > LIMIT)
    return [str(run.seed), *("–" if math.isnan(by) else f"{by:.5f}" for by in largest), str(next(apart, "–"))]


def spread(numbers):
    if not numbers:
        return "–"
    mean = f"{statistics.mean(numbers):.2f}"
    return mean if len(numbers) < 2 else f"{mean} ± {statistics.stdev(numbers):.2f}"


def compare(options):
    runs = [Run(folder) for folder in options.folders]
    head = ["seed", "`liaf train`, PyTorch", "`liaf train`, PyTorch in double", "PyTorch, PyTorch in double"]
    print(f"Largest difference of the first {FIRST} losses:\n")
    print(markdown([*head, f"first step with more than {LIMIT}"], map(of_losses, runs)))
    head, columns = ["seed"], [[str(run.seed) for run in runs] + ["mean"]]
    for when, of in (("last epoch", lambda each: each[-1]), ("best epoch", max)):
        for name, key in (("`liaf train`", "liaf"), ("PyTorch", "pytorch")):
            each = [accuracies(getattr(run, key)) for run in runs]
            percent = [100 * of(own) if own else None for own in each]
            head.append(f"{name}, {when}")
            shown = ["–" if own is None else f"{own:.1f}" for own in percent]
            columns.append([*shown, spread([own for own in percent if own is not None])])
    print("Test accuracy, %:\n")
    print(markdown(head, zip(*columns)))
    if options.results:
        options.results.write_text("".join(json.dumps(run.summary()) + "\n" for run in runs))
    if options.plot:
        plot(runs, options.plot)


def plot(runs, path):
    """The first losses of the first run and the mean of as many losses thereafter, the differences of the losses, and
    the accuracies of all runs."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, (above, middle, below) = pyplot.subplots(3, figsize=(8, 9), layout="constrained")
    run = runs[0]
    styles = {"liaf": {"color": "tab:blue", "linewidth": 3}, "pytorch": {"color": "tab:orange", "linestyle": "--"}}
    for name, key in (("liaf train", "liaf"), ("PyTorch", "pytorch")):
        style, own = styles[key], losses(getattr(run, key))
        above.plot(range(1, 1 + FIRST), own[:FIRST], **style)
        means = [statistics.fmean(own[end - FIRST : end]) for end in range(FIRST, 1 + len(own))]
        above.plot(range(FIRST, 1 + len(own)), means, label=name, **style)
        for other in runs:
            percent = [100 * accuracy for accuracy in accuracies(getattr(other, key))]
            label = name if other is run else None
            below.plot(range(1, 1 + len(percent)), percent, label=label, **style)
    by = differences(run.liaf, run.pytorch)
    middle.plot(range(1, 1 + len(by)), by, color="tab:gray", linewidth=0.8)
    middle.hlines(LIMIT, 1, FIRST, color="black", linewidth=1, linestyle=":")
    label = f"step (from {FIRST} on: mean loss of the last {FIRST} steps)"
    above.set(xlabel=label, ylabel=f"loss, seed {run.seed}", xscale="log", yscale="log")
    middle.set(xlabel="step", ylabel="difference of the two losses", xscale="log", yscale="log")
    below.set(xlabel="epoch", ylabel=f"test accuracy, %, seeds {', '.join(str(run.seed) for run in runs)}")
    above.legend()
    below.legend()
    figure.savefig(path, dpi=100)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    trains = commands.add_parser("train", help="train by PyTorch what is in these folders")
    trains.add_argument("--liaf", default="liaf", help="the program, for the first weights")
    trains.add_argument("--threads", type=int, default=1)
    trains.add_argument("--steps", type=int, help="end after so many steps")
    trains.add_argument("--double", action="store_true", help="compute in double precision")
    trains.set_defaults(work=train)
    compares = commands.add_parser("compare", help="print the differences of the two programs")
    compares.add_argument("--results", type=Path, help="file for the losses and accuracies, in JSON Lines")
    compares.add_argument("--plot", type=Path, help="file for the curves")
    compares.set_defaults(work=compare)
    for command in (trains, compares):
        command.add_argument("folders", nargs="+", type=Path, metavar="RUN", help="folder of a run of liaf train")
    options = parser.parse_args()
    options.work(options)


if __name__ == "__main__":
    main()
