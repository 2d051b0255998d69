import os

import litserve as ls
import numpy as np
from graph import Graph

BATCH = int(os.environ["BENCH_BATCH"])


class OnnxAPI(ls.LitAPI):
    def setup(self, device) -> None:
        self._graph = Graph()

    def decode_request(self, request):
        return np.asarray(request["input"], dtype=np.float32)

    def predict(self, rows):
        return self._graph.run(rows)

    def encode_response(self, output):
        return {"output": output.tolist()}


class BatchedOnnxAPI(OnnxAPI):
    def batch(self, inputs):
        return np.concatenate(inputs)

    def unbatch(self, output):
        return [output[index : index + 1] for index in range(len(output))]


if __name__ == "__main__":
    api = OnnxAPI() if BATCH == 1 else BatchedOnnxAPI(max_batch_size=BATCH, batch_timeout=0.0)
    server = ls.LitServer(
        api, accelerator="cpu", workers_per_device=int(os.environ["BENCH_WORKERS"]), fast_queue=True
    )
    server.run(
        host="127.0.0.1",
        port=int(os.environ["BENCH_PORT"]),
        num_api_servers=int(os.environ["BENCH_WORKERS"]),
        log_level="error",
        generate_client_file=False,
    )
