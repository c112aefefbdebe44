"""Times of connections, kept by a sweep."""

from walletbridge.serve.lane.deadlines import AT_ONCE, NEVER, CarriedPlace, Places


def make_place(expired: list[str], name: str, expires_at: float) -> CarriedPlace:
    return CarriedPlace(
        name,
        expires_at,
        cut=lambda: expired.append(name),
        tell=lambda: expired.append("told"),
        is_closing=bool,
    )


def test_whose_time_is_up_expires_once() -> None:
    expired: list[str] = []
    places = Places()
    for name, expires_at in (("early", 1.0), ("late", 2.0), ("never", NEVER)):
        places.add(make_place(expired, name, expires_at))

    places.sweep(1.5)
    places.sweep(1.6)
    assert expired == ["early"]
    places.sweep(1e9)
    assert expired == ["early", "late"]


def test_a_crowd_expires_in_turns() -> None:
    expired: list[str] = []
    places = Places()
    for number in range(AT_ONCE + 1):
        places.add(make_place(expired, str(number), 1.0))

    assert places.sweep(1.0)
    assert len(expired) == AT_ONCE
    assert not places.sweep(1.0)
    assert [str(number) for number in range(AT_ONCE + 1)] == expired


def test_who_reads_a_connection_is_told() -> None:
    expired: list[str] = []
    place = make_place(expired, "one", 1.0)
    place.is_read = True
    places = Places()
    places.add(place)

    places.sweep(1.0)

    assert expired == ["told"]


def test_who_has_gone_does_not_expire() -> None:
    expired: list[str] = []
    places = Places()
    place = make_place(expired, "one", 1.0)
    places.add(place)
    assert place.has_room()

    places.remove(place)
    places.sweep(2.0)

    assert (expired, len(places)) == ([], 0)
