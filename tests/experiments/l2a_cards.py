"""Partial cards of the models that l2a_models.sh trains: what training cannot know of them.

    python3 l2a_cards.py LEVELS.json MODEL > card.json

LEVELS.json has what they share: bands, levels, unit, licence.
"""
import json
import sys

PROXY = ("A proxy, not an irrigation model: it repeats what a model of three bands, taught with "
         "EuroSAT's PermanentCrop, says of L2A patches, and was never validated for irrigation. Do "
         "not use it for water accounting, subsidies or enforcement.")
UNTESTED = ("Anything: no labelled patches of these ten bands were at hand. Its numbers are "
            "agreement with its teacher on patches that it did not learn from, no skill; the "
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
                         "patch of a map does; L1C products, mapped approximately.",
    },
    "pixel-l2a-permanentcrop": {
        "title": "Permanent crops, from the ten bands of one pixel",
        "warning": PROXY,
        "not_validated": UNTESTED + "It sees one pixel and no texture, which is most of what its "
                         "teacher goes by.",
    },
}


def main(levels, model):
    with open(levels, encoding="utf-8") as f:
        shared = json.load(f)
    json.dump({"id": model, **TEXTS[model], **shared}, sys.stdout, indent=1, ensure_ascii=False)


main(*sys.argv[1:])
