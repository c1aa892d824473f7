"""What a system itself contributes: its services' scrape jobs, the rules that follow from them, alerts, dashboards.

What could never work is a problem, with its place in the system's file: a role that two metrics have, a
query with a name that nothing exposes, an objective without a metric to measure it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from model.capacity import count_service_series
from model.component import Contribution, Contributor, Planning
from model.copies import copy_with
from model.dashboard import LOKI, build_dashboard
from model.dashboard_spec import DashboardSpec, Row
from model.errors import ConfigError, Problem, suggest_name
from model.gateway import list_addresses
from model.naming import build_identity_labels, derive_host, derive_namespace
from model.places import locate_in_system, locate_setting
from model.promql import Catalogue, check_query
from model.scraping import USUAL, Scrape
from model.service import Metric, Service
from model.system import AlertSpec, ServiceLevelObjective, System
from model.telemetry import (
    OTLP,
    STAND_INS,
    AlertRule,
    Dashboard,
    Discovery,
    Example,
    Need,
    PushedMetrics,
    RuleGroup,
    ScrapeJob,
    ScrapeTarget,
    SeriesCount,
    Telemetry,
    name_series_offer,
)
from packs import measurable, outcome, presence, roles, slo, web
from packs.base import PER_SECOND
from packs.catalogue import TITLES, add_pack_metrics, add_timed_requests, build_row_panels
from packs.default_dashboard import add_default_dashboard
from packs.groups import build_service_groups, find_first_dashboard


def expand_system(system: System) -> System:
    """The system with every metric that its services' packs bring."""
    services = {key: add_pack_metrics(service) for key, service in system.services.items()}
    counted = {item.service for item in system.objectives if item.kind == "availability"}
    services |= {key: add_timed_requests(services[key]) for key in counted & services.keys()}
    return system.model_copy(update={"services": services})


class SystemContributor(Contributor):
    """The system as one who contributes to the monitoring."""

    def contribute(self, context: Planning) -> Contribution:
        """Everything the system adds; without rules and dashboards where what they are made of is wrong."""
        system = context.system
        mistakes = roles.check_roles(system, _locate_system(system)) + _check_objectives(system)
        mistakes += measurable.check_measurable(system, _locate_system(system))
        mistakes += _check_scraping(system)
        sending = list_senders(context)
        bare = Telemetry(
            scrape=tuple(
                _build_job(context, key, service) for key, service in system.services.items() if key not in sending
            ),
            pushed=tuple(
                _build_pushed(context, key, service) for key in sending if not is_page(service := system.services[key])
            ),
            needs=tuple(_list_needs(context)),
        )
        if mistakes:
            return Contribution(telemetry=bare, problems=tuple(mistakes), complete=False)
        return _build_contribution(context, bare)


def _build_contribution(context: Planning, bare: Telemetry) -> Contribution:
    """The contribution with rules and dashboards, of a system whose roles and objectives are right."""
    system = add_default_dashboard(context.system, context.rows, has_logs=context.is_enabled(str(LOKI.uid)))
    context = replace(context, system=system)
    first = find_first_dashboard(system)
    groups = build_service_groups(system, presence.list_series(spec.expr for spec in system.alerts))
    own = RuleGroup(
        name=system.name,
        alerts=tuple(_build_alert(spec) for spec in system.alerts),
        board=first,
    )
    objectives = slo.build_groups(system, context.settings.environment)
    rules = tuple(
        group for group in [*groups, own, *objectives, *context.own_files.rules] if group.recordings or group.alerts
    )
    known = Catalogue(_merge_metrics(system), frozenset(r.record for group in rules for r in group.recordings))
    problems = _check_queries(system, known)
    boards = _build_dashboards(context, problems)
    rules = tuple(group if group.board else copy_with(group, board=first) for group in rules)
    return Contribution(telemetry=replace(bare, rules=rules, dashboards=boards), problems=tuple(problems))


def _list_needs(context: Planning) -> Iterator[Need]:
    """Stand-ins for services in a demo, and the series of rows that no service brings.

    Where an operator is, others bring these series, so nobody here knows which there are.
    """
    if context.settings.demo:
        yield Need(
            what=STAND_INS,
            why="demo is true, so that everything asks them",
            where=locate_setting(context.stack, "demo"),
        )
    for key in list_senders(context):
        where = locate_in_system(context.system.name, f"services.{key}.otlp")
        yield Need(what=OTLP, why=f"{key} sends its metrics to it", where=where)
    if context.operator:
        return
    for d, board in enumerate(context.system.dashboards):
        for r, row in enumerate(board.rows):
            if row.pack and row.pack in context.rows:
                path = f"dashboards[{d}].rows[{r}].pack"
                why = f"{path} of {context.system.name} draws {row.pack!r}"
                yield Need(what=name_series_offer(row.pack), why=why, where=locate_in_system(context.system.name, path))


def _locate_system(system: System) -> str:
    return f"configs/systems/{system.name}.yaml: "


