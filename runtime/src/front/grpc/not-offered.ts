import { Metadata, type Server, type ServerDuplexStream, type StatusObject, status } from '@grpc/grpc-js';
import { SwitchbackError } from '../../error.ts';
import { refusal } from './refusal.ts';

const WRITING = new SwitchbackError(
  'E_FORBIDDEN',
  'Models are loaded and unloaded by git alone: commit what the environment shall run to the model repository.',
);
const SHARED_MEMORY = 'Tensors go in the message: there is no shared memory here.';

/** Calls of the protocol's extensions that are not answered here, and why. No file describes them. */
const NOT_OFFERED: Record<string, StatusObject> = {
  RepositoryModelLoad: refusal(WRITING, null),
  RepositoryModelUnload: refusal(WRITING, null),
  TraceSetting: unimplemented('Tracing is set where the runtime is started.'),
  LogSettings: unimplemented('Logging is set where the runtime is started.'),
  SystemSharedMemoryStatus: unimplemented(SHARED_MEMORY),
  SystemSharedMemoryRegister: unimplemented(SHARED_MEMORY),
  SystemSharedMemoryUnregister: unimplemented(SHARED_MEMORY),
  CudaSharedMemoryStatus: unimplemented(SHARED_MEMORY),
  CudaSharedMemoryRegister: unimplemented(SHARED_MEMORY),
  CudaSharedMemoryUnregister: unimplemented(SHARED_MEMORY),
};

const NO_STREAM = unimplemented('Models here answer once to each request: send it with ModelInfer.');
const SERVICE = '/inference.GRPCInferenceService';

/** Lets a server say why, where it would say only that it doesn't know the call. */
export function refuseNotOffered(server: Server): void {
  for (const [call, refused] of Object.entries(NOT_OFFERED))
    server.register<Buffer, Buffer>(
      `${SERVICE}/${call}`,
      (_: unknown, respond: (refused: StatusObject) => void) => respond(refused),
      bytes => bytes,
      bytes => bytes,
      'unary',
    );
  server.register<Buffer, Buffer>(
    `${SERVICE}/ModelStreamInfer`,
    // Before anything was sent: whoever opened it waits to hear, and may send nothing before.
    (stream: ServerDuplexStream<Buffer, Buffer>) => void stream.emit('error', NO_STREAM),
    bytes => bytes,
    bytes => bytes,
    'bidi',
  );
}

function unimplemented(why: string): StatusObject {
  return { code: status.UNIMPLEMENTED, details: why, metadata: new Metadata() };
}
