"""What must be true of a candidate before its files are written. Each breach ends the run."""

import numpy as np
import onnx
import onnxruntime

from candidates import is_borderline
from rows import has_zero_concavity

TOLERANCE = 1e-5
SIZE_LIMIT_BYTES = 1_000_000
DOMAINS = {"", "ai.onnx.ml"}
SIGNATURE = [("features", "tensor(float)", ["batch", 30]), ("score", "tensor(float)", ["batch", 1])]


class Unproven(Exception):
    pass


def prove_candidate(candidate, rows):
    session = open_session(candidate.model)
    prove_form(candidate, session)
    everything = rows.held_out.features
    served = serve(session, everything)
    prove_finite(candidate, served, everything)
    answered = np.isfinite(served)
    error = np.abs(served - candidate.answer(everything))[answered].max()
    require(error <= TOLERANCE, candidate, f"differs from scikit-learn by {error}")
    alone = np.concatenate([serve(session, row[None]) for row in everything])
    drift = np.abs(alone - served)[answered].max()
    require(drift <= TOLERANCE, candidate, f"answers a row alone otherwise by {drift}")
    require((np.isfinite(alone) == answered).all(), candidate, "has NaN by batch, not by row")
    return max(error, drift)


def prove_form(candidate, session):
    put = [*session.get_inputs(), *session.get_outputs()]
    signature = [(one.name, one.type, one.shape) for one in put]
    require(signature == SIGNATURE, candidate, f"has signature {signature}")
    opsets = onnx.load_from_string(candidate.model).opset_import
    domains = {opset.domain for opset in opsets}
    require(domains <= DOMAINS, candidate, f"uses operators of {domains}")
    require(len(candidate.model) < SIZE_LIMIT_BYTES, candidate, "is too large")


def prove_finite(candidate, served, features):
    unanswered = np.isnan(served)
    expected = has_zero_concavity(features) & (not candidate.answers_every_row)
    require((unanswered == expected).all(), candidate, f"is NaN on {unanswered.sum()} rows")
    inside = (served[~unanswered] >= 0) & (served[~unanswered] <= 1)
    require(inside.all(), candidate, "gives a score that is no probability")


def prove_traffic(candidate, rows):
    """Enough borderline rows to be felt in the slow tail, few enough to leave the median alone."""
    ratio = is_borderline(candidate.answer(rows.held_out.features)).mean()
    require(0.08 <= ratio <= 0.15, candidate, f"finds {ratio:.1%} of the rows borderline")


def prove_improvement(good, better):
    (good_auc, good_loss), (better_auc, better_loss) = (
        [entry["value"] for entry in evaluation] for evaluation in (good, better)
    )
    if better_auc <= good_auc or better_loss >= good_loss:
        raise Unproven("better: is not better than good")


def require(holds, candidate, complaint):
    if not holds:
        raise Unproven(f"{candidate.id}: {complaint}")


def open_session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def serve(session, features):
    return session.run(["score"], {"features": features})[0][:, 0]
