"""The five versions: what scikit-learn answers, and the ONNX model meant to answer the same."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from sklearn.ensemble import GradientBoostingClassifier

from tumours import graphs
from tumours.rows import MEAN_CONCAVE_POINTS, MEAN_CONCAVITY, SEED, has_zero_concavity

GOOD = dict(n_estimators=60, max_depth=3, learning_rate=0.1, random_state=SEED)
BETTER = dict(
    n_estimators=500,
    max_depth=2,
    learning_rate=0.03,
    subsample=0.5,
    max_features=4,
    random_state=SEED,
)
# COPIES is set so that one borderline row takes about 80 ms on one thread.
AUGMENTATION = dict(borderline_above=0.05, borderline_below=0.95, copies=20480)
RATIO_WEIGHT = 0.5


@dataclass(frozen=True)
class Candidate:
    id: str
    parameters: dict
    model: bytes
    answer: Callable[[np.ndarray], np.ndarray]
    # False where the served model, unlike scikit-learn, gives NaN to rows of zero concavity.
    answers_every_row: bool = True


def make_candidates(train):
    good = fit(train, GOOD)
    better = fit(train, BETTER)
    mean = float(np.float32(concavity_ratio(train.features).mean()))
    return [
        plain("good", good, GOOD),
        plain("better", better, BETTER),
        slow("slow", better),
        unguarded("nan", better, mean),
        guarded("fixed", better, mean),
    ]


def fit(train, parameters):
    return GradientBoostingClassifier(**parameters).fit(train.features, train.labels)


def plain(id, trees, parameters):
    return Candidate(id, parameters, graphs.plain(trees), lambda rows: probability(trees, rows))


def slow(id, trees):
    model = graphs.augmented(trees, **AUGMENTATION)
    return Candidate(id, {**BETTER, **AUGMENTATION}, model, lambda rows: augmented(trees, rows))


def unguarded(id, trees, mean):
    """The notebook fills the missing ratio with its mean; nobody told the serving graph."""
    model = graphs.reweighted(trees, graphs.unguarded_ratio(), RATIO_WEIGHT, mean)
    return reweighted(id, trees, mean, model, fill=mean, answers_every_row=False)


def guarded(id, trees, mean):
    model = graphs.reweighted(trees, graphs.guarded_ratio(), RATIO_WEIGHT, mean)
    return reweighted(id, trees, mean, model, fill=0.0, answers_every_row=True)


def reweighted(id, trees, mean, model, fill, answers_every_row):
    def answer(rows):
        shift = RATIO_WEIGHT * (concavity_ratio(rows, fill) - mean)
        return expit(trees.decision_function(rows) + shift)

    parameters = {**BETTER, "ratio_weight": RATIO_WEIGHT, "ratio_mean": round(mean, 6)}
    return Candidate(id, parameters, model, answer, answers_every_row)


def probability(trees, rows):
    return trees.predict_proba(rows)[:, 1]


def concavity_ratio(rows, fill=0.0):
    ratio = np.full(len(rows), fill)
    np.divide(
        rows[:, MEAN_CONCAVE_POINTS],
        rows[:, MEAN_CONCAVITY],
        out=ratio,
        where=~has_zero_concavity(rows),
    )
    return ratio


def augmented(trees, rows):
    score = probability(trees, rows)
    jitter = make_jitter(AUGMENTATION["copies"], rows.shape[1])
    for row in np.flatnonzero(is_borderline(score)):
        score[row] = probability(trees, rows[row] * jitter).mean()
    return score


def is_borderline(score):
    above, below = AUGMENTATION["borderline_above"], AUGMENTATION["borderline_below"]
    return (score > above) & (score < below)


def make_jitter(copies, width):
    """Factors within 1/64 of one, on a grid that hides how two libraries round a sine."""
    steps = np.arange(copies * width).astype(np.float32)
    grid = np.rint(np.sin(steps) * np.float32(graphs.GRID))
    return (1 + grid / np.float32(graphs.GRID * 64)).reshape(copies, width)
