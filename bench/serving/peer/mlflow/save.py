"""Saves the model in MLflow's own ONNX flavour, with the threads that every subject is given."""

import os
import shutil

import mlflow
import onnx

folder = os.environ["BENCH_FOLDER"]
shutil.rmtree(folder, ignore_errors=True)
mlflow.onnx.save_model(
    onnx.load(os.environ["BENCH_MODEL"]),
    folder,
    onnx_execution_providers=["CPUExecutionProvider"],
    onnx_session_options={
        "execution_mode": "sequential",
        "graph_optimization_level": 99,
        "intra_op_num_threads": 1,
        "inter_op_num_threads": 1,
        "extra_session_config": {"session.intra_op.allow_spinning": "0"},
    },
)
