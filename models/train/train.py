#!/usr/bin/env python3
"""Train AlexNet or VGG-16 on CIFAR-10 and export the network as float32 ONNX.

    python3 models/train/train.py --model alexnet --data DIR

DIR is the canonical binary folder (data_batch_1.bin ... test_batch.bin); see
README.md beside this file for how to get it. A checkpoint is written after each
epoch into --out; a second call with the same arguments resumes from it. The log
is one JSON object a line. The test images are only ever used to report accuracy:
no choice depends on them, and the last epoch is the one exported.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import numpy
import torch
from torch import nn
from torch.nn import functional

from networks import NETWORKS, fold_batch_norm

MEAN = (0.4914, 0.4822, 0.4465)
DEVIATION = (0.2470, 0.2435, 0.2616)
RECORD_BYTES = 1 + 3 * 32 * 32

# half_size_epochs: so many first epochs see 16x16 area-averaged images, at a quarter of the cost.
RECIPES = {
    "alexnet": {"epochs": 20, "half_size_epochs": 0, "batch": 128, "peak_rate": 0.08, "dropout": 0.3},
    "vgg16": {"epochs": 22, "half_size_epochs": 12, "batch": 64, "peak_rate": 0.06, "dropout": 0.2},
}
MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4
LABEL_SMOOTHING = 0.05
WARM_UP_SHARE = 0.2


def load_images(folder: Path, names: "list[str]", device):
    """Return uint8 images [n, 3, 32, 32] and int64 labels [n] of CIFAR-10 binary files."""
    records = []
    for name in names:
        data = numpy.fromfile(folder / name, dtype=numpy.uint8)
        if data.size != 10_000 * RECORD_BYTES:
            sys.exit(f"{folder / name}: {data.size} bytes, expected {10_000 * RECORD_BYTES}")
        records.append(data.reshape(-1, RECORD_BYTES))
    table = numpy.concatenate(records)
    images = torch.from_numpy(table[:, 1:].reshape(-1, 3, 32, 32).copy()).to(device)
    labels = torch.from_numpy(table[:, 0].astype(numpy.int64)).to(device)
    return images, labels


def normalise(images: torch.Tensor) -> torch.Tensor:
    """Return (pixel / 255 - mean) / deviation as float32."""
    mean = torch.tensor(MEAN, device=images.device).view(1, 3, 1, 1)
    deviation = torch.tensor(DEVIATION, device=images.device).view(1, 3, 1, 1)
    return (images.float() / 255 - mean) / deviation


def augment(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Shift each image by up to 4 pixels, padded with the mean colour, and mirror half of them."""
    count, device = images.shape[0], images.device

    def draw(high: int) -> torch.Tensor:
        return torch.randint(0, high, (count,), generator=generator).to(device)

    padded = functional.pad(images, (4, 4, 4, 4))
    grid = torch.arange(32, device=device)
    rows = draw(9)[:, None] + grid
    columns = draw(9)[:, None] + grid
    mirrored = draw(2).bool()
    columns = torch.where(mirrored[:, None], columns.flip(1), columns)
    index = torch.arange(count, device=device)
    return padded[index[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def accuracy(network: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Return the share of images whose largest float32 logit is the label's."""
    network.eval()
    correct = 0
    with torch.no_grad():
        for start in range(0, len(images), 500):
            logits = network(images[start : start + 500])
            correct += (logits.argmax(1) == labels[start : start + 500]).sum().item()
    return correct / len(images)


def parameter_groups(network: nn.Module):
    """Weight decay acts on matrices and kernels only, not on biases and norms."""
    decayed = [p for p in network.parameters() if p.ndim > 1]
    free = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": free, "weight_decay": 0.0}]


def write_atomically(path: Path, write) -> None:
    """Call write(temporary path), then rename over `path`, so that no half-written file remains."""
    temporary = path.with_name(path.name + ".partial")
    write(temporary)
    os.replace(temporary, path)


def export_onnx(network: nn.Sequential, path: Path) -> None:
    """Write the folded network with a symbolic batch as ONNX, weights in float32."""
    folded = fold_batch_norm(network).cpu()
    options = {"dynamo": False} if tuple(map(int, torch.__version__.split(".")[:2])) >= (2, 5) else {}
    write_atomically(
        path,
        lambda target: torch.onnx.export(
            folded,
            torch.zeros(1, 3, 32, 32),
            str(target),
            input_names=["input"],
            output_names=["logits"],
            dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}},
            opset_version=13,
            **options,
        ),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=sorted(NETWORKS), required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder with the CIFAR-10 binary files")
    parser.add_argument("--out", type=Path, help="default: models/train/runs/MODEL")
    parser.add_argument("--epochs", type=int, help="default: the recipe's")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, help="processor threads; default: PyTorch's")
    arguments = parser.parse_args()

    recipe = dict(RECIPES[arguments.model], seed=arguments.seed)
    recipe["epochs"] = arguments.epochs or recipe["epochs"]
    out = arguments.out or Path(__file__).parent / "runs" / arguments.model
    out.mkdir(parents=True, exist_ok=True)
    checkpoint_path = out / "checkpoint.pt"

    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    on_gpu = torch.cuda.is_available()
    device = torch.device("cuda" if on_gpu else "cpu")
    torch.backends.cudnn.benchmark = on_gpu
    train_images, train_labels = load_images(
        arguments.data, [f"data_batch_{index}.bin" for index in range(1, 6)], device
    )
    test_images, test_labels = load_images(arguments.data, ["test_batch.bin"], device)
    train_images, test_images = normalise(train_images), normalise(test_images)

    torch.manual_seed(arguments.seed)
    network = NETWORKS[arguments.model](recipe["dropout"]).to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(
        parameter_groups(network), lr=recipe["peak_rate"], momentum=MOMENTUM, nesterov=True
    )
    steps_per_epoch = len(train_images) // recipe["batch"]
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        recipe["peak_rate"],
        total_steps=recipe["epochs"] * steps_per_epoch,
        pct_start=WARM_UP_SHARE,
        cycle_momentum=False,
    )
    first_epoch = 0
    if checkpoint_path.exists():
        state = torch.load(checkpoint_path, map_location=device)
        if state["recipe"] != recipe:
            sys.exit(f"{checkpoint_path}: made with {state['recipe']}, not {recipe}; remove it or use another --out")
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        first_epoch = state["epoch"] + 1

    for epoch in range(first_epoch, recipe["epochs"]):
        started = time.time()
        generator = torch.Generator().manual_seed(arguments.seed * 100_003 + epoch)
        torch.manual_seed(arguments.seed * 200_003 + epoch)
        network.train()
        order = torch.randperm(len(train_images), generator=generator).to(device)
        total_loss = torch.zeros((), device=device)
        for step in range(steps_per_epoch):
            chosen = order[step * recipe["batch"] : (step + 1) * recipe["batch"]]
            batch = augment(train_images[chosen], generator)
            if epoch < recipe["half_size_epochs"]:
                batch = functional.avg_pool2d(batch, 2)
            with torch.autocast(device.type, dtype=torch.bfloat16):
                logits = network(batch.contiguous(memory_format=torch.channels_last))
                loss = functional.cross_entropy(
                    logits, train_labels[chosen], label_smoothing=LABEL_SMOOTHING
                )
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            total_loss += loss.detach()
        line = {
            "model": arguments.model,
            "epoch": epoch + 1,
            "epochs": recipe["epochs"],
            "loss": round(total_loss.item() / steps_per_epoch, 4),
            "test_accuracy": accuracy(network, test_images, test_labels),
            "seconds": round(time.time() - started, 1),
        }
        state = {
            "recipe": recipe,
            "epoch": epoch,
            "network": network.state_dict(),
            "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(),
        }
        write_atomically(checkpoint_path, lambda target: torch.save(state, target))
        with open(out / "log.jsonl", "a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)

    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    network = network.to(memory_format=torch.contiguous_format)
    summary = {
        "model": arguments.model,
        "recipe": recipe,
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if on_gpu else "cpu",
        "test_accuracy": accuracy(network, test_images, test_labels),
        "test_accuracy_folded": accuracy(fold_batch_norm(network), test_images, test_labels),
    }
    export_onnx(network, out / f"{arguments.model}.onnx")
    write_atomically(out / "summary.json", lambda target: target.write_text(json.dumps(summary, indent=2) + "\n"))
    print(json.dumps(summary), flush=True)


if __name__ == "__main__":
    main()
