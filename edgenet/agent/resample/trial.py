"""The fastest of several ways to the same bits.

Python 3.6 syntax: this file travels to the board.
"""

import time

ROUNDS = 3
CASES = 64


class Trial(object):
    """Tries every way on the first calls of each case, and stays with the fastest.

    Args:
        ways: Functions of the same arguments and with the same answers.
    """

    def __init__(self, *ways, clock=time.perf_counter):
        self._ways, self._clock = ways, clock
        self._cases = {}

    def __call__(self, case, *arguments):
        """The answer of one of the ways; ``case``: what the speed depends on, hashable."""
        best = self._cases.get(case)
        if callable(best):
            return best(*arguments)
        if best is None:
            if len(self._cases) >= CASES:
                self._cases.clear()
            best = self._cases[case] = []
        way = self._ways[len(best) % len(self._ways)]
        begun = self._clock()
        answer = way(*arguments)
        best.append(self._clock() - begun)
        if len(best) == ROUNDS * len(self._ways):
            least = [min(best[number :: len(self._ways)]) for number in range(len(self._ways))]
            self._cases[case] = self._ways[least.index(min(least))]
        return answer
