"""Namespaces, ports, secrets, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.deploy import registry
from bot.deploy.performer import Deployer
from bot.deploy.port import Scope, Tools
from bot.deploy.process import ProcessStrategy
from bot.deploy.services.vault import FolderVault
from bot.domain.effect import ApplyRelease, CreateTag, Provision
from bot.domain.errors import Permanent, Retryable
from bot.domain.performer import EffectContext
from tests.deploy.ground import CONTEXT, Ground, server


def secret(ground: Ground, name: str, value: str, *scope: str) -> None:
    path = ground.home.joinpath("vault", *(scope or ("acme", "staging", "booking-service")), name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value + "\n")


def test_an_environment_is_provisioned_once(ground: Ground) -> None:
    secret(ground, "db", "hunter2")
    first = ground.provision()
    port = int(first.endpoint.rpartition(":")[2])
    assert first.to_json() == {
        "namespace": "acme-staging",
        "endpoint": f"http://127.0.0.1:{port}",
        "resources": [
            {"type": "namespace", "name": "acme-staging", "path": "environments/acme-staging"},
            {
                "type": "configuration",
                "name": "booking-service",
                "path": "environments/acme-staging/booking-service/config.json",
            },
            {"type": "port", "name": "booking-service", "host": "127.0.0.1", "port": port},
        ],
        "dns": [{"host": "booking-service.acme-staging.localhost", "target": f"127.0.0.1:{port}"}],
        "secrets": {"db": "@vault:db"},
    }
    assert ground.provision() == first


def test_modules_and_environments_have_ports_of_their_own(ground: Ground) -> None:
    endpoints = {
        ground.provision(environment=environment, namespace=f"acme-{environment}", module_id=module).endpoint
        for environment in ("staging", "production")
        for module in ("booking-service", "invoice-service")
    }
    assert len(endpoints) == 4


def test_the_edition_is_kept(ground: Ground) -> None:
    ground.provision(edition_id="enterprise")
    ground.provision()
    config = json.loads((ground.home / "environments/acme-staging/booking-service/config.json").read_text())
    assert (config["editionId"], config["tenantId"], config["environment"]) == (
        "enterprise",
        "acme",
        "staging",
    )


@pytest.mark.parametrize(
    ("change", "reason_code", "message"),
    [
        (
            {"namespace": "other-staging"},
            "InvalidNamespaceAccess",
            "Tenant acme may deploy booking-service for staging to acme-staging, not to other-staging.",
        ),
        ({"module_id": "../x"}, "InvalidName", "'../x' can not be used as the name of a module."),
        (
            {"environment": "a/b", "namespace": "acme-a/b"},
            "InvalidName",
            "'acme-a/b' can not be used as the name of a namespace.",
        ),
        (
            {"strategy": "helmet"},
            "UnknownStrategy",
            "No deployment strategy is called 'helmet'; there are: process.",
        ),
    ],
)
def test_what_is_refused_leaves_nothing(
    ground: Ground, change: dict[str, Any], reason_code: str, message: str
) -> None:
    with pytest.raises(Permanent) as refused:
        ground.provision(**change)
    assert (refused.value.reason_code, refused.value.message) == (reason_code, message)
    assert not (ground.home / "environments").exists()


def test_two_tenants_whose_names_run_together_do_not_share_a_namespace(ground: Ground) -> None:
    ours = EffectContext("acme", "t", lambda _id: None)
    theirs = EffectContext("acme-eu", "t", lambda _id: None)
    ground.provision(ours, environment="eu-staging", namespace="acme-eu-staging")
    with pytest.raises(
        Permanent, match="The namespace acme-eu-staging belongs to another tenant's environment"
    ) as e:
        ground.provision(theirs, environment="staging", namespace="acme-eu-staging")
    assert e.value.reason_code == "InvalidNamespaceAccess"


def test_a_reference_becomes_the_secret_in_the_service_and_nowhere_else(ground: Ground) -> None:
    secret(ground, "db", "hunter2-hunter2")
    code = server(
        "1.0.0", before="print('connecting with', os.environ['DB'], flush=True)", status={"/readyz": 503}
    )
    target = ground.target("1.0.0", code, environment={"DB": "@vault:db"}, startup_timeout_s=0.4)
    health = ground.apply(target)
    assert health.log_tail.splitlines()[0] == "connecting with [hidden]"
    assert "hunter2" not in health.model_dump_json()
    written = [
        p for p in (ground.home / "environments").rglob("*") if p.is_file() and b"hunter2" in p.read_bytes()
    ]
    assert [path.suffix for path in written] == [".log"]


@pytest.mark.parametrize(
    "scope", [("other", "staging", "booking-service"), ("acme", "production", "booking-service")]
)
def test_a_secret_of_another_scope_does_not_exist(ground: Ground, scope: tuple[str, ...]) -> None:
    secret(ground, "db", "hunter2", *scope)
    with pytest.raises(Permanent) as refused:
        ground.apply(ground.target("1.0.0", server("1"), environment={"DB": "@vault:db", "X": "plain"}))
    assert refused.value.reason_code == "SecretsMissing"
    assert (
        refused.value.message == "The vault has no @vault:db for booking-service in staging of tenant acme."
    )


def test_a_vault_is_not_left_by_a_name(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("secret")
    with pytest.raises(Permanent, match="can not be used as the name of a secret"):
        FolderVault(tmp_path / "vault").read(Scope("a", "b", "c"), "../../../../outside")


def test_files_that_link_outside_are_refused(ground: Ground) -> None:
    target = ground.target("1.0.0", server("1.0.0"))

    class Linking:
        def export(self, repository: str, revision: str, path: str, into: Path) -> None:
            (into / "app.py").symlink_to("/etc/passwd")

    deployer = Deployer(ground.home, {"local": Linking()})
    with pytest.raises(Permanent, match=r"app.py links outside the release") as refused:
        deployer.perform("e", ApplyRelease(release=target), CONTEXT)
    assert refused.value.reason_code == "UnsafeRelease"
    assert list((ground.home / "environments/acme-staging/booking-service/releases").iterdir()) == []


def test_a_release_without_files_is_refused(ground: Ground) -> None:
    target = ground.target("1.0.0", "").model_copy(update={"path": "services/none"})
    ground.files.revisions[target.revision] = {}
    with pytest.raises(
        Permanent, match=f"acme/booking has no files in services/none at {target.revision[:12]}"
    ):
        ground.apply(target)


def test_a_failed_export_leaves_the_old_release_running(ground: Ground) -> None:
    old = ground.apply(ground.target("1.0.0", server("1.0.0")))

    class Down:
        def export(self, repository: str, revision: str, path: str, into: Path) -> None:
            raise Retryable("the forge is down")

    new = ground.target("2.0.0", server("2.0.0"))
    with pytest.raises(Retryable, match="the forge is down"):
        Deployer(ground.home, {"local": Down()}).perform("e", ApplyRelease(release=new), CONTEXT)
    again = ground.apply(ground.target("1.0.0", server("1.0.0")))
    assert again.pid == old.pid


def test_unknown_forge_and_unknown_effect(ground: Ground) -> None:
    target = ground.target("1.0.0", server("1.0.0")).model_copy(update={"forge": "github"})
    with pytest.raises(Permanent, match="No forge is called 'github'; there are: local"):
        ground.apply(target)
    with pytest.raises(Permanent, match="CreateTag is no deployment effect"):
        ground.deployer.perform("e", CreateTag(name="v1", revision="x"), CONTEXT)


def test_a_home_that_can_not_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    effect = Provision(environment="staging", namespace="acme-staging", module_id="m")
    with pytest.raises(Retryable, match="The deployment could not use its files"):
        Deployer(tmp_path / "home", {}).perform("e", effect, CONTEXT)


def strategies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, **modules: str) -> str:
    package = tmp_path / name
    package.mkdir()
    (package / "__init__.py").write_text("")
    for module, text in modules.items():
        (package / f"{module}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


CLASS = "class STRATEGY:\n    name = 'one'\n    def __init__(self, tools): pass\n"


def test_strategies_are_found_by_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = Tools(tmp_path, {}, FolderVault(tmp_path))
    assert list(registry.load(tools)) == ["process"]
    assert isinstance(registry.load(tools)["process"], ProcessStrategy)
    found = registry.load(tools, strategies(tmp_path, monkeypatch, "fine", one=CLASS, port="", performer=""))
    assert list(found) == ["one"]
    with pytest.raises(TypeError, match=r"twice\.two: there is a strategy 'one' already"):
        registry.load(tools, strategies(tmp_path, monkeypatch, "twice", one=CLASS, two=CLASS))
    with pytest.raises(TypeError, match=r"bare\.empty has no STRATEGY"):
        registry.load(tools, strategies(tmp_path, monkeypatch, "bare", empty=""))
