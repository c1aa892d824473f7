"""Settings and secrets of a stack that are wrong in one place."""

from __future__ import annotations

import json

from stack.assemble import ConfigValue
from tests.support.refusals.case import Case, of_section, of_settings
from tests.support.refusals.entry import ENTRY_CASES
from tests.support.refusals.receivers import RECEIVER_CASES
from tests.support.systems import ABSENT

SECRET = ConfigValue("", secret=True)
LOGIN = '{"registryLogins": [{"address": "r:5000", "username": "u", "passwordSecret": "pull"}]}'

S3 = {"endpoint": "s3:9000", "bucket": "lines"}
GRAFANA_DATABASE = {"type": "postgres", "host": "db:5432"}


KEEPING_CASES = (
    of_section("loki's mode", "loki", {"mode": "scalable"}, ".mode", '"scalable" is not known; did you mean'),
    of_section(
        "loki's parts without a bucket",
        "loki",
        {"mode": "simpleScalable"},
        ".storage.s3",
        "is required by mode simpleScalable: its parts share a bucket",
    ),
    of_section(
        "loki's parts on docker",
        "loki",
        {"mode": "simpleScalable", "storage": {"s3": S3}},
        ".mode",
        "'simpleScalable' needs target 'kubernetes'; on 'docker' use 'single'",
    ),
    of_section(
        "instances of a single loki", "loki", {"replicas": {"write": 3}}, ".replicas", "mode single is one process"
    ),
    of_section(
        "lokis without a bucket",
        "loki",
        {"mode": "replicated"},
        ".storage.s3",
        "is required by mode replicated: its instances share a bucket",
    ),
    of_section(
        "several lokis on docker",
        "loki",
        {"mode": "replicated", "storage": {"s3": S3}},
        ".mode",
        "'replicated' needs target 'kubernetes'; on 'docker' use 'single'",
    ),
    of_section(
        "parts of lokis that are alike",
        "loki",
        {"mode": "replicated", "storage": {"s3": S3}, "replicas": {"write": 3}},
        ".replicas.write",
        "has an effect in mode simpleScalable only, and this is replicated",
    ),
    of_section(
        "lokis that are alike among parts",
        "loki",
        {"mode": "simpleScalable", "storage": {"s3": S3}, "replicas": {"all": 3}},
        ".replicas.all",
        "has an effect in mode replicated only, and this is simpleScalable",
    ),
    of_section("a number of lokis", "loki", {"replicas": 3}, ".replicas", "3: must be a mapping"),
    of_section(
        "no writer",
        "loki",
        {"mode": "simpleScalable", "storage": {"s3": S3}, "replicas": {"write": 0}},
        ".replicas.write",
        "0: must be greater than or equal to 1",
    ),
    of_section(
        "bucket without a server",
        "loki",
        {"storage": {"s3": {"bucket": "lines"}}},
        ".storage.s3.region",
        "is required, as no endpoint is named",
    ),
    of_section(
        "server with scheme",
        "loki",
        {"storage": {"s3": {**S3, "endpoint": "http://s3"}}},
        ".storage.s3.endpoint",
        "must be a host, with a port where it has one, without a scheme or path",
    ),
    of_section(
        "secret key in clear",
        "loki",
        {"storage": {"s3": {**S3, "secretAccessKey": "x"}}},
        ".storage.s3.secretAccessKey",
        "unknown key",
    ),
    of_settings(
        "secret key missing",
        {"loki": json.dumps({"storage": {"s3": {**S3, "accessKeyId": "KEY"}}})},
        "loki-s3-secret-key",
        "is required, as the secret key of KEY for the bucket lines; set it with: make secret STACK=dev NAME=loki-s3",
    ),
    of_section(
        "several grafanas without a database",
        "grafana",
        {"replicas": 2},
        ".replicas",
        "2 instances need a database that they share",
    ),
    of_section(
        "trust in a database",
        "grafana",
        {"database": {**GRAFANA_DATABASE, "sslMode": "full"}},
        ".database.sslMode",
        "'full' is not known to postgres",
    ),
    of_section(
        "database without port",
        "grafana",
        {"database": {**GRAFANA_DATABASE, "host": "db"}},
        ".database.host",
        '"db": must be a host and a port',
    ),
    of_settings(
        "database's password missing",
        {"grafana": json.dumps({"database": GRAFANA_DATABASE})},
        "grafana-database-password",
        "is required, as the password of Grafana's user grafana at db:5432; set it with: make secret STACK=dev NAME=",
    ),
    of_section(
        "two ways in",
        "kubernetes",
        {"ingressClass": "nginx", "serviceType": "LoadBalancer"},
        ".serviceType",
        "'LoadBalancer' is a second way in beside the ingress",
    ),
    of_section(
        "certificate without ingress", "kubernetes", {"tlsSecret": "cert"}, ".tlsSecret", "name its ingressClass"
    ),
    of_settings(
        "ingress without a name",
        {"target": "kubernetes", "kubernetes": '{"ingressClass": "nginx"}'},
        "baseUrl",
        "'http://127.0.0.1:8080': an ingress needs the name of a host",
    ),
)

