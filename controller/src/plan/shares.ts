/** `1.2.0 95 %, 1.3.0 5 %`; two revisions of one version are told apart by what follows. */
export function shares(backends: readonly { version: string; revision: string; weight: number }[]): string {
  return backends
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => (a.revision < b.revision ? -1 : 1))
    .map(({ version, revision, weight }) => `${version} (${revision}) ${Number(weight.toFixed(2))} %`)
    .join(', ');
}
