"""Numbers as families of metrics. No label names a tenant, a trace, a repository or a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from bot.forges.allowance import Allowance
from bot.metrics.counts import BEGUN, Numbers
from bot.metrics.measures import COUNTED, MEASURES

WAITING = ("waiting", "retrying")


def families(numbers: Numbers, allowances: Mapping[str, Iterable[Allowance]]) -> Iterator[Metric]:
    """Everything on the page. `allowances` by forge: what this process was told."""
    yield from _of_events(numbers)
    yield from _of_the_inbox(numbers)
    yield from _of_effects(numbers)
    yield from _of_limits(allowances)


def _of_events(numbers: Numbers) -> Iterator[Metric]:
    for type_, (name, says) in COUNTED.items():
        yield CounterMetricFamily(name, says, value=numbers.events[(type_,)])
    yield CounterMetricFamily("orchestrations_started", "Traces that began.", value=numbers.events[(BEGUN,)])
    for name in MEASURES:
        yield _histogram(numbers, name)


def _histogram(numbers: Numbers, name: str) -> Metric:
    outcomes = sorted({key[1] for key in numbers.events if key[0] == name})
    labels = ["outcome"] if any(outcomes) else []
    family = HistogramMetricFamily(name, MEASURES[name].help, labels=labels)
    for outcome in outcomes or [""]:
        buckets = [(str(float(end)), numbers.events[(name, outcome, end)]) for end in MEASURES[name].ends]
        buckets.append(("+Inf", numbers.events[(name, outcome, "count")]))
        family.add_metric([outcome] if labels else [], buckets, numbers.events[(name, outcome, "sum")])
    return family


def _of_the_inbox(numbers: Numbers) -> Iterator[Metric]:
    says = "Webhook calls that were genuine, and are on disk."
    accepted = CounterMetricFamily("pointsman_deliveries_accepted", says, labels=["forge"])
    for (source,), count in sorted(numbers.deliveries.items()):
        accepted.add_metric([_forge(source)], count)
    yield accepted
    says = "Calls and events that could not be applied, by what became of them since."
    letters = GaugeMetricFamily("pointsman_quarantined", says, labels=["source", "kind", "status"])
    for (source, kind, status), count in sorted(numbers.quarantined.items()):
        letters.add_metric([source, kind, status], count)
    yield letters
    says = "What came in and is not applied yet."
    queue = GaugeMetricFamily("command_queue_length", says, labels=["kind"])
    for kind in sorted({"delivery", "event"} | {kind for (kind,) in numbers.waiting}):
        queue.add_metric([kind], numbers.waiting[(kind,)])
    yield queue


def _forge(source: str) -> str:
    return source.removeprefix("webhooks/")


def _of_effects(numbers: Numbers) -> Iterator[Metric]:
    says = "What was done outside, by its outcome: done, failed, superseded."
    ended = CounterMetricFamily("pointsman_effects", says, labels=["kind", "target", "outcome"])
    says = "What is to be done outside and is not yet: waiting, or retrying."
    waiting = GaugeMetricFamily("pointsman_effects_waiting", says, labels=["kind", "target", "status"])
    for (kind, target, status), count in sorted(numbers.effects.items()):
        (waiting if status in WAITING else ended).add_metric([kind, target, status], count)
    yield from (ended, waiting)


def _of_limits(allowances: Mapping[str, Iterable[Allowance]]) -> Iterator[Metric]:
    labels = ["forge", "account", "resource"]
    names = {
        "limit": "Requests that the forge allows in one span of its rate limit.",
        "remaining": "Requests that are left, as this process was last told.",
        "reset_timestamp_seconds": "When the forge counts anew.",
    }
    found = {
        name: GaugeMetricFamily(f"pointsman_forge_rate_limit_{name}", says, labels=labels)
        for name, says in names.items()
    }
    for forge, told in sorted(allowances.items()):
        for one in sorted(told, key=lambda one: (one.account, one.resource)):
            values = {"limit": one.limit, "remaining": one.remaining, "reset_timestamp_seconds": one.reset}
            for name, value in values.items():
                if value is not None:
                    found[name].add_metric([forge, one.account, one.resource], value)
    yield from found.values()
