import { Histogram } from '../telemetry/histogram.ts';

const BOUNDS = Float64Array.of(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10);

/** What came of the requests of one environment, as counts that only grow. */
export class Tally {
  /** By the first digit of the status; 0: the caller went away, or the answer broke off. */
  readonly byClass = new Float64Array(6);
  readonly seconds = new Histogram(BOUNDS);
  retries = 0;
  /** Not sent again, since too many were. */
  retriesSpared = 0;

  answered(status: number, ms: number): void {
    this.byClass[Math.floor(status / 100)]!++;
    this.seconds.observe(ms / 1000);
  }

  gone(): void {
    this.byClass[0]!++;
  }
}
