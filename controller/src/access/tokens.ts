import { createHash, timingSafeEqual } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { EnvironmentName } from '@switchback-ml/schemas';
import { readOrMakeSecret } from './secret-file.ts';
import type { TokenKind } from './verbs.ts';

export interface Tokens {
  /** Of which kind a token is; null when it is none of ours. Takes as long for a near miss as for nonsense. */
  kindOf(token: string): TokenKind | null;
  /** What a runtime is started with. */
  runtimeToken: string;
  /** What a caller of an environment's models shows; made on first need, and then in `keyHashes`. */
  inferenceKey(environment: EnvironmentName): string;
  /** SHA-256 of each environment's inference keys, as serving snapshots carry them. Grows as keys are made. */
  keyHashes: ReadonlyMap<EnvironmentName, readonly string[]>;
}

/** The secrets of a state directory, read or made. Throws E_CONFIG when one is readable by others. */
export function openTokens({ directory }: { directory: string }): Tokens {
  mkdirSync(join(directory, 'keys'), { recursive: true, mode: 0o700 });
  const operatorToken = readOrMakeSecret(join(directory, 'operator-token'), 'sbo_');
  const runtimeToken = readOrMakeSecret(join(directory, 'runtime-token'), 'sbr_');
  const keys = new Map<EnvironmentName, string>();
  const keyHashes = new Map<EnvironmentName, readonly string[]>();
  const inferenceKey = (environment: EnvironmentName): string => {
    const known = keys.get(environment);
    if (known !== undefined) return known;
    const key = readOrMakeSecret(join(directory, 'keys', environment), 'sbi_');
    keys.set(environment, key);
    keyHashes.set(environment, [sha256(key)]);
    return key;
  };
  // Runtimes that outlived a controller go on with the same keys, before any environment has been read.
  for (const name of readdirSync(join(directory, 'keys'))) {
    const environment = EnvironmentName.safeParse(name);
    if (environment.success) inferenceKey(environment.data);
  }
  return {
    kindOf: token => {
      const isOperator = isEqual(token, operatorToken);
      const isRuntime = isEqual(token, runtimeToken);
      if (isOperator) return 'operator';
      return isRuntime ? 'runtime' : null;
    },
    runtimeToken,
    inferenceKey,
    keyHashes,
  };
}

function sha256(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Digests have equal lengths and nothing in common with a near miss, so time tells nothing. */
function isEqual(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}
