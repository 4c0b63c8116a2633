"""What Prometheus' regular expressions (RE2, as Go has it) cannot be, told without the engine.

The API server compiles every expression with RE2 before it takes a spec. This is for `render`, which has no API
server, and must never refuse what RE2 takes: it finds unbalanced brackets, what only Perl has, and misplaced
repetitions, and leaves ranges and the names of classes alone. Python's own engine cannot judge: it refuses `(?i)` after
the beginning, `\\pL` and `\\z`, and takes lookarounds and backreferences.
"""

import re

_LETTERS = frozenset("aAbBdDfnpPQrsStvwWxz")
_GROUP = re.compile(r"\((?:\?(?:P?<\w+>|[imsU]*(?:-[imsU]+)?:|(?P<flags>[imsU]*(?:-[imsU]+)?\))|(?P<perl>)))?")
_COUNT = re.compile(r"\{(\d+)(,(\d*))?\}")
_SET = re.compile(r"\[\^?+\]?+(?:(?<!-)\[:\^?\w+:\]|\\.|[^\]\\])*+\]", re.DOTALL)
_MOST = 1000


def fault(expression: str) -> str | None:
    """Say what is wrong with an expression, None if nothing is seen; Prometheus puts it between `^(?:` and `)$`."""
    try:
        _scan(f"^(?:{expression})$")
    except _FaultError as found:
        return str(found)
    return None


class _FaultError(Exception):
    """A sentence about an expression."""


def _scan(text: str) -> None:
    """Go over the expression piece by piece; `before` says what a repetition would find to repeat."""
    place, depth, before = 0, 0, "nothing"
    while place < len(text):
        if text[place] == "(":
            place, opens = _group(text, place)
            before = "nothing" if opens else "something" if before == "a repetition" else before
            depth += opens
        elif text[place] == ")":
            depth, before, place = depth - 1, "something", place + 1
            if depth < 0:
                raise _FaultError("a closing parenthesis has no opening one")
        elif text[place] == "|":
            before, place = "nothing", place + 1
        elif end := _repetition(text, place):
            if before != "something":
                raise _FaultError("a repetition (*, +, ? or {}) has nothing to repeat")
            before, place = "a repetition", end
        else:
            before, place = "something", _single(text, place)
    if depth:
        raise _FaultError("an opening parenthesis has no closing one")


def _group(text: str, place: int) -> tuple[int, bool]:
    """Where the head of the group ends, and whether it opens one: `(?i)` only sets a flag."""
    found = _GROUP.match(text, place)
    if found is None or found["perl"] is not None:
        raise _FaultError("RE2 has no lookaround and none of Perl's other groups")
    return found.end(), found["flags"] is None


def _repetition(text: str, place: int) -> int | None:
    """Where the repetition that begins here ends, None when there is none; braces that count nothing are text."""
    end = place + 1
    if text[place] == "{" and (count := _COUNT.match(text, place)):
        least, most = int(count[1]), int(count[3] or count[1])
        if max(least, most) > _MOST or most < least:
            raise _FaultError(f"a repetition counts to {_MOST} at most, and upwards")
        end = count.end()
    elif text[place] not in "*+?":
        return None
    return end + text.startswith("?", end)


def _single(text: str, place: int) -> int:
    """Where the character, set or escape that begins here ends."""
    if text[place] == "[":
        if (found := _SET.match(text, place)) is None:
            raise _FaultError("an opening bracket has no closing one")
        return found.end()
    if text[place] == "\\":
        return _escaped(text, place)
    return place + 1


def _escaped(text: str, place: int) -> int:
    char = text[place + 1 : place + 2]
    if char == "Q":
        end = text.find("\\E", place)
        return len(text) if end < 0 else end + 2
    if char in "89" or (char in "1234567" and text[place + 2 : place + 3] not in tuple("01234567")):
        raise _FaultError("RE2 has no backreferences")
    if char.isalpha() and char not in _LETTERS:
        raise _FaultError(f"RE2 does not know \\{char}")
    return place + 2
