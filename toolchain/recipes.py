"""How each image is made where it cannot be pulled: what goes in, from which packages, and how it starts.

Paths, users, entry points and commands are those of the upstream images, so that a workload is the same for both. The
version that a program says it has is that of its image in configs/images.yaml.
"""

from __future__ import annotations

from toolchain.debian import DebianPackages
from toolchain.golang import GoBuild, GoFiles, find_required_version
from toolchain.images import load_images
from toolchain.npm import NpmPackages
from toolchain.oci import ImageConfig
from toolchain.prometheus_ui import HOME, PrometheusUi
from toolchain.pypi import PypiPackage
from toolchain.python_programs import BACKUP_RECIPE, MCP_RECIPE
from toolchain.recipe import File, Owned, Recipe
from toolchain.web import SITE, WebBuild

PROMETHEUS_TAGS = ("remove_all_sd", "enable_moby_sd", "enable_kubernetes_sd", "enable_dns_sd")
"""Only the service discovery that this program configures: half the compile time and size of all of them."""
_TAGS = {name: image.tag for name, image in load_images().items()}
_COMMON = "github.com/prometheus/common/version."
_LOKI = "github.com/grafana/loki/v3/pkg/util/build."


def find_version(image: str) -> str:
    """The upstream version of an image, from its tag and without a leading v, such as 3.15.0.

    Raises:
        KeyError: configs/images.yaml has no such image.
    """
    return _TAGS[image].removeprefix("v")


def _build_program(
    program: str, image: str, package: str, variable: str, cpu: int, *, tags: tuple[str, ...] = (), prefix: str = ""
) -> GoBuild:
    """A program of an image's module, with `variable` set to its version."""
    stamp = (variable, f"{prefix}{find_version(image)}")
    return GoBuild(program, f"images/{image}", package, tags, (stamp,), cpu)


def _build_prometheus(program: str, cpu: int) -> GoBuild:
    package = f"github.com/prometheus/prometheus/cmd/{program}"
    return _build_program(program, "prometheus", package, f"{_COMMON}Version", cpu, tags=PROMETHEUS_TAGS)


def _build_alertmanager(program: str, cpu: int) -> GoBuild:
    package = f"github.com/prometheus/alertmanager/cmd/{program}"
    # the image has no time zones of its own, which routes may name: https://pkg.go.dev/time/tzdata
    return _build_program(program, "alertmanager", package, f"{_COMMON}Version", cpu, tags=("timetzdata",))


PROMETHEUS_UI = PrometheusUi()
PROMETHEUS, PROMTOOL = _build_prometheus("prometheus", 240), _build_prometheus("promtool", 5)
ALERTMANAGER, AMTOOL = _build_alertmanager("alertmanager", 55), _build_alertmanager("amtool", 3)
LOKI = _build_program("loki", "loki", "github.com/grafana/loki/v3/cmd/loki", f"{_LOKI}Version", 458)
PROMTAIL = _build_program(
    "promtail", "promtail", "github.com/grafana/loki/v3/clients/cmd/promtail", f"{_LOKI}Version", 312
)
NODE_EXPORTER = _build_program(
    "node_exporter", "node-exporter", "github.com/prometheus/node_exporter", f"{_COMMON}Version", 13
)
_POSTGRES_EXPORTER = "github.com/prometheus-community/postgres_exporter/cmd/postgres_exporter"
POSTGRES_EXPORTER = _build_program("postgres_exporter", "postgres-exporter", _POSTGRES_EXPORTER, f"{_COMMON}Version", 6)
_JAEGER = "github.com/jaegertracing/jaeger"
JAEGER = _build_program(
    "jaeger", "jaeger", f"{_JAEGER}/cmd/jaeger", f"{_JAEGER}/internal/version.latestVersion", 430, prefix="v"
)
# the version is bound to those of the modules in its go.mod
OTEL_COLLECTOR = _build_program("otel-collector", "otel-collector", ".", "main.version", 135)
_OAUTH2_PROXY = "github.com/oauth2-proxy/oauth2-proxy/v7"
OAUTH2_PROXY = _build_program(
    "oauth2-proxy", "oauth2-proxy", _OAUTH2_PROXY, f"{_OAUTH2_PROXY}/pkg/version.VERSION", 60, prefix="v"
)
CADVISOR = GoBuild("cadvisor", "images/cadvisor", cpu_seconds=20)
DEMO = GoBuild("demo", "images/demo", cpu_seconds=10)
_VIEWER_PACKAGES = NpmPackages("dashboard-viewer", "images/dashboard-viewer/web")
VIEWER_PAGES = WebBuild("dashboard-viewer", _VIEWER_PACKAGES)
TRACE_PAGES = WebBuild("trace-pages", _VIEWER_PACKAGES, "traces.ts", "traces.html")
"""What Jaeger serves where it is built from its module, which lacks its own interface."""
BROWSER_KIT = WebBuild(
    "browser-kit",
    NpmPackages("browser-kit", "instrumentation/browser"),
    "index.ts",
    browsers="es2020",
    # what Faro imports of it is CommonJS, with which esbuild takes in all names of OpenTelemetry: 26 KiB more
    options=("--alias:@opentelemetry/otlp-transformer/build/src=@opentelemetry/otlp-transformer/build/esm",),
)
"""What people's own pages load to send their telemetry; no image has it."""
DASHBOARD_VIEWER = GoBuild("dashboard-viewer", "images/dashboard-viewer/server", cpu_seconds=10, pages=VIEWER_PAGES)

