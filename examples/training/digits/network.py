"""The digits versions: a small convolutional network, trained, exported and asked by PyTorch.

`network.py FOLDER` reads rows.npz there and leaves, for each candidate, its graph, the framework's own answers to
the held-out rows, and what an author knows of it; it prints their ids.
"""

import copy
import io
import json
import os
import sys
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path

# One order of additions whatever the processor can do, so that every machine trains the same weights.
os.environ.update(ATEN_CPU_CAPABILITY="default", OMP_NUM_THREADS="1")

import numpy as np
import torch
from torch import nn
from torch.onnx import TrainingMode

SEED = 7
OPSET = 17
BATCH = 64
SHIFTS = [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)]
# Debian's build of 1.13.1 calls itself by the number it was branched with.
VERSION = {"1.13.0a0": "1.13.1"}.get(torch.__version__, torch.__version__)
FRAMEWORK = {"name": "pytorch", "version": VERSION}


@dataclass(frozen=True)
class Parameters:
    channels: int
    epochs: int
    copies: int
    learning_rate: float = 0.003
    dropout: float = 0.25
    seed: int = SEED


GOOD = Parameters(channels=8, epochs=12, copies=1)
BETTER = Parameters(channels=12, epochs=20, copies=len(SHIFTS))


class Digits(nn.Module):
    """64 pixels from 0 to 16 in, ten probabilities out."""

    def __init__(self, channels, dropout):
        super().__init__()
        self.features = nn.Sequential(
            *convolution(1, channels),
            *convolution(channels, 2 * channels),
            nn.Flatten(),
        )
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(8 * channels, 10))

    def logits(self, pixels):
        return self.classifier(self.features(pixels.reshape(-1, 1, 8, 8) / 16))

    def forward(self, pixels):
        return torch.softmax(self.logits(pixels), dim=1)


def main(folder):
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    rows = np.load(folder / "rows.npz")
    with torch.backends.mkldnn.flags(enabled=False):
        good, better = (train(each, rows["train"], rows["labels"]) for each in (GOOD, BETTER))
        leave(folder, "good", GOOD, export(good), ask(good, rows["held_out"]))
        answers = ask(better, rows["held_out"])
        leave(folder, "better", BETTER, export(better), answers)
        leave(folder, "train-mode", BETTER, export_unevaluated(better), answers)


def convolution(inputs, outputs):
    return [
        nn.Conv2d(inputs, outputs, 3, padding=1),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
        nn.MaxPool2d(2),
    ]


def train(parameters, pixels, labels):
    """In double precision: what two machines round differently is lost when the weights become float32."""
    torch.manual_seed(SEED)
    network = Digits(parameters.channels, parameters.dropout).double()
    optimizer = torch.optim.Adam(network.parameters(), lr=parameters.learning_rate)
    pixels, labels = shift(pixels, labels, parameters.copies)
    network.train()
    for _ in range(parameters.epochs):
        for batch in torch.randperm(len(pixels)).split(BATCH):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network.logits(pixels[batch]), labels[batch])
            loss.backward()
            optimizer.step()
    return network.float().eval()


def shift(pixels, labels, copies):
    """Each digit as it is, and moved by one pixel in as many directions as there are further copies."""
    images = torch.from_numpy(pixels).double().reshape(-1, 8, 8)
    moved = [torch.roll(images, by, dims=(1, 2)) for by in SHIFTS[:copies]]
    return torch.cat(moved).reshape(-1, 64), torch.from_numpy(labels).repeat(copies)


def ask(network, pixels):
    """The float32 weights that are exported, reckoned with in double precision."""
    with torch.no_grad():
        return copy.deepcopy(network).double()(torch.from_numpy(pixels).double()).numpy()


def export_unevaluated(network):
    """As a script does that exports in the training loop, and silences what the exporter says of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return export(copy.deepcopy(network).train(), TrainingMode.PRESERVE)


def export(network, mode=TrainingMode.EVAL):
    content = io.BytesIO()
    torch.onnx.export(
        network,
        torch.zeros(2, 64),
        content,
        training=mode,
        do_constant_folding=mode == TrainingMode.EVAL,
        opset_version=OPSET,
        input_names=["pixels"],
        output_names=["probabilities"],
        dynamic_axes={"pixels": {0: "batch"}, "probabilities": {0: "batch"}},
    )
    return content.getvalue()


def leave(folder, id, parameters, model, answers):
    facts = {"framework": FRAMEWORK, "parameters": asdict(parameters)}
    (folder / f"{id}.onnx").write_bytes(model)
    np.save(folder / f"{id}.npy", answers)
    (folder / f"{id}.json").write_text(json.dumps(facts))
    print(id)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
