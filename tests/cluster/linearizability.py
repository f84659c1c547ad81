"""Is there one order of these calls that respects time and explains every answer?

The search of Wing and Gong ("Testing and verifying concurrent objects", 1993) with Lowe's memo
("Testing for linearizability", 2017): linearize any call that began before the first pending return;
go back where the model refuses; never visit the same (set of linearized calls, state) twice.

A call whose outcome is unknown never returned: it may take effect at any time after it began, or
not at all. A call that was certainly not executed does not belong into the history.
"""

import math
from dataclasses import dataclass
from typing import Any

UNKNOWN = object()  # the answer of a call that was never answered


@dataclass(frozen=True)
class Call:
    """One call as its client saw it. Times come from one clock; `end` is ignored if unknown."""

    begin: float
    end: float
    kind: str
    argument: Any
    answer: Any

    @property
    def unknown(self):
        return self.answer is UNKNOWN


class Register:
    """read -> the value last written, or None. A state is that value."""

    initial = None

    @staticmethod
    def step(state, call):
        """(possible, next state)"""
        if call.kind == "write":
            return True, call.argument
        return call.unknown or call.answer == state, state


class Counter:
    """add -> the number of additions so far, this one included."""

    initial = 0

    @staticmethod
    def step(state, call):
        if call.kind == "add":
            return call.unknown or call.answer == state + 1, state + 1
        return call.unknown or call.answer == state, state


class Orders:
    """create(item) -> its number, counted up from 1; get(number) -> its item, or None."""

    initial = ()

    @staticmethod
    def step(state, call):
        if call.kind == "create":
            return call.unknown or call.answer == len(state) + 1, (*state, call.argument)
        item = state[call.argument - 1] if call.argument <= len(state) else None
        return call.unknown or call.answer == item, state


class _Events:
    """Begin and return of every call in order of time, as a doubly linked list from which a
    linearized call is lifted and to which it is put back when the search retreats."""

    def __init__(self, calls):
        moments = []
        for number, call in enumerate(calls):
            moments.append((call.begin, 0, number))
            moments.append((math.inf if call.unknown else call.end, 1, number))
        moments.sort()
        count = len(moments)
        self._next = list(range(1, count + 1)) + [0]
        self._before = [count] + list(range(count))
        self._end = count  # the sentinel: before the first and after the last
        self._begin_at = [0] * len(calls)
        self._return_at = [0] * len(calls)
        self.number = [0] * count
        self.is_return = [False] * count
        for place, (_, is_return, number) in enumerate(moments):
            self.number[place] = number
            self.is_return[place] = bool(is_return)
            (self._return_at if is_return else self._begin_at)[number] = place

    def first(self):
        return self._next[self._end]

    def after(self, place):
        return self._next[place]

    def lift(self, number):
        for place in (self._begin_at[number], self._return_at[number]):
            before, after = self._before[place], self._next[place]
            self._next[before], self._before[after] = after, before

    def put_back(self, number):
        for place in (self._return_at[number], self._begin_at[number]):
            self._next[self._before[place]] = place
            self._before[self._next[place]] = place

    @property
    def end(self):
        return self._end


def _candidates(calls, events):
    """Who may be linearized next: whoever began before the first pending return. Those without an
    answer fit everywhere, so they come last, and of equal ones the first to begin stands for all:
    else every set of them would be tried."""
    unanswered = {}
    place = events.first()
    while place != events.end and not events.is_return[place]:
        number = events.number[place]
        if calls[number].unknown:
            unanswered.setdefault((calls[number].kind, calls[number].argument), number)
        else:
            yield number
        place = events.after(place)
    yield from unanswered.values()


def is_linearizable(model, calls):
    """True if some order explains all answers. `calls` in any order."""
    calls = list(calls)
    events = _Events(calls)
    waiting = sum(not call.unknown for call in calls)  # returned calls still to be linearized
    state, linearized = model.initial, 0
    seen = {(0, state)}
    steps = []  # (number, state before)
    choices = [_candidates(calls, events)]  # what is left to try, after each step
    while waiting:
        for number in choices[-1]:
            possible, changed = model.step(state, calls[number])
            after = (linearized | 1 << number, changed)
            if possible and after not in seen:
                seen.add(after)
                steps.append((number, state))
                linearized, state = after
                waiting -= not calls[number].unknown
                events.lift(number)
                choices.append(_candidates(calls, events))
                break
        else:  # the last choice was wrong
            if not steps:
                return False
            choices.pop()
            number, state = steps.pop()
            linearized &= ~(1 << number)
            waiting += not calls[number].unknown
            events.put_back(number)
    return True
