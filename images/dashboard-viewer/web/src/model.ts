// The parts of Grafana's dashboard JSON that are read here; everything may be absent.
// https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/

export interface Board {
  uid: string;
  title: string;
  description?: string;
  tags?: string[];
  panels?: Panel[];
  templating?: { list?: VariableModel[] };
  annotations?: { list?: AnnotationModel[] };
  links?: LinkModel[];
  time?: { from: string; to: string };
  refresh?: string | false;
  /** 0: each panel by itself, 1: one crosshair for all, 2: tooltips too. */
  graphTooltip?: number;
}

export interface Panel {
  id?: number;
  type: string;
  title?: string;
  description?: string;
  gridPos?: GridPos;
  collapsed?: boolean;
  /** Of a row that is folded. */
  panels?: Panel[];
  targets?: Target[];
  datasource?: SourceRef;
  fieldConfig?: { defaults?: FieldConfig; overrides?: Override[] };
  options?: Record<string, unknown>;
  transformations?: { id: string; options?: Record<string, unknown>; disabled?: boolean }[];
  links?: LinkModel[];
  interval?: string | null;
  maxDataPoints?: number | null;
  /** The variable for each of whose values it stands once. */
  repeat?: string | null;
  repeatDirection?: string;
  maxPerRow?: number;
  /** Ours: the values of variables that hold in this repetition alone. */
  scoped?: Record<string, { text: string; value: string }>;
}

/** In columns (24 of them) and grid rows. */
export interface GridPos {
  x: number;
  y: number;
  w: number;
  h: number;
}

export type SourceRef = string | { uid?: string; type?: string } | null;

export interface Target {
  refId?: string;
  expr?: string;
  datasource?: SourceRef;
  legendFormat?: string;
  instant?: boolean;
  range?: boolean;
  format?: string;
  queryType?: string;
  maxLines?: number;
  interval?: string;
  hide?: boolean;
}

export interface FieldConfig {
  unit?: string;
  decimals?: number | null;
  min?: number | null;
  max?: number | null;
  noValue?: string;
  displayName?: string;
  color?: { mode?: string; fixedColor?: string };
  thresholds?: Thresholds;
  mappings?: Mapping[];
  custom?: Record<string, unknown>;
}

export interface Thresholds {
  mode?: string;
  steps?: { value?: number | null; color: string }[];
}

export interface Mapping {
  type: string;
  options: Record<string, unknown>;
}

export interface Override {
  matcher: { id: string; options?: unknown };
  properties: { id: string; value?: unknown }[];
}

export interface VariableModel {
  name: string;
  type: string;
  label?: string | null;
  query?: string | { query?: string } | null;
  datasource?: SourceRef;
  regex?: string;
  sort?: number;
  multi?: boolean;
  includeAll?: boolean;
  allValue?: string | null;
  /** 1: the name is not shown, 2: nothing is. */
  hide?: number;
  current?: { text?: string | string[]; value?: string | string[] };
  options?: { text: string; value: string; selected?: boolean }[];
  auto?: boolean;
  auto_count?: number;
  auto_min?: string;
}

export interface AnnotationModel {
  name: string;
  enable?: boolean;
  hide?: boolean;
  iconColor?: string;
  expr?: string;
  datasource?: SourceRef;
  builtIn?: number;
}

export interface LinkModel {
  title: string;
  type?: string;
  url?: string;
  tags?: string[];
  asDropdown?: boolean;
  keepTime?: boolean;
  includeVars?: boolean;
  targetBlank?: boolean;
  tooltip?: string;
}

/** A data source, as the server lists it. */
export interface Source {
  uid: string;
  name: string;
  type: string;
  isDefault?: boolean;
  jsonData?: Record<string, unknown>;
}

export type Labels = Record<string, string>;

/** Values over time, or one value; times in seconds since 1970. */
export interface Series {
  refId: string;
  name: string;
  labels: Labels;
  times: number[];
  values: (number | null)[];
}

export interface LogLine {
  /** Milliseconds since 1970. */
  time: number;
  line: string;
  labels: Labels;
}

/** What one query brought. */
export interface Answer {
  target: Target;
  series: Series[];
  lines: LogLine[];
  warnings: string[];
  /** Seconds between samples. */
  step: number;
}