_KSM = "k8s.io/kube-state-metrics/v2"
KUBE_STATE_METRICS = _build_program(
    "kube-state-metrics", "kube-state-metrics", _KSM, f"{_COMMON}Version", 90, prefix="v"
)

KUBERNETES_VERSION = find_required_version("kubernetes", "k8s.io/kubernetes")
_KUBERNETES_STAMPS = tuple(
    (f"k8s.io/{package}.git{name}", value)
    for package in ("component-base/version", "client-go/pkg/version")
    for name, value in (
        ("Version", f"v{KUBERNETES_VERSION}"),
        *zip(("Major", "Minor"), KUBERNETES_VERSION.split("."), strict=False),
        ("TreeState", "clean"),
    )
)
_PROGRAMS = (
    *("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"),
    *("kubelet", "kube-proxy", "kube-router", "kubectl"),
)
KUBERNETES_PROGRAMS = GoBuild("kubernetes", "kubernetes", stamps=_KUBERNETES_STAMPS, cpu_seconds=600, names=_PROGRAMS)
COREDNS = GoBuild("coredns", "kubernetes", "./coredns", cpu_seconds=40)
PAUSE = GoBuild("pause", "kubernetes", "./pause", cpu_seconds=2)
NETWORK_PLUGINS = DebianPackages("network-plugins", ("containernetworking-plugins",))
CLUSTER_SOURCES = (KUBERNETES_PROGRAMS, COREDNS, PAUSE, NETWORK_PLUGINS)
"""What the cluster for trials is made of, save what its node's operating system has."""

_OPERATOR = "github.com/prometheus-operator/prometheus-operator"
OPERATOR_VERSION = find_required_version("images/prometheus-operator", _OPERATOR)


def _build_operator(program: str, command: str, cpu: int) -> GoBuild:
    stamp = (f"{_COMMON}Version", OPERATOR_VERSION)
    return GoBuild(program, "images/prometheus-operator", f"{_OPERATOR}/cmd/{command}", (), (stamp,), cpu)


OPERATOR = _build_operator("prometheus-operator", "operator", 270)
RELOADER = _build_operator("prometheus-config-reloader", "prometheus-config-reloader", 5)
OPERATOR_CRDS = GoFiles("operator-crds", "images/prometheus-operator", _OPERATOR, "example/prometheus-operator-crd")
"""The definitions of the operator's own resources, as it publishes them."""

