"""What the fields of models are, as the docstrings behind them say.

Pydantic would read them off the source of each model as it is imported, which takes an eighth of a run of `render`;
only the schemas, the reference and some problems show them.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache
from itertools import pairwise

from pydantic import BaseModel


def list_descriptions(model: type[BaseModel]) -> Mapping[str, str]:
    """What each field of a model is, by its name: what the field says, else its docstring; "" where none does."""
    documented: dict[str, str] = {}
    for each in reversed(model.__mro__):
        if issubclass(each, BaseModel) and each is not BaseModel:
            documented |= _read_docstrings(each)
    return {name: field.description or documented.get(name, "") for name, field in model.model_fields.items()}


def _read_docstrings(model: type[BaseModel]) -> dict[str, str]:
    """The docstrings in the body of a class; none of a class that is made by a function."""
    body = next((node.body for node in _list_classes(model.__module__) if node.name == model.__qualname__), [])
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    }


@cache
def _list_classes(module: str) -> tuple[ast.ClassDef, ...]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return tuple(node for node in tree.body if isinstance(node, ast.ClassDef))
