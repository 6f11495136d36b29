"""One net for each task of bAbI, and the tables of docs/experiments.md about them.

    python experiments/babi/tasks.py run tasks_1-20_v1-2/en gated gated-gru --seeds 0 1 2
    python experiments/babi/tasks.py table

`run` trains with the files `gated.toml` and `gated-gru.toml` of this folder. A run that ends is a line of
`--results`, and what has a line is not trained again, so that `run` may be stopped and started at any time.
`table` prints the tables in Markdown.
"""

import argparse
import itertools
import json
import statistics
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import runs  # noqa: E402
from runs import RESULTS, Driver, Job, markdown, read, refuse  # noqa: E402

TASKS = range(1, 21)
# Names of the nets, in the order of the columns.
NETS = {"gated": "LIAF", "gated-lif": "LIF", "gated-rnn": "simple RNN", "gated-gru": "GRU", "gated-lstm": "LSTM"}
FIXED_LEAK = {
    "leak": "fixed leak of 0.3 (`leak.toml`)",
    "babi": "the same, in the net and recipe of Keras (`babi.toml`)",
}
# As the example `babi_rnn.py` of Keras states them for tasks 1 to 20.
PUBLISHED = {
    "LSTM of Weston et al.": [50, 20, 20, 61, 70, 48, 49, 45, 64, 44, 72, 74, 94, 27, 21, 23, 51, 52, 8, 91],
    "GRU of Keras": [100, 50, 20.5, 62.9, 61.9, 50.7, 78.9, 77.2, 64, 47.7, 74.9, 76.4, 94.4, 34.8, 32.4, 50.6]
    + [49.1, 90.8, 9, 90.7],
}


def key(run):
    return run["experiment"], run["task"], run["seed"]


def weights(liaf, experiment):
    """Weights without biases of the recurrent layers, and of the gate that the question sets."""
    name = experiment if experiment.startswith("babi") else f"babi-{experiment}"
    layers = json.loads(runs.output(liaf, "cost", name, "--json"))["layers"]
    count = lambda *ends: sum(layer["weights"] for layer in layers if layer["name"].endswith(ends))
    return {"recurrent": count("_fc", "_neuron", "_recurrent"), "gate": count("gate")}


def jobs(options):
    data = options.data.resolve()
    for experiment in options.experiments:
        more = {"weights": weights(options.liaf, experiment)}
        for seed, task in itertools.product(options.seeds, options.tasks):
            known = {"experiment": experiment, "task": task, "seed": seed}
            settings = {"data.dir": data, "data.task": task, "recipe.seed": seed}
            yield Job(HERE / f"{experiment}.toml", known, settings, more)


def run(options):
    refuse(Driver(options, options.results).run(jobs(options)))


class Results:
    """The lines of finished runs."""

    def __init__(self, lines):
        self.runs = {key(line): line for line in lines}
        self.seeds = sorted({seed for _, _, seed in self.runs})

    def accuracy(self, experiment, task, name="test_accuracy_last"):
        """The mean over the seeds, in per cent."""
        runs = (self.runs.get((experiment, task, seed)) for seed in self.seeds)
        found = [100 * run[name] for run in runs if run]
        return statistics.mean(found) if found else None

    def whole(self, experiment):
        """For each seed with which all tasks are finished, their runs."""
        seeds = ([self.runs.get((experiment, task, seed)) for task in TASKS] for seed in self.seeds)
        return [runs for runs in seeds if all(runs)]

    def count(self, experiment):
        return sum(1 for other, _, _ in self.runs if other == experiment)


def shown(number, form="{:.1f}"):
    return "–" if number is None else form.format(number)


def mean(whole, number):
    """The mean of a number over all tasks and the seeds that are finished."""
    return statistics.mean(number(run) for runs in whole for run in runs) if whole else None


def per_task(results, nets):
    rows = []
    for task in TASKS:
        published = [f"{column[task - 1]:g}" for column in PUBLISHED.values()]
        rows.append([str(task), *(shown(results.accuracy(net, task)) for net in nets), *published])
    means = [results.whole(net) for net in nets]
    last = [shown(mean(runs, lambda run: 100 * run["test_accuracy_last"])) for runs in means]
    published = [f"{statistics.mean(column):.1f}" for column in PUBLISHED.values()]
    rows.append(["**mean**", *(f"**{text}**" for text in last + published)])
    return markdown(["task", *nets.values(), *PUBLISHED], rows)


def summary(results, nets):
    whole = [results.whole(net) for net in nets]
    any_run = [next((run for name, run in results.runs.items() if name[0] == net), None) for net in nets]

    def means(name):
        for net, seeds in zip(nets, whole):
            each = [f"{100 * statistics.mean(run[name] for run in runs):.1f}" for runs in seeds]
            yield ", ".join(each) or f"{results.count(net)} tasks only"

    weight = lambda *parts: [
        shown(run and sum(run["weights"][part] for part in parts), "{:,}") for run in any_run
    ]
    minutes = [", ".join(f"{sum(run['seconds'] for run in runs) / 60:.0f}" for runs in seeds) for seeds in whole]
    rows = [
        ["mean of 20 tasks after the last epoch, for each seed, %", *means("test_accuracy_last")],
        ["the same after the epoch that validation chose, %", *means("test_accuracy_best")],
        ["training questions after the last epoch, %", *means("train_accuracy_last")],
        ["weights of the recurrent layers, without biases", *weight("recurrent")],
        ["the same with the gate", *weight("recurrent", "gate")],
        [
            "multiply-accumulates for a question of task 1",
            *(shown((results.runs.get((net, 1, 0)) or {}).get("macs"), "{:,}") for net in nets),
        ],
        ["minutes for 20 tasks, for each seed", *(text or "–" for text in minutes)],
    ]
    return markdown(["", *nets.values()], rows)


def fixed_leak(results):
    tasks = [task for task in TASKS if results.accuracy("leak", task) is not None]
    nets = {"gated": "LIAF (`gated.toml`)"} | FIXED_LEAK | {"gated-gru": "GRU (`gated-gru.toml`)"}
    first = Results(run for run in results.runs.values() if run["seed"] == 0)
    rows = []
    for net, name in nets.items():
        scores = [first.accuracy(net, task) for task in tasks]
        average = None if None in scores or not scores else statistics.mean(scores)
        rows.append([name, *map(shown, scores), shown(average)])
    return markdown(["seed 0", *(f"task {task}" for task in tasks), "mean"], rows)


def table(options):
    results = Results(read(options.results))
    print(per_task(results, NETS), summary(results, NETS), fixed_leak(results), sep="\n", end="")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=RESULTS / "babi.jsonl")
    commands = parser.add_subparsers(required=True)
    trains = commands.add_parser("run", help="train")
    trains.add_argument("data", type=Path, help="folder of the tasks, such as tasks_1-20_v1-2/en")
    trains.add_argument("experiments", nargs="+", help="names of files in this folder, without .toml")
    trains.add_argument("--seeds", type=int, nargs="+", default=[0])
    trains.add_argument("--tasks", type=int, nargs="+", default=TASKS)
    runs.options(trains)
    trains.set_defaults(work=run)
    commands.add_parser("table", help="print the tables").set_defaults(work=table)
    options = parser.parse_args()
    options.work(options)


if __name__ == "__main__":
    main()
