"""Templates, compiled once for each language: their fixed texts and addresses are then fixed parts of the page.

A page has a hundred texts; to look each of them up in each rendering took as long as all the rest of it. Addresses of
pages and files, where nothing is to be put into them, are the same for everybody and for as long as a program runs.
"""

from collections.abc import Mapping, MutableMapping
from typing import Any

from flask.templating import Environment
from jinja2 import BytecodeCache, Template, nodes
from jinja2.bccache import Bucket
from jinja2.environment import TemplateModule
from jinja2.runtime import Context
from jinja2.visitor import NodeTransformer
from werkzeug.routing import BuildError

from gateway.console.languages import language, text

# What templates call for a text, and for the address of a page or of a file.
TEXT, PAGE, FILE = "_", "url_for", "file_address"


class Part(Template):
    """A template whose macros are made once; Jinja would first compare, for each import, what a request has added."""

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:  # noqa: ARG002  (Jinja's signature)
        """Return the macros: all that Flask gives to a rendering is among the globals of the environment too."""
        return super()._get_default_module()


class Templates(Environment):
    """Jinja's environment, which has the reader's language's own templates loaded."""

    template_class = Part
    # The language whose environment this is; empty for the one that chooses between them.
    language = ""

    def _load_template(self, name: str, globals: MutableMapping[str, Any] | None) -> Template:  # noqa: A002  (Jinja's name)
        if self.language:
            return super()._load_template(name, globals)
        return self._spoken()._load_template(name, globals)  # noqa: SLF001  (its own class)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed = super()._parse(source, name, filename)
        if self.language:
            _FixedParts(self.globals).visit(parsed)
        return parsed

    def _spoken(self) -> "Templates":
        """Return the environment of the reader's language."""
        # An attribute of the instance, for overlays take what their environment has.
        known: dict[str, Templates] = self.__dict__.setdefault("_known", {})
        code = language()
        if code not in known:
            own = self.overlay(cache_size=-1)
            own.language = code
            if self.bytecode_cache is not None:
                own.bytecode_cache = _InLanguage(self.bytecode_cache, code)
            known[code] = own
        return known[code]


class _FixedParts(NodeTransformer):
    """Puts a text or an address in the place of the call that asks for it, where nothing is to be put into it."""

    def __init__(self, functions: Mapping[str, Any]) -> None:
        self._functions = functions

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802  (a visitor's name for the node)
        self.generic_visit(node)
        match node:
            case nodes.Call(
                node=nodes.Name(name=name),
                args=[nodes.Const(value=str() as given)],
                kwargs=[],
                dyn_args=None,
                dyn_kwargs=None,
            ):
                fixed = self._fixed(name, given)
                return node if fixed is None else fixed.set_lineno(node.lineno)
            case _:
                return node

    def _fixed(self, name: str, given: str) -> nodes.Node | None:
        """Return what a function says of a text; None where it may say something else another time."""
        if name == TEXT:
            return nodes.MarkSafe(nodes.Const(str(text(given))))
        if name not in {PAGE, FILE}:
            return None
        try:
            return nodes.Const(str(self._functions[name](given)))
        except BuildError:
            # The page takes something in its path, or there is none: whoever renders the template is told.
            return None


class _InLanguage(BytecodeCache):
    """A cache of what templates compile to, each under its language."""

    def __init__(self, cache: BytecodeCache, code: str) -> None:
        self._cache, self._code = cache, code

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """Return the key of a template in this language."""
        return f"{self._code}-{self._cache.get_cache_key(name, filename)}"

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load what was kept."""
        self._cache.load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._cache.dump_bytecode(bucket)
