import {
  type handleUnaryCall,
  Metadata,
  type ServerWritableStream,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { SwitchbackError } from '../../error.ts';
import type { V2Options } from '../protocol/v2/routes.ts';

/** Health of the whole server. The other names are those of models. */
const WHOLE = new Set(['', 'inference.GRPCInferenceService']);
/** Over all connections: anybody may watch. */
const MOST_WATCHERS = 1000;

type ServingStatus = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
type Watching = ServerWritableStream<{ service: string }, { status: ServingStatus }>;

export type HealthOptions = Pick<V2Options, 'inference' | 'readiness' | 'isReady'>;

/** `grpc.health.v1`: of the server by no name, of a model by its own. */
export class Health {
  readonly #options: HealthOptions;
  /** And what each was told last. */
  readonly #watchers = new Map<Watching, ServingStatus>();
  #isClosed = false;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  readonly methods: UntypedServiceImplementation = {
    Check: ((call, respond) => {
      const current = this.#statusOf(call.request.service);
      if (current !== 'SERVICE_UNKNOWN') return respond(null, { status: current });
      const details = 'There is no such service or model here.';
      return respond({ code: status.NOT_FOUND, details, metadata: new Metadata() });
    }) satisfies handleUnaryCall<{ service: string }, { status: ServingStatus }>,

    List: ((_, respond) => {
      const names = [...WHOLE, ...this.#options.inference.models()];
      const statuses = names.map(name => [name, { status: this.#statusOf(name) }]);
      respond(null, { statuses: Object.fromEntries(statuses) });
    }) satisfies handleUnaryCall<object, { statuses: Record<string, { status: ServingStatus }> }>,

    Watch: (call: Watching) => this.#watch(call),
  };

  /** Tells watchers what has changed; to be called now and then. */
  publish(): void {
    for (const [watching, told] of this.#watchers) {
      const current = this.#statusOf(watching.request.service);
      if (current !== told) this.#tell(watching, current);
    }
  }

  /** Tells watchers that it is over, and lets them go. */
  close(): void {
    this.#isClosed = true;
    for (const watching of [...this.#watchers.keys()]) {
      this.#tell(watching, 'NOT_SERVING');
      end(watching, status.UNAVAILABLE, 'The server is stopping.');
    }
    this.#watchers.clear();
  }

  #watch(watching: Watching): void {
    if (this.#isClosed) return end(watching, status.UNAVAILABLE, 'The server is stopping.');
    if (this.#watchers.size >= MOST_WATCHERS)
      return end(watching, status.RESOURCE_EXHAUSTED, `More than ${MOST_WATCHERS} watch already.`);
    watching.on('cancelled', () => this.#watchers.delete(watching));
    this.#tell(watching, this.#statusOf(watching.request.service));
  }

  #tell(watching: Watching, current: ServingStatus): void {
    this.#watchers.set(watching, current);
    watching.write({ status: current });
  }

  #statusOf(service: string): ServingStatus {
    const { inference, readiness, isReady } = this.#options;
    if (WHOLE.has(service)) return readiness().isReady ? 'SERVING' : 'NOT_SERVING';
    const backend = inference.describe(service, null);
    if (backend instanceof SwitchbackError)
      return backend.code === 'E_MODEL_UNKNOWN' ? 'SERVICE_UNKNOWN' : 'NOT_SERVING';
    return isReady(service, backend) ? 'SERVING' : 'NOT_SERVING';
  }
}

function end(watching: Watching, code: status, details: string): void {
  watching.emit('error', { code, details });
}
