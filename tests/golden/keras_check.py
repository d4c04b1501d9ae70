"""Are the Keras architectures of torch_nets.py those of keras.applications? Run by hand.

    KERAS_BACKEND=torch python3 tests/golden/keras_check.py     (needs torch, timm, keras)

Features and gradients of all weights, in float64, at 10 bands and 120 and 107 pixels: everything
must agree within 1e-7 of its norm. The names on both sides are what a converter of Keras weights
needs: `keras_names` yields pairs of a Keras layer and one of ours.
"""
import os
import re
import sys

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras
import torch
from keras.src import backend
from torch import nn

import torch_nets

backend.result_type = lambda *types: "float64"  # its own answer to float64 and float32: float32

MODELS = {"resnet50-keras": "ResNet50", "resnet152-keras": "ResNet152",
          "resnet101v2": "ResNet101V2", "xception-keras": "Xception",
          "inceptionv3-keras": "InceptionV3"}
PARTS_V1 = {"0_conv": "downsample.0", "0_bn": "downsample.1", "1_conv": "conv1", "1_bn": "bn1",
            "2_conv": "conv2", "2_bn": "bn2", "3_conv": "conv3", "3_bn": "bn3"}
PARTS_V2 = {"preact_bn": "norm1", "0_conv": "downsample.conv", "1_conv": "conv1", "1_bn": "norm2",
            "2_conv": "conv2", "2_bn": "norm3", "3_conv": "conv3"}


def resnet_name(layer, v2):
    found = re.fullmatch(r"conv(\d)_block(\d+)_(.*)", layer)
    if found:
        stage, block, part = int(found[1]), int(found[2]) - 1, found[3]
        return (f"stages.{stage - 2}.blocks.{block}.{PARTS_V2[part]}" if v2 else
                f"layer{stage - 1}.{block}.{PARTS_V1[part]}")
    return {"conv1_conv": "stem.conv" if v2 else "conv1", "conv1_bn": "bn1",
            "post_bn": "norm"}[layer]


def xception_name(layer, number):
    """number: place among the layers without a name of their own, in order of creation."""
    if number is not None:
        return f"block{(1, 2, 3, 12)[number]}." + ("skip" if "conv" in layer else "skipbn")
    block, part, norm = re.fullmatch(r"block(\d+)_(conv\d|sepconv\d)(_bn)?", layer).groups()
    block, place = int(block), int(part[-1])
    if block == 1:
        return f"bn{place}" if norm else f"conv{place}"
    if block == 14:
        return f"bn{place + 2}" if norm else f"conv{place + 2}"
    first = 0 if block == 2 else 1
    return f"block{block - 1}.rep.{first + 3 * (place - 1) + (1 if norm else 0)}"


def numbered(layers):
    """Layers with automatic names, in the order in which they were made."""
    return sorted(layers, key=lambda l: int((re.findall(r"_(\d+)$", l.name) or ["0"])[0]))


def keras_names(arch, model, net):
    weighted = [l for l in model.layers if l.weights]
    if arch == "inceptionv3-keras":
        for kind, module in ((keras.layers.Conv2D, nn.Conv2d),
                             (keras.layers.BatchNormalization, nn.BatchNorm2d)):
            ours = [n for n, m in net.named_modules() if isinstance(m, module)]
            yield from zip(numbered([l for l in weighted if isinstance(l, kind)]), ours)
        return
    auto = [l for l in weighted if re.match(r"(conv2d|batch_normalization)(_\d+)?$", l.name)]
    for layer in weighted:
        if arch != "xception-keras":
            yield layer, resnet_name(layer.name, arch == "resnet101v2")
        else:
            same = numbered([l for l in auto if type(l) is type(layer)])
            yield layer, xception_name(layer.name, same.index(layer) if layer in auto else None)


def pairs(arch, model, net):
    """Every Keras variable with the tensor of ours and the permutation from ours to it."""
    modules = dict(net.named_modules())
    for layer, name in keras_names(arch, model, net):
        ours = modules[name]
        for v in layer.weights:
            kind = v.path.rsplit("/", 1)[-1]
            if kind == "depthwise_kernel":
                yield v, ours.conv1.weight, (2, 3, 0, 1)
            elif kind == "pointwise_kernel":
                yield v, ours.pointwise.weight, (2, 3, 1, 0)
            elif kind == "kernel":
                yield v, ours.weight, (2, 3, 1, 0)
            else:
                yield v, getattr(ours, {"gamma": "weight", "beta": "bias", "bias": "bias",
                                        "moving_mean": "running_mean",
                                        "moving_variance": "running_var"}[kind]), (0,)


def worst_difference(arch, size):
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    keras.utils.clear_session()
    model = getattr(keras.applications, MODELS[arch])(
        include_top=False, weights=None, input_shape=(size, size, 10))
    net = torch_nets.make(arch, 10)
    torch.manual_seed(1)
    seen = set()
    for v, ours, order in pairs(arch, model, net):
        with torch.no_grad():
            value = torch.randn_like(ours) * (0.1 if ours.dim() > 1 else 0.3)
            ours.copy_(value.abs() + 0.5 if "var" in v.path or "gamma" in v.path else value)
            v.assign(ours.detach().permute(order))
        seen.add(id(ours))
    left = [n for n, p in net.named_parameters()
            if id(p) not in seen and not n.startswith(("fc", "head"))]
    if arch == "inceptionv3-keras":  # Keras has no scale here: ones
        left = [n for n in left if not n.endswith("bn.weight")]
    assert not left, left
    features = {}
    last = net.global_pool if "xception" in arch else (
        net.head.global_pool if arch == "resnet101v2" else net.avgpool)
    last.register_forward_hook(lambda m, i, o: features.update(f=o.flatten(1)))
    x = torch.rand(3, 10, size, size, dtype=torch.float64)
    worst = 0.0
    for training in (False, True):
        net.train(training)
        net(x)
        theirs = model(x.permute(0, 2, 3, 1).contiguous(), training=training).mean((1, 2))
        worst = max(worst, ((features["f"] - theirs).norm() / theirs.norm()).item())
    weight = torch.randn_like(theirs)
    (features["f"] * weight).sum().backward()
    (theirs * weight).sum().backward()
    total = sum(p.grad.norm() ** 2 for p in net.parameters() if p.grad is not None) ** 0.5
    for v, ours, order in pairs(arch, model, net):
        if v.trainable:
            difference = (v.value.grad - ours.grad.permute(order)).norm()
            worst = max(worst, (difference / max(ours.grad.norm(), 1e-6 * total)).item())
    return worst


def main():
    failed = False
    for arch in sys.argv[1:] or MODELS:
        for size in (120, 107):
            worst = worst_difference(arch, size)
            failed |= not worst < 1e-7
            print(f"{arch:18} {size} px: largest relative difference {worst:.1e}", flush=True)
    sys.exit("they differ" if failed else 0)


main()
