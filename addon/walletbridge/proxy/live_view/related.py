"""
Finds the other callbacks of a transaction and its round among the kept flows.
"""

from collections.abc import Iterable

from mitmproxy.flow import Flow

from walletbridge.proxy.live_view.record import KEY, Record, read

SEEN_MAX = 20_000
"""Flows searched, the newest first: a longer search would delay callbacks."""
FOUND_MAX = 20


def related(record: Record, own: Flow | None, flows: Iterable[Flow]) -> list[Flow]:
    """Returns the flows of the same account and transaction or round, the oldest first. `flows`: newest first."""
    if not record.account:
        return []
    wanted = [f"{name}={value} " for name, value in _names(record) if value]
    account = f"account={record.account} "
    found = [
        flow
        for flow in _newest(flows)
        if flow is not own and (words := words_of(flow)) and account in words and any(one in words for one in wanted)
    ]
    return found[:FOUND_MAX][::-1]


def words_of(flow: Flow) -> str:
    """Returns the words for filters, without decoding the record."""
    text = flow.metadata.get(KEY)
    if not isinstance(text, str):
        return ""
    # The words end where the next field begins.
    return text.partition('","')[0]


def line_of(flow: Flow) -> str:
    """Returns one line for a related flow. A person's comment may lack the transaction, so it is added."""
    record = read(flow.metadata)
    trans_id = f"#{record.trans_id}" if record and record.trans_id else ""
    return flow.comment if trans_id in flow.comment else f"{trans_id}: {flow.comment}"


def _names(record: Record) -> list[tuple[str, str]]:
    return [("trans_id", record.trans_id), ("round", record.round_id)]


def _newest(flows: Iterable[Flow]) -> Iterable[Flow]:
    for number, flow in enumerate(flows):
        if number >= SEEN_MAX:
            return
        yield flow