def _merge_metrics(system: System) -> dict[str, Metric]:
    """Every declared metric; where services declare one differently, it has the labels of all of them."""
    last: dict[str, Metric] = {}
    labels: dict[str, dict[str, tuple[str, ...]]] = {}
    for service in system.services.values():
        for name, metric in service.metrics.items():
            last[name] = metric
            labels.setdefault(name, {}).update({**metric.labels, **dict.fromkeys(service.labels, ())})
    return {name: metric.model_copy(update={"labels": labels[name]}) for name, metric in last.items()}


# -- problems --------------------------------------------------------------------------------------------------------


def _check_objectives(system: System) -> list[Problem]:
    """Objectives that nothing measures."""
    problems = []
    for number, item in enumerate(system.objectives):
        where, service = f"{_locate_system(system)}objectives[{number}]", system.services[item.service]
        if item.kind == "availability" and not service.find_metrics("requests"):
            problems.append(Problem(f"{where}.service", _describe_uncounted(item.service, service)))
        if item.kind == "latency":
            problems += _check_latency(where, item, service)
    return problems


def _describe_uncounted(key: str, service: Service) -> str:
    """What is missing, and the label that would do where durations are declared."""
    text = f"{key} declares no metric of the role 'requests'"
    for name, metric in service.find_metrics("duration").items():
        labels = f'labels: {{ {service.status_label}: ["200", "500"] }}'
        place = f"services.{key}.metrics.{name}"
        known = outcome.find_status_label(metric)
        line = f"statusLabel: {known}" if known else f"{labels} of {place}"
        text += f"; where {name} has the status as a label, say {line}, and its count is that of requests"
    return text


def _check_latency(where: str, item: ServiceLevelObjective, service: Service) -> list[Problem]:
    timed = service.find_metrics("duration")
    if not timed:
        return [Problem(f"{where}.service", f"{item.service} declares no metric of the role 'duration'")]
    name, metric = next(iter(timed.items()))
    if metric.type != "histogram":
        return [
            Problem(f"{where}.kind", f"{name} is a {metric.type}; only a histogram tells the share below a threshold")
        ]
    if metric.unit not in PER_SECOND:
        return []  # said already, of the metric
    bounds = [bound / PER_SECOND[metric.unit] for bound in metric.buckets]
    if not bounds:
        return [Problem(f"{where}.threshold", f"{name} declares no buckets, so nobody knows whether one ends there")]
    if item.threshold not in bounds:
        threshold = float(item.threshold or 0)
        near = [*(b for b in bounds if b < threshold)][-1:] + [b for b in bounds if b > threshold][:1]
        listed = " or ".join(f"{bound:g}" for bound in near)
        return [Problem(f"{where}.threshold", f"no bucket of {name} ends at {item.threshold:g} s; choose {listed}")]
    return []


def _check_queries(system: System, known: Catalogue) -> list[Problem]:
    """Queries of alerts, objectives and dashboards that cannot mean what they say."""
    queries = [(f"alerts[{n}].expr", spec.expr) for n, spec in enumerate(system.alerts)]
    for n, item in enumerate(system.objectives):
        queries += [
            (f"objectives[{n}].{part}", f"rate({text}[5m])")
            for part in ("bad", "total")
            if (text := getattr(item, part))
        ]
    for d, board in enumerate(system.dashboards):
        for r, row in enumerate(board.rows):
            for p, panel in enumerate(row.panels):
                at = f"dashboards[{d}].rows[{r}].panels[{p}].queries"
                if not panel.asks_loki:
                    queries += [(f"{at}[{q}].expr", query.expr) for q, query in enumerate(panel.queries)]
    return [
        Problem(f"{_locate_system(system)}{path}", text)
        for path, query in queries
        if query.strip()
        for text in check_query(query, known)
    ]


# -- scraping --------------------------------------------------------------------------------------------------------


def list_targets(context: Planning, key: str, service: Service) -> tuple[str, ...]:
    """host:port of each instance of a service; in a demo its stand-in's, wherever the service itself lives."""
    host = derive_host(context, key)
    if context.settings.demo:
        return (context.address(host, service.port),)
    return service.addresses or tuple(list_addresses(host, service).values())


def list_senders(context: Planning) -> tuple[str, ...]:
    """The services that send their metrics; a stand-in of a demo is scraped, whatever it stands for."""
    return () if context.settings.demo else tuple(k for k, service in context.system.services.items() if service.otlp)


def is_page(service: Service) -> bool:
    """Whether browsers alone send for a service: there is no process whose absence anybody could see."""
    return service.otlp and all(map(web.is_made_of_records, service.metrics))


def _build_pushed(context: Planning, key: str, service: Service) -> PushedMetrics:
    """What a service sends, as `expand_system` has completed it."""
    return PushedMetrics(
        labels={**service.labels, "job": key, **build_identity_labels(context, key)},
        series=SeriesCount(target=count_service_series(service)),
    )


HOST_OF_POD = {"source_labels": ["__address__"], "regex": r"(.+):\d+", "target_label": "instance"}
"""Relabelling that leaves the port out of the instance of a target whose address only the platform knows."""


