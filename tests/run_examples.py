"""Runs every example of the README and of the manual pages as it stands there.

    run_examples.py PART SOURCES PROGRAM DATA     PART: readme, commands (man 1), formats (man 5, 7)

Each example runs in a folder of its own, in which the names that it reads exist: small pieces of
the real data in DATA (a window of a product, a few EuroSAT patches), made when first asked for.
What cannot run as it stands is in the table CANNOT, with the reason and what is done instead.
Prints one line per example and exits 1 when one failed. Standard library only.
"""
import glob
import json
import os
import re
import shlex
import shutil
import sys

from example_stock import PROGRAM, SOURCES, WORK, ZOO, place, run

PART = sys.argv[1]
TRAINS = r"s2clr (pretrain|finetune|distill|supervised)\b"

# (pattern of a line, why it cannot run here as it stands, what is done instead: words that are
# added to it, or None: nothing). The first that fits counts.
CANNOT = [
    (r"^\./bootstrap", "installs packages and builds everything", None),
    (r"^(sudo |apt-get|make )", "changes the machine", None),
    (r"\bqgis", "needs a desktop; the QGIS tests do it", None),
    (r"^gdal s2clr|^gdal\.Run", "needs GDAL 3.11; test_gdal_cli.sh runs it", None),
    (r"/data/in", "names a folder of the reader's", None),
    (r"label_efficiency\.sh", "trains for hours; test_experiments.sh runs it", None),
    (r"bigearthnet\.sh", "needs the archive of BigEarthNet; test_bigearthnet.sh runs it", None),
    (r"^s2clr_evi2: the number|^p t / f|^\w = |^S2CLR:\"MODEL\"", "is no command", None),
    (r"^(import|from) ", "is Python and needs packages of its own", None),
    (r"dataset split .*--method (blocks|tile)", "needs many kilometres: the product here has 7",
     "--help"),
    (r"fields\.store --group country", "needs a store whose patches have a country", "--help"),
    (r"dataset export fields\.store", "wants all bands of BigEarthNet", "--help"),
    (r"topk -m calibrated", "few positives make a cautious calibration", "--above 0"),
    (r"topk S2B", "finds nothing that certain in the product here", "--above 0"),
    (r"topk --map", "finds nothing that certain in the product here", "--help"),
    (r"^ogrinfo store", "needs a store whose patches have a country", None),
    (r"ARCHIVE|BigEarthNet-v1\.0|\bben\.store", "needs an archive of 65 GB", "--help"),
    (r"^source <\(", "is for an interactive shell; test_cli.sh asks the completion", None),
    (r"~/", "writes into the home folder", None),
    (r"bench (train|infer)", "measures for minutes", "--help"),
    (r"resnet50\.(h5|safetensors)", "needs the weights of another project", "--help"),
    (r"s2clr sweep (?!.*--resume)", "trains for hours", "--dry-run"),
    (r"s2clr sweep .*--resume", "goes on with a sweep of hours", "--help"),
    (TRAINS + r".*--resume", "goes on with a training of minutes", "--help"),
    (TRAINS + r".*(--card|patches\.store|region\.store|--arch resnet152)",
     "trains for hours on data of the reader's", "--help"),
    (TRAINS + r"(?!.*--dry-run)", "trains for minutes: its plan is made", "--dry-run"),
]

# With these a training takes seconds. The README's are real ones, each on what the one before it
# made; an option that the line has itself stays as it is.
TINY = {
    "supervised": "--epochs 1 --width 8 --depth 1 --batch 16 --micro 8",
    "pretrain": "--arch dense --epochs 1 --width 8 --depth 1 --batch 16 --micro 8",
    "finetune": "--epochs 1 --batch 8 --micro 4",
    "distill": "--arch dense --epochs 1 --width 8 --depth 1 --batch 16 --micro 8",
}
REAL = PART == "readme" and not os.environ["S2CLR_PRELOAD"]  # minutes under a sanitizer

# These go on with the example before them.
GOES_ON = r"masked\.vrt masked\.tif"

# After a line: what a person does before the next one.
AFTER = [
    (r"--draw .*-o samples\.gpkg", "ogrinfo -q samples.gpkg -dialect sqlite -sql "
     "\"update samples set label = (fid % 3 = 0)\""),
]


SEEN = set()


# ---- which names a line reads ----

