"""Whether what a request holds is of the right type: if not, a RejectedError that names the place."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from custom_handlers.core import parameters
from custom_handlers.core.errors import BadRequestError
from custom_handlers.guard.rejection import RejectedError


class Kind(NamedTuple):
    """A type of value: how it is named in a refusal, and whether a value is of it."""

    words: str
    fits: Callable[[Any], bool]


TEXT = Kind("a string", lambda value: isinstance(value, str))
FLAG = Kind("true or false", lambda value: isinstance(value, bool))
OBJECT = Kind("an object", lambda value: isinstance(value, dict))
LIST = Kind("a list", lambda value: isinstance(value, list))
OBJECTS = Kind("a list of objects", lambda value: _all(value, dict))
TEXTS = Kind("a list of strings", lambda value: _all(value, str))
TEXT_OR_OBJECT = Kind("a string or an object", lambda value: isinstance(value, str | dict))
TEXT_OR_LIST = Kind("a string or a list", lambda value: isinstance(value, str | list))
CONTENT = Kind("text or a list of parts", lambda value: isinstance(value, str | list))


def refused(where: str, what: str, *, code: str | None = None) -> RejectedError:
    """The RejectedError that says `what` is wrong with the field `where`."""
    return RejectedError(400, f"`{where}` {what}", param=where, code=code)


def check(given: Mapping[str, Any], fields: Mapping[str, Kind], where: str = "") -> None:
    """Raises RejectedError for the first of `fields` that is there and of another type; null means absent."""
    for name, kind in fields.items():
        if (value := given.get(name)) is not None and not kind.fits(value):
            raise refused(f"{where}{name}", f"must be {kind.words}.")


def name_of(given: Mapping[str, Any], where: str, field: str = "name") -> str:
    """The name that has to stand in `given`."""
    name = given.get(field)
    if not isinstance(name, str) or not name.strip():
        raise refused(f"{where}.{field}", "must be a string that is not empty.")
    return name


def check_ranges(body: Mapping[str, Any], names: Mapping[str, str]) -> None:
    """Checks as the handler does, but before a stream has begun; `names` maps the surface's fields to the handler's."""
    for name, parameter in names.items():
        try:
            parameters.check({parameter: body.get(name)})
        except BadRequestError as error:
            raise RejectedError(400, error.message.replace(f"`{parameter}`", f"`{name}`"), param=name) from None


def _all(value: Any, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)
