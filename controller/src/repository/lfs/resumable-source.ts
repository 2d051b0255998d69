import type { ArtifactSource, LfsObject } from '../repository.ts';

/** The beginning of an object that is here already. */
export interface Beginning {
  bytes: number;
  /** Called before the first `write`: what follows is the rest alone. Who never calls it sends everything. */
  leaveOut(): void;
}

/** A source that may be told what need not be sent again. Every `ArtifactSource` is one. */
export interface ResumableSource extends ArtifactSource {
  download(
    object: LfsObject,
    write: (chunk: Uint8Array) => Promise<void>,
    signal: AbortSignal,
    beginning?: Beginning,
  ): Promise<void>;
}
