"""A model opened by ONNX Runtime with the threads that every subject is given."""

import os

import numpy as np
import onnxruntime


class Graph:
    def __init__(self, path: str | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            path or os.environ["BENCH_MODEL"], options, providers=["CPUExecutionProvider"]
        )

    def run(self, rows: np.ndarray) -> np.ndarray:
        return self._session.run(None, {"input": np.ascontiguousarray(rows, dtype=np.float32)})[0]
