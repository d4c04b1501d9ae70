"""Goldens of the ResNets, in float64, from weights that both sides generate from counters.

    python3 tests/golden/nets.py > tests/golden/nets.json      (needs torch and torchvision)

Weights, in torchvision's order of parameters, then of running statistics; tensor i uses Philox
stream i, u is uniform in [0, 1):
    convolution, linear weight   (2u - 1) sqrt(6 / fan_in)
    linear bias                  (u - 0.5) / 5
    batch norm                   weight (0.5 + u) / 4, bias 1.5 + (u - 0.5) / 5 (its negative in
                                 every "bn1" where u < 0.25), running mean (u - 0.5) / 5,
                                 running variance 0.5 + u
The biases keep values four deviations away from the kink of ReLU: a value that rounding pushes over
it changes a gradient by far more than rounding itself, in any float32 program.
Inputs are 2u - 1 from stream 1000000. Stored: logits at 120 x 120; norm and eight samples of every
gradient of one training step; ten losses of AdamW.
"""
import json
import platform
import re
import sys

import numpy as np
import torch
import torchvision

from philox import uniform

SEED, BANDS = 2021, 12


def values(stream, shape):
    u = uniform(SEED, stream, int(np.prod(shape))).reshape(shape)
    return torch.from_numpy(u)


def make(arch):
    net = getattr(torchvision.models, arch)(weights=None)
    net.conv1 = torch.nn.Conv2d(BANDS, 64, 7, 2, 3, bias=False)
    net.fc = torch.nn.Linear(net.fc.in_features, 1)
    net = net.double()
    stream = 0
    with torch.no_grad():
        for name, p in net.named_parameters():
            u = values(stream, tuple(p.shape))
            if p.dim() > 1:
                p.copy_((2 * u - 1) * (6.0 / p[0].numel()) ** 0.5)
            elif name.startswith("fc"):
                p.copy_((u - 0.5) / 5)
            elif name.endswith("bias"):
                sign = torch.where((u < 0.25) & ("bn1" in name), -1.0, 1.0)
                p.copy_(sign * (1.5 + (u - 0.5) / 5))
            else:
                p.copy_((0.5 + u) / 4)
            p.copy_(p.float().double())
            stream += 1
        for name, b in net.named_buffers():
            if name.endswith("num_batches_tracked"):
                continue
            u = values(stream, tuple(b.shape))
            b.copy_((0.5 + u) if name.endswith("var") else (u - 0.5) / 5)
            b.copy_(b.float().double())
            stream += 1
    return net


def batch(n, size):
    return 2 * values(1000000, (n, BANDS, size, size)) - 1


def logits(arch):
    net = make(arch).eval()
    with torch.no_grad():
        return net(batch(2, 120))[:, 0].tolist()


def gradients(arch, n, size):
    net = make(arch).train()
    target = (torch.arange(n) % 2).double()
    z = net(batch(n, size))[:, 0]
    loss = torch.nn.functional.binary_cross_entropy_with_logits(z, target)
    loss.backward()
    rows = []
    for i, (name, p) in enumerate(net.named_parameters()):
        g = p.grad.reshape(-1)
        at = (uniform(SEED, 2000000 + i, 8) * g.numel()).astype(int)
        rows.append({"name": name, "norm": g.norm().item(), "samples": g[at].tolist()})
    running = {k: v.norm().item() for k, v in net.named_buffers() if "running" in k}
    return {"batch": n, "size": size, "loss": loss.item(), "logits": z.tolist(),
            "parameters": rows, "running_norm_sum": sum(running.values())}


def losses(arch, n, size, rate):
    net = make(arch).train()
    x, target = batch(n, size), (torch.arange(n) % 2).double()
    decay = [p for p in net.parameters() if p.dim() > 1]
    other = [p for p in net.parameters() if p.dim() <= 1]
    optimiser = torch.optim.AdamW([{"params": decay, "weight_decay": 0.05},
                                   {"params": other, "weight_decay": 0.0}], lr=rate)
    out = []
    for _ in range(10):
        optimiser.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(net(x)[:, 0], target)
        out.append(loss.item())
        loss.backward()
        optimiser.step()
    return {"batch": n, "size": size, "rate": rate, "weight_decay": 0.05, "values": out}


def main():
    out = {"made_by": "tests/golden/nets.py", "python": platform.python_version(),
           "torch": torch.__version__, "torchvision": torchvision.__version__, "seed": SEED}
    for arch in ("resnet18", "resnet50", "resnet152"):
        print(arch, file=sys.stderr)
        out[arch] = {"logits": logits(arch), "gradients": gradients(arch, 8, 64)}
    out["resnet18"]["losses"] = losses("resnet18", 8, 64, 1e-4)
    out["resnet50"]["losses"] = losses("resnet50", 8, 64, 1e-4)
    text = json.dumps(out, indent=1)
    print(re.sub(r"\n\s+(?=[-0-9\]])", " ", text))  # lists of numbers on one line


main()
