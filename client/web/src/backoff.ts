export interface BackoffOptions {
  /** Upper bound of the first wait: ms. Default 1,000. */
  min?: number;
  /** Upper bound of any wait: ms. Default 30,000. */
  max?: number;
}

/**
 * How long to wait before the next attempt: anything up to a bound that doubles with each failure
 * ("full jitter"), so that those who lost their relay together don't come back together.
 */
export class Backoff {
  private failures = 0;
  constructor(
    private readonly options: BackoffOptions = {},
    private readonly random: () => number = Math.random,
  ) {}

  /** ms. */
  next(): number {
    const { min = 1_000, max = 30_000 } = this.options;
    return this.random() * Math.min(max, min * 2 ** this.failures++);
  }

  /**
   * Things went well. A connection that was live only briefly keeps some of the distance: a relay
   * that throws everybody out again must not be hammered.
   */
  succeeded(stable: boolean): void {
    this.failures = stable ? 0 : Math.min(this.failures, 3);
  }

  /** A refusal that time cures: at least as far as after `failures` of them. */
  atLeast(failures: number): void {
    this.failures = Math.max(this.failures, failures);
  }
}
