"""The runs of label_efficiency.sh as numbers.

    python3 label_efficiency.py WORK runs    one line of CSV per run
    python3 label_efficiency.py WORK table   mean, deviation and 95 % interval over the seeds
    python3 label_efficiency.py WORK mdoc    the same as rows for a manual page

The interval is Student's over the seeds. A seed chooses the labels (below 100 %), the first weights
of what is new and the order of patches; the encoder, the balanced set of the task crop and the test
patches are the same for all seeds. So it says what another draw of labels and another training
would give, not what another encoder or other test patches would. At 50 % two draws share half of
their labels, and at 100 % all, so that there it holds for the training alone.
"""
import json
import math
import re
import sys
from pathlib import Path

NAME = re.compile(r"(?P<method>.+)-(?P<task>crop|ten)-(?P<share>[0-9.]+)-(?P<seed>\d+)$")
PROBE = re.compile(r"(?P<method>encoder|random)-linear-(?P<task>crop|ten)$")
MEASURES = {"crop": ("auc", "accuracy", "f1"), "ten": ("accuracy", "macro_f1", "auc")}
# Two-sided 95 % points of Student's distribution, by degrees of freedom.
STUDENT = (math.nan, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
METHODS = ("scratch", "tuned")


def balanced(row):
    """AUC does not depend on the share of positives; the others are told at one half."""
    at = next(a for a in row["at_prevalence"] if a["prevalence"] == 0.5)["same_decisions"]
    return {"auc": row["metrics"]["auc"], "accuracy": at["accuracy"], "f1": at["f1"]}


def numbers(task, row):
    return balanced(row) if task == "crop" else {m: row["metrics"][m] for m in MEASURES["ten"]}


def read_runs(work):
    runs = []
    for path in sorted(Path(work).glob("*.json")):
        found = NAME.match(path.stem) or PROBE.match(path.stem)
        if not found:
            continue
        report = json.loads(path.read_text())
        key = {"share": 1, "seed": 1, **found.groupdict()}
        if "-linear-" in path.stem:
            key["method"] += " linear"
        runs.append({**key, "share": float(key["share"]), "seed": int(key["seed"]),
                     **{m: v["value"] for m, v in numbers(key["task"], report["rows"][0]).items()},
                     "baselines": report["rows"][1:]})
    return runs


def print_runs(runs):
    measures = sorted({m for task in MEASURES.values() for m in task})
    print("task,share,method,seed," + ",".join(measures))
    for r in sorted(runs, key=lambda r: (r["task"], r["share"], order(r["method"]), r["seed"])):
        print(",".join([r["task"], f"{r['share']:g}", r["method"], str(r["seed"])] +
                       [f"{r[m]:.5f}" if m in r else "" for m in measures]))


def order(method):
    return (METHODS.index(method) if method in METHODS else len(METHODS), method)


def over_seeds(values):
    n = len(values)
    mean = sum(values) / n
    if n < 2:
        return mean, math.nan, math.nan
    deviation = math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1))
    return mean, deviation, STUDENT[min(n - 1, len(STUDENT) - 1)] * deviation / math.sqrt(n)


def rows_of(runs):
    """(task, share, method, seeds, [(mean, deviation, half of the interval) per measure])"""
    keys = sorted({(r["task"], r["share"], order(r["method"])) for r in runs})
    for task, share, (_, method) in keys:
        same = [r for r in runs if (r["task"], r["share"], r["method"]) == (task, share, method)]
        yield task, share, method, len(same), [over_seeds([r[m] for r in same])
                                               for m in MEASURES[task]]


def print_table(runs):
    for task in MEASURES:
        print(f"\n{task:5} {'labels':>7} {'method':10} {'seeds':>5}" +
              "".join(f"  {m:>8} {'sd':>6} {'+-95%':>6}" for m in MEASURES[task]))
        for t, share, method, seeds, cells in rows_of(runs):
            if t == task:
                print(f"{'':5} {100 * share:6g}% {method:10} {seeds:5}" +
                      "".join(f"  {m:8.4f} {s:6.4f} {h:6.4f}" for m, s, h in cells))
        first = next((r for r in runs if r["task"] == task and "linear" in r["method"]), None)
        for row in first["baselines"] if first else ():
            values = numbers(task, row)
            print(f"{'':5} {'100':>6}% {row['name'][:60]}: " +
                  ", ".join(f"{m} {v['value']:.4f}" for m, v in values.items()))


def print_mdoc(runs):
    for task, share, method, seeds, cells in rows_of(runs):
        mean, _, half = cells[0]
        print(f".It {task} Ta {100 * share:g} % Ta {method} Ta {mean:.4f} \\(+- {half:.4f} Ta " +
              " Ta ".join(f"{m:.3f}" for m, _, _ in cells[1:]) + f" Ta {seeds}")


if __name__ == "__main__":
    {"runs": print_runs, "table": print_table, "mdoc": print_mdoc}[sys.argv[2]](
        read_runs(sys.argv[1]))
