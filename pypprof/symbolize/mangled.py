"""Readable names of mangled C++ symbols, as Go's demangler writes them.

LLVM's demangler (pycxxfilt) does the decoding; its text is cut into names and groups of brackets
and written anew in the style of github.com/ianlancetaylor/demangle, without what the style leaves
out. The styles: `full`, `templates` (neither return type nor parameters), `default` (nor template
arguments).
"""

from __future__ import annotations

import re
from functools import lru_cache

from pypprof.symbolize.rustnames import legacy_rust, rust_v0

_SIGNS = "() [] ->* -> <=> <<= >>= << >> <= >= == != && || ++ -- += -= *= /= %= ^= &= |= < > = + - * / % ^ & | ~ ! ,"
_OPERATORS = sorted(_SIGNS.split(), key=len, reverse=True)
_CLOSING = {"<": ">", "(": ")", "[": "]", "{": "}"}
_MARK = re.compile(r"(?<![\w$])operator|[()\[\]{}<>]")
_QUALIFIERS = re.compile(r"(?: const| volatile| restrict| &&?| noexcept)*")
_LAMBDA = re.compile(r"'(lambda|unnamed)(\d*)'")
_LONGEST = 1 << 16  # characters of a name that is still worth reading
# LLVM's words for what the compiler makes, and Go's.
_SPECIAL = {
    "vtable for ": "vtable for ", "VTT for ": "VTT for ", "typeinfo for ": "typeinfo for ",
    "typeinfo name for ": "typeinfo name for ", "guard variable for ": "guard variable for ",
    "thread-local initialization routine for ": "TLS init function for ",
    "thread-local wrapper routine for ": "TLS wrapper function for ",
    "reference temporary for ": "reference temporary #0 for ",
    "non-virtual thunk to ": "non-virtual thunk to ", "virtual thunk to ": "virtual thunk to ",
    "covariant return thunk to ": "covariant return thunk to ",
    "construction vtable for ": "construction vtable for ",
}  # fmt: skip
_THUNK = " thunk to "

# A group of brackets: the opening one and what is in it. Names are text; an operator is one piece.
Group = tuple[str, list["Item"]]
Item = str | Group


def demangle(symbol: str, style: str) -> str | None:
    """The readable name of a C++ or Rust symbol; None for any other."""
    if symbol.startswith("_R"):
        return rust_v0(_decoded(symbol.partition(".")[0]), style)
    if symbol.startswith("_ZN") and (name := legacy_rust(symbol)) is not None:
        return name
    if symbol.startswith("_GLOBAL_"):
        return _global(symbol[8:], style)
    if symbol.startswith("___Z") and (block := symbol.rfind("_block_invoke")) > 0:
        name = demangle(symbol[2:block], style)
        return name and f"invocation function for block in {name}"
    if symbol.startswith(("_ZGTt", "_ZGTn")):  # a copy for transactional memory, which LLVM does not know
        words = "transaction clone for " if symbol[4] == "t" else "non-transaction clone for "
        return _prefixed(words, _decoded("_Z" + symbol[5:]), style)
    if not symbol.startswith("_Z"):
        return None
    text, end = _decoded(symbol), len(symbol)
    # What is behind the name (.cold, .isra.0, @VERSION) has no part in it.
    while text is None and (end := max(symbol.rfind(".", 0, end), symbol.rfind("@", 0, end))) > 0:
        text = _decoded(symbol[:end])
    if text is None or (style == "full" and symbol[end : end + 1] == "@" and _parameters(_parsed(text)) is not None):
        return None
    clone = text.rfind(" (.")
    if clone > 0 and text.endswith(")"):
        text = text[:clone]
    return _written(text, style)


def _global(rest: str, style: str) -> str | None:
    """What runs before or after main, by what is behind _GLOBAL_."""
    if len(rest) < 4 or rest[0] not in "._$" or rest[1] not in "ID" or rest[2] != "_":
        return None
    words = "global constructors keyed to " if rest[1] == "I" else "global destructors keyed to "
    return _prefixed(words, _decoded(rest[3:]), style) if rest.startswith("_Z", 3) else words + rest


def _prefixed(words: str, text: str | None, style: str) -> str | None:
    """Words before a whole function, parameters included."""
    return None if text is None else words + _Writer(style).text(_parsed(text), True)


@lru_cache(maxsize=1 << 14)
def _decoded(symbol: str) -> str | None:
    """LLVM's text; None when it is no mangled name."""
    from pycxxfilt import itanium_demangle, rust_demangle

    if len(symbol) > _LONGEST or not symbol.isprintable():
        return None
    try:
        return rust_demangle(symbol) if symbol.startswith("_R") else itanium_demangle(symbol)
    except ValueError:
        return None


def _written(text: str, style: str) -> str:
    if len(text) > _LONGEST:
        return text
    for words, replacement in _SPECIAL.items():
        if text.startswith(words):
            full = _THUNK in words
            return replacement + _Writer(style).text(_parsed(text[len(words) :]), full)
    items = _parsed(text)
    # Something in a function has no type in front, but LLVM writes that of the function.
    if style != "full" or _parameters(items) is None:
        items = _bare_name(items)
    return _Writer(style).text(items, style == "full")


