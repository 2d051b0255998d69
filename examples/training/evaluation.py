"""Metrics in the words of a version manifest."""

from proof import require


def metric(name, value, better, on):
    return {"metric": name, "value": round(float(value), 6), "on": on, "better": better}


def prove_improvement(id, before, after):
    """Higher where higher is better, and lower where lower is."""
    for old, new in zip(before, after, strict=True):
        gain = new["value"] - old["value"] if new["better"] == "higher" else old["value"] - new["value"]
        require(gain > 0, id, f"has no better {new['metric']} than the version before")
