import { ANSWERED_BY, type Backend, TOLD_BY } from '@switchback-ml/schemas';

/** Headers that name who answered, names and values in turn. `commit`: undefined while there is no snapshot. */
type AnsweredBy = (backend: Backend, commit: string | undefined) => readonly string[];

/**
 * For every protocol: version, revision, digest, and the commit of the snapshot that it is served from. One list for
 * each backend and commit, so that nothing is made for a request.
 */
export function answeredBy(): AnsweredBy {
  const made = new WeakMap<Backend, { commit: string | undefined; headers: readonly string[] }>();
  return (backend, commit) => {
    const known = made.get(backend);
    if (known !== undefined && known.commit === commit) return known.headers;
    const headers = headersOf(backend, commit);
    made.set(backend, { commit, headers });
    return headers;
  };
}

function headersOf({ version, revision, digest }: Backend, commit: string | undefined): readonly string[] {
  return [
    ANSWERED_BY.version,
    version,
    ANSWERED_BY.revision,
    revision,
    TOLD_BY.digest,
    digest,
    ...(commit === undefined ? [] : [TOLD_BY.commit, commit]),
  ];
}
