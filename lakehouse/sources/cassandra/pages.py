"""Pages of a query, each tried again where it stopped, the next one asked for while the last is being used."""

from collections.abc import Iterator
from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from lakehouse.sources.cassandra.cells import Columns, columns
from lakehouse.sources.cassandra.connection import PASSING


def pages(session: Any, statement: Any, attempts: int, timeout_s: float) -> Iterator[Columns]:
    """The cells of a bound ``statement``, page by page, each page by column; none for a page without a row.

    A page that fails in a way that may pass is asked for again by its paging state, up to ``attempts`` times, with
    growing random waits: what was read before is not read again.
    """

    def first(state: bytes | None) -> Any:
        return session.execute_async(statement, paging_state=state, timeout=timeout_s)

    def result(pending: Any, state: bytes | None) -> Any:
        retrying = Retrying(
            stop=stop_after_attempt(attempts),
            wait=wait_random_exponential(multiplier=0.5, max=20),
            retry=retry_if_exception_type(PASSING),
            reraise=True,
        )
        current = pending
        for attempt in retrying:
            with attempt:
                request, current = current or first(state), None
                return request.result()
        raise AssertionError("unreachable")

    state: bytes | None = None
    pending = first(state)
    while True:
        found = result(pending, state)
        state = found.paging_state
        pending = first(state) if state else None
        yield columns(found)
        if not state:
            return
