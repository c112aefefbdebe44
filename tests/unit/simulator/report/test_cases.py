"""The cases, as reports count them."""

from walletbridge.simulator.report.cases import MAY_BE_REFUSED, WITHOUT_ANSWER, Case


def test_each_case_has_a_title_of_its_own() -> None:
    """Two cases may break one rule, but are never counted as one."""
    assert len({case.title for case in Case}) == len(Case)


def test_only_what_comes_after_a_cancel_may_be_refused_at_will() -> None:
    assert {case.name for case in MAY_BE_REFUSED if "CANCEL" not in case.name} == {"LATE_BET"}
    assert MAY_BE_REFUSED.isdisjoint(WITHOUT_ANSWER)
