import os
import uuid

from graph import Graph
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer


class OnnxModel(Model):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.load()

    def load(self) -> bool:
        self._graph = Graph()
        self.ready = True
        return self.ready

    def predict(self, payload: InferRequest, headers=None, response_headers=None) -> InferResponse:
        rows = self._graph.run(payload.inputs[0].as_numpy())
        output = InferOutput("output", list(rows.shape), "FP32")
        output.set_data_from_numpy(rows, binary_data=payload.use_binary_outputs)
        return InferResponse(
            response_id=payload.id or str(uuid.uuid4()),
            model_name=self.name,
            infer_outputs=[output],
            use_binary_outputs=payload.use_binary_outputs,
        )

    # Workers are processes that get the model by value; a graph is opened anew in each.
    def __getstate__(self):
        return {name: value for name, value in self.__dict__.items() if name != "_graph"}

    def __setstate__(self, state) -> None:
        self.__dict__.update(state)
        self._graph = Graph()


if __name__ == "__main__":
    server = ModelServer(
        http_port=int(os.environ["BENCH_PORT"]),
        workers=int(os.environ["BENCH_WORKERS"]),
        enable_grpc=False,
        enable_latency_logging=False,
    )
    server.start([OnnxModel(os.environ["BENCH_NAME"])])
