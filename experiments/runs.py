"""Training runs that are recorded: each is a line of a file, and what has a line is not trained again."""

import json
import platform
import shutil
import signal
import subprocess
import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent / "docs/results"


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def processor():
    """The name of the processor, as Linux has it, or the kind of machine."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


@dataclass
class Job:
    """A run: `known` tells it from all others in the file of results, `settings` are those of `liaf train --set`."""

    experiment: Path
    known: dict
    settings: dict = field(default_factory=dict)
    more: dict = field(default_factory=dict)  # what else the line says

    def is_in(self, lines):
        return any(line | self.known == line for line in lines)

    def name(self):
        words = (str(value).lower().replace(" ", "-") for value in self.known.values())
        return "-".join(words)


def summarise(folder, known):
    """The line of a finished run, from the files in its folder."""
    summary = json.loads((folder / "summary.json").read_text())
    epochs = [row for row in read(folder / "metrics.jsonl") if "steps" in row]
    share = lambda score: round(score["correct"] / score["samples"], 4)
    taken = "version epochs best_epoch test_accuracy_last test_accuracy_best parameters macs".split()
    line = known | {name: summary[name] for name in taken}
    line |= {"seconds": round(summary["seconds"], 3), "train_accuracy_last": share(epochs[-1]["train"])}
    line |= {f"{part}_loss_last": round(epochs[-1][part]["loss"], 5) for part in ("train", "test")}
    line["epoch_of_95"] = next((row["epoch"] for row in epochs if share(row["test"]) >= 0.95), None)
    if "validation" in epochs[-1]:
        accuracies = [share(epoch["validation"]) for epoch in epochs]
        samples = epochs[-1]["validation"]["samples"]
        line["validation"] = {"samples": samples, "accuracy_last": accuracies[-1], "accuracy_best": max(accuracies)}
    return line | {"weights": {"all": summary["weights"]} | known.get("weights", {})}


def options(parser):
    """Adds the options of `train`."""
    parser.add_argument("--jobs", type=int, default=1, help="runs at the same time")
    parser.add_argument("--threads", type=int, default=1, help="of each run; the results do not depend on it")
    parser.add_argument("--liaf", default="liaf", help="the program")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for the folders of the runs")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as of liaf train")


class Stopped(Exception):
    pass


class Driver:
    """Trains the jobs that have no line in `results` yet. A run that was stopped continues where it was; one that
    fails does not stop the others."""

    def __init__(self, options, results):
        self.options, self.results = options, results
        self.lock, self.running, self.stopped, self.failed = threading.Lock(), set(), False, []
        self.common = {
            "commit": output("git", "-C", HERE, "rev-parse", "--short", "HEAD").strip(),
            "threads": options.threads,
            "processor": processor(),
        }

    def train(self, job):
        folder = self.options.runs / job.name()
        settings = [f"{key}={value}" for key, value in job.settings.items()] + self.options.set
        words = [word for setting in settings for word in ("--set", setting)]
        command = [self.options.liaf, "train", job.experiment, *words, "--out", folder, "--quiet"]
        command += ["--threads", str(self.options.threads)]
        if any(folder.glob("checkpoints/*")):
            command.append("--resume")
        else:
            shutil.rmtree(folder, ignore_errors=True)
        with self.lock:
            if self.stopped:
                raise Stopped
            process = subprocess.Popen(command)
            self.running.add(process)
        code = process.wait()
        with self.lock:
            self.running.discard(process)
            if self.stopped:
                raise Stopped
            if code != 0:
                self.failed.append(job.name())
                return
            line = summarise(folder, job.known | self.common | job.more)
            self.results.parent.mkdir(parents=True, exist_ok=True)
            with self.results.open("a") as file:
                file.write(json.dumps(line) + "\n")
            print(f"{job.name()}: {100 * line['test_accuracy_last']:.2f} %, {line['seconds']:.0f} s", flush=True)

    def stop(self):
        with self.lock:
            self.stopped = True
            for process in self.running:
                process.terminate()

    def run(self, jobs):
        """Returns the names of those that failed."""
        for signals in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signals, signal.default_int_handler)
        done = read(self.results)
        jobs = [job for job in jobs if not job.is_in(done)]
        with ThreadPoolExecutor(self.options.jobs) as pool:
            try:
                runs = [pool.submit(self.train, job) for job in jobs]
                finished, _ = wait(runs, return_when=FIRST_EXCEPTION)
                for run in finished:
                    run.result()
            except BaseException:
                self.stop()
                raise
        return self.failed


def refuse(failed):
    """Ends the program if runs failed."""
    if failed:
        raise SystemExit(f"failed, and not recorded: {', '.join(sorted(failed))}")


def markdown(head, rows):
    lines = ["| " + " | ".join(line) + " |" for line in (head, *rows)]
    lines.insert(1, "|---" * len(head) + "|")
    return "\n".join(lines) + "\n"
