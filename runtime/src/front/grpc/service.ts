import type {
  handleUnaryCall,
  ServerUnaryCall,
  sendUnaryData,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Backend, ModelStatistics, RepositoryIndex, TensorSpec } from '@switchback-ml/schemas';
import { SwitchbackError } from '../../error.ts';
import type { Inference } from '../../inference/inference.ts';
import type { Log } from '../../log.ts';
import { BUILD } from '../../telemetry/build.ts';
import { known } from '../answering.ts';
import { EXTENSIONS } from '../protocol/v2/extensions.ts';
import { modelConfig } from '../protocol/v2/model-config.ts';
import type { V2Options } from '../protocol/v2/routes.ts';
import { versionState } from '../protocol/v2/version-state.ts';
import { metadataOfAnswered } from './answered-by.ts';
import { refusal } from './refusal.ts';

export type ServiceOptions = Omit<V2Options, 'keys'> & { log: Log };

interface ModelRequest {
  name: string;
  /** Empty: none. */
  version: string;
}

/** The calls of GRPCInferenceService besides ModelInfer: what there is, and whether it is ready. */
export function inferenceService(options: ServiceOptions): UntypedServiceImplementation {
  const { inference, readiness } = options;
  const toldBy = metadataOfAnswered(options.commit);
  const backendOf: BackendOf = ({ name, version }, call) => {
    const backend = inference.describe(name, version === '' ? null : version);
    if (backend instanceof SwitchbackError) throw backend;
    call.sendMetadata(toldBy(backend));
    return backend;
  };
  const offer = <Request>(reply: (request: Request, call: Call<Request>) => object) =>
    answered(options.log, reply);
  return {
    ServerLive: offer(() => ({ live: true })),
    ServerReady: offer(() => ({ ready: readiness().isReady })),
    ServerMetadata: offer(() => ({ name: 'switchback', version: BUILD.version, extensions: EXTENSIONS })),
    ModelReady: offer((request: ModelRequest, call) => {
      const backend = backendOf(request, call);
      return { ready: options.isReady(request.name, backend) };
    }),
    ModelMetadata: offer((request: ModelRequest, call) => {
      const { signature } = backendOf(request, call);
      return {
        name: request.name,
        versions: inference.versions(request.name),
        platform: 'onnx_onnxv1',
        inputs: tensors(signature.inputs),
        outputs: tensors(signature.outputs),
      };
    }),
    ModelConfig: offer((request: ModelRequest, call) => ({
      config: modelConfig(request.name, backendOf(request, call)),
    })),
    ModelStatistics: offer((request: ModelRequest) => ({ model_stats: statistics(options, request) })),
    RepositoryIndex: offer(({ ready }: { ready: boolean }) => ({ models: index(options, ready) })),
  };
}

type Call<Request> = ServerUnaryCall<Request, object>;
/** Which one is meant, named in the metadata of the answer. Throws E_MODEL_UNKNOWN. */
type BackendOf = (request: ModelRequest, call: Pick<Call<never>, 'sendMetadata'>) => Backend;

/** Errors become statuses. */
function answered<Request>(
  log: Log,
  reply: (request: Request, call: Call<Request>) => object,
): handleUnaryCall<Request, object> {
  return (call: Call<Request>, respond: sendUnaryData<object>) => {
    try {
      respond(null, reply(call.request, call));
    } catch (thrown) {
      respond(refusal(known(thrown, log), null));
    }
  };
}

function tensors(specs: Record<string, TensorSpec>): object[] {
  return Object.entries(specs).map(([name, { datatype, shape }]) => ({ name, datatype, shape }));
}

/** Of the version named, else of each one there is; of every model where none is named. */
function statistics(
  { inference, stats }: ServiceOptions,
  { name, version }: ModelRequest,
): ModelStatistics[] {
  const models = name === '' ? inference.models() : [name];
  return models.flatMap(model => {
    const asked = inference.describe(model, version === '' ? null : version);
    if (asked instanceof SwitchbackError) throw asked;
    const backends = version === '' ? backendsOf(inference, model) : [asked];
    return backends.map(backend => ({
      name: model,
      version: backend.version,
      ...stats?.of(model, backend),
    }));
  });
}

/** Every version of every model that is to be served here, loaded or not. */
function index(options: ServiceOptions, onlyReady: boolean): RepositoryIndex {
  const { inference } = options;
  const entries = inference.models().flatMap(name =>
    backendsOf(inference, name).map(backend => {
      const { state, reasons } = versionState(options, name, backend);
      const reason = reasons.map(({ code, message }) => `${code}: ${message}`).join(' ');
      return { name, version: backend.version, state, reason };
    }),
  );
  return onlyReady ? entries.filter(({ state }) => state === 'READY') : entries;
}

/** One of each version. */
function backendsOf(inference: Inference, model: string): Backend[] {
  return inference.versions(model).flatMap(version => {
    const backend = inference.describe(model, version);
    // Went between the two looks.
    return backend instanceof SwitchbackError ? [] : [backend];
  });
}
