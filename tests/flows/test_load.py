"""Flow files: what is accepted, and the exact words (line, column, path, suggestion) for what is not."""

from datetime import timedelta

import pytest

from bot.flows.load import FlowErrors, definition, load, names
from bot.flows.model import Retry, duration

WHOLE = """\
flow: assembly
version: 3
initial: requested
states:
  requested:
    on:
      ModuleGenerated: {target: building, when: submitted}
  building:
    all: [ModuleGenerated, [PullRequestCreated, ChangeOpened], {event: TestsPassed, until: TestsFailed}]
    invoke:
      - {agent: code-committer, skill: CommitModule, done: CommitReady, error: QAFailed, timeout: 90s}
      - {agent: cloud-provisioner, skill: ProvisionEnvironment, wait: false, when: not submitted}
    retry: {limit: 2, delays: [0s, 1h30m]}
    timeout: {after: 1d, event: TimeoutWarning}
    onDone: built
    onError: {target: requested}
  built:
    final: true
"""


def errors(text: str) -> list[str]:
    with pytest.raises(FlowErrors) as raised:
        load(text)
    return [str(error) for error in raised.value.errors]


def with_state(lines: str) -> str:
    """A flow whose state `a`, beginning in line 6, is `lines`."""
    return f"flow: x\nversion: 1\ninitial: a\nstates:\n  a:\n{lines}\n  b: {{final: true}}\n"


def test_reads_every_word_of_the_language() -> None:
    flow = load(WHOLE)
    building = flow.states["building"]
    assert [wait.event for wait in building.all] == [
        ("ModuleGenerated",),
        ("PullRequestCreated", "ChangeOpened"),
        ("TestsPassed",),
    ]
    assert building.all[2].until == ("TestsFailed",)
    assert [(i.agent, i.wait, i.when) for i in building.invoke] == [
        ("code-committer", True, None),
        ("cloud-provisioner", False, "not submitted"),
    ]
    assert building.retry == Retry(limit=2, delays=("0s", "1h30m"))  # type: ignore[arg-type]
    assert building.timeout is not None
    assert (building.timeout.after, building.timeout.event) == (timedelta(days=1), "TimeoutWarning")
    assert building.on_error is not None
    assert building.on_error.target == "requested"


