// Alerts that were firing, as regions of time.

import { askSource } from "../api.ts";
import type { AnnotationModel, Labels, Source } from "../model.ts";
import { interpolate, type Scope } from "./interpolate.ts";
import { alignSpan, deriveStep, type Span } from "./time.ts";
import { findSource } from "./variables.ts";

export interface AnnotationRegion extends Span {
  title: string;
  color: string;
}

interface Matrix {
  data: { result: { metric: Labels; values: [number, string][] }[] };
}

/** The regions of all annotations that are on; only those of Prometheus can be asked. */
export async function askAnnotations(
  models: readonly AnnotationModel[],
  sources: readonly Source[],
  scope: Scope,
  span: Span,
  signal: AbortSignal,
): Promise<AnnotationRegion[]> {
  const active = models.filter((model) => model.enable !== false && !model.builtIn && model.expr);
  const regions = await Promise.all(
    active.map(async (model) => {
      const source = findSource(sources, model.datasource, scope);
      if (source?.type !== "prometheus") return [];
      const step = deriveStep(span, 240, 15);
      const { start, end } = alignSpan(span, step);
      const query = new URLSearchParams({
        query: interpolate(model.expr ?? "", scope),
        start: `${start}`,
        end: `${end}`,
        step: `${step}`,
      });
      const { data } = await askSource<Matrix>(source.uid, "api/v1/query_range", query, { post: true, signal });
      return joinRegions(data.result, step, model);
    }),
  );
  return regions.flat();
}

/** Samples that follow each other are one region. */
export function joinRegions(
  result: Matrix["data"]["result"],
  step: number,
  model: AnnotationModel,
): AnnotationRegion[] {
  const regions: AnnotationRegion[] = [];
  for (const { metric, values } of result) {
    const title = describeLabels(metric) || model.name;
    let open: AnnotationRegion | undefined;
    for (const [time] of values) {
      if (open && time - open.end <= step * 1.5) open.end = time;
      else regions.push((open = { start: time, end: time, title, color: model.iconColor ?? "red" }));
    }
  }
  return regions;
}

function describeLabels(labels: Labels): string {
  const { alertname = "", severity = "", service = "", instance = "" } = labels;
  const about = [severity, service || instance].filter(Boolean).join(", ");
  return about ? `${alertname} (${about})` : alertname;
}