def outputs_of(words):
    """The words of a line that name what it makes, by the command's own table."""
    if words and re.match(r"gdal(_translate|warp|buildvrt)|ogr2ogr", words[0]):
        return {words[-1]}
    words = words[next((i for i, w in enumerate(words) if os.path.basename(w) == "s2clr"),
                       len(words)) + 1:]
    for name in (" ".join(words[:2]), " ".join(words[:1])):
        if name in COMMANDS:
            break
    else:
        return set()
    rows = COMMANDS[name]["parameters"]
    options = {dash + n: p for p in rows if not p["positional"]
               for n in (p["name"], p.get("short")) if n for dash in ("-", "--")}
    made, free, rest = set(), [], words[len(name.split()):]
    while rest:
        word = rest.pop(0)
        row = options.get(word)
        if row and row["type"] != "flag":
            for _ in range(4 if row["type"].startswith("window") else 1):
                value = rest.pop(0) if rest else ""
                if row["type"].startswith("output"):
                    made.add(value)
        elif not row:
            free.append(word)
    places = [p for p in rows if p["positional"]]
    if places and places[-1]["type"].startswith("output") and free:
        made.add(free[-1])
    return made


def words_of(line):
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return line.split()


def prepare(lines, folder, made):
    for line in lines:
        words = words_of(line)
        outputs = outputs_of(words)
        for word in words:
            for name in re.findall(r"[\w./-]+", word):
                if name not in outputs and name not in made:
                    place(name, folder)
        part = re.search(r"--shard (\d+)/(\d+)", line)
        if part:
            outputs |= {o[:-4] + ".shard-%s-of-%s.tif" % part.groups() for o in outputs}
        made |= outputs
        made |= {os.path.join(o, "model.safetensors") for o in outputs}


# ---- finding the examples ----

def unescape(text):
    for escape, plain in ((r"\e", "\\"), (r"\(aq", "'"), (r"\(dq", '"'), (r"\&", ""), (r"\-", "-")):
        text = text.replace(escape, plain)
    return text


def join(text):
    """Lines that belong together as one: continued ones, loops, formulas and Python."""
    text = text.replace("\\\n", " ")
    if re.match(r"(import |from |\w+ = )", text):
        return [text]
    loops = re.compile(r"^(for .*?^done)$", re.M | re.S)
    text = loops.sub(lambda loop: loop.group(1).replace("\n", "\0"), text)
    return [line.replace("\0", "\n") for line in text.split("\n") if line.strip()]


def of_readme(path):
    return [("README.md", [line for block in re.findall(r"^```sh\n(.*?)^```", open(path).read(),
                                                        re.M | re.S) for line in join(block)])]


def of_page(path):
    name, found = os.path.basename(path).replace(".in", ""), []
    text = open(path).read()
    for match in re.finditer(r"^\.Dl (.*)$|^\.Bd -literal.*\n((?:.*\n)*?)\.Ed$", text, re.M):
        line, block = match.group(1), match.group(2)
        found.append((name, [unescape(line)] if line else join(unescape(block))))
    return found


def of_tables():
    return [("s2clr %s --help" % c["name"], [c["example"]]) for c in COMMANDS.values()]


def is_data(lines):
    return lines[0].lstrip()[0] in "<{"


# ---- running ----

def tiny(recipe, given):
    words = TINY[recipe].split()
    pairs = [words[i:i + 2] for i in range(0, len(words), 2)]
    return " ".join(" ".join(pair) for pair in pairs if pair[0] not in given)


def heirs(lines, folder):
    """What is wrong with models that lines made of models: each card names the one before."""
    def card(path):
        said = run("s2clr info --json %s" % shlex.quote(path), folder)
        return json.loads(said.stdout) if said.returncode == 0 else None

    for line in lines:
        words = words_of(line)
        if not re.search(r"s2clr (calibrate|finetune|distill|supervised|pretrain)\b", line):
            continue
        output = words[words.index("-o") + 1]
        if not output.endswith(".safetensors"):
            output += "/model.safetensors"
        made = card(output)
        if made is None:
            return "%s is no model" % output
        if "-m" not in words:
            continue
        source = card(words[words.index("-m") + 1])
        if made["card"]["parent"] != source["sha256"]:
            return "%s says another parent than %s" % (output, words[words.index("-m") + 1])
    return None


def adapt(line):
    """What is run for a line, and why that is not the line itself."""
    training = re.search(TRAINS, line)
    if training and REAL:
        return line + " " + tiny(training.group(1), words_of(line)), "trains for minutes as it is"
    for pattern, why, instead in CANNOT:
        if re.search(pattern, line):
            return (line + " " + instead if instead else None), why
    return line, None


