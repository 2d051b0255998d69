"""MLflow's own scoring client, and TensorFlow Serving's REST API as its documents call it, with requests."""

import json

import numpy as np
import pandas as pd
import requests
from mlflow.pyfunc.scoring_server.client import ScoringServerClient
from seen import ADDRESS, AUTHORIZATION, HOST, saw, see

# MLflow's client has no word for a key: what stands before a server in a mesh adds it there, and here each of its
# requests carries it by default.
defaults = requests.sessions.default_headers
requests.sessions.default_headers = lambda: {**defaults(), **AUTHORIZATION}

host, port = HOST.split(":")
server = ScoringServerClient(host, port)
# The only model of a server is at /invocations; of several, each has its own.
model = ScoringServerClient(host, f"{port}/models/ratio")
version = ScoringServerClient(host, f"{port}/models/ratio/versions/1.1.0")

frame = pd.DataFrame({"numerator": [6, 1], "denominator": [3, 4]})


def scored(client, data, **more):
    return client.invoke(data, **more).get_predictions(predictions_format="ndarray")


see("ping", server.ping)
see("version of the server", server.get_version)
see("several models", lambda: scored(server, frame))
see("data frame", lambda: scored(model, frame))
see("data frame, columns the other way round", lambda: scored(version, frame[["denominator", "numerator"]]))
# What is text already goes out as it is; its own way from a dictionary of arrays does not work in this version.
see("tensors by name", lambda: scored(model, json.dumps({"inputs": {"numerator": [6, 1], "denominator": [3, 4]}})))
see("records", lambda: scored(model, json.dumps({"dataframe_records": frame.to_dict(orient="records")})))
see("predictions as a data frame", lambda: model.invoke(frame).get_predictions().to_numpy())
see("wrong column", lambda: scored(model, frame.rename(columns={"numerator": "numerater"})))
see("missing value", lambda: scored(model, frame.astype(float).replace(6, np.nan)))
see("params", lambda: scored(model, frame, params={"temperature": 1}))


def call(verb, path, **more):
    response = requests.request(verb, f"{ADDRESS}/v1/models/{path}", timeout=20, **more)
    return {"status": response.status_code, "body": response.json()}


rows = [{"numerator": 6, "denominator": 3}, {"numerator": 1, "denominator": 4}]
columns = {"numerator": [6, 1], "denominator": [3, 4]}

see("tf by rows", lambda: call("POST", "ratio:predict", json={"instances": rows}))
see("tf by columns", lambda: call("POST", "ratio:predict", json={"inputs": columns}))
see(
    "tf signature and version",
    lambda: call(
        "POST", "ratio/versions/1.1.0:predict", json={"signature_name": "serving_default", "instances": rows}
    ),
)
see("tf status", lambda: call("GET", "ratio"))
see("tf status of a version", lambda: call("GET", "ratio/versions/1.1.0"))
see("tf metadata", lambda: call("GET", "ratio/metadata"))
see("tf unknown model", lambda: call("POST", "nobody:predict", json={"instances": rows}))
see("tf both forms at once", lambda: call("POST", "ratio:predict", json={"instances": rows, "inputs": columns}))
see("tf uneven rows", lambda: call("POST", "ratio:predict", json={"inputs": {"numerator": [6, 1], "denominator": [3]}}))
saw("end", True)
