import json
from pathlib import Path

import pytest

from tenantry.errors import SpecError
from tenantry.specs.document import parse_document
from tenantry.specs.load import filter_values, list_products, load_product
from tests.unit.specs.conftest import PRODUCT, TENANT, Specs

SHIPPED = Path("tenant_specs")


def test_a_tenant_may_be_nothing_but_a_version_and_a_name(specs: Specs) -> None:
    fleet = specs.load()
    spec = fleet.specs["acme"]
    assert (spec.product, spec.tenant, spec.gate.min_rows) == ("churn", "acme", 50)
    assert (fleet.title, fleet.description, fleet.retire_max_share) == ("Churn", "", 0.2)
    assert fleet.tenants_may_set[0] == "description"


def test_a_tenants_file_is_merged_over_the_products(specs: Specs) -> None:
    specs.tenant(
        "features: {plan: null, hour: {kind: calendar, part: hour}, minutes: {title: spent}}\n"
        "gate: {min_rows: 7}\n"
    )
    spec = specs.load().specs["acme"]
    assert list(spec.features) == ["minutes", "hour"]
    assert (spec.features["minutes"].title, spec.features["minutes"].unit) == ("spent", "min")
    assert (spec.gate.min_rows, spec.gate.holdout.days) == (7, 14)


def test_the_pooled_model_keeps_the_products_features(specs: Specs) -> None:
    specs.tenant("features: {plan: null}\n")
    fleet = specs.load()
    assert set(fleet.pooled.features) == {"minutes", "plan"}
    assert fleet.specs["acme"].pooled == fleet.pooled


def test_what_tenants_leave_alone_is_shared_among_them(specs: Specs) -> None:
    specs.tenant("gate: {min_rows: 7}\n", "bolt")
    fleet = specs.load()
    acme, bolt = fleet.specs["acme"], fleet.specs["bolt"]
    assert acme.contract is bolt.contract
    assert acme.gate is not bolt.gate


def test_tenants_come_by_name(specs: Specs) -> None:
    for name in ("zeta", "beta"):
        specs.tenant("", name)
    assert list(specs.load().specs) == ["acme", "beta", "zeta"]


def test_all_faults_of_all_files_come_at_once(specs: Specs) -> None:
    specs.product("title: Churn", "titel: Churn")
    specs.tenant("gate: {min_rows: -5, holdout: soon}\nfeatures: {x: {kind: numeric}}\n")
    specs.tenant("timezone: Europe/Berln\n", "bolt")
    specs.write("churn/cork.yaml", "apiVersion: tenantry/v2\ntenant: cork\ngate: [\n")
    specs.write("connections.yaml", "connections: {lakes: {url: x}}\n")
    assert specs.faults() == [
        "churn/acme.yaml: features.x: there is no column 'x' in the contract; "
        "declare it in contract.columns",
        "churn/acme.yaml: gate.holdout: 'soon' is not a duration; "
        "write a number and m, h, d or w, e.g. 36h",
        "churn/acme.yaml: gate.min_rows: -5 is not ≥ 1",
        "churn/bolt.yaml: timezone: 'Europe/Berln' is no time zone; did you mean Europe/Berlin?",
        "churn/cork.yaml: line 4: is not YAML: did not find expected node content; "
        "check indentation, quotes and colons",
        "churn/product.yaml: sources.rows[0].connection: there is no connection 'lake' in "
        "connections.yaml; did you mean lakes?",
        "churn/product.yaml: titel: there is no such field; did you mean title?",
        "churn/product.yaml: title: is missing",
    ]


def test_a_fault_of_the_product_is_told_once(specs: Specs) -> None:
    specs.product("kind: numeric", "kind: numerical")
    specs.tenant("features: {hour: {kind: calendar, part: hour}}\n")
    specs.tenant("", "bolt")
    (fault,) = specs.faults()
    assert fault.startswith("churn/product.yaml: features.minutes.kind: 'numerical' is not one of")


def test_a_fault_that_only_checks_find_in_the_product_is_told_once(specs: Specs) -> None:
    specs.product("plan: {type: category}", "plans: {type: category}")
    specs.tenant("features: {hour: {kind: calendar, part: hour}}\n")
    assert specs.faults() == [
        "churn/product.yaml: features.plan: there is no column 'plan' in the contract; "
        "did you mean plans?"
    ]


