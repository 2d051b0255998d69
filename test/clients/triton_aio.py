"""NVIDIA's asynchronous client over HTTP. Its library asks for compressed answers by itself."""

import asyncio

import tritonclient.http.aio as client
from seen import AUTHORIZATION, ECHO_ROWS, HOST, MANY_ROWS, column, many_rows_of, plain, saw, see_soon


def ratio(binary=True):
    inputs = []
    for name, values in (("numerator", column(6, 1)), ("denominator", column(3, 4))):
        made = client.InferInput(name, [2, 1], "FP32")
        made.set_data_from_numpy(values, binary_data=binary)
        inputs.append(made)
    return inputs


async def main():
    async with client.InferenceServerClient(HOST) as server:
        keyed = {"headers": AUTHORIZATION}

        async def infer(binary=True, model="ratio", **more):
            outputs = [client.InferRequestedOutput("ratio", binary_data=binary)]
            result = await server.infer(model, ratio(binary), outputs=outputs, headers=dict(AUTHORIZATION), **more)
            return result.as_numpy("ratio")

        async def many():
            return await asyncio.gather(*(infer(binary=turn % 2 == 0) for turn in range(8)))

        async def large(binary=True, **more):
            """With whatever it accepts by itself, where no algorithm is named."""
            inputs, outputs = [], []
            for datatype in ECHO_ROWS:
                made = client.InferInput(f"{datatype.lower()}_in", [MANY_ROWS, 2], datatype)
                made.set_data_from_numpy(many_rows_of(datatype), binary_data=binary)
                inputs.append(made)
                outputs.append(client.InferRequestedOutput(f"{datatype.lower()}_out", binary_data=binary))
            result = await server.infer("echo", inputs, outputs=outputs, headers=dict(AUTHORIZATION), **more)
            # Text is bytes where it came in binary, and str where it came in JSON.
            return all(
                plain(result.as_numpy(f"{datatype.lower()}_out")) == plain(many_rows_of(datatype))
                for datatype in ECHO_ROWS
            )

        await see_soon("live", server.is_server_live)
        await see_soon("ready", server.is_server_ready)
        await see_soon("model ready", lambda: server.is_model_ready("ratio", **keyed))
        await see_soon("server metadata", lambda: server.get_server_metadata(**keyed))
        await see_soon("model metadata", lambda: server.get_model_metadata("echo", **keyed))
        await see_soon("config", lambda: server.get_model_config("echo", **keyed))
        await see_soon("statistics", lambda: server.get_inference_statistics("ratio", **keyed))
        await see_soon("index", lambda: server.get_model_repository_index(**keyed))
        await see_soon("binary", infer)
        await see_soon("json", lambda: infer(binary=False))
        await see_soon("many at once", many)
        await see_soon("large", large)
        await see_soon("large in JSON", lambda: large(binary=False))
        for algorithm in ("gzip", "deflate"):
            await see_soon(f"request as {algorithm}", lambda: infer(request_compression_algorithm=algorithm))
            await see_soon(f"answer as {algorithm}", lambda: large(response_compression_algorithm=algorithm))
        await see_soon("unknown model", lambda: infer(model="nobody"))
        await see_soon("load", lambda: server.load_model("ratio", **keyed))
    saw("end", True)


asyncio.run(main())
