"""What is counted of a server of rankings, for Prometheus."""

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class Metrics:
    """Counters in a registry of their own, so that a process may have several servers."""

    media_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "lakehouse_ranking_requests", "Requests for a ranking, by status.", ["status"], registry=self._registry
        )
        self._seconds = Histogram(
            "lakehouse_ranking_seconds",
            "From when a request for a ranking was taken up until its answer was made.",
            buckets=_BUCKETS_S,
            registry=self._registry,
        )
        self._version = Gauge(
            "lakehouse_ranking_champion_version",
            "Version of the model that answers; 0: none.",
            registry=self._registry,
        )
        self._loads = Counter(
            "lakehouse_ranking_reloads",
            "Versions that were loaded and put into use, the first one included.",
            registry=self._registry,
        )
        self._failed = Counter(
            "lakehouse_ranking_failed_reloads",
            "Attempts to find or to load the champion that failed.",
            registry=self._registry,
        )

    def answered(self, status: int, seconds: float) -> None:
        """A request for a ranking was answered."""
        self._requests.labels(str(status)).inc()
        self._seconds.observe(seconds)

    def loaded(self, version: int) -> None:
        """A version answers from now on."""
        self._loads.inc()
        self._version.set(version)

    def failed(self) -> None:
        """The champion could not be asked for, or not be loaded."""
        self._failed.inc()

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self._registry)
