"""Single-row latency. Printed only: no output file may depend on the machine."""

import statistics
import time

from proof import open_session, serve
from tumours.candidates import is_borderline

REPEATS = 20


def measure_latency(candidate, features):
    session = open_session(candidate.model)
    borderline = is_borderline(candidate.answer(features))
    return median_ms(session, features[~borderline]), median_ms(session, features[borderline])


def median_ms(session, features):
    row = features[:1]
    serve(session, row)
    return statistics.median(time_ms(session, row) for _ in range(REPEATS))


def time_ms(session, row):
    start = time.perf_counter()
    serve(session, row)
    return (time.perf_counter() - start) * 1000
