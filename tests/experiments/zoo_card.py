"""The shipped model's card: what training wrote, plus the held-out numbers of dense_eurosat.sh.

    python3 zoo_card.py WORK PARTIAL_CARD.json > card.json
"""
import json
import struct
import sys

KEPT = ("auc", "pr_auc", "f1", "precision", "recall", "brier", "ece")
COMMAND = ("s2clr supervised eurosat_rgb.zip -o dense --positive PermanentCrop "
           "--card models/zoo/dense-eurosat-permanentcrop.json --level EUROSAT8 "
           "--validation-share 0.05 --batch 64 --weight-decay 0.05 --balance 0.5 --patience 0 "
           "--seed 1 --epochs 16 --arch dense --width 48 --depth 5 --rate 0.002 "
           "--augment flip,rot90,gain (tests/experiments/dense_eurosat.sh)")


def trained_card(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
    return json.loads(header["__metadata__"]["s2clr.card"])


def numbers(metrics):
    out = {k: [round(metrics[k][part], 4) for part in ("value", "low", "high")] for k in KEPT}
    out.update({k: metrics[k] for k in ("n", "positives", "tp", "fp", "fn", "tn")})
    return out


def row(work, name, index=0):
    with open(f"{work}/{name}.json") as f:
        return numbers(json.load(f)["rows"][index]["metrics"])


def main(work, partial):
    card = trained_card(f"{work}/dense/model.safetensors")
    with open(partial) as f:
        card.update(json.load(f))
    card["command"] = COMMAND
    card["trained_level"] = "EUROSAT8"
    card["metrics"] = {
        **card["metrics"],
        "held_out": "20 % of EuroSAT RGB by hash of the file name; value, 95 % bootstrap interval",
        "dense": row(work, "dense-plain"),
        "band_mean_std_logistic_regression": row(work, "dense-plain", 1),
        "resnet18_24_epochs_rate_0.001_without_gain": row(work, "resnet18-plain"),
        "disturbed": {f"{run}_{kind}": row(work, f"{run}-{kind}")
                      for run in ("dense", "resnet18")
                      for kind in ("shift", "blur", "darker", "brighter")},
        "disturbed_by": "shift 4 px, 3x3 binomial blur, gain 0.8, gain 1.2",
    }
    json.dump(card, sys.stdout, indent=1, ensure_ascii=False)


main(*sys.argv[1:])