def test_tenants_are_checked_though_the_product_cannot_be_read(specs: Specs) -> None:
    specs.write("churn/product.yaml", "apiVersion: [")
    specs.tenant("gate: {min_rows: -5}\n")
    assert [fault.split(": ")[0] for fault in specs.faults()] == [
        "churn/acme.yaml",
        "churn/product.yaml",
    ]


def test_tenants_are_not_blamed_for_what_the_product_lacks(specs: Specs) -> None:
    specs.product("gate: {holdout: 14d}\n", "")
    specs.tenant("gate: {min_rows: 5}\n")
    assert specs.faults() == ["churn/product.yaml: gate: is missing"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (TENANT.replace("tenant: acme\n", ""), "tenant: is missing; write `tenant: acme`"),
        (
            "apiVersion: tenantry/v2\ntenant: bolt\n",
            "tenant: 'bolt' is not the file's name 'acme'; make them equal",
        ),
        (
            "tenant: acme\n",
            "apiVersion: is missing; write `apiVersion: tenantry/v2`",
        ),
        ("", "is empty; write at least apiVersion and a name"),
        (TENANT + "product: churn\n", "product: tenants of churn may not set it; they may set"),
    ],
)
def test_a_file_says_whose_it_is(specs: Specs, text: str, fault: str) -> None:
    specs.write("churn/acme.yaml", text)
    (found,) = specs.faults()
    assert found.startswith(f"churn/acme.yaml: {fault}")


def test_a_tenants_name_is_a_dns_label(specs: Specs) -> None:
    specs.tenant("", "Acme_Corp")
    assert specs.faults() == [
        "churn/Acme_Corp.yaml: the file's name 'Acme_Corp' is not a DNS label; "
        "rename it: lower-case letters, digits and '-', at most 63"
    ]


@pytest.mark.parametrize("name", ["1e5", "true", "null", "123"])
def test_a_name_that_yaml_takes_for_something_else_needs_quotes(specs: Specs, name: str) -> None:
    specs.tenant("", name)
    (fault,) = specs.faults()
    assert fault.startswith(f"churn/{name}.yaml: tenant: ")
    specs.write(f"churn/{name}.yaml", f'apiVersion: tenantry/v2\ntenant: "{name}"\n')
    assert name in specs.load().specs


def test_what_tenants_may_not_set_is_a_fault_that_names_the_list(specs: Specs) -> None:
    specs.product("train,\n   label, pooling, contract, key, times", "")
    specs.tenant("label: {above: 3}\npredict: {window: 1d, start: 2024-02-01}\n")
    listed = "they may set description, features, gate, model, predict.start, state, timezone"
    assert specs.faults() == [
        f"churn/acme.yaml: label.above: tenants of churn may not set it; {listed}",
        f"churn/acme.yaml: predict.window: tenants of churn may not set it; {listed}",
    ]


def test_without_a_list_tenants_may_set_nothing(specs: Specs) -> None:
    listed = PRODUCT.split("tenants_may_set:")[1].split("]")[0]
    specs.product(f"tenants_may_set:{listed}]\n", "")
    specs.tenant("state: paused\n")
    (fault,) = specs.faults()
    assert fault.endswith("they may set nothing but apiVersion and tenant")


@pytest.mark.parametrize("field", ["row_filter", "sources", "key", "label", "features", "pooled"])
def test_a_product_that_lacks_a_field_is_told_once(specs: Specs, field: str) -> None:
    document = parse_document(PRODUCT.encode(), "x")
    del document[field]
    specs.write("churn/product.yaml", json.dumps(document))
    specs.tenant("state: paused\n")
    specs.tenant("gate: {min_rows: 5}\n", "bolt")
    assert specs.faults() == [f"churn/product.yaml: {field}: is missing"]


@pytest.mark.parametrize("field", ["sources", "row_filter.case", "pooled.every", "tenant"])
def test_no_product_lets_tenants_say_whose_data_they_see(specs: Specs, field: str) -> None:
    specs.product("[description,", f"[{field}, description,")
    assert specs.faults() == [
        f"churn/product.yaml: tenants_may_set: {field.partition('.')[0]} is bound by the platform; "
        f"take {field} off the list"
    ]


