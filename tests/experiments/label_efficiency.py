"""The runs of label_efficiency.sh as numbers.

    python3 label_efficiency.py runs SOURCE...    one line of CSV per run
    python3 label_efficiency.py table SOURCE...   mean, deviation and 95 % interval over the seeds
    python3 label_efficiency.py ahead SOURCE...   by how much each method is ahead of another
    python3 label_efficiency.py mdoc SOURCE...    all of it as lists for a manual page
    python3 label_efficiency.py settings SOURCE   what the runs were made with

A SOURCE is a folder that label_efficiency.sh works in, or a CSV that `runs` printed, such as the
one beside this script. Runs of several sources are put together when their settings are the same; of
one that is in two, the last counts. The encoder that a run began with is known by the SHA-256 of its
weights: another processor or library makes another one of the same data and settings.

The interval is Student's over the seeds; differences are taken seed by seed, since the methods of
one seed have the same labels. A seed chooses the labels (below 100 %), the first weights
of what is new and the order of patches; the encoder (of one folder), the balanced set of the task
crop and the test patches are the same for all seeds. So it says what another draw of labels and another training
would give, not what another encoder or other test patches would. At 50 % two draws share half of
their labels, and at 100 % all, so that there it holds for the training alone.
"""
import csv
import hashlib
import json
import math
import re
import sys
from pathlib import Path

NAME = re.compile(r"(?P<method>.+)-(?P<task>crop|ten)-(?P<share>[0-9.]+)-(?P<seed>\d+)$")
PROBE = re.compile(r"(?P<method>encoder|random)-linear-(?P<task>crop|ten)$")
MEASURES = {"crop": ("auc", "accuracy", "f1", "ece", "p50", "p10", "p2.3"),
            "ten": ("accuracy", "macro_f1", "auc")}
