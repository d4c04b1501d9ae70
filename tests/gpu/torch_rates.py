"""What PyTorch makes of the same network, beside gpu_rates: torch.compile, bf16, channels last.

    python3 torch_rates.py SIDE BATCH SECONDS

One line of JSON: patches/s of inference, the patches coming from pinned memory of the host
(patches_per_s) or being on the device (cut_patches_per_s), and views/s of a SimCLR step: forward,
NT-Xent, backward, AdamW.
"""
import json
import sys

import torch
import torch_net

TEMPERATURE = 0.1


def on_device(x):
    return x.cuda(non_blocking=True).to(torch.bfloat16, memory_format=torch.channels_last)


def inference(host, batch, seconds):
    net = torch.compile(torch_net.classifier().cuda().bfloat16().eval().to(
        memory_format=torch.channels_last))
    resident = on_device(host)

    def infer(x):
        with torch.inference_mode():
            net(x()).float().cpu()

    return (torch_net.rate(lambda: infer(lambda: on_device(host)), batch, seconds),
            torch_net.rate(lambda: infer(lambda: resident), batch, seconds))


def ntxent(z):
    """Views i and i + n are a pair."""
    unit = torch.nn.functional.normalize(z.float(), dim=1)
    logits = unit @ unit.T / TEMPERATURE
    logits.fill_diagonal_(-torch.inf)
    views = len(z)
    other = (torch.arange(views, device=z.device) + views // 2) % views
    return torch.nn.functional.cross_entropy(logits, other)


def training(host, batch, seconds):
    net = torch_net.encoder().cuda().to(memory_format=torch.channels_last)
    compiled = torch.compile(net)
    optimiser = torch.optim.AdamW(net.parameters(), 1e-4, fused=True)

    def step():
        with torch.autocast("cuda", torch.bfloat16):
            z = compiled(on_device(host))
        optimiser.zero_grad(set_to_none=True)
        ntxent(z).backward()
        optimiser.step()

    return torch_net.rate(step, batch, seconds)


def main():
    side, batch, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    host = torch.rand(batch, torch_net.BANDS, side, side).pin_memory()
    moved, resident = inference(host, batch, seconds)
    print(json.dumps({"what": "torch", "version": torch.__version__, "network": "resnet50",
                      "precision": "bf16", "side": side, "batch": batch,
                      "patches_per_s": moved, "cut_patches_per_s": resident,
                      "views_per_s": training(host, batch, seconds)}))


main()
