"""The experiments that can be run without the published recordings, and the tables of docs/experiments.md about them.

    python experiments/run.py train --data data --jobs 2
    python experiments/run.py train --data data static-mnist motions
    python experiments/run.py table

`data` has the files and folders that experiments/README.md names: `mnist_5k.csv.gz` and `DataSet2`. A run that
ends is a line of docs/results, and what has a line is not trained again, so that `train` may be stopped and
started at any time. `table` prints the tables in Markdown. (bAbI: `babi/tasks.py`.)
"""

import argparse
import math
import statistics
from dataclasses import dataclass, field
from pathlib import Path

from runs import HERE, RESULTS, Driver, Job, markdown, options, read, refuse

# 97.5 % quantiles of Student's distribution, for 1 to 9 degrees of freedom.
STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262]


@dataclass
class Net:
    """A file of a set, with how many seeds it is trained, and what is set in it."""

    name: str
    experiment: str
    seeds: int
    variant: dict = field(default_factory=dict)
    settings: dict = field(default_factory=dict)


@dataclass
class Set:
    """A folder of experiments that share their data."""

    name: str
    nets: list
    data: str | None = None  # the name of the data, if they are not made

    def results(self, folder):
        return folder / f"{self.name}.jsonl"

    def jobs(self, data, most):
        """Seed by seed, so that what is compared is finished at the same time; `most` seeds at most."""
        where = {} if self.data is None else {"data.dir": (data / self.data).resolve()}
        for seed in range(1, 1 + min(most, max(net.seeds for net in self.nets))):
            for net in self.nets:
                if seed <= net.seeds:
                    file = HERE / self.name / f"{net.experiment}.toml"
                    known = {"experiment": net.experiment, **net.variant, "seed": seed}
                    yield Job(file, known, where | net.settings | {"recipe.seed": seed})


# Cores, and how the names of their files end.
RIVALS = {"GRU": "gru", "LSTM": "lstm", "ConvLSTM": "convlstm", "Conv3D": "conv3d"}


def motions():
    order, shuffled = {"frames": "in order"}, {"frames": "shuffled"}
    shuffle = {"data.shuffle_steps": "true"}
    return Set("motions", [
        Net("LIAF", "motions", 5, order),
        Net("LIF", "motions-lif", 5, order),
        Net("LIAF, frames shuffled", "motions", 3, shuffled, shuffle),
        Net("LIF, frames shuffled", "motions-lif", 1, shuffled, shuffle),
        *(Net(name, f"motions-{end}", 1, order) for name, end in RIVALS.items()),
    ])


def digits():
    scale = lambda scale: ({"digit_scale": scale}, {"data.digit_scale": scale})
    return Set("digits", [
        Net("LIAF", "digits", 5, *scale(16)),
        Net("LIF", "digits-lif", 5, *scale(16)),
        *(Net(name, f"digits-{end}", 1, *scale(16)) for name, end in RIVALS.items()),
        *(Net(f"LIAF, scale {s}", "digits", 1, *scale(s)) for s in (8, 4)),
        *(Net(f"LIF, scale {s}", "digits-lif", 1, *scale(s)) for s in (8, 4)),
    ], "mnist_5k.csv.gz")


def objects():
    rivals = {"GRU": "gru", "ConvLSTM": "convlstm", "Conv3D": "conv3d", "linear": "linear"}
    return Set("objects", [
        Net("LIAF", "objects", 3),
        Net("LIF", "objects-lif", 3),
        *(Net(name, f"objects-{end}", 3) for name, end in rivals.items()),
    ], "DataSet2")


def static_mnist():
    nets = [Net("LIAF", "static-mnist", 5), Net("LIF", "static-mnist-lif", 5)]
    return Set("static-mnist", nets, "mnist_5k.csv.gz")


SETS = {group.name: group for group in (static_mnist(), motions(), objects(), digits())}


def runs_of(net, lines):
    found = {"experiment": net.experiment, **net.variant}
    return {line["seed"]: line for line in lines if line | found == line}


def spread(numbers, form):
    """Mean and standard deviation."""
    mean = form.format(statistics.mean(numbers))
    return mean if len(numbers) < 2 else f"{mean} ± {form.format(statistics.stdev(numbers))}"


def rows(group, lines):
    for net in group.nets:
        runs = list(runs_of(net, lines).values())
        if not runs:
            continue
        percent = lambda name: [100 * run[name] for run in runs]
        yield [
            net.name,
            str(len(runs)),
            spread(percent("test_accuracy_last"), "{:.2f}"),
            spread(percent("test_accuracy_best"), "{:.2f}"),
            f"{runs[0]['weights']['all']:,}",
            f"{runs[0]['macs'] / 1e6:,.0f}",
            f"{statistics.mean(run['seconds'] for run in runs) / 60:.1f}",
        ]


def difference(group, lines):
    """LIAF minus LIF over the seeds that both have, with a 95 % interval."""
    first, second = (runs_of(net, lines) for net in group.nets[:2])
    accuracy = lambda run: 100 * run["test_accuracy_last"]
    each = [accuracy(first[seed]) - accuracy(second[seed]) for seed in sorted(first.keys() & second.keys())]
    if not each:
        return ""
    seeds = "1 seed" if len(each) == 1 else f"{len(each)} paired seeds"
    mean = statistics.mean(each)
    text = f"LIAF minus LIF, {seeds}: {mean:+.2f} points"
    if 2 <= len(each) <= 1 + len(STUDENT):
        half = STUDENT[len(each) - 2] * statistics.stdev(each) / math.sqrt(len(each))
        text += f", 95 % interval of Student's t {mean - half:+.2f} to {mean + half:+.2f}"
    return text + "\n"


HEAD = ["net", "seeds", "test after the last epoch, %", "test in the best epoch, %"]
HEAD += ["weights", "million MAC", "minutes"]


def table(options):
    for group in options.chosen:
        lines = read(group.results(options.results))
        if lines:
            print(f"{group.name}:\n", markdown(HEAD, rows(group, lines)), sep="\n")
            print(difference(group, lines))


def train(options):
    failed = []
    for group in options.chosen:
        driver = Driver(options, group.results(options.results))
        failed += driver.run(group.jobs(options.data, options.seeds))
    refuse(failed)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the results")
    commands = parser.add_subparsers(required=True)
    trains = commands.add_parser("train", help="train what is not trained yet")
    trains.add_argument("--data", type=Path, default=HERE.parent / "data", help="folder of the data")
    trains.add_argument("--seeds", type=int, default=5, help="at most so many of each net")
    options(trains)
    trains.set_defaults(work=train)
    tables = commands.add_parser("table", help="print the tables")
    tables.set_defaults(work=table)
    for command in (trains, tables):
        command.add_argument("sets", nargs="*", metavar="SET", help=f"{', '.join(SETS)}; default: all")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.sets if name not in SETS]
    if unknown:
        parser.error(f"unknown set {unknown[0]}; there are {', '.join(SETS)}")
    chosen.chosen = [SETS[name] for name in chosen.sets or SETS]
    chosen.work(chosen)


if __name__ == "__main__":
    main()
