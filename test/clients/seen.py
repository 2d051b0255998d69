"""What a program saw, one JSON object a line on its standard output; the tests beside it judge.

    {"saw": "live", "value": true}
    {"saw": "live", "refused": {"type": "InferenceServerException", "message": "…", "status": "400"}}
"""

import json
import math
import os

import numpy as np

ADDRESS = os.environ["SERVING_ADDRESS"]
GRPC_ADDRESS = os.environ["SERVING_GRPC_ADDRESS"]
KEY = os.environ["SERVING_KEY"]
HOST = ADDRESS.removeprefix("http://")
AUTHORIZATION = {"authorization": f"Bearer {KEY}"}

# Two rows of each datatype, as the tests want them back: {"FP32": [0.5, …], …}; 64-bit integers are text.
ECHO_ROWS = json.loads(os.environ["SERVING_ECHO_ROWS"])


def saw(name, value):
    print(json.dumps({"saw": name, "value": plain(value)}, allow_nan=False), flush=True)


def see(name, look):
    """Calls `look` and tells what it gave, or how it was refused."""
    try:
        value = look()
    except Exception as error:
        refused(name, error)
    else:
        saw(name, value)


async def see_soon(name, look):
    try:
        value = await look()
    except Exception as error:
        refused(name, error)
    else:
        saw(name, value)


def refused(name, error):
    told = {"type": type(error).__name__, "message": str(error)}
    if hasattr(error, "status"):
        told |= {"status": error.status(), "message": error.message()}
    elif hasattr(error, "details"):
        told |= {"status": str(error.code()), "message": error.details()}
    print(json.dumps({"saw": name, "refused": told}), flush=True)


def plain(value):
    """As JSON that every reader takes exactly: integers beyond 2^53 and what is no number as text."""
    if isinstance(value, np.ndarray):
        return {"dtype": str(value.dtype), "shape": list(value.shape), "data": plain(value.ravel().tolist())}
    if isinstance(value, (bytes, np.bytes_)):
        return value.decode()
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value) if abs(int(value)) <= 2**53 else str(int(value))
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return value


def rows_of(datatype):
    """Of `ECHO_ROWS`, as numpy has them: [2, 2]."""
    values = ECHO_ROWS[datatype]
    if datatype == "BYTES":
        return np.array([value.encode() for value in values], dtype=np.object_).reshape(2, 2)
    if datatype in ("INT64", "UINT64"):
        values = [int(value) for value in values]
    return np.array(values, dtype=NUMPY[datatype]).reshape(2, 2)


def many_rows_of(datatype):
    """Enough for an answer of tens of kilobytes, so that it is worth compressing."""
    return np.tile(rows_of(datatype), (MANY_ROWS // 2, 1))


MANY_ROWS = 800

NUMPY = {
    "BOOL": np.bool_,
    "UINT8": np.uint8,
    "UINT16": np.uint16,
    "UINT32": np.uint32,
    "UINT64": np.uint64,
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
}


def column(*values):
    return np.array(values, dtype=np.float32).reshape(-1, 1)
