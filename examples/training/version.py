"""A version as its author hands it over: the same words whatever it was trained with."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Form:
    """One float32 tensor in, one out; the first dimension of both is the row."""

    input: str
    width: int
    output: str
    answers: int

    def answer_columns(self):
        if self.answers == 1:
            return [self.output]
        return [f"{self.output}.{place}" for place in range(self.answers)]


@dataclass(frozen=True)
class Version:
    form: Form
    model: bytes
    framework: dict
    parameters: dict
    evaluation: list[dict]
    # The training set, as lineage has it.
    dataset: dict
    # Names of the columns of `rows`.
    columns: list[str]
    rows: np.ndarray
    # What the framework answers to `rows`; one line each.
    answers: np.ndarray
