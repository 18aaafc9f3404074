"""A template's tree, checked against what is allowed and rewritten so that work is paid for before it is done.

Turns of loops, bodies of macros and blocks begin with a payment for what stands in them. Comparisons, `in`, slices, `~`
and lists compile to plain Python, which no environment sees: they become filters of ours, whose names no template can
spell.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NoReturn, TypeVar, cast

from jinja2 import TemplateAssertionError, nodes
from jinja2.visitor import NodeTransformer

from profiles_app.phone.rendering.conditions import TESTS
from profiles_app.phone.rendering.filters import FILTERS
from profiles_app.phone.rendering.meter import STEP, meter
from profiles_app.phone.rendering.operands import (
    LARGEST,
    comparable,
    concatenated,
    elements_of,
    searchable,
    whole,
    wrong,
)

_ALLOWED = (
    *(nodes.Template, nodes.TemplateData, nodes.Output, nodes.Block, nodes.Extends, nodes.Include, nodes.Import),
    *(nodes.FromImport, nodes.Assign, nodes.AssignBlock, nodes.With, nodes.If, nodes.For, nodes.Macro, nodes.CallBlock),
    *(nodes.FilterBlock, nodes.Const, nodes.Name, nodes.NSRef, nodes.Tuple, nodes.List, nodes.Dict, nodes.Pair),
    *(nodes.Keyword, nodes.Filter, nodes.Test, nodes.Call, nodes.Getitem, nodes.Getattr, nodes.Slice, nodes.Concat),
    *(nodes.Compare, nodes.Operand, nodes.CondExpr, nodes.BinExpr, nodes.UnaryExpr),
)
_STATEMENTS: dict[type[nodes.Node], str] = {nodes.Scope: "autoescape"}
_OF_PORTAL = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
_WITH_TURNS = (nodes.For, nodes.Macro, nodes.CallBlock, nodes.Block)


def _spent(units: int) -> str:
    meter().spend(abs(units))
    return ""


def _asked(answer: object, units: int) -> object:
    meter().spend(abs(units))
    return answer


def _made(value: Collection[object]) -> Collection[object]:
    meter().elements(len(value))
    return value


def _sliced(value: object, *bounds: object) -> object:
    part = slice(*(None if bound is None else whole(bound) for bound in bounds))
    if isinstance(value, str):
        meter().text(len(value))
        return value[part]
    if not isinstance(elements_of(value), list | tuple | range):
        raise wrong("only texts and lists can be sliced")
    return value[part]  # type: ignore[index]


# The names have a sign that no name in a template can have.
PAID: dict[str, Callable[..., object]] = {
    "spent!": _spent,
    "asked!": _asked,
    "turned!": elements_of,
    "made!": _made,
    "sliced!": _sliced,
    "joined!": concatenated,
    "compared!": comparable,
    "searched!": searchable,
}

Some = TypeVar("Some", bound=nodes.Node)


def rewritten(tree: nodes.Template, portal: Collection[str]) -> nodes.Template:
    """Return the tree as it is compiled. Raises TemplateAssertionError with the line of what is not allowed."""
    units = _weight(tree.body)
    return _begin(_Rewriting(portal).generic_visit(tree), units)


class _Rewriting(NodeTransformer):
    def __init__(self, portal: Collection[str]) -> None:
        self.portal = portal

    def generic_visit(self, node: Some, *args: object, **kwargs: object) -> Some:
        if not isinstance(node, _ALLOWED):
            _refuse(f"{_STATEMENTS.get(type(node), type(node).__name__)} is not offered in templates", node)
        if isinstance(node, _OF_PORTAL):
            name = node.template.value if isinstance(node.template, nodes.Const) else None
            if name not in self.portal:
                _refuse("only the portal's own templates can be included, by their name in quotation marks", node)
        super().generic_visit(node, *args, **kwargs)
        return node

    def visit_Const(self, node: nodes.Const) -> nodes.Node:
        if isinstance(node.value, int) and abs(node.value) > LARGEST:
            _refuse("a number is too large", node)
        return node

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:
        if node.name not in FILTERS:
            _refuse(f"there is no filter “{node.name}” for templates; there are {', '.join(sorted(FILTERS))}", node)
        words = _words(node.node) if node.name == "limit" else ""
        self.generic_visit(node)
        if words and len(node.args) == 1 and not node.kwargs:
            node.args.append(nodes.Const(words, lineno=node.lineno))
        return node

    def visit_Test(self, node: nodes.Test) -> nodes.Node:
        if node.name not in TESTS:
            _refuse(f"there is no test “{node.name}” for templates; there are {', '.join(sorted(TESTS))}", node)
        return self.generic_visit(node)

    def visit_For(self, node: nodes.For) -> nodes.Node:
        if node.recursive:
            _refuse("loops cannot be recursive; a macro can", node)
        units, asked = _weight(node.body), _weight([node.test]) if node.test else 0
        self.generic_visit(node)
        node.iter = _paid("turned!", cast(nodes.Expr, node.iter))
        if node.test:
            node.test = _paid("asked!", cast(nodes.Expr, node.test), _units(asked, node))
        return _begin(node, units)

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:
        units = _weight([*node.body, *node.defaults])
        return _begin(self.generic_visit(node), units)

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.Node:
        units = _weight([*node.body, *node.defaults])
        return _begin(self.generic_visit(node), units)

    def visit_Block(self, node: nodes.Block) -> nodes.Node:
        units = _weight(node.body)
        return _begin(self.generic_visit(node), units)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:
        self.generic_visit(node)
        if not isinstance(node.arg, nodes.Slice):
            return node
        part = node.arg
        bounds = [part.start or nodes.Const(None), part.stop or nodes.Const(None), part.step or nodes.Const(None)]
        return _paid("sliced!", node.node, *bounds)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _paid("joined!", *node.nodes)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        self.generic_visit(node)
        node.expr = _paid("compared!", node.expr)
        for operand in node.ops:
            operand.expr = _paid("searched!" if operand.op in ("in", "notin") else "compared!", operand.expr)
        return node

    def _literal(self, node: nodes.List | nodes.Dict | nodes.Tuple) -> nodes.Node:
        self.generic_visit(node)
        # The target of an assignment looks the same.
        return node if isinstance(node, nodes.Tuple) and node.ctx != "load" else _paid("made!", node)

    visit_List = visit_Tuple = _literal

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:
        for pair in node.items:
            pair.key = _paid("compared!", self.visit(pair.key))
            pair.value = self.visit(pair.value)
        return _paid("made!", node)


def _refuse(message: str, node: nodes.Node) -> NoReturn:
    # What the parser puts around statements has no line.
    raise TemplateAssertionError(message, node.lineno or 1)


def _paid(name: str, value: nodes.Expr, *arguments: nodes.Expr) -> nodes.Filter:
    given = {"lineno": value.lineno, "environment": value.environment}
    return nodes.Filter(value, name, list(arguments), [], None, None, **given)


Body = TypeVar("Body", nodes.Template, nodes.For, nodes.Macro, nodes.CallBlock, nodes.Block)


def _begin(node: Body, units: int) -> Body:
    """Put the payment for one turn before the body."""
    payment = nodes.ExprStmt(_paid("spent!", _units(units, node)), lineno=node.lineno, environment=node.environment)
    node.body.insert(0, payment)
    return node


def _units(units: int, node: nodes.Node) -> nodes.Const:
    return nodes.Const(units, lineno=node.lineno, environment=node.environment)


def _weight(body: Iterable[nodes.Node]) -> int:
    """What one turn costs: its plain text, and a step for each expression. Bodies in it with turns pay themselves."""
    units, left = STEP, list(body)
    while left:
        node = left.pop()
        units += len(node.data) if isinstance(node, nodes.TemplateData) else STEP
        left.extend(node.iter_child_nodes(exclude=("body",) if isinstance(node, _WITH_TURNS) else None))
    return units


def _words(node: nodes.Node | None) -> str:
    """An expression as its author wrote it, where it is short; filters on it are left out."""
    match node:
        case nodes.Name():
            return node.name
        case nodes.Getattr() if words := _words(node.node):
            return f"{words}.{node.attr}"
        case nodes.Getitem(arg=nodes.Const(value=index)) if words := _words(node.node):
            return f"{words}[{index}]"
        case nodes.Or() if (left := _words(node.left)) and (right := _words(node.right)):
            return f"{left} or {right}"
        case nodes.Filter():
            return _words(node.node)
    return ""