CLUSTER = {"target": "kubernetes"}
OPERATOR_CASES = (
    of_settings(
        "operator on Docker",
        {"prometheus": "operator"},
        "prometheus.mode",
        "an operator exists on the target kubernetes only, and this is docker; use own",
    ),
    of_settings(
        "mode", {**CLUSTER, "prometheus": '{"mode": "oprator"}'}, "prometheus.mode", "did you mean 'operator'?"
    ),
    of_settings("mode as a word", {**CLUSTER, "prometheus": "oprator"}, "prometheus", '"oprator": must be a mapping'),
    of_settings(
        "operator without its mode",
        {**CLUSTER, "prometheus": '{"operator": {"namespace": "watch"}}'},
        "prometheus.operator",
        "means something with mode: operator only; add that",
    ),
    of_settings(
        "replicas of the operator's Prometheus",
        {**CLUSTER, "prometheus": '{"mode": "operator", "replicas": 2}'},
        "prometheus.replicas",
        "is for the operator to say, which runs it; leave it out, or set prometheus.mode to own",
    ),
    of_settings(
        "replicas of the operator's Alertmanager",
        {**CLUSTER, "prometheus": "operator", "alertmanager": '{"replicas": 3}'},
        "alertmanager.replicas",
        "is for the operator to say",
    ),
    of_settings(
        "unknown setting of the operator",
        {**CLUSTER, "prometheus": '{"mode": "operator", "operator": {"lables": {}}}'},
        "prometheus.operator.lables",
        "did you mean 'labels'?",
    ),
    of_settings(
        "interval with an operator",
        {**CLUSTER, "prometheus": "operator", "scrapeInterval": "15 s"},
        "scrapeInterval",
        '"15 s": must be a number and a unit',
    ),
)

ON_CLUSTER_ONLY = "has an effect on the target kubernetes only, and this stack's is docker; leave it out"
ON_DOCKER_ONLY = "has an effect on the target docker only, and this stack's is kubernetes; leave it out"
TARGET_CASES = (
    of_settings("host port on a cluster", {**CLUSTER, "loki": '{"port": 3100}'}, "loki.port", ON_DOCKER_ONLY),
    of_settings(
        "host port beside an operator",
        {**CLUSTER, "prometheus": '{"mode": "operator", "port": 9090}'},
        "prometheus.port",
        ON_DOCKER_ONLY,
    ),
    of_settings(
        "host port of a collector on a cluster",
        {**CLUSTER, "jaeger": '{"enabled": true, "otlpHttpPort": 4318}'},
        "jaeger.otlpHttpPort",
        ON_DOCKER_ONLY,
    ),
    of_settings(
        "published demo on a cluster",
        {**CLUSTER, "demoWorkload": '{"publish": false}'},
        "demoWorkload.publish",
        ON_DOCKER_ONLY,
    ),
    of_settings("engine for a cluster", {**CLUSTER, "docker": '{"logMaxFiles": 5}'}, "docker", ON_DOCKER_ONLY),
    of_settings("cluster for an engine", {"kubernetes": '{"namespace": "a"}'}, "kubernetes", ON_CLUSTER_ONLY),
    of_settings("component of a cluster", {"kubelet": '{"enabled": false}'}, "kubelet", ON_CLUSTER_ONLY),
    of_settings("component of an engine", {**CLUSTER, "cadvisor": '{"memory": "1GiB"}'}, "cadvisor", ON_DOCKER_ONLY),
)

