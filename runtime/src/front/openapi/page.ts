import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SwitchbackError } from '../../error.ts';

const OWN = join(import.meta.dirname, 'page');
/** Swagger UI's own files are all that is taken from it, when a browser asks for them: its code would be 2.6 MB. */
const SWAGGER_UI = join(
  dirname(createRequire(import.meta.url).resolve('@fastify/swagger-ui/package.json')),
  'static',
);

const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';
const PAGE = { path: join(OWN, 'index.html'), type: 'text/html; charset=utf-8' };
/** By the name that the page asks for; there are no others. */
const FILES: ReadonlyMap<string, typeof PAGE> = new Map([
  ['page.js', { path: join(OWN, 'page.js'), type: SCRIPT }],
  ['page.css', { path: join(OWN, 'page.css'), type: STYLE }],
  ['swagger-ui-bundle.js', { path: join(SWAGGER_UI, 'swagger-ui-bundle.js'), type: SCRIPT }],
  ['swagger-ui.css', { path: join(SWAGGER_UI, 'swagger-ui.css'), type: STYLE }],
]);

/** Nothing from elsewhere, nothing inline, in nobody's frame. Swagger UI has its icons as `data:`. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * The page at `/docs/`. It holds nothing of any model and is open to all, since a browser that follows a link sends
 * no key: whoever reads it enters one, and with that the page asks for the documents.
 */
export function registerPage(app: FastifyInstance): void {
  app.register(async page => {
    page.addHook('onSend', async (_, reply) => {
      reply.header('content-security-policy', POLICY);
      reply.header('x-content-type-options', 'nosniff').header('referrer-policy', 'no-referrer');
    });
    page.get('/docs', async (request, reply) => {
      // The page's addresses are relative to it, so that it can be read behind any gateway.
      const [path = ''] = request.url.split('?');
      return path.endsWith('/') ? sendFile(PAGE, request, reply) : reply.redirect('docs/');
    });
    page.get<{ Params: { file: string } }>('/docs/:file', async (request, reply) => {
      const file = FILES.get(request.params.file);
      if (file !== undefined) return sendFile(file, request, reply);
      throw new SwitchbackError('E_NOT_FOUND', 'There is no such file of the page at /docs/.');
    });
  });
}

/** Read anew each time, and kept by the browser as long as it stays the same. */
async function sendFile(
  { path, type }: typeof PAGE,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { size, mtimeMs } = await stat(path);
  const tag = `W/"${size}-${Math.floor(mtimeMs)}"`;
  reply.header('cache-control', 'no-cache').header('etag', tag);
  if (request.headers['if-none-match'] === tag) return reply.status(304).send();
  return reply.type(type).send(await readFile(path));
}
