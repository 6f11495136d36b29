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
import platform
import shutil
import statistics
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
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


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def key(run):
    return run["experiment"], run["task"], run["seed"]


def processor():
    """The name of the processor, as Linux has it, or the kind of machine."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def weights(liaf, experiment):
    """Weights without biases of the recurrent layers, and of the gate that the question sets."""
    name = experiment if experiment.startswith("babi") else f"babi-{experiment}"
    layers = json.loads(output(liaf, "cost", name, "--json"))["layers"]
    count = lambda *ends: sum(layer["weights"] for layer in layers if layer["name"].endswith(ends))
    return {"recurrent": count("_fc", "_neuron", "_recurrent"), "gate": count("gate")}


def summarise(folder, known):
    """The line of a finished run, from the files in its folder."""
    summary = json.loads((folder / "summary.json").read_text())
    epochs = [row for row in read(folder / "metrics.jsonl") if "validation" in row]
    share = lambda score: round(score["correct"] / score["samples"], 4)
    taken = "version epochs best_epoch test_accuracy_last test_accuracy_best parameters macs".split()
    return known | {name: summary[name] for name in taken} | {
        "seconds": round(summary["seconds"], 1),
        "train_accuracy_last": share(epochs[-1]["train"]),
        "validation": {
            "samples": epochs[-1]["validation"]["samples"],
            "accuracy_last": share(epochs[-1]["validation"]),
            "accuracy_best": max(share(epoch["validation"]) for epoch in epochs),
        },
        "weights": {"all": summary["weights"]} | known["weights"],
    }


def train(options, known):
    """Trains one net, and returns the line of the run."""
    experiment, task, seed = key(known)
    folder = options.runs / f"{experiment}-{task}-{seed}"
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was stopped
    settings = [f"data.dir={options.data.resolve()}", f"data.task={task}", f"recipe.seed={seed}", *options.set]
    words = [word for setting in settings for word in ("--set", setting)]
    command = [options.liaf, "train", HERE / f"{experiment}.toml", *words, "--out", folder]
    subprocess.run([*command, "--threads", str(options.threads), "--quiet"], check=True)
    return summarise(folder, known | {"threads": options.threads, "processor": processor()})


def run(options):
    done = {key(row) for row in read(options.results)}
    commit = output("git", "-C", HERE, "rev-parse", "--short", "HEAD").strip()
    for experiment in options.experiments:
        known = {"experiment": experiment, "commit": commit, "weights": weights(options.liaf, experiment)}
        for seed, task in itertools.product(options.seeds, options.tasks):
            if (experiment, task, seed) in done:
                continue
            line = train(options, known | {"task": task, "seed": seed})
            with options.results.open("a") as file:
                file.write(json.dumps(line) + "\n")
            done.add(key(line))


def markdown(head, rows):
    lines = ["| " + " | ".join(line) + " |" for line in (head, *rows)]
    lines.insert(1, "|---" * len(head) + "|")
    return "\n".join(lines) + "\n"


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
    parser.add_argument("--results", type=Path, default=HERE.parents[1] / "docs/results/babi.jsonl")
    commands = parser.add_subparsers(required=True)
    runs = commands.add_parser("run", help="train")
    runs.add_argument("data", type=Path, help="folder of the tasks, such as tasks_1-20_v1-2/en")
    runs.add_argument("experiments", nargs="+", help="names of files in this folder, without .toml")
    runs.add_argument("--seeds", type=int, nargs="+", default=[0])
    runs.add_argument("--tasks", type=int, nargs="+", default=TASKS)
    runs.add_argument("--threads", type=int, default=1, help="the results do not depend on it")
    runs.add_argument("--liaf", default="liaf", help="the program")
    runs.add_argument("--runs", type=Path, default=Path("runs/babi"), help="folder for the folders of the runs")
    runs.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as of liaf train")
    runs.set_defaults(work=run)
    commands.add_parser("table", help="print the tables").set_defaults(work=table)
    options = parser.parse_args()
    options.work(options)


if __name__ == "__main__":
    main()
