import json

import pytest
import typer
from typer.testing import CliRunner

from tenantry import layout
from tenantry.champions import Restored, read_champion
from tenantry.cli.show import show
from tenantry.crowning import crown
from tenantry.errors import SpecError
from tenantry.models.card import Card
from tenantry.registry.orders import Order
from tenantry.registry.pins import pin
from tenantry.store.folder import FolderStore
from tests.unit.monitoring.watched import WINDOWS, make_receipt
from tests.unit.report.made_fleet import AS_OF, PRODUCT, RUN, make_fleet, version

app = typer.Typer()
app.command()(show)


@pytest.fixture
def folder(tmp_path):
    store = make_fleet(FolderStore(tmp_path))
    receipt = make_receipt(WINDOWS[3], rows=436, decided=71, mean_probability=0.2134)
    store.put(f"{receipt.folder}receipt.json", receipt.to_json())
    card = Card(
        product=PRODUCT,
        tenant="ua",
        version=version("ua", AS_OF),
        as_of=AS_OF,
        trained_until=AS_OF,
        recipe="logistic",
        task="classification",
        form="own",
        weight=0.0,
        training_digest="t",
        spec_digest="s",
        snapshot="5" * 64,
        features="f" * 64,
        seed=7,
        code_version="0.1.0",
        rows=1000,
        positives=213,
        metric="log_loss",
        selection="logistic, by .006 over pooled",
        scores={"logistic": {"log_loss": 0.41}},
        holdout={"challenger": {"log_loss": 0.4, "roc_auc": 0.71}},
    )
    store.put(f"{layout.model_folder(PRODUCT, 'ua', card.version)}card.json", card.to_json())
    return tmp_path


def run(folder, *arguments):
    environment = {"TENANTRY_STORE": folder.as_uri(), "COLUMNS": "160"}
    return CliRunner().invoke(app, list(arguments), env=environment)


@pytest.mark.parametrize(
    "words",
    [
        "ua of arrival-delay",
        "promoted: log loss .401 against .412 of the champion",
        "promoted as first model",
        "1,000 labelled rows, 21.3% positive, known by 2013-11-01T00:00:00Z",
        "logistic, by .006 over pooled",
        "0.7100",
        "2013-10-22 to 2013-10-29",
        "as promised",
    ],
)
def test_it_tells_all_in_words(folder, words):
    result = run(folder, PRODUCT, "ua")
    assert result.exit_code == 0
    assert words in " ".join(result.output.split()).replace(" │ ", " ")


def test_json_holds_the_records(folder):
    facts = json.loads(run(folder, PRODUCT, "ua", "--output", "json").output)
    assert facts["spec"]["tenant"] == "ua"
    assert len(facts["champion"]["reigns"]) == 2
    assert facts["card"]["rows"] == 1000
    assert [one["window"] for one in facts["receipts"]] == [WINDOWS[3].id]
    assert [one["status"] for one in facts["judgements"]] == ["ok"]
    assert facts["failures"] == []


@pytest.mark.parametrize(
    ("tenant", "words"),
    [
        ("yv", f"{RUN}: ingest: arrival-delay/yv: distance"),
        ("f9", f"{RUN}: unknown: Its shard died in predict"),
        ("yv", "None: no model was ever crowned."),
        ("yv", "None was predicted."),
    ],
)
def test_what_went_wrong_is_told(folder, tenant, words):
    assert words in run(folder, PRODUCT, tenant).output


def test_markup_in_messages_stays_text(folder):
    store = FolderStore(folder)
    key = layout.ledger(RUN, "small", "monitor")
    hostile = store.get(key).content.replace(b"missing in every row", b"[red]x[/red] [link=y]")
    store.put(key, hostile)
    assert "[red]x[/red] [link=y]" in run(folder, PRODUCT, "yv").output


def test_orders_of_people_are_told(folder):
    order = Order("ann", "an audit", AS_OF)
    reign = read_champion(FolderStore(folder), PRODUCT, "ua").earliest
    restored = Restored(
        since=reign.since, version=reign.version, replaced="v1", who="bo", why="bad", when=AS_OF
    )
    back = reign.model_copy(update={"since": AS_OF, "turn": 1, "restores": restored})
    crown(FolderStore(folder), PRODUCT, "ua", back)
    pin(FolderStore(folder), PRODUCT, "ua", order=order)
    output = run(folder, PRODUCT, "ua").output
    assert "It was rolled back from v1 by bo: bad." in output
    assert f"It is pinned to {reign.version} by ann: an audit." in output
    assert "(revoked as of 2013-11-01) promoted: log loss" in output


def test_an_unknown_tenant_is_a_fault_with_a_remedy(folder):
    result = run(folder, PRODUCT, "uaa")
    assert isinstance(result.exception, SpecError)
    assert "did you mean" in str(result.exception)
