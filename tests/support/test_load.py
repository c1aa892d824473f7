"""A request that fails is seen among those that do not."""

from __future__ import annotations

from itertools import count

from tests.support.load import under_load
from tests.support.waiting import eventually


def test_an_error_is_an_answer_and_the_load_goes_on() -> None:
    """The second of all requests raises: its error stands between what the others were answered."""
    numbers = count()

    def ask() -> int:
        if (number := next(numbers)) == 1:
            raise ConnectionRefusedError
        return number

    with under_load(ask) as answers:
        eventually(lambda: len(answers) > 3, timeout=10, what="four requests")
    assert answers[0] == 0 and isinstance(answers[1], ConnectionRefusedError) and answers[2] == 2
