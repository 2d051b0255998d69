import { JsonScanner } from '../tensors/json/scanner.ts';

/** A place in the JSON of a body, and one in the tensors behind it. */
export class BodyScanner extends JsonScanner {
  /** Where the next binary tensor begins; at last, where all that was named ends. */
  tail: number;

  constructor(body: Buffer, headEnd: number) {
    super(body, 0, headEnd);
    this.tail = headEnd;
  }
}
