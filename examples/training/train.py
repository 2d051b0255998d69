"""Trains the example versions, proves each of them, and writes the files others replay."""

import argparse
from pathlib import Path

from sklearn.datasets import load_digits, load_wine

import classifier
import tumours.train
from classifier import Classifier
from version import Form

EXAMPLES = Path(__file__).resolve().parents[1]

DIGITS = Classifier(
    model="digits",
    dataset=load_digits(),
    columns=[f"pixel_{row}_{column}" for row in range(8) for column in range(8)],
    form=Form(input="pixels", width=64, output="probabilities", answers=10),
    held_out_ratio=0.25,
    program="digits/network.py",
    unfaithful="train-mode",
)
WINE = Classifier(
    model="wine",
    dataset=load_wine(),
    columns=[name.replace("/", "_or_") for name in load_wine().feature_names],
    form=Form(input="features", width=13, output="probabilities", answers=3),
    held_out_ratio=0.4,
    program="wine/network.py",
    unbounded="logits",
)


def main():
    given = arguments()
    write_all = [
        tumours.train.make_proven(),
        classifier.make_proven(DIGITS, given.pytorch, given.scratch / "digits"),
        classifier.make_proven(WINE, given.keras, given.scratch / "wine"),
    ]
    for write in write_all:
        write(EXAMPLES)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pytorch", required=True, help="a Python that has PyTorch")
    parser.add_argument("--keras", required=True, help="a Python that has Keras and TensorFlow")
    parser.add_argument("--scratch", required=True, type=Path, help="where programs meet")
    return parser.parse_args()


if __name__ == "__main__":
    main()
