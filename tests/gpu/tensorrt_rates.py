"""What TensorRT makes of the same network, beside gpu_rates: bf16, through torch_tensorrt.

    python3 tensorrt_rates.py SIDE BATCH SECONDS

One line of JSON: patches/s of inference, the patches coming from pinned memory of the host
(patches_per_s) or being on the device (cut_patches_per_s).
"""
import json
import sys

import torch
import torch_net
import torch_tensorrt


def main():
    side, batch, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    host = torch.rand(batch, torch_net.BANDS, side, side).pin_memory()

    def on_device():
        return host.cuda(non_blocking=True).to(torch.bfloat16)

    resident = on_device()
    net = torch_tensorrt.compile(torch_net.classifier().cuda().bfloat16().eval(),
                                 inputs=[resident], enabled_precisions={torch.bfloat16})

    def infer(x):
        with torch.inference_mode():
            net(x()).float().cpu()

    print(json.dumps({"what": "tensorrt", "version": torch_tensorrt.__version__,
                      "network": "resnet50", "precision": "bf16", "side": side, "batch": batch,
                      "patches_per_s": torch_net.rate(lambda: infer(on_device), batch, seconds),
                      "cut_patches_per_s": torch_net.rate(lambda: infer(lambda: resident), batch,
                                                          seconds)}))


main()
