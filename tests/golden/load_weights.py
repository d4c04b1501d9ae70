"""Does PyTorch load a model file as it is, and the other way round? Run by hand.

    python3 tests/golden/load_weights.py BUILD/s2clr FOLDER [ARCHITECTURE...]
                                              (needs torch, torchvision, timm, safetensors)

A module of torch_nets.py with random weights for 10 bands
goes through "s2clr model import"; what is in the file must load into a second module with
strict=True, where nothing but num_batches_tracked may be missing, and be the same bits.
"""
import json
import pathlib
import subprocess
import sys

import torch
from safetensors.torch import load_file, save_file

import torch_nets

BANDS = ["B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12"]


def check(tool, folder, arch):
    weights, card, model = (folder / n for n in ("weights.safetensors", "card.json",
                                                 "model.safetensors"))
    net = torch_nets.make(arch, len(BANDS)).float()
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, weights)
    card.write_text(json.dumps({
        "architecture": {"name": arch}, "bands": BANDS, "mean": [0] * 10, "std": [1] * 10,
        "levels": [{"name": "L2A", "gain": [1] * 10, "bias": [0] * 10, "low": 0, "high": 1}],
        "patch": 120, "positive": "irrigated"}))
    subprocess.run([tool, "model", "import", weights, "--card", card, "-o", model, "--overwrite",
                    "--quiet"], check=True)
    tensors = load_file(model)
    steps = {k: v for k, v in net.state_dict().items() if k.endswith("num_batches_tracked")}
    other = torch_nets.make(arch, len(BANDS)).float()
    other.load_state_dict(tensors | steps, strict=True)
    for name, value in other.state_dict().items():
        assert torch.equal(value, net.state_dict()[name]), name
    print(f"{arch:18} {len(tensors)} tensors load as they are", flush=True)


def main():
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for arch in sys.argv[3:] or torch_nets.ARCHS:
        check(sys.argv[1], folder, arch)


main()
