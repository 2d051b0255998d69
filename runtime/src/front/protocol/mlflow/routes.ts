import type { FastifyInstance, FastifyReply } from 'fastify';
import { SwitchbackError } from '../../../error.ts';
import type { Readiness } from '../../../serving.ts';

export interface MlflowOptions {
  readiness: () => Readiness;
  /** Of the runtime, as text. */
  version: string;
}

/** For whoever looks whether requests can be sent here, SageMaker among them. Open to all, as such probes have no key. */
export function registerMlflow(app: FastifyInstance, { readiness, version }: MlflowOptions): void {
  for (const path of ['/ping', '/health'])
    app.get(
      path,
      async (_, reply): Promise<FastifyReply> => reply.status(readiness().isReady ? 200 : 503).send(),
    );
  app.get('/version', async (_, reply) => reply.type('text/plain').send(version));
  // Answered by the door, before any router; known here for the verbs that they do not take.
  for (const path of ['', '/models/:model', '/models/:model/versions/:version'])
    app.post(`${path}/invocations`, async () => {
      throw new SwitchbackError('E_INTERNAL', 'An inference request went past the door.');
    });
}
