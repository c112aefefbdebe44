"""Why a client is turned away."""

from walletbridge.serve.lane.refusals import Refused


def test_a_refusal_says_its_status_and_why() -> None:
    refused = Refused(431, "the head is too large")

    assert (refused.http_status, refused.reason, str(refused)) == (
        431,
        "the head is too large",
        "431 the head is too large",
    )
