"""What notifications say: what, where, how bad, since when, how many, and where to go from there.

One text in the markup of each kind of receiver, as Go templates in the document `notifications.tmpl`. Their data and
functions: https://prometheus.io/docs/alerting/latest/notifications/.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

FILE = "notifications.tmpl"
PREFIX = "observability"
"""Begins the names of our templates, beside those that Alertmanager brings."""
TEST_ALERT = "NotificationTest"
"""Name of the alert that `make alert-test` sends."""
_TIME = '.UTC.Format "2006-01-02 15:04:05 MST"'
_ORIGIN_LABELS = ("service", "instance", "system", "environment", "team")
"""Labels that say where, in this order; those that an alert has are shown."""


@dataclass(frozen=True)
class Markup:
    """How a kind of receiver writes text.

    `bold` and `link` have `{url}` and `{text}` in them, `end` ends a line. `escape` is put behind each value; in HTML
    the engine does that by itself. What the receiver takes limits the rest: `most` is how many alerts are listed,
    `characters` how much of a summary and of a description, `address` how long the address of a silence may be, and
    `source` says whether the query that raised the alert is linked.
    """

    bold: str = "{text}"
    link: str = "{text}: {url}"
    end: str = "\n"
    escape: str = ""
    most: int = 5
    characters: int = 500
    address: int = 2000
    source: bool = True


_ANCHOR = '<a href="{url}">{text}</a>'
MARKUPS: Mapping[str, Markup] = {
    "text": Markup(),  # 15,000 characters at most: https://docs.opsgenie.com/docs/alert-api
    "mail": Markup(most=50, characters=5000),
    "html": Markup(bold="<b>{text}</b>", link=_ANCHOR, end="<br>\n", most=50, characters=5000),
    "slack": Markup(
        bold="*{text}*",
        link="<{url}|{text}>",
        # https://docs.slack.dev/messaging/formatting-message-text/#escaping
        escape=' | reReplaceAll "&" "&amp;" | reReplaceAll "<" "&lt;" | reReplaceAll ">" "&gt;"',
    ),
    "markdown": Markup(bold="**{text}**", link="[{text}]({url})"),  # Alertmanager cuts it to what Discord takes
    # 28 KB at most, in which < and & have six bytes; a text block of a card ends its lines by empty ones
    "teams": Markup(bold="**{text}**", link="[{text}]({url})", end="\n\n", characters=300),
    # 4096 characters at most: Alertmanager cuts even inside a tag, and Telegram refuses that
    "telegram": Markup(bold="<b>{text}</b>", link=_ANCHOR, most=2, characters=120, address=300, source=False),
    "short": Markup(link="", most=3, characters=150, source=False),  # 1024 characters at most: https://pushover.net/api
}
"""By the name that ends the template's: `observability.slack`."""


def reference_template(name: str) -> str:
    """A field's text that is one of our templates: `{{ template "observability.title" . }}`."""
    return _render_action(f'template "{PREFIX}.{name}" .')


@functools.cache  # asked for once per field of a receiver
def render_definitions() -> Mapping[str, str]:
    """Every template by its name without the prefix."""
    texts = {
        "title": _render_title(),
        "url": _render_action(".ExternalURL") + "/#/alerts?receiver=" + _render_action(".Receiver | urlquery"),
        **{name: _render_text(markup) for name, markup in MARKUPS.items()},
    }
    return {name: _render_block(f'define "{PREFIX}.{name}"', text) for name, text in texts.items()}


def render_document() -> str:
    """All templates as one document."""
    return "".join(f"{text}\n" for text in render_definitions().values())


def inline_templates(text: str) -> str:
    """A field's text with the templates that it uses in it, for an Alertmanager that does not have our document."""
    used = [definition for name, definition in render_definitions().items() if reference_template(name) in text]
    return "".join([*used, text])


# -- texts -----------------------------------------------------------------------------------------------------------


