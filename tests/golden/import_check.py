#!/usr/bin/env python3
"""Weights of Keras through "s2clr model import" and back out as ONNX. By hand:

    python3 import_check.py BUILD/s2clr FOLDER [ARCH...]

keras.applications' networks get random weights, are saved by Keras in both of its HDF5 layouts,
imported, exported to ONNX and run in ONNX Runtime: the logits must be Keras' own. Needs numpy, keras
(any backend), h5py, onnxruntime. Last run with keras 3.15.1 on torch 2.15.0, h5py 3.16.0 and
onnxruntime 1.32.0.
"""
import json
import os
import subprocess
import sys

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras
import numpy as np
import onnxruntime
from keras import applications

tool, folder = sys.argv[1:3]
os.makedirs(folder, exist_ok=True)
nets = {
    "resnet50-keras": applications.ResNet50,
    "resnet152-keras": applications.ResNet152,
    "resnet101v2": applications.ResNet101V2,
    "xception-keras": applications.Xception,
    "inceptionv3-keras": applications.InceptionV3,
}
side, bands = 80, ["B04", "B03", "B02"]
failed = 0


def weights(layer, random):
    """Batch norms with factors near 1, kernels that keep the size of what passes."""
    out = []
    for variable in layer.weights:
        name, shape = variable.path.split("/")[-1], tuple(variable.shape)
        if name in ("gamma", "moving_variance"):
            value = random.uniform(0.5, 0.9, shape)
        elif len(shape) == 1:
            value = random.uniform(-0.2, 0.2, shape)
        else:
            fan = np.prod(shape[:2] if name == "depthwise_kernel" else shape[:-1])
            value = random.standard_normal(shape) * np.sqrt(1 / fan)
        out.append(value.astype("f"))
    return out


def run(*words):
    subprocess.run([tool, "model", *words, "--overwrite", "--quiet"], check=True)


def logits(path, arch, x, *options):
    """Imports, exports, runs."""
    stem = os.path.join(folder, "again")
    count = x.shape[1]
    names = bands if count == 3 else ["B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A",
                                      "B09", "B11", "B12"][:count]
    card = {
        "architecture": {"name": arch}, "bands": names, "mean": [0] * count, "std": [1] * count,
        "levels": [{"name": "L2A", "gain": [1] * count, "bias": [0] * count, "low": 0, "high": 1}],
        "patch": side, "positive": "irrigated",
    }
    json.dump(card, open(stem + ".card.json", "w"))
    run("import", path, "--card", stem + ".card.json", "-o", stem + ".safetensors", *options)
    run("export", stem + ".safetensors", "-o", stem + ".onnx")
    session = onnxruntime.InferenceSession(stem + ".onnx", providers=["CPUExecutionProvider"])
    return session.run(None, {"input": x})[0]


def report(what, found, wanted):
    global failed
    difference = (np.abs(found - wanted) / np.maximum(1, np.abs(wanted))).max()
    failed += not difference < 1e-4
    print(f"{'ok  ' if difference < 1e-4 else 'FAIL'} {what:32} {difference:.2e}  {wanted.ravel()}",
          flush=True)


for arch in sys.argv[3:] or nets:
    random = np.random.default_rng(4)
    model = nets[arch](weights=None, classes=1, classifier_activation=None,
                       input_shape=(side, side, 3))
    for layer in model.layers:
        layer.set_weights(weights(layer, random))
    x = random.standard_normal((2, side, side, 3)).astype("f")
    wanted = np.asarray(model.predict(x, verbose=0))
    x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    for name, save in (("keras3.weights.h5", model.save_weights), ("keras2.h5", model.save)):
        path = os.path.join(folder, name)
        save(path)
        report(f"{arch} {name}", logits(path, arch, x), wanted)
    # Twelve bands that all hold the mean of the colours, against colours that do.
    grey = np.repeat(x.mean(1, keepdims=True), 3, 1)
    wanted = np.asarray(model.predict(grey.transpose(0, 2, 3, 1), verbose=0))
    report(f"{arch} inflated", logits(path, arch, np.repeat(grey[:, :1], 12, 1), "--inflate", "rgb"),
           wanted)
    os.remove(path)
sys.exit(1 if failed else 0)
