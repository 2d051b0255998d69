"""The wine versions: a small dense network, trained, asked and exported by Keras on TensorFlow.

`network.py FOLDER` reads rows.npz there and leaves, for each candidate, its graph, the framework's own answers to the
held-out rows, and what an author knows of it; it prints their ids.
"""

import json
import logging
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

# One order of additions whatever the processor can do, so that every machine trains the same weights.
os.environ.update(
    KERAS_BACKEND="tensorflow",
    TF_ENABLE_ONEDNN_OPTS="0",
    TF_CPP_MIN_LOG_LEVEL="3",
    CUDA_VISIBLE_DEVICES="",
)

import keras
import numpy as np
import tensorflow as tf
import tf2onnx
from keras import layers

OPSET = 17
WIDTH = 13
CLASSES = 3
SEED = 7


@dataclass(frozen=True)
class Parameters:
    hidden: int
    epochs: int
    weight_decay: float = 0.0
    activation: str = "softmax"
    learning_rate: float = 0.01
    seed: int = SEED


GOOD = Parameters(hidden=4, epochs=15)
BETTER = Parameters(hidden=16, epochs=40, weight_decay=0.02)
LOGITS = Parameters(hidden=16, epochs=40, weight_decay=0.01, activation="linear")
FRAMEWORK = {"name": "tensorflow", "version": f"{tf.__version__}, keras {keras.__version__}"}


def main(folder):
    # They advise on speed.
    logging.disable(logging.WARNING)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    rows = np.load(folder / "rows.npz")
    for id, parameters in {"good": GOOD, "better": BETTER, "logits": LOGITS}.items():
        trained = train(parameters, rows["train"], rows["labels"])
        weights = [each.astype(np.float32) for each in trained.get_weights()]
        answers = ask(parameters, rows["train"], weights, rows["held_out"])
        leave(folder, id, parameters, export(parameters, rows["train"], weights), answers)


def build(parameters, features, dtype):
    """13 measurements in, brought to mean 0 and deviation 1 of the training rows by the network itself."""
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    mean, deviation = (each(features, axis=0, dtype=np.float64) for each in (np.mean, np.std))
    scale, offset = (each.astype(dtype) for each in (1 / deviation, -mean / deviation))
    decay = keras.regularizers.L2(parameters.weight_decay)
    return keras.Sequential(
        [
            keras.Input((WIDTH,)),
            # Constants, unlike what a Normalization layer has adapted to, which the converter takes for inputs.
            layers.Rescaling(scale, offset),
            layers.Dense(parameters.hidden, activation="relu", kernel_regularizer=decay),
            layers.Dense(CLASSES, activation=parameters.activation, kernel_regularizer=decay),
        ]
    )


def train(parameters, features, labels):
    """In double precision: what two machines round differently is lost when the weights become float32."""
    keras.utils.set_random_seed(SEED)
    network = build(parameters, features, "float64")
    # Without softmax the loss takes logits, which is the steadier of the two.
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=parameters.activation == "linear"
    )
    network.compile(keras.optimizers.Adam(parameters.learning_rate), loss)
    network.fit(
        features.astype(np.float64), labels, batch_size=16, epochs=parameters.epochs, verbose=0
    )
    return network


def ask(parameters, features, weights, held_out):
    """The float32 weights that are exported, reckoned with in double precision."""
    network = build(parameters, features, "float64")
    network.set_weights(weights)
    return network.predict(held_out.astype(np.float64), verbose=0)


def export(parameters, features, weights):
    network = build(parameters, features, "float32")
    network.set_weights(weights)
    signature = [tf.TensorSpec([None, WIDTH], tf.float32, name="features")]

    @tf.function(input_signature=signature)
    def serve(features):
        return {"probabilities": network(features, training=False)}

    model, _ = tf2onnx.convert.from_function(serve, input_signature=signature, opset=OPSET)
    name_rows(model.graph)
    return model.SerializeToString(deterministic=True)


def name_rows(graph):
    """The converter counts open dimensions through; they are the rows of a batch."""
    for tensor in [*graph.input, *graph.output]:
        tensor.type.tensor_type.shape.dim[0].dim_param = "batch"


def leave(folder, id, parameters, model, answers):
    facts = {"framework": FRAMEWORK, "parameters": asdict(parameters)}
    (folder / f"{id}.onnx").write_bytes(model)
    np.save(folder / f"{id}.npy", answers)
    (folder / f"{id}.json").write_text(json.dumps(facts))
    print(id)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