def test_a_listed_field_must_exist(specs: Specs) -> None:
    specs.product("[description,", "[description, gate.min_row, gate.min_rows.x,")
    assert specs.faults() == [
        "churn/product.yaml: tenants_may_set: there is no field 'gate.min_row'; "
        "did you mean min_rows?",
        "churn/product.yaml: tenants_may_set: there is no field 'gate.min_rows.x'; remove it",
    ]


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("features: {plna: null}", "features.plna: there is nothing to remove; did you mean plan?"),
        (
            "gate: {min_row: null}",
            "gate.min_row: there is nothing to remove; did you mean min_rows",
        ),
        ("gat: null", "gat: there is nothing to remove; did you mean gate?"),
        ("gate: null", "gate: is missing"),
        ("gate: {holdout: null}", "gate.holdout: is missing"),
    ],
)
def test_removing_what_is_not_there_or_is_needed_is_a_fault(
    specs: Specs, more: str, fault: str
) -> None:
    specs.tenant(more)
    (found,) = specs.faults()
    assert found.startswith(f"churn/acme.yaml: {fault}")


def test_removing_an_option_that_is_not_set_is_none(specs: Specs) -> None:
    specs.tenant("label: {above: null}\n")
    assert specs.load().specs["acme"].label.above is None


def test_a_feature_of_another_kind_must_drop_what_the_product_set(specs: Specs) -> None:
    specs.product("plan: {kind: categorical}", "plan: {kind: categorical, column: plan}")
    specs.tenant("features: {plan: {kind: calendar, part: hour}}\n")
    assert specs.faults() == [
        "churn/acme.yaml: features.plan.column: is no field of a calendar feature; "
        "the product sets it; write `column: null` to remove it"
    ]
    specs.tenant("features: {plan: {kind: calendar, part: hour, column: null}}\n")
    assert specs.load().specs["acme"].features["plan"].kind == "calendar"


def test_row_filter_values_come_from_the_tenants_name(specs: Specs) -> None:
    specs.product('"(?P<account>.+)"', '"(?P<account>[a-z]+)-(?P<plan>.+)", case: upper')
    specs.write("churn/acme.yaml", b"")
    (specs.folder / "churn/acme.yaml").unlink()
    specs.tenant("", "acme-gold")
    spec = specs.load().specs["acme-gold"]
    assert filter_values(spec) == {"account": "ACME", "plan": "GOLD"}


@pytest.mark.parametrize(
    "pattern", ["(?P<account>[0-9]+)", "acme|(?P<account>x)", "(?P<account>a)"]
)
def test_a_row_filter_must_match_the_whole_name(specs: Specs, pattern: str) -> None:
    specs.product("(?P<account>.+)", pattern)
    (fault,) = specs.faults()
    assert fault.startswith("churn/acme.yaml: tenant: 'acme' does not match row_filter.pattern")


def test_no_two_tenants_have_the_same_rows(specs: Specs) -> None:
    specs.product("(?P<account>.+)", "(?P<account>[a-z]+)[0-9]*")
    specs.tenant("", "acme1")
    assert specs.faults() == [
        "churn/acme1.yaml: tenant: gives the same rows as acme.yaml; "
        "make row_filter.pattern tell them apart"
    ]


def test_a_broken_row_filter_is_told_once(specs: Specs) -> None:
    specs.product("(?P<account>.+)", "(?P<account>.+")
    (fault,) = specs.faults()
    assert fault.startswith("churn/product.yaml: row_filter.pattern: is no regular expression")


def test_an_empty_folder_is_never_an_empty_fleet(specs: Specs) -> None:
    (specs.folder / "churn/acme.yaml").unlink()
    (fault,) = specs.faults()
    assert fault.startswith("churn: has no tenant; an empty folder is taken for a missing mount")


