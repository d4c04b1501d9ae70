#!/usr/bin/env python3
"""ONNX Runtime and the STAC schemas on what "s2clr model export" writes. By hand:

    make tests/make_export && tests/make_export FOLDER
    python3 export_check.py FOLDER [SCHEMAS]

SCHEMAS is a folder of JSON schemas under any names: those of STAC 1.1.0 and GeoJSON (pystac carries
them), and json-schema/schema.json of the extensions mlm 1.5.2, file 2.1.0, classification 1.1.0,
processing 1.1.0 and raster 1.1.0. Needs numpy, onnx, onnxruntime; for SCHEMAS also jsonschema.
Last run with onnx 1.23.2, onnxruntime 1.32.0 and jsonschema 4.26.0.
"""
import glob
import json
import os
import sys

import numpy as np
import onnx
import onnxruntime

folder = sys.argv[1]
schemas = sys.argv[2] if len(sys.argv) > 2 else None
failed = 0


def run(path, x):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})


def card_of(path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    return json.loads({p.key: p.value for p in model.metadata_props}["s2clr.card"])


def relative(a, b):
    """Largest difference, of values beyond 1 relative to them: random deep networks grow."""
    return (np.abs(a - b) / np.maximum(1, np.abs(b))).max()


def one(name):
    """Differences of the logits, and of the graph that takes DN."""
    path = os.path.join(folder, name)
    card = card_of(path + ".onnx")
    side = card["patch"]
    x = np.fromfile(path + ".input", np.float32).reshape(-1, len(card["bands"]), side, side)
    y = np.fromfile(path + ".output", np.float32).reshape(len(x), -1)
    logits = run(path + ".onnx", x)[0]
    single = np.concatenate([run(path + ".onnx", x[i:i + 1])[0] for i in range(len(x))])
    difference = max(relative(logits, y), relative(single, y))

    # From DN: the formula of s2clr-model(5), in double.
    card_of(path + ".dn.onnx")
    level = card["levels"][0]
    column = lambda values: np.asarray(values, np.float64).reshape(1, -1, 1, 1)
    dn = np.round(np.random.default_rng(3).uniform(0, 9000, x.shape)).astype(np.float32)
    v = np.clip(column(level["gain"]) * dn + column(level["bias"]), level["low"], level["high"])
    standard = ((v - column(card["mean"])) / column(card["std"])).astype(np.float32)
    probability, raw = run(path + ".dn.onnx", dn)
    expected = run(path + ".onnx", standard)[0]
    p = 1 / (1 + np.exp(-expected.astype(np.float64) / card["temperature"]))
    return difference, max(relative(raw, expected), relative(probability, p))


for path in sorted(glob.glob(os.path.join(folder, "*.dn.onnx"))):
    name = os.path.basename(path)[:-len(".dn.onnx")]
    plain, scaled = one(name)
    good = plain < 1e-4 and scaled < 1e-4
    failed += not good
    print(f"{'ok  ' if good else 'FAIL'} {name:16} logits {plain:.2e}  from DN {scaled:.2e}")

if schemas:
    import jsonschema
    import referencing
    import referencing.jsonschema

    pairs = []
    for path in glob.glob(os.path.join(schemas, "*.json")):
        text = open(path).read()
        # Two publish under an identifier that is not their address.
        text = text.replace("processing/v1.0.0/schema.json", "processing/v1.1.0/schema.json")
        text = text.replace("json-schema/commonjson", "json-schema/common.json")
        contents = json.loads(text)
        resource = referencing.Resource.from_contents(
            contents, default_specification=referencing.jsonschema.DRAFT7)
        pairs.append((contents["$id"].rstrip("#"), resource))
    registry = referencing.Registry().with_resources(pairs)
    known = dict(pairs)
    core = "https://schemas.stacspec.org/v1.1.0/item-spec/json-schema/item.json"
    for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
        item = json.load(open(path))
        errors = []
        for name in [core] + item["stac_extensions"]:
            validator = jsonschema.Draft7Validator(known[name].contents, registry=registry)
            errors += [f"{name}: {e.json_path}: {e.message}"[:300] for e in validator.iter_errors(item)]
        failed += bool(errors)
        print("FAIL" if errors else "ok  ", os.path.basename(path), *errors[:3], sep="\n     " if errors else " ")
sys.exit(1 if failed else 0)
