"""Cards of the models that l2a_models.sh trains: what training cannot know of them.

    python3 l2a_cards.py LEVELS.json MODEL > partial.json            before training
    python3 l2a_cards.py LEVELS.json MODEL WORK > card.json          of the model that ships

LEVELS.json has what they share: bands, levels, unit, licence. WORK has what training wrote, and
teacher.json, the teacher's numbers on the fifth of EuroSAT that it never saw.
"""
import json
import struct
import sys

KEPT = ("auc", "f1", "precision", "recall")
PROXY = ("A proxy, not an irrigation model: it repeats what a model of three bands, taught with "
         "EuroSAT's PermanentCrop, says of L2A patches, and was never validated for irrigation. Do "
         "not use it for water accounting, subsidies or enforcement.")
UNTESTED = ("Anything: no labelled patches of these ten bands were at hand. Its numbers are "
            "agreement with its teacher, no skill, on patches that it did not learn from but "
            "that chose its epoch and its threshold; the "
            "teacher itself met L2A only through an approximate mapping of its three bands. "
            "Irrigation of any kind; snow, cloud, haze and cloud shadow; other continents. ")
TEXTS = {
    "resnet18-l2a-encoder": {
        "title": "Encoder of ten-band L2A patches, learnt without labels (SimCLR)",
        "warning": "Features, no map: fine-tune it with labels of your own. It learnt from 2,512 "
                   "patches only.",
        "not_validated": "What its features are worth: no labelled ten-band patches were at hand. "
                         "Snow, cloud, haze and cloud shadow; L1C products, whose numbers are "
                         "brought to its own by an approximate mapping.",
    },
    "dense-l2a-permanentcrop": {
        "title": "Permanent crops (vineyards, orchards, olive groves), from ten bands at 10 m",
        "warning": PROXY,
        "not_validated": UNTESTED + "Patches of 640 m that mix several land covers, as nearly every "
                         "patch of a map does; L1C products, mapped approximately. Looked at as "
                         "pictures, without ground truth. Segura (L1C): cultivated parcels 0.4 to "
                         "0.7, orchards and vegetables alike; towns and flooded fields near 0, and "
                         "parcels within 200 m of a town are lost with it. Valencia (L1C, two "
                         "dates): nearly everything below 0.2; up to 0.56 on vegetable plots and "
                         "along motorways, which is wrong. Pastures of an L2A product of Ireland: "
                         "below 0.2.",
    },
    "pixel-l2a-permanentcrop": {
        "title": "Permanent crops, from the ten bands of one pixel",
        "warning": PROXY,
        "not_validated": UNTESTED + "It sees one pixel and no texture, which is most of what its "
                         "teacher goes by; over a patch its logits are averaged. As pictures: "
                         "fields of Valencia 0.1 to 0.6 on both dates, few parcels of Segura.",
    },
}


def trained_card(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
    return json.loads(header["__metadata__"]["s2clr.card"])


def shipped_card(work, model):
    card = trained_card(f"{work}/{model}/model.safetensors")
    card["command"] += " (tests/experiments/l2a_models.sh)"
    if model.endswith("-encoder"):
        return card
    with open(f"{work}/teacher.json", encoding="utf-8") as f:
        row = json.load(f)["rows"][0]["metrics"]
    card["metrics"] = {
        "agreement_with_teacher": card["metrics"].get("validation"),
        "teacher": {"on": "the held-out fifth of EuroSAT RGB, PermanentCrop against the rest",
                    "n": row["n"], "positives": row["positives"],
                    **{k: {p: round(row[k][p], 4) for p in ("value", "low", "high")}
                       for k in KEPT}},
    }
    return card


def main(levels, model, work=None):
    with open(levels, encoding="utf-8") as f:
        shared = json.load(f)
    card = shipped_card(work, model) if work else {"id": model, **shared}
    json.dump({**card, **TEXTS[model]}, sys.stdout, indent=1, ensure_ascii=False)


main(*sys.argv[1:])
