"""KServe's own client over HTTP: its second protocol, and its first."""

import asyncio

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput
from seen import ADDRESS, AUTHORIZATION, ECHO_ROWS, column, rows_of, saw, see_soon


def infer_input(name, values, datatype="FP32", binary=False):
    made = InferInput(name, list(values.shape), datatype)
    made.set_data_from_numpy(values, binary_data=binary)
    return made


def request(model="ratio", inputs=None, binary=False, **more):
    if inputs is None:
        inputs = [
            infer_input("numerator", column(6, 1), binary=binary),
            infer_input("denominator", column(3, 4), binary=binary),
        ]
    return InferRequest(model_name=model, infer_inputs=inputs, **more)


def answered(response):
    outputs = {output.name: output.as_numpy() for output in response.outputs}
    return {"id": response.id, "model": response.model_name, "version": response.model_version, "outputs": outputs}


async def second():
    async with InferenceRESTClient(RESTConfig(protocol="v2", retries=0)) as client:

        async def infer(made, model="ratio", headers=AUTHORIZATION):
            return answered(await client.infer(ADDRESS, made, model_name=model, headers=dict(headers)))

        async def echo(binary):
            # It takes no halves in JSON, and gives none.
            forms = {datatype: binary or datatype == "FP16" for datatype in ECHO_ROWS}
            inputs = [
                infer_input(f"{datatype.lower()}_in", rows_of(datatype), datatype, is_binary)
                for datatype, is_binary in forms.items()
            ]
            outputs = [
                RequestedOutput(f"{datatype.lower()}_out", {"binary_data": is_binary})
                for datatype, is_binary in forms.items()
            ]
            return await infer(request("echo", inputs, request_outputs=outputs), "echo")

        await see_soon("live", lambda: client.is_server_live(ADDRESS))
        await see_soon("ready", lambda: client.is_server_ready(ADDRESS))
        await see_soon("model ready", lambda: client.is_model_ready(ADDRESS, "ratio", headers=AUTHORIZATION))
        await see_soon("unknown model ready", lambda: client.is_model_ready(ADDRESS, "nobody", headers=AUTHORIZATION))
        await see_soon("json", lambda: infer(request(request_id="a")))
        await see_soon("binary", lambda: infer(request(binary=True)))
        await see_soon(
            "binary both ways", lambda: infer(request(binary=True, parameters={"binary_data_output": True}))
        )
        await see_soon("echo in JSON", lambda: echo(False))
        await see_soon("echo in binary", lambda: echo(True))
        await see_soon("unknown model", lambda: infer(request("nobody"), "nobody"))
        wide = infer_input("numerator", np.zeros((2, 2), np.float32))
        await see_soon("wrong shape", lambda: infer(request(inputs=[wide, infer_input("denominator", column(3, 4))])))
        await see_soon("without a key", lambda: infer(request(), headers={}))


async def first():
    async with InferenceRESTClient(RESTConfig(protocol="v1", retries=0)) as client:
        rows = {"instances": [{"numerator": 6, "denominator": 3}, {"numerator": 1, "denominator": 4}]}
        await see_soon(
            "first protocol", lambda: client.infer(ADDRESS, rows, model_name="ratio", headers=AUTHORIZATION)
        )
        await see_soon("first protocol, ready", lambda: client.is_model_ready(ADDRESS, "ratio", headers=AUTHORIZATION))
        await see_soon(
            "first protocol, unknown model",
            lambda: client.infer(ADDRESS, rows, model_name="nobody", headers=AUTHORIZATION),
        )


async def main():
    await second()
    await first()
    saw("end", True)


asyncio.run(main())
