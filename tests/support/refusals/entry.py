"""Settings of the entry point that are wrong: what opens a stack, certificates, logins."""

from __future__ import annotations

import json

from stack.assemble import ConfigValue
from tests.support.refusals.case import of_section, of_settings

SECRET = ConfigValue("", secret=True)
OPEN = '{"bindAddress": "10.0.0.5"}'
NAMED = "https://m.example.com"
ACME = {"mode": "acme", "acme": {"email": "ops@example.com"}}
ENTRY_CASES = (
    of_settings(
        "open without TLS", {"docker": OPEN}, "tls.mode", "passwords would cross the network in clear: choose one"
    ),
    of_settings(
        "open without a login",
        {"docker": OPEN, "access": '{"login": "none"}', "tls": '{"mode": "internal"}', "baseUrl": NAMED},
        "access.login",
        "'none' opens everything but Grafana to whoever reaches the stack, as docker.bindAddress is set; use basic",
    ),
    of_settings(
        "open cluster without TLS",
        {"target": "kubernetes", "kubernetes": '{"serviceType": "NodePort"}'},
        "tls.mode",
        "as kubernetes.serviceType is set",
    ),
    of_settings(
        "ingress without https",
        {"target": "kubernetes", "kubernetes": '{"ingressClass": "nginx"}', "baseUrl": "http://m.example.com"},
        "baseUrl",
        "must begin with https://, as the ingress leads people of other hosts to the stack",
    ),
    of_settings(
        "two ends of TLS",
        {
            "target": "kubernetes",
            "kubernetes": '{"ingressClass": "nginx"}',
            "baseUrl": NAMED,
            "tls": '{"mode": "internal"}',
        },
        "tls.mode",
        "'internal': the ingress speaks TLS in front of the stack",
    ),
    of_settings(
        "challenge that cannot arrive",
        {"target": "kubernetes", "baseUrl": NAMED, "tls": json.dumps(ACME)},
        "tls.acme.challenge",
        "'http': no authority reaches a Service of type ClusterIP; use dns, or LoadBalancer",
    ),
    of_settings("TLS for http", {"tls": '{"mode": "internal"}'}, "baseUrl", "must begin with https:// where tls.mode"),
    of_settings(
        "certificate for an address",
        {"tls": json.dumps(ACME), "baseUrl": "https://10.0.0.5"},
        "baseUrl",
        "a certificate is ordered for the name of a host",
    ),
    of_section("acme without its section", "tls", {"mode": "acme"}, ".acme", "is required with mode acme"),
    of_section(
        "files beside acme",
        "tls",
        {**ACME, "files": {"certificateSecret": "c", "keySecret": "k"}},
        ".files",
        "has an effect with mode files only",
    ),
    of_section(
        "ciphers of nothing", "tls", {"minimumVersion": "1.3"}, ".minimumVersion", "has an effect with TLS only"
    ),
    of_section(
        "lifetime against profile",
        "tls",
        {"mode": "acme", "acme": {"email": "o@example.com", "profile": "shortlived", "lifetime": "90d"}},
        ".acme.lifetime",
        "'90d' contradicts the profile shortlived, whose certificates are valid for 6d16h",
    ),
    of_section(
        "dns without provider",
        "tls",
        {"mode": "acme", "acme": {"email": "o@example.com", "challenge": "dns"}},
        ".acme.dns",
        "is required with challenge dns",
    ),
    of_section(
        "user twice", "access", {"users": [{"name": "a"}, {"name": "a"}]}, ".users[1].name", "'a' is declared twice"
    ),
    of_section(
        "machine like a user",
        "access",
        {"machines": [{"name": "admin", "may": ["push"]}]},
        ".machines[0].name",
        "'admin' is somebody who signs in",
    ),
    of_section(
        "ports on loopback", "access", {"ports": ["loki"]}, ".ports[0]", "where docker.bindAddress is not loopback"
    ),
    of_settings(
        "port of nothing",
        {"docker": OPEN, "baseUrl": NAMED, "tls": '{"mode": "internal"}', "access": '{"ports": ["lokki"]}'},
        "access.ports[0]",
        "'lokki' is no component beside Traefik; did you mean 'loki'?",
    ),
    of_section(
        "bits of hosts", "access", {"trustedProxies": ["10.0.0.1/8"]}, ".trustedProxies[0]", "without bits of hosts"
    ),
    of_settings(
        "access without an entry",
        {"access": '{"silences": true}', "traefik": '{"enabled": false}'},
        "access",
        "has no effect, as traefik.enabled is false",
    ),
    of_settings(
        "federation of an operator",
        {
            "target": "kubernetes",
            "prometheus": "operator",
            "access": '{"machines": [{"name": "m", "may": ["federate"]}]}',
        },
        "access.machines[0].may",
        "'federate' has no effect: there is no Prometheus of this stack's own",
    ),
    of_section("login without provider", "access", {"login": "oidc"}, ".oidc", "is required with login oidc"),
    of_section(
        "provider for everybody",
        "access",
        {"login": "oidc", "oidc": {"issuer": "https://l.example.com", "clientId": "m"}},
        ".oidc",
        "say who may come in: groups, or emailDomains",
    ),
    of_section("http port without TLS", "traefik", {"httpPort": 81}, ".httpPort", "has an effect with TLS only"),
    of_settings("path with a slash", {"baseUrl": "https://m.example.com/a/"}, "baseUrl", "m.example.com/a/"),
)
