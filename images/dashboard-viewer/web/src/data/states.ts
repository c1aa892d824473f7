// Samples as states that last.

export interface State {
  /** Seconds since 1970. */
  start: number;
  end: number;
  text: string;
}

/** Equal texts that follow each other are one state, which lasts until the next sample; an empty text is none. */
export function joinStates(times: readonly number[], texts: readonly string[], step: number): State[] {
  const states: State[] = [];
  let open: State | undefined;
  times.forEach((time, i) => {
    const text = texts[i] ?? "";
    if (open && time - open.end < step) open.end = time;
    if (!text) open = undefined;
    else if (open?.text === text) open.end = time + step;
    else states.push((open = { start: time, end: time + step, text }));
  });
  return states;
}