def check_data(lines, folder):
    text = "\n".join(lines)
    if text.lstrip().startswith("{"):
        json.loads(text)
        if '"s2clr"' not in text:
            return "", "is a card, which test_card.c reads"
        with open(os.path.join(folder, "example.s2clr"), "w") as out:
            out.write(text)
        prepare(re.findall(r'"(S2B[^"]*)"', text), folder, set())
        return "gdalinfo example.s2clr", None
    if "VRTProcessedDataset" in text:
        return None, "needs GDAL 3.9; test_processed.sh reads one"
    with open(os.path.join(folder, "example.vrt"), "w") as out:
        out.write(text)
    for name in re.findall(r">([\w.]+)</SourceFilename>", text):
        place(name, folder)
    return "gdal_translate -q -srcwin 0 0 64 64 example.vrt seen.tif", None


def script_of(lines, folder, notes):
    script, made = ["set -e"], set()
    for line in lines:
        line = re.sub(r"^\$ ", "", line)
        command, why = adapt(line)
        if why:
            notes.append("%s: %s%s" % (line.split("\n")[0][:60], why, "" if command is None else
                                       ", run with " + command[len(line) + 1:]))
        if command is None:
            continue
        planned = why is not None and "--dry-run" in command
        prepare([line], folder, made)
        if planned and re.search(TRAINS, line):  # the rest finds the model that was not trained
            for output in outputs_of(words_of(line)):
                os.makedirs(os.path.join(folder, "trained", output), exist_ok=True)
                shutil.copy(ZOO, os.path.join(folder, "trained", output, "model.safetensors"))
                command += "\ncp -r trained/%s ." % shlex.quote(output)
        script.append("echo '@' %s" % shlex.quote(command.split("\n")[0]))
        script.append(command)
        script += [what for pattern, what in AFTER if re.search(pattern, line)]
    return "\n".join(script)


def try_example(number, name, lines):
    folder = os.path.join(WORK, "run", str(number))
    os.makedirs(os.path.join(folder, "build"))
    os.symlink(PROGRAM, os.path.join(folder, "build/s2clr"))
    os.symlink(os.environ["S2CLR_PLUGINS"], os.path.join(folder, "build/gdalplugins"))
    os.makedirs(os.path.join(folder, "tests"))
    os.symlink(os.path.join(SOURCES, "tests/experiments"), os.path.join(folder, "tests/experiments"))
    notes = []
    if is_data(lines):
        script, why = check_data(lines, folder)
        notes += [lines[0][:60] + ": " + why] if why else []
    else:
        script = script_of(lines, folder, notes)
    for note in notes:
        print("  NOTE %s: %s" % (name, note))
    if not script or script == "set -e":
        return True
    if script in SEEN:  # the same words twice, or two trainings with the same plan
        return True
    SEEN.add(script)
    done = run(script, folder)
    if done.returncode:
        last = [line for line in done.stdout.split("\n") if line.startswith("@ ")]
        print("FAIL %s: %s\n    %s" % (name, last[-1][2:] if last else lines[0],
                                       done.stderr.strip()[-600:]))
    wrong = heirs(lines, folder) if REAL and done.returncode == 0 else None
    if wrong:
        print("FAIL %s: %s" % (name, wrong))
    shutil.rmtree(folder)
    return done.returncode == 0 and not wrong


def main():
    if PART == "readme":
        found = of_readme(os.path.join(SOURCES, "README.md"))
    elif PART == "commands":
        pages = sorted(glob.glob(os.path.join(SOURCES, "man/*.1*")))
        found = [e for page in pages for e in of_page(page)] + of_tables()
    else:
        pages = sorted(glob.glob(os.path.join(SOURCES, "man/*.[57]")))
        found = [e for page in pages for e in of_page(page)]
    if not found or not any(lines for _, lines in found):
        sys.exit("examples: none was found")
    together = []
    for name, lines in found:
        if lines and re.search(GOES_ON, lines[0]):
            together[-1][1].extend(lines)
        elif lines and lines not in [other for _, other in together]:
            together.append((name, list(lines)))
    failed = count = 0
    for number, (name, lines) in enumerate(together):
        count += 1
        failed += not try_example(number, name, lines)
    print("examples: %d run, %d failed, 0 skipped" % (count, failed))
    sys.exit(1 if failed else 0)


COMMANDS = {c["name"]: c for c in json.loads(run("s2clr describe --json", WORK).stdout)["commands"]}
main()
