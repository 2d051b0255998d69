"""The tumour versions, trained by scikit-learn in this very process."""

import sklearn

from evaluation import prove_improvement
from outputs import describe_training_set, write_candidate, write_registered, write_rows
from tumours.candidates import make_candidates
from tumours.evaluation import evaluate
from tumours.latency import measure_latency
from tumours.proof import FORM, prove_candidate, prove_traffic
from tumours.rows import read_rows
from version import Version

MODELS = ["screening", "triage", "second-opinion"]
FRAMEWORK = {"name": "scikit-learn", "version": sklearn.__version__}


def make_proven():
    """What writes the files, once everything else has been proven too."""
    rows = read_rows()
    candidates = {candidate.id: candidate for candidate in make_candidates(rows.train)}
    evaluations = {id: evaluate(candidate, rows) for id, candidate in candidates.items()}
    for id, candidate in candidates.items():
        error = prove_candidate(candidate, rows)
        report(candidate, evaluations[id], error, rows)
    prove_improvement("better", evaluations["good"], evaluations["better"])
    prove_traffic(candidates["better"], rows)
    versions = {
        id: make_version(candidate, evaluations[id], rows) for id, candidate in candidates.items()
    }
    return lambda examples: write(examples, versions, rows)


def make_version(candidate, evaluation, rows):
    return Version(
        form=FORM,
        model=candidate.model,
        framework=FRAMEWORK,
        parameters=candidate.parameters,
        evaluation=evaluation,
        dataset=describe_training_set("breast-cancer", rows.train.features),
        columns=rows.names,
        rows=rows.samples.features,
        answers=candidate.answer(rows.samples.features),
    )


def write(examples, versions, rows):
    write_rows(examples / "rows" / "everyday.csv", rows.names, rows.everyday.features)
    write_rows(examples / "rows" / "all.csv", rows.names, rows.held_out.features)
    for id, version in versions.items():
        write_candidate(examples / "candidates" / id, version)
    for model in MODELS:
        folder = examples / "model-repo" / "models" / model / "versions" / "1.0.0"
        write_registered(folder, versions["good"])


def report(candidate, evaluation, error, rows):
    metrics = " ".join(f"{entry['metric']} {entry['value']:.6f}" for entry in evaluation)
    plain_ms, borderline_ms = measure_latency(candidate, rows.held_out.features)
    print(
        f"{candidate.id:17} {metrics} {len(candidate.model)} bytes, parity {error:.1e}, "
        f"plain row {plain_ms:.3f} ms, borderline row {borderline_ms:.3f} ms"
    )
