"""Whether the client of a held callback is still there. A stream that is reset is tested with real ones."""

from mitmproxy.connection import ConnectionState
from mitmproxy.test import taddons, tflow
from tests.unit.proxy.live_view.houses import Listeners

from walletbridge.proxy.patches.client_gone import has_left


async def test_a_client_is_there_until_its_connection_is_not() -> None:
    with taddons.context(Listeners()):  # type: ignore[no-untyped-call]
        flow = tflow.tflow()
        assert not has_left(flow)
        for state in (ConnectionState.CLOSED, ConnectionState.CAN_WRITE):
            flow.client_conn.state = state
            assert has_left(flow)


async def test_where_nothing_is_known_of_its_connection_it_is_there() -> None:
    with taddons.context():  # type: ignore[no-untyped-call]
        assert not has_left(tflow.tflow())
