"""What must be true of any version before its files are written. Each breach ends the run."""

import numpy as np
import onnx
import onnxruntime

# Relative to values above one, as everybody else compares them.
TOLERANCE = 1e-5
SIZE_LIMIT_BYTES = 1_000_000
DOMAINS = {"", "ai.onnx.ml"}


class Unproven(Exception):
    pass


def require(holds, id, complaint):
    if not holds:
        raise Unproven(f"{id}: {complaint}")


def prove_form(id, model, form):
    session = open_session(model)
    put = [*session.get_inputs(), *session.get_outputs()]
    signature = [(one.name, one.type, one.shape) for one in put]
    expected = [
        (form.input, "tensor(float)", ["batch", form.width]),
        (form.output, "tensor(float)", ["batch", form.answers]),
    ]
    require(signature == expected, id, f"has signature {signature}")
    domains = {opset.domain for opset in onnx.load_from_string(model).opset_import}
    require(domains <= DOMAINS, id, f"uses operators of {domains}")
    require(len(model) < SIZE_LIMIT_BYTES, id, "is too large")


def prove_parity(id, model, rows, answers):
    """Rows without an answer are NaN in `answers`. The largest difference from the framework or from a batch."""
    together, alone = serve_all(model, rows), serve_each(model, rows)
    answered = np.isfinite(answers)
    require((np.isfinite(together) == answered).all(), id, "is NaN on other rows than it should")
    require((np.isfinite(alone) == answered).all(), id, "has NaN by batch, not by row")
    error = difference(together, answers)[answered].max()
    require(error <= TOLERANCE, id, f"differs from its framework by {error}")
    drift = difference(alone, together)[answered].max()
    require(drift <= TOLERANCE, id, f"answers a row alone otherwise by {drift}")
    return max(error, drift)


def differing_rows(served, answers):
    """Ratio of the rows that are not answered as the framework does."""
    return (difference(served, answers) > TOLERANCE).any(axis=1).mean()


def difference(got, wanted):
    return np.abs(got - wanted) / np.maximum(1, np.abs(wanted))


def serve_all(model, rows):
    return serve(open_session(model), rows)


def serve_each(model, rows):
    session = open_session(model)
    return np.concatenate([serve(session, row[None]) for row in rows])


def open_session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def serve(session, rows):
    return session.run(None, {session.get_inputs()[0].name: rows})[0]
