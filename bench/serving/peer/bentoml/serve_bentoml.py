import os

import bentoml
import numpy as np
from graph import Graph

BATCH = int(os.environ["BENCH_BATCH"])
SHARING = {"batchable": True, "max_batch_size": BATCH, "max_latency_ms": 1000} if BATCH > 1 else {}


@bentoml.service(workers=int(os.environ["BENCH_WORKERS"]), logging={"access": {"enabled": False}})
class Onnx:
    def __init__(self) -> None:
        self._graph = Graph()

    @bentoml.api(**SHARING)
    def predict(self, input: np.ndarray) -> np.ndarray:
        return self._graph.run(input)