def _parsed(text: str) -> list[Item]:
    """The text as names and groups. Brackets that do not match are text."""
    top: list[Item] = []
    stack: list[Group] = [("", top)]
    at = done = 0  # `done`: what is before is in the groups
    search = _MARK.search
    while found := search(text, at):
        mark = found.start()
        sign, at = text[mark], found.end()
        if sign == "o":
            at += len(_operator(text, at))
            opening, piece = "", text[mark:at]
        elif sign in _CLOSING:
            if sign == "<" and (not mark or text[mark - 1] == " "):
                continue
            opening, piece = sign, ""
        elif len(stack) > 1 and _CLOSING[stack[-1][0]] == sign and text[mark - 1] != "-":
            opening = piece = ""
        else:
            continue
        if mark > done:
            stack[-1][1].append(text[done:mark])
        done = at
        if piece:
            stack[-1][1].append(piece)
        elif opening:
            group: Group = (opening, [])
            stack[-1][1].append(group)
            stack.append(group)
        else:
            stack.pop()
    if done < len(text):
        stack[-1][1].append(text[done:])
    return top


def _operator(text: str, at: int) -> str:
    """The operator's sign behind the word; "" for a conversion, `new` and `delete`."""
    for sign in _OPERATORS:
        if text.startswith(sign, at):
            after = text[at + len(sign) : at + len(sign) + 1]
            # `operator<<int>` is < with an argument, `operator<<(` is <<.
            if sign[0] != "<" or after in ("", "(", "<", "[", ":", ",", ")", ">", " "):
                return sign
    return ""


def _bare_name(items: list[Item]) -> list[Item]:
    """Without return type and parameters."""
    end = _parameters(items)
    name = items[:end] if end is not None else items
    last = len(name)
    for index, item in enumerate(name):
        # A conversion's type has spaces of its own.
        if item == "operator":
            last = index
            break
    for index in range(last - 1, -1, -1):
        item = name[index]
        if isinstance(item, str) and not item.startswith("operator"):
            cut = _last_space(item, index and isinstance(name[index - 1], tuple))
            if cut >= 0:
                rest = item[cut + 1 :].lstrip("*&")
                return [*([rest] if rest else []), *name[index + 1 :]]
    return name


def _last_space(text: str, behind_group: object) -> int:
    """Where the last space is that separates words; those of qualifiers of an enclosing function do not."""
    skip = 0
    if behind_group and (found := _QUALIFIERS.match(text)) and text.startswith("::", found.end()):
        skip = found.end()
    return text.rfind(" ", skip)


def _parameters(items: list[Item]) -> int | None:
    """The index of the group of parameters of the outermost function; None for what is no function."""
    index = len(items) - 1
    while index >= 0:
        item = items[index]
        if isinstance(item, tuple):
            if item[0] == "(" and index and not _is_lambda(items, index) and item[1] != ["anonymous namespace"]:
                return index
            return None
        found = _QUALIFIERS.fullmatch(item)
        if not found:
            return None
        index -= 1
    return None


def _is_lambda(items: list[Item], index: int) -> bool:
    before = items[index - 1] if index else ""
    return isinstance(before, str) and before.endswith("'")


class _Writer:
    """Writes items in a style."""

    def __init__(self, style: str) -> None:
        self._templates, self._full = style != "default", style == "full"

    def text(self, items: list[Item], keep: bool = False) -> str:
        out = ""
        for index, item in enumerate(items):
            if isinstance(item, str):
                out += self._name(item, items, index)
            elif item[0] == "<":
                if self._templates:
                    out += self._arguments(out, item[1])
            elif item[0] == "(" and _is_lambda(items, index):
                out = self._lambda(out, item[1])
            elif item[0] == "(" and not self._full and self._encloses(items, index):
                out += "()"
            else:
                out += item[0] + self.text(item[1], keep) + _CLOSING[item[0]]
        return out

    def _name(self, name: str, items: list[Item], index: int) -> str:
        following = items[index + 1] if index + 1 < len(items) else ""
        if name.startswith("operator"):
            return name
        if not isinstance(following, tuple) or following[0] != "(":
            # A type without a name has no parameters.
            name = _LAMBDA.sub(lambda m: f"{{unnamed type#{_number(m[2])}}}" if m[1] == "unnamed" else m[0], name)
        if name.endswith(" vector") and isinstance(following, tuple) and following[0] == "[":
            items[index + 1] = ("(", following[1])
            name = name[:-6] + "__vector"
        return name.replace("std::nullptr_t", "decltype(nullptr)")

    def _arguments(self, before: str, items: list[Item]) -> str:
        text = self.text(items)
        return (" <" if before.endswith("<") else "<") + text + (" >" if text.endswith(">") else ">")

    def _encloses(self, items: list[Item], index: int) -> bool:
        """Whether the group is of the parameters of a function that the rest of the name is in."""
        following = items[index + 1] if index + 1 < len(items) else ""
        if items[index][1] == ["anonymous namespace"] or not index or not isinstance(following, str):
            return False
        found = _QUALIFIERS.match(following)
        return found is not None and following.startswith("::", found.end())

    def _lambda(self, before: str, items: list[Item]) -> str:
        found = list(_LAMBDA.finditer(before))
        if not found:
            return before + "(" + self.text(items) + ")"
        inside, count = self.text(items), 0

        def numbered(_: re.Match[str]) -> str:
            nonlocal count
            count += 1
            return f"auto:{count}"

        inside = re.sub(r"\bauto\b(?!:)", numbered, inside)
        return f"{before[: found[-1].start()]}{{lambda({inside})#{_number(found[-1][2])}}}"


def _number(digits: str) -> int:
    return int(digits) + 2 if digits else 1
