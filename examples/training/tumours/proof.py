"""What must be true of these candidates beside what must be true of any."""

import numpy as np

from proof import prove_form, prove_parity, require, serve_all
from tumours.candidates import is_borderline
from tumours.rows import has_zero_concavity
from version import Form

FORM = Form(input="features", width=30, output="score", answers=1)


def prove_candidate(candidate, rows):
    everything = rows.held_out.features
    prove_form(candidate.id, candidate.model, FORM)
    expected = candidate.answer(everything)
    if not candidate.answers_every_row:
        expected = np.where(has_zero_concavity(everything), np.nan, expected)
    error = prove_parity(candidate.id, candidate.model, everything, expected[:, None])
    served = serve_all(candidate.model, everything)
    inside = np.isnan(served) | ((served >= 0) & (served <= 1))
    require(inside.all(), candidate.id, "gives a score that is no probability")
    return error


def prove_traffic(candidate, rows):
    """Enough borderline rows to be felt in the slow tail, few enough to leave the median alone."""
    ratio = is_borderline(candidate.answer(rows.held_out.features)).mean()
    require(0.08 <= ratio <= 0.15, candidate.id, f"finds {ratio:.1%} of the rows borderline")