def test_a_retry_repeats_its_last_delay() -> None:
    retry = Retry(limit=9)
    assert [retry.delay(n).total_seconds() for n in range(6)] == [0, 5, 15, 60, 60, 60]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("15s", 15), ("5m", 300), ("1h30m", 5400), ("2d", 172800), ("1d1h1m1s", 90061)],
)
def test_durations(text: str, seconds: int) -> None:
    assert duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5s", "1m1h", "5.5s", 5, None])
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="is not a duration such as 15s, 5m or 1h30m"):
        duration(text)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (
            "    on: {ModuleGenerated: c}",
            "6:10: states.a.on.ModuleGenerated: 'c' is not a state of this flow",
        ),
        (
            "    on: {ModuleReady: b}",
            (
                "6:10: states.a.on.ModuleReady: 'ModuleReady' is not an event type of the catalogue "
                "(did you mean ModuleGenerated?)"
            ),
        ),
        (
            "    on: {CommitRedy: b}",
            "6:10: states.a.on.CommitRedy: 'CommitRedy' is not an event type of the catalogue (did you mean CommitReady?)",
        ),
        (
            "    on: {AgentTaskCompleted: b}",
            (
                "6:10: states.a.on.AgentTaskCompleted: AgentTaskCompleted is how flows themselves move; "
                "a flow can not wait for it"
            ),
        ),
        (
            "    on: {CommitReady: {target: b, when: needInfrastructure}}",
            (
                "6:35: states.a.on.CommitReady.when: 'needInfrastructure' is not a condition "
                "(did you mean needsInfrastructure?)"
            ),
        ),
        ("    on: {CommitReady: b}\n    wait: yes", "7:5: states.a.wait: this word is not known here"),
        (
            "    on: {CommitReady: {when: submitted}}",
            "6:10: states.a.on.CommitReady.target: this word is missing",
        ),
        (
            "    on: {CommitReady: a}",
            "5:3: states.a: a can not be left: it has no transition to another state, and is not final",
        ),
        (
            "    invoke: {agent: x, skill: Do, done: CommitReady}\n    on: {CommitReady: b}\n    onDone: b",
            "7:10: states.a.on.CommitReady: CommitReady also ends x here: two transitions of one event",
        ),
        (
            "    invoke: {agent: x, skill: Do, done: CommitReady, error: CommitReady}\n    onDone: b",
            "6:54: states.a.invoke.error: CommitReady can not mean both done and error",
        ),
        (
            "    invoke: [{agent: x, skill: Do}, {agent: x, skill: Do}]\n    onDone: b",
            "6:5: states.a.invoke: x Do is invoked twice by one state",
        ),
        (
            "    invoke: {agent: x, skill: Do, done: CommitReady}\n    on: {TestsPassed: b}",
            "6:5: states.a.invoke: a awaits x and does not say where to go then (onDone)",
        ),
        (
            "    onDone: b",
            (
                "6:5: states.a.onDone: a waits for nothing, so onDone says nothing: "
                "invoke a skill or use `all`"
            ),
        ),
        (
            "    on: {CommitReady: b}\n    onError: b",
            "7:5: states.a.onError: a awaits no invocation that could fail",
        ),
        (
            "    on: {CommitReady: b}\n    retry: {limit: 1}",
            "7:5: states.a.retry: a invokes nothing that could be retried",
        ),
        (
            "    invoke: {agent: x, skill: Do}\n    onDone: b\n    onRetry: b",
            "8:5: states.a.onRetry: a invokes skills: a retry invokes them again and goes nowhere",
        ),
        (
            "    on: {CommitReady: b}\n    timeout: 5m",
            "7:5: states.a.timeout: a invokes nothing that could time out: say a target or an event",
        ),
        (
            "    on: {CommitReady: b}\n    timeout: {after: 5m, target: b, event: TimeoutWarning}",
            "7:5: states.a.timeout: a timeout leads to a target or says an event, not both",
        ),
        (
            "    on: {CommitReady: b}\n    timeout: {after: 5m, event: CommitReady}",
            "7:26: states.a.timeout.event: a timeout can not say CommitReady: its payload needs more than a flow knows",
        ),
        (
            "    on: {CommitReady: b}\n    timeout: {after: 5 minutes, target: b}",
            "7:15: states.a.timeout.after: '5 minutes' is not a duration such as 15s, 5m or 1h30m",
        ),
        (
            "    on: {CommitReady: b}\n    final: true",
            "7:5: states.a.final: a is final: nothing else can happen there",
        ),
        ("    on: {CommitReady: b}\n    on: {TestsPassed: b}", '7:5: flow: found duplicate key "on"'),
        ("    on: {CommitReady: b, CommitReady: a}", '6:26: flow: found duplicate key "CommitReady"'),
    ],
)
def test_mistakes(state: str, expected: str) -> None:
    found = errors(with_state(state))
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_every_mistake_is_found_at_once() -> None:
    text = with_state(
        "    on: {CommitRedy: b, TestsPassed: nowhere}\n    timeout: {after: 5m, target: b, event: X}"
    )
    assert errors(text) == [
        "6:10: states.a.on.CommitRedy: 'CommitRedy' is not an event type of the catalogue (did you mean CommitReady?)",
        "6:25: states.a.on.TestsPassed: 'nowhere' is not a state of this flow",
        "7:5: states.a.timeout: a timeout leads to a target or says an event, not both",
        "7:37: states.a.timeout.event: 'X' is not an event type of the catalogue",
    ]


def test_a_state_nothing_leads_to() -> None:
    text = with_state("    on: {CommitReady: b}") + "  lost: {on: {CommitReady: b}}\n"
    assert errors(text) == ["8:3: states.lost: lost can not be reached from a"]


def test_what_begins_a_flow_is_checked() -> None:
    assert errors("start: [TraceInitialised]\n" + with_state("    on: {CommitReady: b}")) == [
        "1:9: start.0: 'TraceInitialised' is not an event type of the catalogue (did you mean TraceInitialized?)"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1:1: flow: a flow is a mapping with flow, version, initial and states"),
        ("- flow", "1:1: flow: a flow is a mapping with flow, version, initial and states"),
        ("flow: [", "2:1: flow: expected the node content, but found '<stream end>'"),
        ("flow: !!python/object:os.system x\n", "1:1: version: this word is missing"),
        ("flow: &a [*a]\n", "1:1: version: this word is missing"),
    ],
)
def test_what_is_no_flow_at_all(text: str, expected: str) -> None:
    assert expected in errors(text + "\n")


def test_an_error_names_the_file() -> None:
    with pytest.raises(FlowErrors, match=r"^mine\.yaml:1:1: version: this word is missing"):
        load("flow: x\n", name="mine.yaml")


def test_the_flows_that_come_along() -> None:
    assert names() == ("delivery",)
    assert definition("delivery").flow == "delivery"
    with pytest.raises(KeyError, match="no flow is called 'deliver'; there are delivery"):
        definition("deliver")
