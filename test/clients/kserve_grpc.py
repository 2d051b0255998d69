"""KServe's own client over gRPC. Its generated messages do not go together with NVIDIA's in one process."""

import asyncio
import logging

from kserve import InferenceGRPCClient, InferInput, InferRequest
from seen import AUTHORIZATION, ECHO_ROWS, GRPC_ADDRESS, column, rows_of, saw, see_soon

# It logs each refusal with its whole trace, and raises it as well.
logging.disable(logging.CRITICAL)


def infer_input(name, values, datatype="FP32", binary=True):
    made = InferInput(name, list(values.shape), datatype)
    made.set_data_from_numpy(values, binary_data=binary)
    return made


def request(model, inputs):
    return InferRequest(model_name=model, infer_inputs=inputs, request_id="a")


def ratio(binary=True):
    return [
        infer_input("numerator", column(6, 1), binary=binary),
        infer_input("denominator", column(3, 4), binary=binary),
    ]


async def main():
    keyed = {"headers": list(AUTHORIZATION.items())}
    async with InferenceGRPCClient(GRPC_ADDRESS, retries=0, timeout=20) as client:

        async def infer(model, inputs, keyed=keyed):
            response = await client.infer(request(model, inputs), **keyed)
            outputs = {output.name: output.as_numpy() for output in response.outputs}
            return {"id": response.id, "version": response.model_version, "outputs": outputs}

        def echo(binary):
            inputs = [
                infer_input(f"{datatype.lower()}_in", rows_of(datatype), datatype, binary)
                for datatype in ECHO_ROWS
                if binary or datatype != "FP16"
            ]
            return infer("echo" if binary else "echo-typed", inputs)

        await see_soon("live", client.is_server_live)
        await see_soon("ready", client.is_server_ready)
        await see_soon("model ready", lambda: client.is_model_ready("ratio", **keyed))
        await see_soon("raw", lambda: infer("ratio", ratio()))
        await see_soon("typed", lambda: infer("ratio", ratio(binary=False)))
        await see_soon("echo raw", lambda: echo(True))
        await see_soon("echo typed", lambda: echo(False))
        await see_soon("one input missing", lambda: infer("ratio", ratio()[:1]))
        await see_soon("unknown model", lambda: infer("nobody", ratio()))
        await see_soon("without a key", lambda: infer("ratio", ratio(), keyed={}))
    saw("end", True)


asyncio.run(main())
