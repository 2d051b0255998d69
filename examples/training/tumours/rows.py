"""The breast-cancer rows, split once for every candidate."""

from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_breast_cancer

SEED = 7
HELD_OUT_RATIO = 0.4
SAMPLE_COUNT = 64
MEAN_CONCAVITY = 6
MEAN_CONCAVE_POINTS = 7


@dataclass(frozen=True)
class Rows:
    features: np.ndarray
    labels: np.ndarray

    def take(self, which):
        return Rows(self.features[which], self.labels[which])


@dataclass(frozen=True)
class SplitRows:
    names: list[str]
    train: Rows
    held_out: Rows
    everyday: Rows
    samples: Rows


def read_rows():
    bunch = load_breast_cancer()
    # Trees are split on what the served model will see: float32, not float64.
    # The data set calls benign 1; the score is the probability of malignant.
    rows = Rows(bunch.data.astype(np.float32), 1 - bunch.target)
    train, everyday, flat = split(rows)
    return SplitRows(
        names=[name.replace(" ", "_") for name in bunch.feature_names],
        train=rows.take(train),
        held_out=rows.take(spread(everyday, flat)),
        everyday=rows.take(everyday),
        samples=rows.take(everyday[:SAMPLE_COUNT]),
    )


def has_zero_concavity(features):
    return features[:, MEAN_CONCAVITY] == 0


def split(rows):
    """Stratified. Rows of zero concavity are all held out, so no author has ever seen one."""
    random = np.random.default_rng(SEED)
    flat = has_zero_concavity(rows.features)
    train, everyday = [], []
    for label in (0, 1):
        of_label = rows.labels == label
        quota = round(HELD_OUT_RATIO * of_label.sum()) - (of_label & flat).sum()
        shuffled = random.permutation(np.flatnonzero(of_label & ~flat))
        everyday.extend(shuffled[:quota])
        train.extend(shuffled[quota:])
    return np.sort(train), random.permutation(everyday), np.flatnonzero(flat)


def spread(everyday, few):
    """Puts the few rows at even distances among the everyday ones."""
    stretches = np.array_split(everyday, len(few))
    placed = []
    for stretch, row in zip(stretches, few):
        middle = len(stretch) // 2
        placed.extend([*stretch[:middle], row, *stretch[middle:]])
    return np.array(placed)
