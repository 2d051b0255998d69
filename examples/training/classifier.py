"""A model whose framework has a Python of its own: that process trains, asks and exports; this one proves and writes."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

from evaluation import metric, prove_improvement
from outputs import describe_training_set, write_candidate, write_registered, write_rows
from proof import differing_rows, prove_form, prove_parity, require, serve_all, serve_each
from version import Form, Version

SEED = 7
SAMPLE_COUNT = 64


@dataclass(frozen=True)
class Classifier:
    model: str
    # As sklearn.datasets loads it.
    dataset: object
    columns: list[str]
    form: Form
    held_out_ratio: float
    # The program beside this file that its framework runs.
    program: str
    # The candidate that does not answer as its framework does.
    unfaithful: str | None = None
    # The candidate whose answers are no probabilities.
    unbounded: str | None = None


@dataclass(frozen=True)
class Split:
    train: np.ndarray
    train_labels: np.ndarray
    held_out: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Candidate:
    id: str
    model: bytes
    answers: np.ndarray
    facts: dict


def make_proven(classifier, python, folder):
    """What writes the files, once everything else has been proven too."""
    split = split_rows(classifier)
    candidates = run(classifier, python, folder, split)
    evaluations = {each.id: evaluate(classifier, each, split) for each in candidates}
    for candidate in candidates:
        proven = prove(classifier, candidate, split)
        report(classifier, candidate, evaluations[candidate.id], proven)
    prove_improvement(f"{classifier.model} better", evaluations["good"], evaluations["better"])
    versions = {
        each.id: make_version(classifier, each, evaluations[each.id], split) for each in candidates
    }
    return lambda examples: write(examples, classifier, versions, split)


def split_rows(classifier):
    """Stratified; the samples are the first of the held-out rows."""
    random = np.random.default_rng(SEED)
    features, labels = classifier.dataset.data.astype(np.float32), classifier.dataset.target
    train, held_out = [], []
    for label in range(classifier.form.answers):
        shuffled = random.permutation(np.flatnonzero(labels == label))
        quota = round(classifier.held_out_ratio * len(shuffled))
        held_out.extend(shuffled[:quota])
        train.extend(shuffled[quota:])
    train, held_out = np.sort(train), random.permutation(held_out)
    return Split(features[train], labels[train], features[held_out], labels[held_out])


def run(classifier, python, folder, split):
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(
        folder / "rows.npz", train=split.train, labels=split.train_labels, held_out=split.held_out
    )
    program = Path(__file__).parent / classifier.program
    ids = subprocess.run(
        [python, program, folder], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.split()
    return [read_candidate(folder, id) for id in ids]


def read_candidate(folder, id):
    facts = json.loads((folder / f"{id}.json").read_text())
    return Candidate(id, (folder / f"{id}.onnx").read_bytes(), np.load(folder / f"{id}.npy"), facts)


def evaluate(classifier, candidate, split):
    """Of the framework's answers. Logits are made probabilities first, as their author's notebook does."""
    probabilities = candidate.answers
    if candidate.id == classifier.unbounded:
        powers = np.exp(probabilities - probabilities.max(axis=1, keepdims=True))
        probabilities = powers / powers.sum(axis=1, keepdims=True)
    labels, on = split.labels, f"{classifier.model}-held-out"
    return [
        metric("auc", roc_auc_score(labels, probabilities, multi_class="ovr"), "higher", on),
        metric("accuracy", accuracy_score(labels, probabilities.argmax(axis=1)), "higher", on),
        metric("log_loss", log_loss(labels, probabilities), "lower", on),
    ]


def prove(classifier, candidate, split):
    """In words: how near the graph is to its framework, or how far."""
    id = f"{classifier.model} {candidate.id}"
    prove_form(id, candidate.model, classifier.form)
    outside = ((candidate.answers < 0) | (candidate.answers > 1)).any(axis=1)
    is_bounded = candidate.id != classifier.unbounded
    require(not outside.any() if is_bounded else outside.all(), id, "answers outside 0 to 1, or not")
    if candidate.id == classifier.unfaithful:
        return prove_unfaithful(id, candidate, split)
    error = prove_parity(id, candidate.model, split.held_out, candidate.answers)
    return f"parity {error:.1e}"


def prove_unfaithful(id, candidate, split):
    """Nobody could miss it by chance: most rows are wrong, asked together and alone."""
    together = differing_rows(serve_all(candidate.model, split.held_out), candidate.answers)
    alone = differing_rows(serve_each(candidate.model, split.held_out), candidate.answers)
    require(min(together, alone) > 0.5, id, f"differs on {together:.0%} and {alone:.0%} of the rows")
    return f"not as its framework: {together:.0%} of the rows together, {alone:.0%} alone"


def make_version(classifier, candidate, evaluation, split):
    return Version(
        form=classifier.form,
        model=candidate.model,
        evaluation=evaluation,
        dataset=describe_training_set(classifier.model, split.train),
        columns=classifier.columns,
        rows=split.held_out[:SAMPLE_COUNT],
        answers=candidate.answers[:SAMPLE_COUNT],
        **candidate.facts,
    )


def write(examples, classifier, versions, split):
    name = classifier.model
    write_rows(examples / "rows" / f"{name}.csv", classifier.columns, split.held_out)
    for id, version in versions.items():
        write_candidate(examples / "candidates" / f"{name}-{id}", version)
    folder = examples / "model-repo" / "models" / name / "versions" / "1.0.0"
    write_registered(folder, versions["good"])


def report(classifier, candidate, evaluation, proven):
    metrics = " ".join(f"{entry['metric']} {entry['value']:.6f}" for entry in evaluation)
    name = f"{classifier.model}-{candidate.id}"
    print(f"{name:17} {metrics} {len(candidate.model)} bytes, {proven}")
