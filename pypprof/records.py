"""Record: immutable rows with named fields; typing.NamedTuple that costs nothing at start-up.

A class made by typing.NamedTuple takes about 0.3 ms to make, and the front door loads fifty of
them: a tenth of the time of `pypprof -top` on a small profile. Type checkers see NamedTuple itself.
"""

from __future__ import annotations

__all__ = ["Record"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple as Record
else:
    from operator import itemgetter

    class Record(tuple):
        """A tuple whose items are the class's annotations, in their order.

        Record(first, second, third=3), record._replace(second=4), record._asdict(), Class._fields.
        """

        __slots__ = ()
        _fields = ()
        _defaults: dict = {}  # noqa: RUF012 (never changed; each class has its own)

        def __init_subclass__(cls):
            cls._fields = tuple(cls.__annotations__)
            cls._defaults = {name: cls.__dict__[name] for name in cls._fields if name in cls.__dict__}
            for index, name in enumerate(cls._fields):
                setattr(cls, name, property(itemgetter(index)))
            cls.__match_args__ = cls._fields

        def __new__(cls, *values, **named):
            if named or len(values) != len(cls._fields):
                values = cls._complete(values, named)
            return tuple.__new__(cls, values)

        @classmethod
        def _complete(cls, values, named):
            """All values, from those given by place, by name and the defaults."""
            rest = cls._fields[len(values) :]
            if len(values) > len(cls._fields) or not named.keys() <= set(rest):
                raise TypeError(f"{cls.__name__} has the fields {', '.join(cls._fields)}")
            try:
                return *values, *(named[name] if name in named else cls._defaults[name] for name in rest)
            except KeyError as error:
                raise TypeError(f"{cls.__name__} lacks {error}") from None

        def _replace(self, **changes):
            if not changes.keys() <= set(self._fields):
                raise ValueError(f"{type(self).__name__} has the fields {', '.join(self._fields)}")
            fields = zip(self._fields, self, strict=True)
            return tuple.__new__(type(self), [changes.get(name, value) for name, value in fields])

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self):
            fields = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
            return f"{type(self).__name__}({fields})"

        def __getnewargs__(self):
            return tuple(self)
