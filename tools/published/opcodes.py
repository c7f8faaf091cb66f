"""Pickles as data. Their opcodes are carried out by the small machine below, which imports and calls nothing.

What a pickle asks for by name stays a `Global`. The names that published weights use are answered by functions of this package,
which build dictionaries, tensors and `Record`s; any other name is refused. In particular the Python source that
`torch_utils.persistence` embeds is read as a string and left at that.
"""

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field

from .errors import AGAIN, Unfit, truncated

MODULES = "torch.nn.modules."  # classes of layers; only their state is looked at
SCRIPTED = "__torch__."  # classes of TorchScript files, likewise


@dataclass(frozen=True)
class Global:
    """A name that the pickle asks for."""

    module: str
    name: str

    def __str__(self):
        return f"{self.module}.{self.name}"


@dataclass
class Record:
    """An object of a class that is not looked for: the class's name and the state that was pickled."""

    kind: str
    state: dict = field(default_factory=dict)


class _Stream:
    """A stream whose reads give what was asked for, or say that the file is truncated."""

    def __init__(self, stream, size, place):
        self.stream, self.size, self.place = stream, size, place

    def read(self, count):
        end = self.stream.tell() + count
        if end > self.size:  # asked before reading: a damaged length may be larger than memory
            raise truncated(self.place, f"{end} or more", self.size)
        return self.stream.read(count)

    def readline(self):
        line = self.stream.readline()
        if not line.endswith(b"\n"):
            raise truncated(self.place, f"more than {self.size}", self.size)
        return line

    def tell(self):
        return self.stream.tell()


_MARK = object()
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_LITERALS = {
    "INT", "LONG", "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE",
    "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_EMPTY = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_SET": set}


class Machine:
    """Carries out one pickle.

    `known` answers global names: {"module.name": function of the arguments}. `load` answers persistent ids.
    """

    def __init__(self, place: str, known: dict[str, Callable], load: Callable | None = None):
        self.place, self.known, self.load = place, known, load
        self.stack, self.memo = [], {}

    def run(self, stream, size: int):
        """The object of the pickle that begins at the stream's position; `size` is that of the whole file."""
        try:
            for opcode, argument, _ in pickletools.genops(_Stream(stream, size, self.place)):
                if opcode.name == "STOP":
                    return self._pop()
                self._step(opcode.name, argument)
        except Unfit:
            raise
        except (ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError, UnicodeDecodeError) as error:
            raise self._damaged(str(error) or type(error).__name__) from error
        raise self._damaged("it has no end")

    def _damaged(self, why):
        return Unfit(self.place, f"not a sound pickle: {why}", AGAIN)

    def _pop(self):
        if not self.stack or self.stack[-1] is _MARK:
            raise self._damaged("it takes more than it has put down")
        return self.stack.pop()

    def _since_mark(self):
        items = []
        while self.stack:
            item = self.stack.pop()
            if item is _MARK:
                return items[::-1]
            items.append(item)
        raise self._damaged("a mark is missing")

    def _top(self, kind):
        if not self.stack or not isinstance(self.stack[-1], kind):
            raise self._damaged(f"expected a {kind.__name__} to add to")
        return self.stack[-1]

    def _step(self, name, argument):
        push = self.stack.append
        if name in _LITERALS:
            push(argument)
        elif name in _CONSTANTS:
            push(_CONSTANTS[name])
        elif name in _EMPTY:
            push(_EMPTY[name]())
        elif name in _TUPLES:
            push(tuple([self._pop() for _ in range(_TUPLES[name])][::-1]))
        elif name in ("PROTO", "FRAME"):
            pass
        elif name == "MARK":
            push(_MARK)
        elif name in ("POP", "POP_MARK"):
            self.stack.pop() if name == "POP" else self._since_mark()
        elif name == "DUP":
            push(self.stack[-1])
        elif name in ("TUPLE", "LIST", "FROZENSET"):
            push({"TUPLE": tuple, "LIST": list, "FROZENSET": frozenset}[name](self._since_mark()))
        elif name == "DICT":
            push(_pairs(self._since_mark()))
        elif name == "APPEND":
            item = self._pop()
            self._top(list).append(item)
        elif name == "APPENDS":
            items = self._since_mark()
            self._top(list).extend(items)
        elif name == "ADDITEMS":
            items = self._since_mark()
            self._top(set).update(items)
        elif name == "SETITEM":
            value, key = self._pop(), self._pop()
            self._top(dict)[key] = value
        elif name == "SETITEMS":
            items = self._since_mark()
            self._top(dict).update(_pairs(items))
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self.memo[int(argument)] = self.stack[-1]
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = self.stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            push(self.memo[int(argument)])
        elif name == "GLOBAL":
            push(self._admit(*argument.split(" ", 1)))
        elif name == "STACK_GLOBAL":
            attribute, module = self._pop(), self._pop()
            push(self._admit(module, attribute))
        elif name in ("REDUCE", "NEWOBJ"):
            arguments, wanted = self._pop(), self._pop()
            push(self._make(wanted, arguments))
        elif name == "NEWOBJ_EX":
            named, arguments, wanted = self._pop(), self._pop(), self._pop()
            if named:
                raise self._damaged(f"{wanted} with named arguments")
            push(self._make(wanted, arguments))
        elif name == "BUILD":
            state = self._pop()
            if self.stack and isinstance(self.stack[-1], Record):
                self.stack[-1].state = state
            # dictionaries carry attributes that say nothing of tensors; nothing else takes a state
        elif name == "BINPERSID":
            identity = self._pop()
            if self.load is None:
                raise Unfit(self.place, "refers to something outside the pickle; only tensors are read")
            push(self.load(identity))
        else:
            raise Unfit(self.place, f"uses the pickle opcode {name}; only tensors are read")

    def _admit(self, module, name):
        wanted = Global(module, name)
        if str(wanted) in self.known or module.startswith(MODULES) or (module + ".").startswith(SCRIPTED):
            return wanted
        hint = "a weight file needs nothing but tensors: do not open this one with other programs either, unless you trust it"
        raise Unfit(self.place, f"wants global {wanted}; only tensors are read", hint)

    def _make(self, wanted, arguments):
        if not isinstance(wanted, Global) or not isinstance(arguments, tuple):
            raise self._damaged("it calls what is no name")
        made = self.known.get(str(wanted))
        return made(*arguments) if made else Record(str(wanted))


def _pairs(items):
    return dict(zip(items[::2], items[1::2], strict=True))
