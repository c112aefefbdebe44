"""What the fuzzing of HTTP/2 begins with keeps its rules, and so does what a die makes of it."""

import random

import pytest
from tests.fuzz.http2 import check_http2
from tests.fuzz.http2_seeds import http2_seeds

MUTATIONS = 300


@pytest.mark.parametrize("data", http2_seeds())
def test_no_seed_breaks_a_rule(data: bytes) -> None:
    check_http2(data)


def test_callbacks_are_reached() -> None:
    assert sum(map(check_http2, http2_seeds())) >= 10


def test_no_mutation_breaks_a_rule() -> None:
    dice, seeds = random.Random(20261127), http2_seeds()  # noqa: S311 - for variety, not for secrets
    for _ in range(MUTATIONS):
        data = bytearray(dice.choice(seeds) + dice.choice(seeds))
        for _ in range(dice.randint(1, 8)):
            place = dice.randrange(len(data))
            data[place : place + dice.randint(0, 3)] = dice.randbytes(dice.randint(0, 3))
        check_http2(bytes(data))
