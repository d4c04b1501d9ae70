"""What PyTorch makes of the same network, beside gpu_rates: torch.compile, bf16, channels last.

    python3 torch_rates.py SIDE BATCH SECONDS

One line of JSON: patches/s of inference and views/s of a training step, the patches coming from
the host's memory as gpu_rates' do.
"""
import json
import sys
import time

import torch
from torch import nn

BANDS, OUTPUTS = 12, 10


class Bottleneck(nn.Module):
    def __init__(self, inside, width, stride):
        super().__init__()
        outside = 4 * width
        self.inner = nn.Sequential(
            nn.Conv2d(inside, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, outside, 1, bias=False), nn.BatchNorm2d(outside))
        self.around = nn.Identity()
        if stride != 1 or inside != outside:
            self.around = nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False),
                                        nn.BatchNorm2d(outside))

    def forward(self, x):
        return torch.relu(self.inner(x) + self.around(x))


def resnet50():
    layers = [nn.Conv2d(BANDS, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
              nn.MaxPool2d(3, 2, 1)]
    channels = 64
    for stage, blocks in enumerate((3, 4, 6, 3)):
        width = 64 << stage
        for block in range(blocks):
            layers.append(Bottleneck(channels, width, 2 if stage and not block else 1))
            channels = 4 * width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(channels, OUTPUTS))


def rate(run, batch, seconds):
    for _ in range(3):
        run()
    torch.cuda.synchronize()
    begin, runs = time.monotonic(), 0
    while time.monotonic() - begin < seconds:
        run()
        torch.cuda.synchronize()
        runs += 1
    return runs * batch / (time.monotonic() - begin)


def main():
    side, batch, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    net = resnet50().cuda().to(memory_format=torch.channels_last)
    host = torch.rand(batch, BANDS, side, side).pin_memory()

    def upload():
        return host.cuda(non_blocking=True).to(torch.bfloat16, memory_format=torch.channels_last)

    inference = torch.compile(resnet50().cuda().bfloat16().eval().to(
        memory_format=torch.channels_last))
    training = torch.compile(net)

    def infer():
        with torch.inference_mode():
            inference(upload()).float().cpu()

    def train():
        with torch.autocast("cuda", torch.bfloat16):
            training(upload()).square().sum().backward()
        net.zero_grad(set_to_none=True)

    print(json.dumps({"torch": torch.__version__, "network": "resnet50", "precision": "bf16",
                      "side": side, "batch": batch,
                      "patches_per_s": round(rate(infer, batch, seconds), 1),
                      "views_per_s": round(rate(train, batch, seconds), 1)}))


main()
