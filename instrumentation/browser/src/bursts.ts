/** How often the same thing is sent: a few times a minute, and what is more is counted. */

interface Burst<T> {
  began: number;
  sent: number;
  dropped: number;
  sample: T;
}

export interface Repeated<T> {
  sample: T;
  count: number;
}

export class BurstLimit<T> {
  readonly #bursts = new Map<string, Burst<T>>();
  readonly #most: number;
  readonly #window: number;
  readonly #keys: number;
  readonly #now: () => number;

  /** `most` of a key in `window` milliseconds; keys beyond `keys` share one limit. */
  constructor(most = 10, window = 60_000, keys = 50, now: () => number = () => Date.now()) {
    this.#most = most;
    this.#window = window;
    this.#keys = keys;
    this.#now = now;
  }

  /** Whether it is to be sent; else it is counted. */
  admit(key: string, sample: T): boolean {
    const own = this.#findKey(key);
    const burst = this.#bursts.get(own);
    if (!burst || this.#isOver(burst)) {
      this.#bursts.set(own, { began: this.#now(), sent: 1, dropped: burst?.dropped ?? 0, sample });
      return true;
    }
    if (burst.sent < this.#most) {
      burst.sent += 1;
      return true;
    }
    burst.dropped += 1;
    return false;
  }

  /** What was counted and not sent, each once. */
  drain(): Repeated<T>[] {
    const counted = [...this.#bursts.values()].filter((burst) => burst.dropped > 0);
    const repeated = counted.map((burst) => ({ sample: burst.sample, count: burst.dropped }));
    for (const burst of counted) burst.dropped = 0;
    return repeated;
  }

  #isOver(burst: Burst<T>): boolean {
    return this.#now() - burst.began >= this.#window;
  }

  #findKey(key: string): string {
    if (this.#bursts.has(key) || this.#bursts.size < this.#keys) return key;
    for (const [old, burst] of this.#bursts) {
      if (this.#isOver(burst) && burst.dropped === 0) this.#bursts.delete(old);
    }
    return this.#bursts.size < this.#keys ? key : "";
  }
}