SPREAD = 3  # so many of them with deviation and interval
# Precision at the threshold of the model, were this share of all patches positive.
PRECISION = {"p50": 0.5, "p10": 0.1, "p2.3": 0.023}
# Two-sided 95 % points of Student's distribution, by degrees of freedom.
STUDENT = (math.nan, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
ALL_MEASURES = sorted({m for task in MEASURES.values() for m in task})
FLOATS = {"share", *ALL_MEASURES}
BASELINE = "baseline "
TITLES = {"crop": "PermanentCrop against as many others", "ten": "Ten classes"}
SHORT = {"per-band mean and standard deviation": "band statistics",
         "random convolutional features": "random features"}
METHODS = ("scratch", "tuned", "resnet18", "resnet18-half", "dense", "pixel")
# Who is compared with whom.
AHEAD = [(method, "scratch") for method in METHODS[1:]] + [("dense", "resnet18")]


def same_decisions(row, prevalence):
    return next(a for a in row["at_prevalence"] if a["prevalence"] == prevalence)["same_decisions"]


def balanced(row):
    """AUC does not depend on the share of positives; accuracy, F1 and ECE are told at one half."""
    half = same_decisions(row, 0.5)
    return {"auc": row["metrics"]["auc"], **{m: half[m] for m in ("accuracy", "f1", "ece")},
            **{name: same_decisions(row, p)["precision"] for name, p in PRECISION.items()}}


def numbers(task, row):
    return balanced(row) if task == "crop" else {m: row["metrics"][m] for m in MEASURES["ten"]}


def encoder_of(work):
    """Of the weights alone: a model file's header holds folders and dates as well."""
    data = (Path(work) / "encoder" / "model.safetensors").read_bytes()
    return hashlib.sha256(data[8 + int.from_bytes(data[:8], "little"):]).hexdigest()[:16]


def read_folder(work):
    runs, encoder = [], encoder_of(work)
    for path in sorted(Path(work).glob("*.json")):
        found = NAME.match(path.stem) or PROBE.match(path.stem)
        if not found:
            continue
        key = {"share": 1, "seed": 1, **found.groupdict()}
        key.update(share=float(key["share"]), seed=int(key["seed"]))
        rows = json.loads(path.read_text())["rows"]
        methods = [key["method"] + " linear" * ("-linear-" in path.stem)]
        if methods == ["encoder linear"]:  # the one report with all baselines, of all labels
            methods += [BASELINE + row["name"].split(" +")[0] for row in rows[1:]]
        for method, row in zip(methods, rows):
            runs.append({**key, "method": method, "encoder": encoder,
                         **{m: v["value"] for m, v in numbers(key["task"], row).items()}})
    return runs


def read_csv(path):
    with open(path, newline="") as file:
        next(file)  # the settings
        return [{**{m: float(v) for m, v in row.items() if m in FLOATS and v},
                 **{k: row[k] for k in ("task", "method", "encoder")}, "seed": int(row["seed"])}
                for row in csv.DictReader(file)]


def settings_of(source):
    path = Path(source)
    if path.is_file():
        return path.open().readline().removeprefix("# settings ").strip()
    return " ".join((path / "settings").read_text().split())


def read_runs(sources):
    settings = {settings_of(source) for source in sources}
    if len(settings) > 1:
        sys.exit("label_efficiency.py: the settings differ, these runs are not draws of one thing:\n" +
                 "\n".join(f"{s}: {settings_of(s)}" for s in sources))
    runs = {}
    for source in sources:
        for run in read_csv(source) if Path(source).is_file() else read_folder(source):
            runs[run["task"], run["share"], order(run["method"]), run["seed"]] = run
    return settings.pop(), [runs[key] for key in sorted(runs)]


def print_runs(settings, runs):
    print("# settings", settings)
    print("task,share,method,seed,encoder," + ",".join(ALL_MEASURES))
    for r in runs:
        print(",".join([r["task"], f"{r['share']:g}", r["method"], str(r["seed"]), r["encoder"]] +
                       [f"{r[m]:.5f}" if m in r else "" for m in ALL_MEASURES]))


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
    keys = sorted({(r["task"], r["share"], order(r["method"])) for r in runs
                   if not r["method"].startswith(BASELINE)})
    for task, share, (_, method) in keys:
        same = [r for r in runs if (r["task"], r["share"], r["method"]) == (task, share, method)]
        yield task, share, method, len(same), [over_seeds([r[m] for r in same])
                                               for m in MEASURES[task]]


def print_table(runs):
    for task in MEASURES:
        spread, plain = MEASURES[task][:SPREAD], MEASURES[task][SPREAD:]
        print(f"\n{task:5} {'labels':>7} {'method':14} {'seeds':>5}" +
              "".join(f"  {m:>8} {'sd':>6} {'+-95%':>6}" for m in spread) +
              "".join(f"  {m:>6}" for m in plain))
        for t, share, method, seeds, cells in rows_of(runs):
            if t == task:
                print(f"{'':5} {100 * share:6g}% {method:14} {seeds:5}" +
                      "".join(f"  {m:8.4f} {s:6.4f} {h:6.4f}" for m, s, h in cells[:SPREAD]) +
                      "".join(f"  {m:6.3f}" for m, _, _ in cells[SPREAD:]))
        for name, values in baselines(runs, task):
            print(f"{'':5} {'100':>6}% {name}: " +
                  ", ".join(f"{m} {values[m]:.4f}" for m in MEASURES[task]))


def baselines(runs, task):
    return [(r["method"].removeprefix(BASELINE), r) for r in runs
            if r["task"] == task and r["method"].startswith(BASELINE)]


def differences(runs):
    """(task, share, method, other, seeds, (mean, deviation, half) of the first measure)"""
    value = {(r["task"], r["share"], r["method"], r["seed"]): r[MEASURES[r["task"]][0]]
             for r in runs}
    for task, share in sorted({(r["task"], r["share"]) for r in runs}):
        for method, other in AHEAD:
            seeds = [k[3] for k in value if k[:3] == (task, share, method)
                     and (task, share, other, k[3]) in value]
            if seeds:
                yield task, share, method, other, len(seeds), over_seeds(
                    [value[task, share, method, s] - value[task, share, other, s] for s in seeds])


def print_ahead(runs):
    for task, share, method, other, seeds, (mean, deviation, half) in differences(runs):
        print(f"{task:5} {100 * share:6g}% {MEASURES[task][0]:8} {method:14} - {other:10} {seeds:2}"
              f" {mean:+.4f} sd {deviation:.4f} +- {half:.4f}")


def short(value, digits):
    return "" if math.isnan(value) else f"{value:.{digits}f}".removeprefix("0")


def print_list(header, lines):
    widths = [max(len(line[i]) for line in [header, *lines]) for i in range(len(header))]
    print(".Bl -column " + " ".join('"' + "x" * w + '"' for w in widths) + " -compact")
    for line in [header, *lines]:
        print(".It " + " Ta ".join(cell or "\\&" for cell in line))
    print(".El")


def print_mdoc(runs):
    for task, measures in MEASURES.items():
        print(f'.\\" {task}\n.Ss {TITLES[task]}')
        heads = ["acc" if m == "accuracy" else m for m in measures]
        print_list(["labels", "method", heads[0], "+-", *heads[1:], "n"],
                   [[f"{100 * share:g} %", method, short(cells[0][0], 4), short(cells[0][2], 4),
                     *(short(mean, 3) for mean, _, _ in cells[1:]), str(seeds)]
                    for t, share, method, seeds, cells in rows_of(runs) if t == task] +
                   [["100 %", SHORT[name], short(values[measures[0]], 4), "",
                     *(short(values[m], 3) for m in measures[1:]), "1"]
                    for name, values in baselines(runs, task)])
    print('.\\" ahead\n.Ss Differences, draw by draw')
    print_list(["task", "labels", "method", "ahead of", "by", "+-", "n"],
               [[task, f"{100 * share:g} %", method, other, f"{cell[0]:+.4f}",
                 short(cell[2], 4), str(seeds)]
                for task, share, method, other, seeds, cell in differences(runs)])


def main(action, *sources):
    for source in sources:
        if not Path(source).exists():
            sys.exit(f"label_efficiency.py: {source}: there is no such folder or CSV")
    if action == "settings":
        print(settings_of(*sources))
        return
    settings, runs = read_runs(sources)
    if action == "runs":
        print_runs(settings, runs)
    else:
        {"table": print_table, "ahead": print_ahead, "mdoc": print_mdoc}[action](runs)


if __name__ == "__main__":
    main(*sys.argv[1:])
