"""From raw files to specs: a product is founded, tenants are taken on, each with its reasons."""

import json
import sqlite3

import pandas as pd
import pytest

from tenantry.specs.document import parse_document, write_document
from tenantry.specs.load import load_product
from tests.unit.onboarding.orders import AS_OF, CUSTOMERS, make_orders

SHORT = ("--as-of", AS_OF)


@pytest.fixture
def founded(desk, orders):
    """A product with its first tenant."""
    source = desk.write("orders.csv", orders[orders.customer != "UMBRELLA"])
    result = desk.onboard("acme", "--source", source, "--yes")
    assert result.exit_code == 0, result.output
    return desk


def facts(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_five_tenants_of_a_new_product_take_five_commands_and_two_lines_each(desk, orders):
    source = desk.write("orders.csv", orders)
    assert desk.onboard("acme", "--source", source, "--yes").exit_code == 0
    for tenant in CUSTOMERS[1:]:
        assert desk.onboard(tenant, "--yes", asked=SHORT).exit_code == 0
    fleet = load_product(desk.specs, "orders")
    assert tuple(fleet.specs) == CUSTOMERS
    for tenant in CUSTOMERS:
        text = (desk.specs / f"orders/{tenant}.yaml").read_text()
        assert text == f"apiVersion: tenantry/v2\ntenant: {tenant}\n"
    assert desk.run("validate").exit_code == 0
    assert "train 5 tenants" in " ".join(desk.run("plan", "orders", *SHORT).output.split())


def test_a_product_is_founded_on_what_its_rows_are(founded):
    product = parse_document((founded.specs / "orders/product.yaml").read_bytes(), "product")
    assert product["row_filter"] == {"pattern": "(?P<customer>.+)", "case": "upper"}
    assert product["key"] == ["customer", "order_id"]
    assert product["times"]["event_time"] == "ordered_at"
    assert product["times"]["label_known_at"] == {"delay": "2d"}
    assert product["label"] == {"column": "late"}
    assert product["features"] == {
        "weight": {"kind": "numeric"},
        "depot": {"kind": "categorical"},
        "express": {"kind": "numeric"},
        "hour": {"kind": "calendar", "part": "hour"},
        "weekday": {"kind": "calendar", "part": "weekday"},
    }
    assert product["contract"]["columns"]["express"] == {"type": "boolean"}
    connections = (founded.specs / "connections.yaml").read_text()
    assert "orders: {url: ../raw}" in connections


def test_nothing_is_written_without_yes_nor_with_dry_run(desk, orders):
    source = desk.write("orders.csv", orders)
    for more in ((), ("--yes", "--dry-run")):
        result = desk.onboard("acme", "--source", source, *more)
        assert "Nothing was written; --yes does it." in result.output
        assert "next run: train   no model yet" in result.output
        assert desk.files() == {}


def test_the_first_tenant_is_estimated_by_its_own_rows_later_ones_by_the_others(founded):
    told = facts(founded.onboard("globex", "-o", "json", asked=SHORT))
    estimate = told["estimate"]
    assert estimate["model"] == "pooled"
    assert "another tenant" in estimate["of"]
    assert estimate["low"] < estimate["score"] < estimate["high"]
    assert estimate["gain_low"] > 0  # heavy orders are late for all customers
    assert estimate["auc"] > 0.7
    again = facts(founded.onboard("globex", "-o", "json", asked=SHORT))
    assert again == told


def test_a_column_that_tells_the_label_is_left_out_and_named(desk, orders):
    told = orders.assign(refund=orders["late"] * 5.0)
    source = desk.write("orders.csv", told)
    found = facts(desk.onboard("acme", "--source", source, "-o", "json"))
    why = {reason["path"]: reason["why"] for reason in found["reasons"]}
    assert "it tells the label nearly by itself (ROC AUC 1.000)" in why["features.refund"]
    assert "refund" not in found["files"]["orders/product.yaml"]


def test_a_feature_without_a_value_is_removed_with_the_reason(founded, orders):
    odd = orders.assign(express=orders["express"].where(orders["customer"] != "HOOLI"))
    founded.write("orders.csv", odd)
    found = facts(founded.onboard("hooli", "-o", "json", asked=SHORT))
    assert parse_document(found["files"]["orders/hooli.yaml"].encode(), "hooli") == {
        "apiVersion": "tenantry/v2",
        "tenant": "hooli",
        "features": {"express": None},
    }
    assert found["reasons"] == [
        {
            "path": "features.express",
            "value": "removed",
            "why": "express is missing in all of its rows",
        }
    ]


def test_rows_that_are_not_where_the_product_reads_pause_the_tenant(founded, orders):
    extract = orders[orders.customer == "UMBRELLA"].drop(columns=["express", "Unit Price"])
    source = founded.write("umbrella.csv", extract)
    found = facts(founded.onboard("umbrella", "--source", source, "-o", "json", asked=SHORT))
    text = found["files"]["orders/umbrella.yaml"]
    assert "state: paused\n" in text
    assert "features: {express: null}\n" in text
    assert "its rows are not in the product's own sources yet" in str(found["reasons"])
    assert found["due"] == []
    assert found["note"] == "paused by its spec"


def test_what_is_asked_for_stands_in_the_file(founded):
    asked = ("--description", "1e5 <b>'s", "--timezone", "Europe/Berlin", "--not-pooled", *SHORT)
    found = facts(founded.onboard("globex", "--yes", "-o", "json", asked=asked))
    spec = load_product(founded.specs, "orders").specs["globex"]
    assert spec.description == "1e5 <b>'s"
    assert spec.timezone == "Europe/Berlin"
    assert not spec.pooling.contribute
    assert found["written"] == [str(founded.specs / "orders/globex.yaml")]


def test_a_tenant_of_a_new_product_may_allow_comparison(founded):
    founded.onboard("globex", "--yes", asked=SHORT)
    with (founded.specs / "orders/globex.yaml").open("a") as file:
        file.write("insights: {comparable: true}\n")
    assert load_product(founded.specs, "orders").specs["globex"].insights.comparable


def test_a_model_of_others_that_is_surely_worse_and_stays_so_is_not_received(desk, orders):
    other = make_orders(customers=("globex",), seed=1)
    other["late"] = 1 - other["late"]
    source = desk.write("orders.csv", pd.concat([orders[orders.customer == "ACME"], other]))
    assert desk.onboard("acme", "--source", source, "--yes").exit_code == 0
    found = facts(desk.onboard("globex", "-o", "json", asked=SHORT))
    assert "pooling" not in found["files"]["orders/globex.yaml"]
    assert "until it has learnt from its rows, too" in str(found["notes"])
    found = facts(desk.onboard("globex", "-o", "json", "--not-pooled", asked=SHORT))
    text = found["files"]["orders/globex.yaml"]
    assert "pooling: {contribute: false, receive: false}" in text
    assert "a model that never learns from its rows is surely worse" in str(found["reasons"])


def test_rows_may_lie_in_a_database_and_in_hive_folders(desk, orders, monkeypatch):
    (desk.home / "raw").mkdir()
    path = desk.home / "raw/shop.sqlite"
    with sqlite3.connect(path) as session:
        orders.drop(columns="Unit Price").to_sql("orders", session, index=False)
    session.close()
    monkeypatch.chdir(desk.home)
    source = ("--source", "sqlite:///raw/shop.sqlite", "--table", "orders")
    found = facts(desk.onboard("acme", *source, "-o", "json"))
    assert "kind: sql" in found["files"]["orders/product.yaml"]
    assert "{url: 'sqlite:///../raw/shop.sqlite'}" in found["files"]["connections.yaml"]
    assert desk.onboard("acme", *source, "--yes", product="sold").exit_code == 0
    assert desk.onboard("globex", "--yes", product="sold", asked=SHORT).exit_code == 0
    for customer, rows in orders.groupby("customer"):
        desk.write(f"lake/customer={customer}/orders.csv", rows.drop(columns="customer"))
    source = "raw/lake"
    assert desk.onboard("acme", "--source", source, "--yes").exit_code == 0


def test_a_source_below_a_known_connection_uses_it(desk, orders):
    desk.specs.mkdir()
    connections = "# ours\nconnections:\n  shop: {url: ../raw} # all of it\n"
    (desk.specs / "connections.yaml").write_text(connections)
    source = desk.write("2024/orders.csv", orders)
    assert desk.onboard("acme", "--source", source, "--yes").exit_code == 0
    assert (desk.specs / "connections.yaml").read_text() == connections
    spec = load_product(desk.specs, "orders").specs["acme"]
    assert (spec.sources.rows[0].connection, spec.sources.rows[0].path) == (
        "shop",
        "2024/orders.csv",
    )


def test_a_home_region_is_one_of_those_there_are(founded):
    stores = {name: (founded.home / f"store-{name}").as_uri() for name in ("eu", "us")}
    regions = {name: {"zone": "all", "store": url} for name, url in stores.items()}
    (founded.specs / "regions.yaml").write_text(write_document({"regions": regions}))
    product = founded.specs / "orders/product.yaml"
    product.write_text(product.read_text() + "region: eu\n")
    found = facts(founded.onboard("globex", "--region", "us", "-o", "json", asked=SHORT))
    assert "region: us\n" in found["files"]["orders/globex.yaml"]
    assert [due["action"] for due in found["due"]] == ["train"]
    error = founded.onboard("globex", "--region", "usa", asked=SHORT).exception
    assert "orders/globex.yaml: region: 'usa' is no region of regions.yaml" in str(error)