SETTINGS_CASES = (
    *ENTRY_CASES,
    *RECEIVER_CASES,
    *KEEPING_CASES,
    *OPERATOR_CASES,
    *TARGET_CASES,
    of_settings(
        "unknown system",
        {"system": "shopp"},
        "system",
        "'shopp' has no file configs/systems/shopp.yaml; did you mean 'shop'?",
    ),
    of_settings("no system", {"system": ABSENT}, "system", "is required: The system to watch"),
    of_settings("system as path", {"system": "../shop"}, "system", '"../shop": must be lower-case words'),
    of_settings("unknown setting", {"scrapeIntervall": "15s"}, "scrapeIntervall", "did you mean 'scrapeInterval'?"),
    of_settings(
        "unknown component", {"promethius": "{}"}, "promethius", "unknown key 'promethius'; did you mean 'prometheus'?"
    ),
    of_settings(
        "unknown component setting",
        {"prometheus": '{"retentin": "1d"}'},
        "prometheus.retentin",
        "did you mean 'retention'?",
    ),
    of_settings("unknown docker setting", {"docker": '{"hosst": "x"}'}, "docker.hosst", "did you mean 'host'?"),
    of_settings("target", {"target": "podman"}, "target", '"podman" is not known; valid are: docker'),
    of_settings("demo in words", {"demo": "yes"}, "demo", '"yes": must be true or false'),
    of_settings("demo as number", {"demo": "1"}, "demo", "1: must be true or false"),
    of_settings("component as text", {"prometheus": "on"}, "prometheus", '"on": must be a mapping'),
    of_settings(
        "enabled as text", {"prometheus": '{"enabled": "true"}'}, "prometheus.enabled", "must be true or false"
    ),
    of_settings(
        "retention 0", {"prometheus": '{"retention": "0s"}'}, "prometheus.retention", '"0s": must be longer than zero'
    ),
    of_settings(
        "retention size",
        {"prometheus": '{"retentionSize": "8GB"}'},
        "prometheus.retentionSize",
        "GiB or TiB, such as 512MiB",
    ),
    of_settings(
        "memory 0",
        {"prometheus": '{"memory": "0MiB"}'},
        "prometheus.memory",
        '"0MiB": must be a whole number and a unit',
    ),
    of_settings(
        "memory as number", {"prometheus": '{"memory": 512}'}, "prometheus.memory", 'must be text; put it in "quotes"'
    ),
    of_settings(
        "memory too large", {"prometheus": '{"memory": "9999999999TiB"}'}, "prometheus.memory", "must be smaller than"
    ),
    of_settings("no cpu", {"prometheus": '{"cpus": 0}'}, "prometheus.cpus", "greater than or equal to 0.01"),
    of_settings("cpu not a number", {"prometheus": '{"cpus": NaN}'}, "prometheus.cpus", "must be a finite number"),
    of_settings(
        "port", {"prometheus": '{"port": 99999}'}, "prometheus.port", "99999: must be less than or equal to 65535"
    ),
    of_settings(
        "sample limit 0", {"prometheus": '{"sampleLimit": 0}'}, "prometheus.sampleLimit", "greater than or equal to 1"
    ),
    of_settings("scrape interval", {"scrapeInterval": "15"}, "scrapeInterval", '"15": must be a number and a unit'),
    of_settings(
        "base URL with a query", {"baseUrl": "http://x/y?z=1"}, "baseUrl", "for example https://monitoring.example.com"
    ),
    of_settings("base URL without scheme", {"baseUrl": "x:80"}, "baseUrl", '"x:80": must'),
    of_settings("environment", {"environment": "Pre Prod"}, "environment", "must be lower-case words"),
    of_settings(
        "docker host", {"docker": '{"host": "10.0.0.5:2376"}'}, "docker.host", "for example tcp://10.0.0.5:2376"
    ),
    of_settings("docker host without address", {"docker": '{"host": "tcp://"}'}, "docker.host", '"tcp://": must'),
    of_settings(
        "mirror with scheme",
        {"docker": '{"registryMirror": "http://m:5000"}'},
        "docker.registryMirror",
        "must be a registry's host",
    ),
    of_settings(
        "mirror with path",
        {"docker": '{"registryMirror": "m:5000/a"}'},
        "docker.registryMirror",
        "without a scheme or path",
    ),
    of_settings(
        "bind address",
        {"docker": '{"bindAddress": "localhost"}'},
        "docker.bindAddress",
        '"localhost": must be an IP address',
    ),
    of_settings(
        "socket with scheme",
        {"docker": '{"socket": "unix:///run/docker.sock"}'},
        "docker.socket",
        '"unix:///run/docker.sock": must be an absolute path',
    ),
    of_settings(
        "data root with a slash at its end",
        {"docker": '{"dataRoot": "/data/docker/"}'},
        "docker.dataRoot",
        "without spaces, quotes, colons or a slash at its end",
    ),
    of_settings(
        "image store",
        {"docker": '{"imageStore": "overlay2"}'},
        "docker.imageStore",
        '"overlay2" is not known; valid are: classic, containerd',
    ),
    of_settings(
        "log size",
        {"docker": '{"logMaxSize": "10MB"}'},
        "docker.logMaxSize",
        '"10MB": must be a whole number and a unit of k, m or g',
    ),
    of_settings(
        "log files", {"docker": '{"logMaxFiles": 0}'}, "docker.logMaxFiles", "must be greater than or equal to 1"
    ),
    of_settings(
        "login without user",
        {"docker": '{"registryLogins": [{"address": "r:5000", "passwordSecret": "p"}]}'},
        "docker.registryLogins[0].username",
        "is required: User to log in as.",
    ),
    of_settings(
        "setting as secret",
        {"environment": SECRET},
        "environment",
        "is a setting, not a secret; store it with: pulumi config set environment VALUE",
    ),
    of_settings("system as secret", {"system": SECRET}, "system", "is a setting, not a secret"),
    of_settings("unknown secret", {"databasePassword": SECRET}, "databasePassword", "unknown key 'databasePassword'"),
    of_settings(
        "secret in clear",
        {
            "docker": LOGIN,
            "pull": "hunter2",
        },
        "pull",
        "is stored in clear, but is the password of u at the registry r:5000; store it with: make secret STACK=dev",
    ),
    of_settings(
        "secret missing",
        {"docker": LOGIN},
        "pull",
        "is required, as the password of u at the registry r:5000; set it with: make secret STACK=dev NAME=pull",
    ),
    of_settings(
        "secret named like a setting",
        {"docker": '{"registryLogins": [{"address": "r:5000", "username": "u", "passwordSecret": "demo"}]}'},
        "demo",
        "is a setting, so no secret can have this name",
    ),
    Case(name="stack name", stack="Dev_1", at="stack Dev_1", says="must be lower-case letters"),
)
