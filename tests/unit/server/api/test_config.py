"""Config versions through the API: planned, applied whole, rolled back, exported."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

from fastapi.testclient import TestClient

from noria.runtime.control import Control

Client = Callable[..., TestClient]
CONFIG = (Path(__file__).parent / "noria.toml").read_text()
MORE = CONFIG + '\n[routes.slow]\ntargets = ["acme/small"]\n'


def test_the_first_start_applies_what_is_on_disk(client: Client, control: Control) -> None:
    state = client(local=True).get("/api/config").json()
    assert (state["version"]["number"], state["differs_on_disk"]) == (1, False)
    snapshot, _ = control.snapshots.current()
    assert snapshot.digest == state["digest"] and "fast" in snapshot.routes


def test_a_plan_changes_nothing_and_apply_does_what_was_planned(client: Client, control: Control) -> None:
    admin = client(local=True)
    control.path.write_text(MORE)
    plan = admin.post("/api/config/plan", json={}).json()
    assert [change["path"] for change in plan["changes"]] == [["routes", "slow"]]
    assert admin.get("/api/config").json()["differs_on_disk"]
    body = {"digest": plan["digest"], "current": plan["current"], "comment": "slow too"}
    applied = admin.post("/api/config/apply", json=body).json()
    assert applied["version"]["number"] == 2 and applied["served"]["everywhere"]
    snapshot, _ = control.snapshots.current()
    assert "slow" in snapshot.routes
    assert admin.post("/api/config/apply", json=body).json()["error"]["code"] == "version_moved"
    event = admin.get("/api/audit", params={"act": "config.apply"}).json()["items"][0]
    assert event["details"]["changes"] == ["routes.slow"]


def test_what_moved_since_the_plan_is_not_applied(client: Client, control: Control) -> None:
    admin = client(local=True)
    digest = admin.post("/api/config/plan", json={}).json()["digest"]
    control.path.write_text(MORE)
    assert admin.post("/api/config/apply", json={"digest": digest}).json()["error"]["code"] == "config_moved"


def test_rollback_serves_the_earlier_version_again(client: Client, control: Control) -> None:
    admin = client(local=True)
    admin.post("/api/config/apply", json={"files": {"noria.toml": MORE}})
    back = admin.post("/api/config/rollback", json={"number": 1, "comment": "oops"}).json()
    assert (back["version"]["number"], back["version"]["rolled_back_to"]) == (3, 1)
    snapshot, _ = control.snapshots.current()
    assert "slow" not in snapshot.routes
    numbers = [item["number"] for item in admin.get("/api/config/versions").json()["items"]]
    assert numbers == [3, 2, 1]


def test_a_mistake_is_named_and_nothing_is_applied(client: Client) -> None:
    admin = client(local=True)
    answer = admin.post("/api/config/apply", json={"files": {"noria.toml": CONFIG + "\nrutes = 1\n"}})
    assert answer.status_code == 400 and answer.json()["error"]["code"] == "config"
    assert answer.json()["error"]["message"].startswith("noria.toml:")
    assert admin.get("/api/config").json()["version"]["number"] == 1


def test_files_stay_within_their_folder(client: Client) -> None:
    for name in ("../noria.toml", "/etc/passwd", "a/../../b.toml"):
        answer = client(local=True).post("/api/config/plan", json={"files": {"noria.toml": CONFIG, name: ""}})
        assert answer.status_code == 400, name


def test_included_files_are_part_of_the_version(client: Client) -> None:
    admin = client(local=True)
    files = {
        "noria.toml": 'include = ["routes/*.toml"]\n' + CONFIG,
        "routes/slow.toml": '[routes.slow]\ntargets = ["acme/small"]\n',
    }
    assert admin.post("/api/config/apply", json={"files": files}).status_code == 200
    assert admin.get("/api/config").json()["files"] == files
    archive = zipfile.ZipFile(io.BytesIO(admin.get("/api/config/export").content))
    assert {name: archive.read(name).decode() for name in archive.namelist()} == files


def test_budgets_of_the_file_come_and_go_with_it(client: Client) -> None:
    admin = client(local=True)
    budget = '\n[budgets.all]\namount = "5"\nper = "day"\nhard = false\nsubject = "project:*"\n'
    assert admin.post("/api/config/apply", json={"files": {"noria.toml": CONFIG + budget}}).status_code == 200
    (found,) = admin.get("/api/budgets").json()["items"]
    assert (found["name"], found["source"], found["amount"]) == ("all", "config", "5")
    assert admin.delete("/api/budgets/all").status_code == 409
    admin.post("/api/config/rollback", json={"number": 1})
    assert admin.get("/api/budgets").json()["items"] == []


def test_a_restart_serves_the_same(client: Client, control: Control) -> None:
    generation = control.snapshots.generation
    control.start()
    snapshot, _ = control.snapshots.current()
    assert control.versions.current().number == 1  # type: ignore[union-attr]
    assert control.snapshots.generation == generation + 1 and "fast" in snapshot.routes
