"""Expressions of RE2: what it has is taken, what other dialects have is refused in words."""

from __future__ import annotations

import pytest

from model.expressions import compile_expression


@pytest.mark.parametrize(
    "text",
    [
        r"^\d{4}-\d\d",
        r"(?P<level>\w+) (?<message>.*)",
        r"(?i)error|(?i:warn)(?s-i:x)",
        r"[[:alpha:]]+\pL\p{Greek}[\p{L}a]",
        r"\Qa+(b\E\z",
        r"[*+]+ [^]]+ \(?=x",
        r"\x{1F600}\x41",
        r"a{1000}",
    ],
)
def test_what_go_knows_is_taken(text: str) -> None:
    """Each of these is an expression of RE2."""
    assert compile_expression(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (r"^(?!at )", r"\(\?! looks ahead"),
        (r"^(?=x)", r"\(\?= looks ahead"),
        (r"(?<=x)y", r"\(\?<= looks behind"),
        (r"(?<!x)y", r"\(\?<! looks behind"),
        (r"(?>a)b", r"never steps back"),
        (r"a++b", r"\+\+ never steps back"),
        (r"(a)\1", r"\\1 refers to a group"),
        (r"(?P<a>x)(?P=a)", r"refers to a group"),
        (r"a(?#why)", r"condition or a comment"),
        (r"a\Z", r"\\Z is no escape"),
        ("(a", "is no regular expression: missing \\), unterminated subpattern"),
        ("*a", "is no regular expression: nothing to repeat"),
        ("(?P<a>x)(?P<a>y)", "redefinition of group name"),
        ("a{1001}", "repeats something 1001 times"),
    ],
)
def test_what_go_does_not_know_is_refused(text: str, words: str) -> None:
    """Promtail would not start with it; the message names the part."""
    with pytest.raises(ValueError, match=words):
        compile_expression(text)


def test_groups_have_their_names() -> None:
    """Both ways of writing a name are one."""
    assert set(compile_expression(r"(?P<a>x)(?<b>y)(z)").groupindex) == {"a", "b"}
