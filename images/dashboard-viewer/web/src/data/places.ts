// Which colour a series has: one that its name means, else a place in the palette.

/** The colour that a name means by itself: levels of log lines, statuses of HTTP, how something ended. */
const MEANINGS: readonly (readonly [string, RegExp])[] = [
  ["purple", /^(emergency|critical|fatal|panic)$/],
  ["red", /^(err|errors?|failed|failures?|5\d\d|5xx|down|firing)$/],
  ["orange", /^(warn|warnings?|4\d\d|4xx|time-?outs?|rejected|dropped)$/],
  ["green", /^(info|ok|up|success|succeeded|2\d\d|2xx)$/],
  ["blue", /^(debug|trace|3\d\d|3xx)$/],
];

export function findMeaning(name: string): string | undefined {
  const word = name.trim().toLowerCase();
  return MEANINGS.find(([, pattern]) => pattern.test(word))?.[0];
}

export interface Place {
  /** A colour by its name, where the series' own name means one. */
  meaning?: string;
  /** Of the palette, else how many series of this panel mean the same before it. */
  index: number;
}

/**
 * Places for the series of one panel. A name has the same one in all panels of a dashboard, which `known` remembers, as
 * far as no two of one panel would share theirs.
 */
export function placeSeries(given: readonly string[], known: Map<string, number>, size: number): Place[] {
  const names = given.map((name, i) => `${name} ${given.slice(0, i).filter((other) => other === name).length || ""}`);
  const taken = new Set<number>();
  const places = new Map<string, Place>();
  const order = [...names.filter((name) => known.has(name)), ...names];
  for (const name of order) {
    if (places.has(name)) continue;
    const meaning = findMeaning(name);
    if (meaning) {
      places.set(name, { meaning, index: [...places.values()].filter((other) => other.meaning === meaning).length });
      continue;
    }
    const index = choose(known.get(name), taken, size, places.size);
    if (!known.has(name)) known.set(name, index);
    taken.add(index);
    places.set(name, { index });
  }
  return names.map((name) => places.get(name) ?? { index: 0 });
}

function choose(own: number | undefined, taken: ReadonlySet<number>, size: number, count: number): number {
  if (own !== undefined && !taken.has(own)) return own;
  for (let place = 0; place < size; place++) if (!taken.has(place)) return place;
  return count % size;
}
