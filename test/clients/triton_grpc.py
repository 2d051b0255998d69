"""NVIDIA's client over gRPC, plain and asynchronous."""

import asyncio
import contextlib
import queue

import numpy as np
import tritonclient.grpc as client
import tritonclient.grpc.aio as soon
from seen import AUTHORIZATION, ECHO_ROWS, GRPC_ADDRESS, column, rows_of, saw, see, see_soon
from tritonclient.utils import InferenceServerException

PATIENCE_S = 20
CALLBACK_S = 5


def infer_input(name, values, datatype="FP32"):
    made = client.InferInput(name, list(values.shape), datatype)
    made.set_data_from_numpy(values)
    return made


def ratio():
    return [infer_input("numerator", column(6, 1)), infer_input("denominator", column(3, 4))]


def ask(name, *, inputs=None, model="ratio", **more):
    def look():
        result = server.infer(
            model, ratio() if inputs is None else inputs, headers=AUTHORIZATION, client_timeout=PATIENCE_S, **more
        )
        return {"answer": result.get_response(as_json=True), "output": result.as_numpy("ratio")}

    see(name, look)


def echo():
    inputs = [infer_input(f"{datatype.lower()}_in", rows_of(datatype), datatype) for datatype in ECHO_ROWS]
    result = server.infer("echo", inputs, headers=AUTHORIZATION, client_timeout=PATIENCE_S)
    return {datatype: result.as_numpy(f"{datatype.lower()}_out") for datatype in ECHO_ROWS}


def told_to_callback(begin):
    """What a call gives to its callback: a result or an error."""
    told = queue.Queue()
    begin(lambda result, error: told.put((result, error)))
    try:
        result, error = told.get(timeout=CALLBACK_S)
    except queue.Empty:
        raise TimeoutError(f"nothing was told within {CALLBACK_S} s") from None
    if error is not None:
        raise error
    return result.as_numpy("ratio")


def stream():
    def begin(callback):
        server.start_stream(callback, headers=AUTHORIZATION)
        # Refused as soon as it is open, maybe before anything is sent: why is told to the callback either way.
        with contextlib.suppress(InferenceServerException):
            server.async_stream_infer("ratio", ratio())

    try:
        return told_to_callback(begin)
    finally:
        server.stop_stream()


server = client.InferenceServerClient(GRPC_ADDRESS)
keyed = {"headers": AUTHORIZATION, "client_timeout": PATIENCE_S}
told = {**keyed, "as_json": True}

see("live", server.is_server_live)
see("ready", server.is_server_ready)
see("model ready", lambda: server.is_model_ready("ratio", **keyed))
see("version ready", lambda: server.is_model_ready("ratio", "1.1.0", **keyed))
see("server metadata", lambda: server.get_server_metadata(**told))
see("model metadata", lambda: server.get_model_metadata("ratio", **told))
see("config", lambda: server.get_model_config("ratio", **told))
see("statistics", lambda: server.get_inference_statistics("ratio", "1.0.0", **told))
see("index", lambda: server.get_model_repository_index(**told))

ask("defaults")
ask("identified", request_id="order 66", model_version="1.1.0")
ask("with parameters", priority=1, timeout=10_000_000, parameters={"tenant": "a", "trial": 3, "dry": True})
ask("only what is asked for", outputs=[client.InferRequestedOutput("ratio")])
ask("classes", outputs=[client.InferRequestedOutput("ratio", class_count=1)])
ask("compressed with gzip", compression_algorithm="gzip")
ask("compressed with deflate", compression_algorithm="deflate")
see("echo", echo)
see("async", lambda: told_to_callback(
    lambda callback: server.async_infer("ratio", ratio(), callback, headers=AUTHORIZATION)
))
see("stream", stream)

ask("wrong shape", inputs=[infer_input("numerator", np.zeros((2, 2), np.float32)), ratio()[1]])
ask("wrong datatype", inputs=[infer_input("numerator", np.zeros((2, 1), np.float64), "FP64"), ratio()[1]])
ask("wrong name", inputs=[infer_input("numerater", column(6, 1)), ratio()[1]])
ask("unknown model", model="nobody")
ask("unknown version", model_version="9.9.9")
see("without a key", lambda: server.infer("ratio", ratio(), client_timeout=PATIENCE_S))
see("load", lambda: server.load_model("ratio", **keyed))
see("unload", lambda: server.unload_model("ratio", **keyed))
see("trace settings", lambda: server.get_trace_settings(**keyed))
see("shared memory", lambda: server.get_system_shared_memory_status(**keyed))
server.close()


async def later():
    async with soon.InferenceServerClient(GRPC_ADDRESS) as server:

        async def infer():
            result = await server.infer("ratio", ratio(), headers=AUTHORIZATION, client_timeout=PATIENCE_S)
            return result.as_numpy("ratio")

        async def many():
            return await asyncio.gather(*(infer() for _ in range(8)))

        await see_soon("aio live", server.is_server_live)
        await see_soon("aio metadata", lambda: server.get_model_metadata("ratio", **told))
        await see_soon("aio many at once", many)


asyncio.run(later())
saw("end", True)