def test_files_that_would_be_passed_over_are_faults(specs: Specs) -> None:
    specs.write("churn/bolt.yml", TENANT)
    specs.write("churn/eu/cork.yaml", TENANT)
    specs.write("churn/README.md", "for people")
    specs.write("churn/.swp.yaml", "an editor's")
    assert specs.faults() == [
        "churn/bolt.yml: is not read; rename it to end in .yaml",
        "churn/eu: is a folder; keep tenants beside product.yaml",
    ]


def test_the_products_name_is_the_folders(specs: Specs) -> None:
    specs.product("product: churn", "product: chrun")
    assert specs.faults() == ["churn/product.yaml: product: is not the folder's name 'churn'"]


def test_pooled_features_are_not_written_by_hand(specs: Specs) -> None:
    specs.product("{every: 30d}", "{every: 30d, features: {plan: {kind: categorical}}}")
    assert specs.faults() == [
        "churn/product.yaml: pooled.features: is filled in from features; remove it"
    ]


def test_connections_may_lie_elsewhere(specs: Specs, tmp_path: Path) -> None:
    (specs.folder / "connections.yaml").rename(tmp_path / "named.yaml")
    (fault,) = specs.faults()
    assert fault == "connections.yaml: there is no such file; write it"
    assert load_product(specs.folder, "churn", connections=tmp_path / "named.yaml").specs


def test_connections_must_be_named(specs: Specs) -> None:
    specs.write("connections.yaml", "lake: {url: lake}\n")
    (fault,) = specs.faults()
    assert fault.startswith("connections.yaml: connections: is missing or no map")


def test_products_are_the_folders_with_yaml_files(specs: Specs) -> None:
    specs.write("schema/product.json", "{}")
    specs.write(".git/x.yaml", "")
    specs.write("aaa/lonely.yaml", "")
    assert list_products(specs.folder) == ("aaa", "churn")


def test_an_unknown_product_or_folder_is_a_fault(specs: Specs) -> None:
    with pytest.raises(SpecError, match=r"chrun: is no product in .*; did you mean churn\?"):
        load_product(specs.folder, "chrun")
    with pytest.raises(SpecError, match="is no folder"):
        list_products(specs.folder / "nowhere")


def test_hostile_text_stays_text_in_titles_and_nowhere_else(specs: Specs) -> None:
    evil = '{{$.inputs}} <script>alert(1)</script> \\"; $(rm -rf /) =1+1'
    specs.tenant(
        f'description: "{evil}"\nfeatures: {{plan: {{title: "{evil}", unit: "{evil}"}}}}\n'
    )
    spec = specs.load().specs["acme"]
    text = evil.replace("\\", "")
    assert (spec.description, spec.features["plan"].title) == (text, text)
    specs.tenant(
        f'region: "{evil}"\nfeatures: {{"{evil}": {{kind: numeric}}}}\ngate: {{"{evil}": 1}}'
    )
    assert len(specs.faults()) == 4


@pytest.mark.parametrize("text", ["\\e[31mred", "a\\u202Eb", "bell\\a"])
def test_control_characters_are_no_text(specs: Specs, text: str) -> None:
    specs.tenant(f'description: "{text}"\n')
    assert specs.faults() == [
        "churn/acme.yaml: description: holds control characters; write plain text"
    ]


def test_the_shipped_fleet_loads() -> None:
    fleet = load_product(SHIPPED, "arrival-delay")
    assert " ".join(fleet.specs) == "9e aa as b6 dl ev f9 fl ha mq oo ua us vx wn yv"
    assert filter_values(fleet.specs["9e"]) == {"carrier": "9E"}
    same = [spec for spec in fleet.specs.values() if spec.features == fleet.pooled.features]
    assert len(same) == 14
    assert [name for name, spec in fleet.specs.items() if not spec.pooling.contribute] == ["us"]
    assert [name for name, spec in fleet.specs.items() if spec.resources.dedicated] == ["ua"]
    assert fleet.specs["vx"].gate != fleet.specs["aa"].gate


def test_shipped_files_are_short() -> None:
    lines = [
        len([line for line in path.read_text().splitlines() if not line.startswith("#")])
        for path in sorted((SHIPPED / "arrival-delay").glob("??.yaml"))
    ]
    assert len(lines) == 16
    assert sum(count <= 5 for count in lines) >= 13
