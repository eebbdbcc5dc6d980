"""Checks of JSON values that find everything that is wrong, each with its JSON pointer."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias, Union

#: Any JSON value.
Json: TypeAlias = Union[None, bool, int, float, str, Sequence["Json"], Mapping[str, "Json"]]


class Fault(NamedTuple):
    """One thing that is wrong, and where: a JSON pointer (RFC 6901), or the name of a parameter."""

    pointer: str
    detail: str


#: Adds what is wrong with a value at a pointer to a list.
Check: TypeAlias = Callable[[object, str, list[Fault]], None]


class InvalidValue(ValueError):
    """Something was about to be sent that is not as the document says."""

    def __init__(self, what: str, faults: Sequence[Fault]) -> None:
        super().__init__(f"{what}: " + "; ".join(f"{fault.pointer or 'it'} {fault.detail}" for fault in faults))
        self.faults = tuple(faults)


def faults_of(check: Check, value: object) -> list[Fault]:
    """Everything that is wrong with `value`; empty when nothing is."""
    faults: list[Fault] = []
    check(value, "", faults)
    return faults


def _segment(name: str | int) -> str:
    return "/" + str(name).replace("~", "~0").replace("/", "~1")


def _is_unicode(text: str) -> bool:
    """Whether it has no half of a surrogate pair."""
    return not any("\ud800" <= c <= "\udfff" for c in text)


def text(pattern: str | None = None, words: Sequence[str] = (), hint: str = "") -> Check:
    compiled = None if pattern is None else re.compile(pattern.removeprefix("^").removesuffix("$"), re.ASCII)

    def check(value: object, at: str, faults: list[Fault]) -> None:
        if not isinstance(value, str):
            faults.append(Fault(at, "must be a string"))
        elif not _is_unicode(value):
            faults.append(Fault(at, "has half a surrogate pair"))
        elif words and value not in words:
            faults.append(Fault(at, "must be " + ", ".join(words)))
        elif compiled is not None and not compiled.fullmatch(value):
            faults.append(Fault(at, hint or f"must match {pattern}"))

    return check


def integer(minimum: int, maximum: int) -> Check:
    def check(value: object, at: str, faults: list[Fault]) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
            faults.append(Fault(at, f"must be an integer from {minimum} to {maximum}"))

    return check


def truth(value: object, at: str, faults: list[Fault]) -> None:
    if value is not True:
        faults.append(Fault(at, "must be true"))


def flag(value: object, at: str, faults: list[Fault]) -> None:
    if not isinstance(value, bool):
        faults.append(Fault(at, "must be true or false"))


def nullable(inner: Check) -> Check:
    def check(value: object, at: str, faults: list[Fault]) -> None:
        if value is not None:
            inner(value, at, faults)

    return check


def array(item: Check, minimum: int = 0, maximum: int | None = None) -> Check:
    def check(value: object, at: str, faults: list[Fault]) -> None:
        if not isinstance(value, (list, tuple)):
            faults.append(Fault(at, "must be an array"))
        elif len(value) < minimum or (maximum is not None and len(value) > maximum):
            faults.append(Fault(at, f"must have {minimum} to {'any number of' if maximum is None else maximum} items"))
        else:
            for index, element in enumerate(value):
                item(element, at + _segment(index), faults)

    return check


def members(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, closed: bool = False) -> Check:
    """An object's members by name, required or not; `closed` refuses all others."""
    known = {**required, **(optional or {})}

    def check(value: object, at: str, faults: list[Fault]) -> None:
        if not isinstance(value, dict):
            faults.append(Fault(at, "must be an object"))
            return
        for name, inner in known.items():
            if name in value:
                inner(value[name], at + _segment(name), faults)
            elif name in required:
                faults.append(Fault(at + _segment(name), "is missing"))
        if closed:
            faults += [Fault(at + _segment(str(name)), "does not belong here") for name in value if name not in known]

    return check


def tagged(tag: str, variants: Mapping[str, Check]) -> Check:
    """One of several objects, told apart by the text of the member `tag`."""

    def check(value: object, at: str, faults: list[Fault]) -> None:
        if not isinstance(value, dict):
            faults.append(Fault(at, "must be an object"))
            return
        word = value.get(tag)
        if isinstance(word, str) and word in variants:
            variants[word](value, at, faults)
        else:
            faults.append(Fault(at + _segment(tag), "must be " + ", ".join(variants)))

    return check


def either(first: Check, *others: Check) -> Check:
    """One of several; what is wrong is told as of the first."""

    def check(value: object, at: str, faults: list[Fault]) -> None:
        if any(not faults_of(other, value) for other in others):
            return
        first(value, at, faults)

    return check


def json_object(deepest: int) -> Check:
    """A JSON object with any members, at most `deepest` levels deep, the object itself being the first."""

    def walk(value: object, at: str, levels: int, faults: list[Fault]) -> None:
        if isinstance(value, str):
            if not _is_unicode(value):
                faults.append(Fault(at, "has half a surrogate pair"))
        elif isinstance(value, float):
            if not math.isfinite(value):
                faults.append(Fault(at, "is no JSON number"))
        elif isinstance(value, (dict, list, tuple)):
            if levels == 0:
                faults.append(Fault(at, f"is more than {deepest} levels deep"))
            elif isinstance(value, dict):
                for name, element in value.items():
                    if not isinstance(name, str) or not _is_unicode(name):
                        faults.append(Fault(at, "has a name that is no text"))
                    else:
                        walk(element, at + _segment(name), levels - 1, faults)
            else:
                for index, element in enumerate(value):
                    walk(element, at + _segment(index), levels - 1, faults)
        elif value is not None and not isinstance(value, int):
            faults.append(Fault(at, "is no JSON value"))

    def check(value: object, at: str, faults: list[Fault]) -> None:
        if isinstance(value, dict):
            walk(value, at, deepest, faults)
        else:
            faults.append(Fault(at, "must be an object"))

    return check
