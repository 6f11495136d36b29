"""One factor at a time: what changes if one option of the neurons, or the place of the norm, is another one.

    python experiments/ablations.py train --data data --babi tasks_1-20_v1-2/en
    python experiments/ablations.py table

The baselines are `objects/objects.toml` and `babi/gated.toml` with task 1. `data` has `DataSet2`. A run that ends is
a line of docs/results/ablations.jsonl, and what has a line is not trained again. `table` prints the table of
docs/experiments.md in Markdown.
"""

import argparse
import json
import subprocess
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from run import spread
from runs import HERE, RESULTS, Driver, Job, markdown, options, read, refuse


def neurons(**values):
    """Sets options of all neurons."""
    return lambda layers: [layer | values if layer["type"] == "neuron" else layer for layer in layers]


def blocks(order):
    """Replaces both blocks of convolution, neurons and pooling at the beginning of the net by what `order` makes of
    the three layers."""

    def change(layers):
        made = [order(*layers[first : first + 3]) for first in (0, 3)]
        return made[0] + made[1] + layers[6:]

    return change


def before_neurons(norm):
    """Inserts a norm before the neurons of the story and of the question."""

    def change(layers):
        made = []
        for layer in layers:
            if layer["type"] == "neuron":
                made.append({"type": norm, "name": layer["name"].replace("neuron", "norm")})
            made.append(layer)
        return made

    return change


BATCH, LAYER, RELU = {"type": "batch_norm"}, {"type": "layer_norm"}, {"type": "activation", "kind": "relu"}


def learned(per):
    """A leak that is learned, one for each group of neurons."""
    return neurons(alpha={"init": 0.3, "learn": True, "per": per})


def fixed(layers):
    """Leaks that keep their first values."""
    fix = lambda layer: layer | {"alpha": layer["alpha"] | {"learn": False}}
    return [fix(layer) if layer["type"] == "neuron" else layer for layer in layers]


# A value that the baseline has.
BASE = "base"


@dataclass
class Variant:
    """A value of a factor, and how each baseline gets it: a function that changes the layers of its net, or settings
    of `liaf train --set`. None: it is not trained."""

    factor: str
    value: str
    objects: object = None
    babi: object = None


def both(factor, value, change):
    return Variant(factor, value, change, change)


VARIANTS = [
    Variant("output", "TR, act(U - V_th)", BASE, neurons(threshold_related=True)),
    Variant("output", "NTR, act(U)", neurons(threshold_related=False), BASE),
    Variant("activation", "ReLU", BASE, neurons(output="relu")),
    Variant("activation", "SELU", neurons(output="selu"), BASE),
    both("activation", "leaky ReLU (0.2)", neurons(output={"leaky_relu": {"slope": 0.2}})),
    both("activation", "ELU", neurons(output={"elu": {}})),
    both("activation", "tanh", neurons(output="tanh")),
    both("activation", "sigmoid", neurons(output="sigmoid")),
    both("activation", "identity", neurons(output="identity")),
    both("activation", "spikes (LIF)", neurons(output="spike")),
    Variant("norm", "none", BASE, BASE),
    Variant("norm", "none, pooling before neurons", blocks(lambda conv, neuron, pool: [conv, pool, neuron])),
    Variant("norm", "G (batch norm, pooling, neurons)", blocks(lambda conv, neuron, pool: [conv, BATCH, pool, neuron])),
    Variant(
        "norm",
        "batch norm, neurons",
        blocks(lambda conv, neuron, pool: [conv, BATCH, neuron, pool]),
        before_neurons("batch_norm"),
    ),
    Variant(
        "norm",
        "layer norm, neurons",
        blocks(lambda conv, neuron, pool: [conv, LAYER, neuron, pool]),
        before_neurons("layer_norm"),
    ),
    Variant(
        "norm",
        "P (layer norm, ReLU, pooling, neurons)",
        blocks(lambda conv, neuron, pool: [conv, LAYER, RELU, pool, neuron]),
    ),
    Variant(
        "norm",
        "B (batch norm inside the neurons)",
        blocks(lambda conv, neuron, pool: [conv, neuron | {"norm": {}}, pool]),
    ),
    Variant("gradient of the reset", "kept", BASE, BASE),
    both("gradient of the reset", "detached", neurons(detach_reset=True)),
    Variant("reset", "hard", BASE, BASE),
    both("reset", "soft", neurons(reset="soft")),
    both("reset", "soft after the leak", neurons(reset="soft_after_leak")),
    Variant("alpha", "0.3", BASE, neurons(alpha=0.3)),
    both("alpha", "0", neurons(alpha=0.0)),
    both("alpha", "0.9", neurons(alpha=0.9)),
    both("alpha", "learned from 0.3, per layer", learned("all")),
    both("alpha", "learned from 0.3, per channel", learned("channel")),
    Variant("alpha", "spread over the units", None, fixed),
    Variant("alpha", "spread over the units, learned", None, BASE),
    Variant("steps in 200 ms", "1", {"data.window": "200ms"}),
    Variant("steps in 200 ms", "5", {"data.window": "40ms"}),
    Variant("steps in 200 ms", "10", BASE),
    Variant("steps in 200 ms", "20", {"data.window": "10ms"}),
]


