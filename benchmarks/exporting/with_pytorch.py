"""PyTorch's MobileNets through PyTorch's exporters, with the answers of PyTorch.

python with_pytorch.py PICTURES.npz FOLDER

Run by exporters.py, in an environment with torch, torchvision, timm and onnxscript. Weights are random, and
batch normalization is given statistics, for nothing is published offline. Each model is exported by the older
exporter and by dynamo, static and with a free batch, and as a program of torch.export.
"""

from __future__ import annotations

import sys
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import timm
import torch
import torchvision
from cases import Cases

warnings.filterwarnings("ignore")
TORCHVISION = ("mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large")
TIMM = (
    "mobilenetv1_100", "mobilenetv2_100", "mobilenetv3_large_100", "tf_mobilenetv3_small_075",
    "mobilenetv4_conv_small", "mobilenet_edgetpu_v2_xs", "efficientnet_lite0", "mnasnet_100", "lcnet_050",
    "ghostnet_100", "mobileone_s0",
)  # fmt: skip
CLASSES = 10


def lively(net: torch.nn.Module) -> torch.nn.Module:
    """With statistics as training leaves them."""
    for layer in net.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.weight.data.uniform_(0.5, 1.5)
            layer.bias.data.normal_(0, 0.3)
            layer.running_mean.normal_(0, 0.3)
            layer.running_var.uniform_(0.5, 1.5)
    return net.eval()


def export(net: torch.nn.Module, form: str, picture: torch.Tensor, file: Path) -> None:
    """Write one model in one form."""
    if form == "pt2":
        torch.export.save(torch.export.export(net, (picture,)), file)
    elif form == "legacy free":
        names = {"input_names": ["input"], "output_names": ["output"]}
        torch.onnx.export(
            net, (picture,), file, dynamo=False, dynamic_axes={"input": {0: "n"}, "output": {0: "n"}}, **names
        )
    elif form == "dynamo free":
        shapes = ({0: torch.export.Dim("n", min=1, max=64)},)
        pair = torch.cat([picture, picture])
        torch.onnx.export(net, (pair,), file, dynamo=True, dynamic_shapes=shapes, verbose=False)
    else:
        torch.onnx.export(net, (picture,), file, dynamo=form == "dynamo", verbose=False)


def main(pictures: str, folder: Path) -> None:
    """All models in all forms."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    values = torch.from_numpy(np.load(pictures)["pixels"].astype(np.float32)).permute(0, 3, 1, 2)
    x = (values - 127.5) / 127.5
    nets = [
        (f"torchvision {name}", getattr(torchvision.models, name)(num_classes=CLASSES))
        for name in TORCHVISION
    ]
    nets += [(f"timm {name}", timm.create_model(name, num_classes=CLASSES)) for name in TIMM]
    cases = Cases(folder)
    for name, net in nets:
        lively(net)
        answers = net(x).detach().numpy()
        for form in ("legacy", "legacy free", "dynamo", "dynamo free", "pt2"):
            file = folder / f"{name}-{form}.{'pt2' if form == 'pt2' else 'onnx'}".replace(" ", "-")
            case = {"model": name, "form": form, "mean": 127.5, "std": 127.5, "output": "logits"}
            cases.add(case, file, partial(export, net, form, x[:1], file), answers)
    cases.save()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
