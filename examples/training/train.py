"""Trains the example versions, proves each of them, and writes the files others replay."""

from pathlib import Path

from candidates import make_candidates
from evaluation import evaluate
from latency import measure_latency
from outputs import write_candidate, write_first_version, write_rows
from proof import prove_candidate, prove_improvement, prove_traffic
from rows import read_rows

EXAMPLES = Path(__file__).resolve().parents[1]
SERVICES = ["screening", "triage", "second-opinion"]


def main():
    rows = read_rows()
    candidates = {candidate.id: candidate for candidate in make_candidates(rows.train)}
    evaluations = {id: evaluate(candidate, rows) for id, candidate in candidates.items()}
    for id, candidate in candidates.items():
        error = prove_candidate(candidate, rows)
        report(candidate, evaluations[id], error, rows)
    prove_improvement(evaluations["good"], evaluations["better"])
    prove_traffic(candidates["better"], rows)
    write_everything(candidates, evaluations, rows)


def write_everything(candidates, evaluations, rows):
    write_rows(EXAMPLES / "rows", rows)
    for id, candidate in candidates.items():
        write_candidate(EXAMPLES / "candidates" / id, candidate, rows, evaluations[id])
    for service in SERVICES:
        folder = EXAMPLES / "model-repo" / "models" / service / "versions" / "1.0.0"
        write_first_version(folder, candidates["good"], rows, evaluations["good"])


def report(candidate, evaluation, error, rows):
    metrics = " ".join(f"{entry['metric']} {entry['value']:.6f}" for entry in evaluation)
    plain_ms, borderline_ms = measure_latency(candidate, rows.held_out.features)
    print(
        f"{candidate.id:7} {metrics} {len(candidate.model)} bytes, parity {error:.1e}, "
        f"plain row {plain_ms:.3f} ms, borderline row {borderline_ms:.3f} ms"
    )


if __name__ == "__main__":
    main()
