"""Babel extractor: what the gateway's errors say. An error's docstring is its message (gateway/domain/errors.py)."""

import ast
from collections.abc import Collection, Iterator, Mapping
from typing import IO


def errors_in(
    file: IO[bytes], keywords: object, comment_tags: Collection[str], options: Mapping[str, str]
) -> Iterator[tuple[int, str, str, list[str]]]:
    """Yield the docstring of each class that states a `code`, its white space folded as the console folds it."""
    del keywords, comment_tags, options
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.ClassDef) and any(_states_code(each) for each in node.body):
            text = ast.get_docstring(node)
            if text:
                yield node.lineno, "", " ".join(text.split()), []


def _states_code(statement: ast.stmt) -> bool:
    match statement:
        case ast.Assign(targets=[ast.Name(id="code")]):
            return True
        case ast.AnnAssign(target=ast.Name(id="code"), value=ast.Constant()):
            return True
        case _:
            return False
