"""Small changes of a Python source, one at a time, as a slip of the pen would make them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Mutant", "mutants"]

_OPERATORS: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Lt: (ast.LtE,),
    ast.LtE: (ast.Lt,),
    ast.Gt: (ast.GtE,),
    ast.GtE: (ast.Gt,),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_PAIRS = (
    ("min", "max"),
    ("minimum", "maximum"),
    ("floor", "ceil"),
    ("any", "all"),
    ("argmin", "argmax"),
    ("amin", "amax"),
)
_NAMES = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}
_SHOWN = (ast.BinOp, ast.BoolOp, ast.Compare, ast.Call, ast.IfExp, ast.Subscript, ast.Tuple, ast.stmt)
# What only a type checker reads, or only holds other code to its promise.
_UNREAD = {"annotation", "returns", "decorator_list", "type_params"}
_PROMISES = {"strict"}


class Mutant(NamedTuple):
    """A changed source.

    Attributes:
        where: The function or class that holds the change, dotted; empty for the module's own lines.
        before, after: The expression that changed.
        source: The whole file.
    """

    where: str
    before: str
    after: str
    source: str

    def __str__(self) -> str:
        return f"{self.where or '(module)'}: {self.before} → {self.after}"


def mutants(source: str) -> Iterator[Mutant]:
    """Every change of a source: operators, boundaries of comparisons, signs, numbers, ``min`` for ``max``."""
    tree = ast.parse(source)
    for node, field, index, where, shown in list(_places(tree, "", tree)):
        value = getattr(node, field)
        old = value if index is None else value[index]
        for new in _changes(old):
            before = _line(shown)
            _put(node, field, index, new)
            yield Mutant(where, before, _line(shown), ast.unparse(tree))
            _put(node, field, index, old)


def _line(shown: ast.AST) -> str:
    """An expression in one line; of a statement with a body its head."""
    text = ast.unparse(shown)
    return (
        next(line for line in text.splitlines() if not line.startswith("@"))
        if hasattr(shown, "body")
        else " ".join(text.split())
    )


def _put(node: ast.AST, field: str, index: int | None, value: object) -> None:
    if index is None:
        setattr(node, field, value)
    else:
        getattr(node, field)[index] = value


def _places(
    node: ast.AST, where: str, shown: ast.AST
) -> Iterator[tuple[ast.AST, str, int | None, str, ast.AST]]:
    """(holder, field, index, where, the expression to show) of everything below a node."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        where = f"{where}.{node.name}".lstrip(".")
    if isinstance(node, ast.keyword) and node.arg in _PROMISES:
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):  # a docstring
        return
    if isinstance(node, _SHOWN):
        shown = node
    for field, value in ast.iter_fields(node):
        if field in _UNREAD:
            continue
        items = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for index, item in items:
            if isinstance(item, ast.AST):
                yield node, field, index, where, shown
                yield from _places(item, where, shown)


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    for new in _OPERATORS.get(type(node), ()):
        yield new()
    match node:
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(value=float(value)):
            yield ast.Constant(2 * value or 1.0)
        case ast.UnaryOp(op=ast.USub() | ast.Not(), operand=operand):
            yield operand
        case ast.Call(func=ast.Name(id=name)) if name in _NAMES:
            yield ast.Call(ast.Name(_NAMES[name], ast.Load()), node.args, node.keywords)
        case ast.Call(func=ast.Attribute(attr=name) as function) if name in _NAMES:
            changed = ast.Attribute(function.value, _NAMES[name], ast.Load())
            yield ast.Call(changed, node.args, node.keywords)
