"""NVIDIA's client over HTTP, as its documents show it."""

import numpy as np
import tritonclient.http as client
from seen import AUTHORIZATION, ECHO_ROWS, HOST, column, many_rows_of, rows_of, saw, see


def infer_input(name, values, datatype="FP32", binary=True):
    made = client.InferInput(name, list(values.shape), datatype)
    made.set_data_from_numpy(values, binary_data=binary)
    return made


def ratio(binary=True):
    return [
        infer_input("numerator", column(6, 1), binary=binary),
        infer_input("denominator", column(3, 4), binary=binary),
    ]


def ask(name, *, inputs=None, outputs=None, model="ratio", get="ratio", **more):
    """Sees the output, and the answer around it."""

    def look():
        result = server.infer(model, ratio() if inputs is None else inputs, outputs=outputs, headers=dict(AUTHORIZATION), **more)
        return {"answer": result.get_response(), "output": result.as_numpy(get)}

    see(name, look)


def echo(name, binary_in, binary_out):
    inputs = [
        infer_input(f"{datatype.lower()}_in", rows_of(datatype), datatype, binary_in(datatype))
        for datatype in ECHO_ROWS
    ]
    outputs = [
        client.InferRequestedOutput(f"{datatype.lower()}_out", binary_data=binary_out(datatype))
        for datatype in ECHO_ROWS
    ]

    def look():
        result = server.infer("echo", inputs, outputs=outputs, headers=dict(AUTHORIZATION))
        return {datatype: result.as_numpy(f"{datatype.lower()}_out") for datatype in ECHO_ROWS}

    see(name, look)


def is_floating(datatype):
    return datatype.startswith("FP")


server = client.InferenceServerClient(HOST, concurrency=4)
keyed = {"headers": AUTHORIZATION}

see("live", lambda: server.is_server_live())
see("ready", lambda: server.is_server_ready())
see("model ready", lambda: server.is_model_ready("ratio", **keyed))
see("version ready", lambda: server.is_model_ready("ratio", "1.1.0", **keyed))
see("unknown model ready", lambda: server.is_model_ready("nobody", **keyed))
see("server metadata", lambda: server.get_server_metadata(**keyed))
see("model metadata", lambda: server.get_model_metadata("ratio", **keyed))
see("version metadata", lambda: server.get_model_metadata("ratio", "1.1.0", **keyed))
see("config", lambda: server.get_model_config("ratio", **keyed))
see("statistics", lambda: server.get_inference_statistics("ratio", "1.0.0", **keyed))
see("index", lambda: server.get_model_repository_index(**keyed))

# Its defaults: inputs in binary, all outputs in binary.
ask("defaults")
ask("json", inputs=ratio(binary=False), outputs=[client.InferRequestedOutput("ratio", binary_data=False)])
ask("json in, binary out", inputs=ratio(binary=False), outputs=[client.InferRequestedOutput("ratio")])
ask("mixed", inputs=[ratio()[0], ratio(binary=False)[1]])
ask("identified", request_id="order 66", model_version="1.1.0")
ask("with parameters", priority=1, timeout=10_000_000, parameters={"tenant": "a", "trial": 3, "dry": True})
ask("classes", outputs=[client.InferRequestedOutput("ratio", class_count=1)])
echo("echo in binary", lambda _: True, lambda _: True)
echo("echo in JSON", lambda _: False, lambda _: False)
echo("echo, floats in binary, the rest in JSON", is_floating, is_floating)
echo("echo, floats in JSON, the rest in binary", lambda d: not is_floating(d), lambda d: not is_floating(d))

for algorithm in ("gzip", "deflate"):
    ask(f"request as {algorithm}", request_compression_algorithm=algorithm)

see("async", lambda: [
    pending.get_result().as_numpy("ratio")
    for pending in [server.async_infer("ratio", ratio(), headers=dict(AUTHORIZATION)) for _ in range(8)]
])

wide = infer_input("numerator", np.zeros((2, 2), np.float32))
ask("wrong shape", inputs=[wide, ratio()[1]])
ask("wrong datatype", inputs=[infer_input("numerator", np.zeros((2, 1), np.float64), "FP64"), ratio()[1]])
ask("wrong name", inputs=[infer_input("numerater", column(6, 1)), ratio()[1]])
ask("one input missing", inputs=ratio()[:1])
ask("unknown output", outputs=[client.InferRequestedOutput("ration")])
ask("unknown model", model="nobody")
ask("unknown version", model_version="9.9.9")
ask("sequence", sequence_id=5, sequence_start=True)
see("without a key", lambda: server.infer("ratio", ratio()))
see("load", lambda: server.load_model("ratio", **keyed))
see("unload", lambda: server.unload_model("ratio", **keyed))
see("shared memory", lambda: server.register_system_shared_memory("a", "/a", 8, **keyed))


def large(algorithm, model="echo"):
    """What the answer was encoded in as it came in, and whether it was the right one."""
    encodings = []
    post = server._post

    def heard(*given, **more):
        response = post(*given, **more)
        encodings.append(response.get("Content-Encoding"))
        return response

    server._post = heard
    try:
        inputs = [
            infer_input(f"{datatype.lower()}_in", many_rows_of(datatype), datatype) for datatype in ECHO_ROWS
        ]
        result = server.infer(
            model, inputs, headers=dict(AUTHORIZATION), response_compression_algorithm=algorithm
        )
        same = all(
            (result.as_numpy(f"{datatype.lower()}_out") == many_rows_of(datatype)).all() for datatype in ECHO_ROWS
        )
        return {"encodings": encodings, "same": bool(same)}
    finally:
        server._post = post


for algorithm in ("gzip", "deflate"):
    see(f"answer as {algorithm}", lambda: large(algorithm))
    see(f"refusal as {algorithm}", lambda: large(algorithm, model="nobody"))

server.close()
saw("end", True)