BLACKBOX = DebianPackages("blackbox", ("prometheus-blackbox-exporter",), ("usr/bin/prometheus-blackbox-exporter",))
REDIS_EXPORTER = DebianPackages("redis-exporter", ("prometheus-redis-exporter",))
HAPROXY = DebianPackages("haproxy", ("haproxy",), ("usr/sbin/haproxy",))
REDIS = DebianPackages("redis", ("redis-server", "redis-tools"))
POSTGRES = DebianPackages("postgres", ("postgresql-15", "postgresql-client-15", "libnss-wrapper"))
TRAEFIK = PypiPackage("traefik")
DEX = GoBuild("dex", "dex", cpu_seconds=90)
"""An OpenID Connect provider for tests: https://dexidp.io."""
CHROMIUM = DebianPackages("chromium", ("chromium", "chromium-common", "fonts-dejavu-core"))
"""A browser for tests; it starts itself again, so it runs by its own name and not by a starter."""
PEBBLE = DebianPackages("pebble", ("pebble",), ("usr/bin/pebble", "usr/bin/pebble-challtestsrv"))
"""A certificate authority for tests: https://github.com/letsencrypt/pebble."""


def _build_go_file(build: GoBuild, at: str) -> File:
    return File(build, f"bin/{build.program}", at)


_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NOBODY = "65534:65534"
_PG = "/usr/lib/postgresql/15"
_PG_USER = 999
_REDIS_USER = 999
_JAEGER_USER, _JAEGER_PAGES = 10001, "/usr/share/jaeger"