def toml(value):
    """A value as TOML has it in one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(part)}" for key, part in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


@dataclass
class Baseline:
    """An experiment of which the others are variants."""

    name: str
    file: str

    def known(self, variant):
        """What tells the runs of a variant from all others; the baseline is trained once for all factors."""
        factor, value = variant.factor, variant.value
        if getattr(variant, self.name) == BASE:
            factor, value = "none", "baseline"
        return {"experiment": self.name, "factor": factor, "value": value}

    def settings(self, options):
        if self.name == "objects":
            return {"data.dir": (options.data / "DataSet2").resolve()}
        return {"data.dir": options.babi.resolve(), "data.task": 1}

    def network(self, options):
        """The network of the file, as a run of one epoch records it."""
        settings = self.settings(options) | {"recipe.epochs": 1}
        words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        with tempfile.TemporaryDirectory() as folder:
            command = [options.liaf, "train", HERE / self.file, *words, "--out", folder, "--quiet"]
            subprocess.run([*command, "--threads", str(options.threads)], check=True)
            return tomllib.loads((Path(folder) / "experiment.toml").read_text())["network"]

    def jobs(self, options, network, seed):
        same = self.settings(options) | {"recipe.seed": seed}
        begun = []
        for variant in VARIANTS:
            change, known = getattr(variant, self.name), self.known(variant)
            if change is None or known in begun:
                continue
            begun.append(known)
            if callable(change):
                change = {"network": toml(network | {"layers": change(network["layers"])})}
            yield Job(HERE / self.file, known | {"seed": seed}, same | ({} if change == BASE else change))


BASELINES = [Baseline("objects", "objects/objects.toml"), Baseline("babi", "babi/gated.toml")]


def train(options):
    networks = [(baseline, baseline.network(options)) for baseline in BASELINES]
    seeds = range(1, 1 + options.seeds)
    jobs = [job for seed in seeds for baseline, network in networks for job in baseline.jobs(options, network, seed)]
    refuse(Driver(options, options.results).run(jobs))


def cells(baseline, variant, lines):
    """What the table says about a variant of a baseline."""
    if getattr(variant, baseline.name) is None:
        return [""] * 4
    known = baseline.known(variant)
    runs = [line for line in lines if line | known == line]
    if not runs:
        return ["0", "–", "–", "–"]
    reached = [run["epoch_of_95"] for run in runs if run["epoch_of_95"]]
    epoch = spread(reached, "{:.0f}") if reached else "never"
    if 0 < len(reached) < len(runs):
        epoch += f" ({len(reached)} of {len(runs)})"
    accuracy = spread([100 * run["test_accuracy_last"] for run in runs], "{:.1f}")
    return [str(len(runs)), accuracy, spread([run["test_loss_last"] for run in runs], "{:.3f}"), epoch]


HEAD = ["factor", "value"] + 2 * ["seeds", "test, %", "loss", "95 % in epoch"]


def table(options):
    lines = read(options.results)
    rows, last = [], None
    for variant in VARIANTS:
        found = [cells(baseline, variant, lines) for baseline in BASELINES]
        found = [
            [f"**{text}**" for text in texts] if getattr(variant, baseline.name) == BASE else texts
            for baseline, texts in zip(BASELINES, found)
        ]
        rows.append([variant.factor if variant.factor != last else "", variant.value, *found[0], *found[1]])
        last = variant.factor
    print(markdown(HEAD, rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=RESULTS / "ablations.jsonl")
    commands = parser.add_subparsers(required=True)
    trains = commands.add_parser("train", help="train what is not trained yet")
    trains.add_argument("--data", type=Path, default=HERE.parent / "data", help="folder of DataSet2")
    trains.add_argument("--babi", type=Path, default=HERE.parent / "data/tasks_1-20_v1-2/en", help="folder of bAbI")
    trains.add_argument("--seeds", type=int, default=3)
    options(trains)
    trains.set_defaults(work=train)
    commands.add_parser("table", help="print the table").set_defaults(work=table)
    chosen = parser.parse_args()
    chosen.work(chosen)


if __name__ == "__main__":
    main()