def _build_job(context: Planning, key: str, service: Service) -> ScrapeJob:
    """The scrape job of a service."""
    labels = {**service.labels, **build_identity_labels(context, key)}
    pods = build_discovery(context, service, labels)
    how = find_scrape(context, key)
    return ScrapeJob(
        name=key,
        path=service.metrics_path,
        scheme=how.scheme,
        params=how.params,
        honor_labels=how.honor_labels,
        scrape=how,
        discovery=pods,
        targets=()
        if pods
        else tuple(
            ScrapeTarget(address=address, labels=_add_instance_label(service, address, labels))
            for address in list_targets(context, key, service)
        ),
        interval=service.scrape_interval,
        sample_limit=service.sample_limit,
        series=SeriesCount(target=count_service_series(service)),
        relabel=(HOST_OF_POD,) if pods and service.instance == "host" else (),
    )


def _check_scraping(system: System) -> list[Problem]:
    """What is said of certificates where none is shown."""
    plain = [key for key, service in system.services.items() if _complete_scrape(system, key).scheme == "http"]
    places = [f"services.{key}.scrape.tls" for key in plain if system.services[key].scrape.tls]
    if system.scrape.tls and len(plain) == len(system.services):
        places.append("scrape.tls")
    text = "has no effect on http; say scheme: https, or leave it out"
    return [Problem(f"{_locate_system(system)}{place}", text) for place in places]


def _complete_scrape(system: System, key: str) -> Scrape:
    return system.scrape.complete(system.services[key].scrape)


def find_scrape(context: Planning, key: str) -> Scrape:
    """How a service is asked for its metrics: as the system says, and itself; a stand-in is asked plainly.

    Its stand-in has the labels that are declared, so it honors them too.
    """
    how = _complete_scrape(context.system, key)
    if context.settings.demo:
        return USUAL.model_copy(update={"honor_labels": True}) if how.honor_labels else USUAL
    return how


def build_discovery(context: Planning, service: Service, labels: Mapping[str, str]) -> Discovery | None:
    """How the pods of a service are found, where it says so; in a demo its stand-in's carry the same labels."""
    pods = service.kubernetes
    if context.settings.target != "kubernetes" or pods is None:
        return None
    own = derive_namespace(context.stack, context.settings.kubernetes)
    pod_namespace = own if context.settings.demo else pods.namespace
    count = 1 if context.settings.demo else pods.expected
    return Discovery(
        namespaces=(pod_namespace,),
        selector=pods.selector,
        port=service.port,
        labels=labels,
        expected=count,
        least=count,
    )


def _add_instance_label(service: Service, address: str, labels: Mapping[str, str]) -> Mapping[str, str]:
    """The labels of a target: those of its service, which its other targets share, unless each has an instance."""
    return {"instance": address.rpartition(":")[0], **labels} if service.instance == "host" else labels


# -- rules -----------------------------------------------------------------------------------------------------------


def _build_alert(spec: AlertSpec) -> AlertRule:
    return AlertRule(
        name=spec.name,
        expr=spec.expr.strip(),
        for_=spec.for_ or "0s",
        severity=spec.severity,
        summary=spec.summary,
        description=spec.description.strip(),
        labels=spec.labels,
        steps=spec.steps,
        example=Example(fires=spec.example.fires, silent=spec.example.silent, at=spec.example.at),
    )


# -- dashboards ------------------------------------------------------------------------------------------------------


def _build_dashboards(context: Planning, problems: list[Problem]) -> tuple[Dashboard, ...]:
    """The system's dashboards, and that of its objectives; problems of all are added to `problems`."""
    system = context.system
    specs = [(f"dashboards[{n}]", spec) for n, spec in enumerate(system.dashboards)]
    if system.objectives and slo.derive_board_uid(system) not in [spec.uid for _, spec in specs]:
        specs.append(("objectives", slo.board(system)))
    built: list[Dashboard] = []
    for path, spec in specs:
        where = f"{_locate_system(system)}{path}"
        keys = spec.services or tuple(system.services)
        try:
            filled = _fill_rows(spec, context, keys, where)
            built.append(
                build_dashboard(filled, folder=system.title, tags=[system.name], services=list(keys), where=where)
            )
        except ConfigError as error:
            problems += error.problems
    return (*built, *context.own_files.dashboards)


def _fill_rows(spec: DashboardSpec, context: Planning, keys: Sequence[str], where: str) -> DashboardSpec:
    """The dashboard with the panels of its packs in their rows."""
    rows, problems, system = [], [], context.system
    for number, row in enumerate(spec.rows):
        brought = context.rows.get(row.pack or "")
        panels = brought.panels() if brought else build_row_panels(row.pack, system, keys) if row.pack else ()
        if row.pack and not panels:
            users = sorted({name for key in keys for name in system.services[key].packs})
            message = f"no service of this dashboard uses the pack {row.pack!r}; {suggest_name(row.pack, users)}"
            problems.append(Problem(f"{where}.rows[{number}].pack", message))
            continue
        usual = brought.title if brought else TITLES[row.pack] if row.pack else ""
        rows.append(Row(title=row.title or usual, panels=(*panels, *row.panels), collapsed=row.collapsed))
    if problems:
        raise ConfigError(problems)
    return spec.model_copy(update={"rows": tuple(rows)})
