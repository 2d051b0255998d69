"""The files others read. All numbers are float32, in the fewest digits that read back the same."""

import hashlib
import json

import numpy as np


def write_candidate(folder, version):
    table = np.column_stack([version.rows, answers(version)])
    header = [*version.columns, *version.form.answer_columns()]
    facts = {
        "framework": version.framework,
        "parameters": version.parameters,
        "evaluation": version.evaluation,
        "lineage": {"datasets": [version.dataset]},
    }
    write(folder / "model.onnx", version.model)
    write(folder / "samples.csv", make_csv(header, table))
    write(folder / "facts.json", json.dumps(facts, indent=2).encode() + b"\n")


def write_registered(folder, version):
    """A version as it stands in a model repository."""
    golden = make_golden(version)
    write(folder / "model.onnx", version.model)
    write(folder / "golden.json", golden)
    write(folder / "version.yaml", make_manifest(version, golden).encode())


def write_rows(path, names, rows):
    write(path, make_csv(names, rows))


def make_csv(names, table):
    lines = [",".join(names), *(",".join(map(str, shortest(row))) for row in table)]
    return "\n".join(lines).encode() + b"\n"


def make_golden(version):
    golden = {
        "inputs": {version.form.input: tensor(version.rows)},
        "outputs": {version.form.output: tensor(answers(version))},
    }
    return json.dumps(golden, separators=(",", ":")).encode() + b"\n"


def tensor(values):
    return {"datatype": "FP32", "shape": list(values.shape), "data": shortest(values.ravel())}


def shortest(values):
    numbers = [float(str(value)) for value in values]
    if not (np.array(numbers, np.float32) == values).all():
        raise ValueError("a float32 does not survive being written")
    return numbers


def answers(version):
    return version.answers.astype(np.float32).reshape(len(version.rows), version.form.answers)


def describe_training_set(name, features):
    return {
        "name": name,
        "role": "train",
        "rows": len(features),
        "sha256": hashlib.sha256(features.tobytes()).hexdigest(),
    }


def make_manifest(version, golden):
    form, framework, dataset = version.form, version.framework, version.dataset
    parameters = ", ".join(f"{name}: {value}" for name, value in version.parameters.items())
    model, answered = stamp(version.model), stamp(golden)
    measured = "\n".join(f"  - {{ {describe(entry)} }}" for entry in version.evaluation)
    return f"""apiVersion: switchback/v1alpha1
kind: ModelVersion
artifacts:
  model.onnx: {{ {model} }}
  golden.json: {{ {answered}, tolerance: 0.00001, rows: public }}
signature:
  inputs: {{ {form.input}: {{ datatype: FP32, shape: [-1, {form.width}] }} }}
  outputs: {{ {form.output}: {{ datatype: FP32, shape: [-1, {form.answers}] }} }}
framework: {{ name: {framework["name"]}, version: "{framework["version"]}" }}
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