def _render_title() -> str:
    """State, severity, name, service and number: `FIRING critical: HighErrorRatio api (2)`."""
    return "".join(
        [
            _render_block(f'if eq .CommonLabels.alertname "{TEST_ALERT}"', "TEST "),
            _render_action(".Status | toUpper"),
            _render_block("with .CommonLabels.severity", " " + _render_action(".")),
            ":",
            _render_block(
                "with .CommonLabels.alertname",
                " " + _render_action("."),
                otherwise=f" {_render_action('len .Alerts')} alerts",
            ),
            _render_block("with .CommonLabels.service", " " + _render_action(".")),
            _render_block("if gt (len .Alerts.Firing) 1", f" ({_render_action('len .Alerts.Firing')})"),
        ]
    )


def _render_text(markup: Markup) -> str:
    """The alerts of a group, each with its places, its time and its links."""
    listed = _render_block(f"if lt $number {markup.most}", _render_alert(markup))
    more = f"These are {markup.most} of {_render_action('len .Alerts')} alerts.{markup.end}"
    return _render_block("range $number, $alert := .Alerts", listed) + _render_block(
        f"if gt (len .Alerts) {markup.most}", more
    )


def _render_alert(markup: Markup) -> str:
    origins = [
        _render_block(f"with .Labels.{name}", f" {name} {_render_action('.' + markup.escape)}")
        for name in _ORIGIN_LABELS
    ]
    ended = _render_block('if eq .Status "resolved"', f", until {_render_action(f'.EndsAt{_TIME}')}")
    severity = _render_block("with .Labels.severity", " " + _render_action("."))
    status = markup.bold.format(text=_render_action(".Status | toUpper"))
    lines = [
        f"{status}{severity}: {_cut_text(markup, '.Annotations.summary')}",
        "Where:" + "".join(origins),
        f"Since: {_render_action(f'.StartsAt{_TIME}')}{ended}",
    ]
    summary, *rest = (f"{line}{markup.end}" for line in lines)
    description = _render_block("with .Annotations.description", _cut_text(markup, ".") + markup.end)
    return "".join([summary, description, *rest]) + _render_links(markup) + markup.end


def _cut_text(markup: Markup, path: str) -> str:
    return _render_action(f'printf "%.{markup.characters}s" {path}{markup.escape}')


def _render_links(markup: Markup) -> str:
    """Runbook, dashboard, a silence for exactly this alert, and the query that raised it, where there is room."""
    if not markup.link:
        return ""
    links = {"Runbook": ".Annotations.runbook_url", "Dashboard": ".Annotations.dashboard_url", "Silence": "$silence"}
    links |= {"Source": ".GeneratorURL"} if markup.source else {}
    return _render_silence() + "".join(_render_link(markup, text, path) for text, path in links.items())


def _render_link(markup: Markup, text: str, path: str) -> str:
    """A link on a line of its own; a relative address, as rules of others may have, is none and stands as it is."""
    linked, plain = markup.link.format(url=_render_action("."), text=text), f"{text}: {_render_action('.')}"
    shown = plain if linked == plain else _render_block('if match "^https?://" .', linked, otherwise=plain)
    return _render_block(f"with {path}", _render_block(f"if lt (len .) {markup.address}", shown + markup.end))


def _render_silence() -> str:
    """Sets $silence to the page for a new silence with the alert's labels: `…?filter={a="b", c="d"}`, escaped.

    Source: ui/app/src/Views/SilenceForm/Parsing.elm of Alertmanager.
    """
    value = '(.Value | urlquery | reReplaceAll "\\\\+" "%20")'
    return (
        _render_action('$comma := ""')
        + _render_action('$silence := printf "%s/#/silences/new?filter=%%7B" $.ExternalURL')
        + _render_block(
            "range .Labels.SortedPairs",
            _render_action(f'$silence = printf "%s%s%s%%3D%%22%s%%22" $silence $comma .Name {value}')
            + _render_action('$comma = "%2C%20"'),
        )
        + _render_action('$silence = printf "%s%%7D" $silence')
    )


# -- Go's template language: https://pkg.go.dev/text/template ----------------------------------------------------------


def _render_action(action: str) -> str:
    return "{{ " + action + " }}"


def _render_block(head: str, body: str, *, otherwise: str = "") -> str:
    return (
        _render_action(head) + body + (_render_action("else") + otherwise if otherwise else "") + _render_action("end")
    )
