"""The rules, as reports cite them."""

from walletbridge.simulator.rules import FAULTS, Rule, sentence


def test_each_rule_has_an_id_of_its_own() -> None:
    assert len({rule.id for rule in Rule}) == len(Rule)
    assert Rule.BET_TWICE_UNCOVERED.id == "bet_twice_uncovered"


def test_a_sentence_says_what_was_expected_what_came_and_why() -> None:
    said = sentence(Rule.BET_TWICE_UNCOVERED, expected="result 41 with balance 0", got="result 31 with balance 0")

    assert said == (
        "Expected result 41 with balance 0, got result 31 with balance 0: "
        "a bet that is sent twice is 41, also when the balance no longer covers it (PROTOCOL: Checks)."
    )


def test_a_wrong_answer_is_never_a_fault() -> None:
    assert {Rule.ANSWERED, Rule.TIME_LIMIT, Rule.UNKNOWN_IS_500} == FAULTS
