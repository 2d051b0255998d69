"""The files others read. All numbers are float32, in the fewest digits that read back the same."""

import hashlib
import json

import numpy as np
import sklearn

FRAMEWORK = {"name": "scikit-learn", "version": sklearn.__version__}


def write_rows(folder, rows):
    write(folder / "everyday.csv", make_csv(rows.names, rows.everyday.features))
    write(folder / "all.csv", make_csv(rows.names, rows.held_out.features))


def write_candidate(folder, candidate, rows, evaluation):
    features = rows.samples.features
    table = np.column_stack([features, answers(candidate, features)])
    facts = {
        "framework": FRAMEWORK,
        "parameters": candidate.parameters,
        "evaluation": evaluation,
        "lineage": {"datasets": [training_set(rows.train)]},
    }
    write(folder / "model.onnx", candidate.model)
    write(folder / "samples.csv", make_csv([*rows.names, "score"], table))
    write(folder / "facts.json", json.dumps(facts, indent=2).encode() + b"\n")


def write_first_version(folder, candidate, rows, evaluation):
    golden = make_golden(rows.samples.features, answers(candidate, rows.samples.features))
    write(folder / "model.onnx", candidate.model)
    write(folder / "golden.json", golden)
    manifest = make_manifest(candidate, golden, training_set(rows.train), evaluation)
    write(folder / "version.yaml", manifest.encode())


def make_csv(names, table):
    lines = [",".join(names), *(",".join(map(str, shortest(row))) for row in table)]
    return "\n".join(lines).encode() + b"\n"


def make_golden(features, scores):
    golden = {
        "inputs": {"features": tensor(features)},
        "outputs": {"score": tensor(scores[:, None])},
    }
    return json.dumps(golden, separators=(",", ":")).encode() + b"\n"


def tensor(values):
    return {"datatype": "FP32", "shape": list(values.shape), "data": shortest(values.ravel())}


def shortest(values):
    numbers = [float(str(value)) for value in values]
    if not (np.array(numbers, np.float32) == values).all():
        raise ValueError("a float32 does not survive being written")
    return numbers


def answers(candidate, features):
    return candidate.answer(features).astype(np.float32)


def training_set(train):
    return {
        "name": "breast-cancer",
        "role": "train",
        "rows": len(train.labels),
        "sha256": hashlib.sha256(train.features.tobytes()).hexdigest(),
    }


def make_manifest(candidate, golden, dataset, evaluation):
    parameters = ", ".join(f"{name}: {value}" for name, value in candidate.parameters.items())
    model, answered = stamp(candidate.model), stamp(golden)
    measured = "\n".join(f"  - {{ {describe(entry)} }}" for entry in evaluation)
    return f"""apiVersion: switchback/v1alpha1
kind: ModelVersion
artifacts:
  model.onnx: {{ {model} }}
  golden.json: {{ {answered}, tolerance: 0.00001, rows: public }}
signature:
  inputs: {{ features: {{ datatype: FP32, shape: [-1, 30] }} }}
  outputs: {{ score: {{ datatype: FP32, shape: [-1, 1] }} }}
framework: {{ name: {FRAMEWORK["name"]}, version: "{FRAMEWORK["version"]}" }}
parameters: {{ {parameters} }}
lineage:
  datasets: [{{ name: {dataset["name"]}, role: train, sha256: "{dataset["sha256"]}", rows: {dataset["rows"]} }}]
evaluation:
{measured}
"""


def stamp(content):
    return f'sha256: "{hashlib.sha256(content).hexdigest()}", size: {len(content)}'


def describe(entry):
    return ", ".join(f"{name}: {value}" for name, value in entry.items())


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