RECIPES: dict[str, Recipe] = {
    "prometheus": Recipe(
        files=(
            _build_go_file(PROMETHEUS, "/bin/prometheus"),
            _build_go_file(PROMTOOL, "/bin/promtool"),
            File(PROMETHEUS_UI, "static", f"{HOME}/web/ui/static"),
        ),
        directories=(Owned("/prometheus", 65534), Owned("/etc/prometheus", 65534)),
        config=ImageConfig(
            entrypoint=("/bin/prometheus",),
            command=("--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"),
            user=_NOBODY,
            workdir=HOME,
            env=(_PATH,),
            ports=("9090/tcp",),
        ),
    ),
    "alertmanager": Recipe(
        files=(_build_go_file(ALERTMANAGER, "/bin/alertmanager"), _build_go_file(AMTOOL, "/bin/amtool")),
        directories=(Owned("/alertmanager", 65534), Owned("/etc/alertmanager", 65534)),
        config=ImageConfig(
            entrypoint=("/bin/alertmanager",),
            command=("--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"),
            user=_NOBODY,
            workdir="/alertmanager",
            env=(_PATH,),
            ports=("9093/tcp",),
        ),
    ),
    "loki": Recipe(
        files=(_build_go_file(LOKI, "/usr/bin/loki"),),
        directories=(Owned("/loki", 10001), Owned("/etc/loki", 10001)),
        users={"loki": 10001},
        config=ImageConfig(
            entrypoint=("/usr/bin/loki",),
            command=("-config.file=/etc/loki/local-config.yaml",),
            user="10001:10001",
            env=(_PATH,),
            ports=("3100/tcp",),
        ),
    ),
    "promtail": Recipe(
        files=(_build_go_file(PROMTAIL, "/usr/bin/promtail"),),
        directories=(Owned("/etc/promtail", 0),),
        config=ImageConfig(
            entrypoint=("/usr/bin/promtail",), command=("-config.file=/etc/promtail/config.yml",), env=(_PATH,)
        ),
    ),
    "jaeger": Recipe(
        files=(_build_go_file(JAEGER, "/cmd/jaeger/jaeger-linux"), File(TRACE_PAGES, SITE, _JAEGER_PAGES)),
        directories=(Owned("/badger", _JAEGER_USER),),
        config=ImageConfig(
            entrypoint=("/cmd/jaeger/jaeger-linux",),
            user=str(_JAEGER_USER),
            # the stack's document asks for the second: only this image has pages of ours
            env=(_PATH, "JAEGER_LISTEN_HOST=0.0.0.0", f"JAEGER_UI_ASSETS={_JAEGER_PAGES}"),
            ports=("4317/tcp", "4318/tcp", "8888/tcp", "13133/tcp", "14268/tcp", "16686/tcp"),
        ),
    ),
    "otel-collector": Recipe(
        files=(_build_go_file(OTEL_COLLECTOR, "/otelcol-contrib"),),
        config=ImageConfig(
            entrypoint=("/otelcol-contrib",), user="10001:10001", env=(_PATH,), ports=("4317/tcp", "4318/tcp")
        ),
    ),
    "oauth2-proxy": Recipe(
        files=(_build_go_file(OAUTH2_PROXY, "/bin/oauth2-proxy"),),
        config=ImageConfig(entrypoint=("/bin/oauth2-proxy",), user="65532:65532", env=(_PATH,), ports=("4180/tcp",)),
    ),
    "dashboard-viewer": Recipe(
        files=(_build_go_file(DASHBOARD_VIEWER, "/bin/dashboard-viewer"),),
        directories=(Owned("/var/lib/grafana", 472), Owned("/etc/grafana", 472)),
        users={"grafana": 472},
        busybox=True,
        scripts="dashboard-viewer",
        config=ImageConfig(
            entrypoint=("/run.sh",),
            user="472:0",
            workdir="/var/lib/grafana",
            env=(
                _PATH.replace("PATH=", "PATH=/usr/share/grafana/bin:"),
                "GF_PATHS_CONFIG=/etc/grafana/grafana.ini",
                "GF_PATHS_HOME=/usr/share/grafana",
            ),
            ports=("3000/tcp",),
        ),
        local=True,
    ),
    "traefik": Recipe(
        files=(File(TRAEFIK, "bin/traefik", "/usr/local/bin/traefik"),),
        config=ImageConfig(entrypoint=("/usr/local/bin/traefik",), env=(_PATH,), ports=("80/tcp",)),
    ),
    "node-exporter": Recipe(
        files=(_build_go_file(NODE_EXPORTER, "/bin/node_exporter"),),
        config=ImageConfig(entrypoint=("/bin/node_exporter",), user=_NOBODY, env=(_PATH,), ports=("9100/tcp",)),
    ),
    "blackbox-exporter": Recipe(
        files=(File(BLACKBOX, "root/usr/bin/prometheus-blackbox-exporter", "/bin/blackbox_exporter"),),
        directories=(Owned("/etc/blackbox_exporter", 0),),
        config=ImageConfig(
            entrypoint=("/bin/blackbox_exporter",),
            command=("--config.file=/etc/blackbox_exporter/config.yml",),
            env=(_PATH,),
            ports=("9115/tcp",),
        ),
    ),
    "postgres-exporter": Recipe(
        files=(_build_go_file(POSTGRES_EXPORTER, "/bin/postgres_exporter"),),
        config=ImageConfig(entrypoint=("/bin/postgres_exporter",), user=_NOBODY, env=(_PATH,), ports=("9187/tcp",)),
    ),
    "redis-exporter": Recipe(
        files=(File(REDIS_EXPORTER, "root/usr/bin/prometheus-redis-exporter", "/redis_exporter"),),
        config=ImageConfig(entrypoint=("/redis_exporter",), user="59000:59000", env=(_PATH,), ports=("9121/tcp",)),
    ),
    "cadvisor": Recipe(
        files=(_build_go_file(CADVISOR, "/usr/bin/cadvisor"),),
        config=ImageConfig(entrypoint=("/usr/bin/cadvisor", "-logtostderr"), env=(_PATH,), ports=("8080/tcp",)),
    ),
    "haproxy": Recipe(
        files=(File(HAPROXY, "root/usr/sbin/haproxy", "/usr/local/sbin/haproxy"),),
        directories=(Owned("/usr/local/etc/haproxy", 0), Owned("/var/lib/haproxy", 99)),
        users={"haproxy": 99},
        busybox=True,
        scripts="haproxy",
        config=ImageConfig(
            entrypoint=("/usr/local/bin/docker-entrypoint.sh",),
            command=("haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"),
            user="haproxy",
            workdir="/var/lib/haproxy",
            env=(_PATH,),
        ),
    ),
    "postgres": Recipe(
        files=(
            File(POSTGRES, f"root{_PG}", _PG),
            File(POSTGRES, "root/usr/share/postgresql/15", "/usr/share/postgresql/15"),
            File(POSTGRES, "root/usr/share/zoneinfo", "/usr/share/zoneinfo"),
            File(POSTGRES, "root/usr/lib/locale/C.utf8", "/usr/lib/locale/C.utf8"),
            File(POSTGRES, "root/usr/lib/{triplet}/libnss_wrapper.so", "/usr/lib/{triplet}/libnss_wrapper.so"),
        ),
        directories=(
            Owned("/var/lib/postgresql/data", _PG_USER, 0o1777),
            Owned("/var/run/postgresql", _PG_USER, 0o1777),
            Owned("/docker-entrypoint-initdb.d", 0),
        ),
        users={"postgres": _PG_USER},
        busybox=True,
        scripts="postgres",
        config=ImageConfig(
            entrypoint=("/usr/local/bin/docker-entrypoint.sh",),
            command=("postgres",),
            user=f"{_PG_USER}:{_PG_USER}",
            env=(f"{_PATH}:{_PG}/bin", "LANG=C.UTF-8", "PGDATA=/var/lib/postgresql/data"),
            ports=("5432/tcp",),
        ),
    ),
    "redis": Recipe(
        files=(
            File(REDIS, "root/usr/bin/redis-server", "/usr/local/bin/redis-server"),
            File(REDIS, "root/usr/bin/redis-cli", "/usr/local/bin/redis-cli"),
        ),
        directories=(Owned("/data", _REDIS_USER, 0o1777),),
        users={"redis": _REDIS_USER},
        busybox=True,
        scripts="redis",
        config=ImageConfig(
            entrypoint=("/usr/local/bin/docker-entrypoint.sh",),
            command=("redis-server",),
            user=f"{_REDIS_USER}:{_REDIS_USER}",
            workdir="/data",
            env=(_PATH,),
            ports=("6379/tcp",),
        ),
    ),
    "busybox": Recipe(files=(), busybox=True, config=ImageConfig(command=("sh",), env=(_PATH,))),
    "kube-state-metrics": Recipe(
        files=(_build_go_file(KUBE_STATE_METRICS, "/kube-state-metrics"),),
        config=ImageConfig(
            entrypoint=("/kube-state-metrics", "--port=8080", "--telemetry-port=8081"),
            user=_NOBODY,
            env=(_PATH,),
            ports=("8080/tcp", "8081/tcp"),
        ),
    ),
    "demo": Recipe(
        files=(_build_go_file(DEMO, "/bin/demo"),),
        config=ImageConfig(entrypoint=("/bin/demo",), user=_NOBODY, env=(_PATH,)),
        local=True,
    ),
    "mcp": MCP_RECIPE,
    "backup": BACKUP_RECIPE,
}

CLUSTER_RECIPES: dict[str, Recipe] = {
    "pause": Recipe(
        files=(_build_go_file(PAUSE, "/pause"),),
        config=ImageConfig(entrypoint=("/pause",), user="65535:65535", env=(_PATH,)),
    ),
    "coredns": Recipe(
        files=(_build_go_file(COREDNS, "/coredns"),),
        config=ImageConfig(entrypoint=("/coredns",), user=_NOBODY, workdir="/", env=(_PATH,), ports=("53/udp",)),
    ),
}
"""What the cluster itself runs; no stack deploys them."""

OPERATOR_RECIPES: dict[str, Recipe] = {
    "prometheus-operator": Recipe(
        files=(_build_go_file(OPERATOR, "/bin/operator"),),
        config=ImageConfig(entrypoint=("/bin/operator",), user=_NOBODY, env=(_PATH,)),
    ),
    "prometheus-config-reloader": Recipe(
        files=(_build_go_file(RELOADER, "/bin/prometheus-config-reloader"),),
        config=ImageConfig(entrypoint=("/bin/prometheus-config-reloader",), user=_NOBODY, env=(_PATH,)),
    ),
}
"""An operator for the cluster for trials, where a stack finds one in life."""
