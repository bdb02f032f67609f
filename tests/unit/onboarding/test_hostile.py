"""Wrong and hostile input: each gets a helpful answer, nothing is written, no secret is told."""

import gzip
import os

import pytest

from tenantry.errors import TenantryError
from tenantry.specs.load import load_product
from tests.unit.onboarding.orders import AS_OF

SECRET = "hunter2-very-secret"
HEAD = "customer,order_id,ordered_at,weight,late\n"
SHORT = ("--as-of", AS_OF)


@pytest.fixture(scope="session")
def acme(orders):
    """The raw rows of one customer, as a tidy file has them."""
    columns = ["customer", "order_id", "ordered_at", "weight", "depot", "late"]
    return orders.loc[orders.customer == "ACME", columns].reset_index(drop=True)


def told(desk, result):
    """What the command says; it is one of our errors, and nothing was written."""
    assert desk.files() == desk.before
    assert result.exit_code != 0
    if isinstance(result.exception, SystemExit):
        assert result.exit_code == 2
        return result.output
    assert isinstance(result.exception, TenantryError), result.exc_info
    assert SECRET not in str(result.exception) + result.output
    return str(result.exception)


@pytest.fixture
def sent(desk):
    """Onboard from a raw file; return what is said."""

    def send(content, *more, name="orders.csv", tenant="acme", **asked):
        desk.before = desk.files()
        source = desk.write(name, content)
        return told(desk, desk.onboard(tenant, "--source", source, "--yes", *more, **asked))

    return send


@pytest.fixture
def asked(desk):
    """Onboard from whatever is given as source."""

    def ask(source, *more, tenant="acme", **options):
        desk.before = desk.files()
        given = ("--source", source) if source else ()
        return told(desk, desk.onboard(tenant, *given, "--yes", *more, **options))

    return ask


FILES = {
    "empty": (b"", "--source: is empty; check what writes it"),
    "header only": (HEAD, "--source: has columns and no row"),
    "binary": (bytes(range(256)) * 40, "--source: is neither CSV nor Parquet"),
    "a zip": (b"PK\x03\x04" + b"x" * 400, "--source: is neither CSV nor Parquet"),
    "an image named csv": (b"\x89PNG\r\n\x1a\n\0\0", "--source: is neither CSV nor Parquet"),
    "half of a Parquet file": (b"PAR1" + b"\x15" * 300, "is not readable as parquet"),
    "semicolons": (HEAD.replace(",", ";"), "--source: its columns are divided by semicolons"),
    "tabs": (HEAD.replace(",", "\t") + "a\tb\tc\td\te\n", "divided by tabs, not by commas"),
    "latin-1": ((HEAD + "M\xfcller,1,2024-01-01,2,1\n").encode("latin-1"), "is not UTF-8 (line 2)"),
    "utf-16": (HEAD.encode("utf-16"), "--source: is UTF-16; save it as UTF-8"),
    "ragged rows": (HEAD + "ACME,1\n", "is not readable as csv"),
    "a column twice": (
        "late,late,at\n1,0,2024-01-01\n",
        "1 of its columns have a name more than once",
    ),
    "a huge number of columns": (
        ",".join(f"c{n}" for n in range(20_000)) + "\n",
        "has 20,000 columns, at most 1,000 can be looked at",
    ),
    "markup for names": ("<script>,'; drop--,{x: y}\n1,2,3\n", "no column has a name that a spec"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_no_table_of_rows(sent, case):
    content, message = FILES[case]
    assert message in sent(content)


def test_there_is_no_such_file(asked, desk):
    assert "no such file or folder" in asked(str(desk.home / "none.csv"))
    assert "no such file or folder" in asked("a\x1b[2J\0b.csv")
    (desk.home / "raw/empty").mkdir(parents=True)
    assert "the folder holds no file" in asked(str(desk.home / "raw/empty"))


def test_a_pipe_is_not_waited_for(asked, desk):
    (desk.home / "raw").mkdir()
    os.mkfifo(desk.home / "raw/pipe.csv")
    assert "is neither a file nor a folder" in asked(str(desk.home / "raw/pipe.csv"))


def test_a_compressed_file_of_another_name(sent):
    assert "compressed and not named .csv.gz" in sent(gzip.compress(HEAD.encode()), name="o.bin")


@pytest.mark.parametrize(
    "tenant",
    ["../../etc/passwd", "a/b", "..", "a-", "Acme", "acme.yaml", "a b", "x" * 64, "ac\0me"],
)
def test_a_name_that_leads_elsewhere_is_none(asked, tenant):
    assert "TENANT: is not a DNS label" in asked("", tenant=tenant)


@pytest.mark.parametrize("product", ["../specs", "a/b", "Orders", "schema\n"])
def test_a_product_that_leads_elsewhere_is_none(asked, product):
    assert "PRODUCT: is not a DNS label" in asked("", product=product)


def test_the_products_own_file_is_no_tenant(asked):
    assert "'product' names the product's own file" in asked("", tenant="product")


def test_a_tenant_that_is_there_stays_as_it_is(desk, acme, asked):
    assert desk.onboard("acme", "--source", desk.write("o.csv", acme), "--yes").exit_code == 0
    assert "orders has a tenant acme; see tenantry show orders acme" in asked("")


def test_a_new_product_without_a_source_says_what_is_needed(asked):
    assert "there is no product orders yet; say --source" in asked("")


def test_a_new_product_says_all_that_is_missing_at_once(sent, acme):
    message = sent(
        acme.rename(columns={"ordered_at": "at"}).assign(seen=acme["ordered_at"]), asked=()
    )
    assert "--label: say what is to be predicted; columns of yes and no: late" in message
    assert "--label-delay: say when a label is known" in message
    assert "--event-time: at, seen hold times; say which one" in message


def test_columns_that_are_not_there_are_told_with_the_nearest(sent, acme):
    options = ("--label", "lat", "--key", "order", "--label-delay", "2 days")
    message = sent(acme, asked=options)
    assert "--label: there is no column 'lat'; did you mean late?" in message
    assert "--key: there is no column 'order'" in message
    assert "'2 days' is not a duration" in message


def test_no_column_holds_the_tenant(sent, acme):
    message = sent(acme, tenant="globex")
    assert "no column holds 'globex'" in message
    assert "lay them as <column>=globex/" in message


def test_no_label_ever(sent, acme):
    assert "--label: late never has a value" in sent(acme.assign(late=""))


def test_one_class(sent, acme):
    assert "--label: late has one value only" in sent(acme.assign(late=1))
    assert "--above: weight is never above 1e+06" in sent(
        acme, "--label", "weight", "--above", "1e6"
    )


def test_duplicate_keys(sent, acme):
    twice = acme.assign(order_id=acme["order_id"] % 200)
    message = sent(twice, "--key", "customer,order_id")
    assert "key: 200 rows share theirs (customer, order_id) with another and differ" in message
    message = sent(acme.assign(order_id=acme.index // 2), "--key", "order_id")
    assert "customer, order_id: shared with another row 300" in message


def test_no_time_and_times_of_the_future(sent, acme):
    assert "no column holds times; times are ISO 8601" in sent(acme.assign(ordered_at="soon"))
    later = acme.assign(ordered_at=acme["ordered_at"].str.replace("2024", "2087"))
    assert "299 rows lie in the future" in sent(later, "--as-of", "2088-01-01")
    assert "none in the 365d before 2024-07-01" in sent(later)


def test_labels_that_nobody_knows_yet(sent, acme):
    message = sent(acme, "--label-delay", "52w")
    assert "no row has a label (late) that is known by 2024-07-01" in message


def test_values_that_are_markup_or_yaml_stay_values(desk, acme):
    wild = ["<script>alert(1)</script>", "a: {b: [", "- !!python/object:os.system", "\"'`|&*"]
    depot = [wild[n % len(wild)] for n in range(len(acme))]
    source = desk.write("orders.csv", acme.assign(depot=depot))
    result = desk.onboard("acme", "--source", source, "--label", "depot", "--yes")
    assert result.exit_code == 0, result.output
    assert desk.run("validate").exit_code == 0
    classes = load_product(desk.specs, "orders").specs["acme"].classes
    assert classes == tuple(sorted(wild))


@pytest.mark.parametrize(
    "source",
    [
        f"postgresql+psycopg://me:{SECRET}@db.example/shop",
        f"mysql://db.example/shop?password={SECRET}",
        f"postgresql://[{SECRET}:{SECRET}@db.example/shop",
    ],
)
def test_a_secret_in_an_address_is_refused_and_not_repeated(asked, source):
    message = asked(source, "--table", "orders")
    assert "secret" in message or "is no address" in message
    assert "db.example" not in message


def test_a_database_that_does_not_answer(asked):
    message = asked("postgresql+psycopg://me@127.0.0.1:1/shop", "--table", "orders")
    assert "the database did not answer" in message
    assert "127.0.0.1" not in message
    assert "no driver for nosuch" in asked("nosuch://me@db/shop", "--table", "orders")
    assert "is a database; say which table with --table" in asked("sqlite:///x.db")
    assert "no such database file" in asked("sqlite:////nowhere/x.db", "--table", "orders")
    assert "https addresses are not read" in asked("https://example.com/o.csv")


def test_a_named_connection_cannot_be_left(desk, asked):
    desk.write("o.csv", HEAD)
    desk.specs.mkdir()
    text = "connections:\n  shop: {url: ../raw}\n  db: {url: 'postgresql://h/d', secret: NO_SUCH}\n"
    (desk.specs / "connections.yaml").write_text(text)
    assert "leads out of the connection's folder" in asked("shop", "--table", "../specs/x.csv")
    assert "names a connection; say the table" in asked("shop")
    assert "environment variable NO_SUCH is not set" in asked("db", "--table", "orders")


def test_an_existing_product_tells_which_columns_a_source_lacks(desk, acme, asked):
    assert desk.onboard("acme", "--source", desk.write("o.csv", acme), "--yes").exit_code == 0
    other = acme.assign(customer="GLOBEX").rename(columns={"late": "lates"})
    message = asked(desk.write("g.csv", other), tenant="globex", asked=SHORT)
    assert message == "--source: has no column late; did you mean lates?"
    assert "there is none with customer = GLOBEX" in asked("", tenant="globex", asked=SHORT)


def test_too_many_bad_rows_and_one_class_in_an_existing_product(desk, acme, asked):
    assert desk.onboard("acme", "--source", desk.write("o.csv", acme), "--yes").exit_code == 0
    other = acme.assign(customer="GLOBEX", weight="heavy", late=1)
    message = asked(desk.write("g.csv", other), tenant="globex", asked=SHORT)
    assert "are bad" in message or "none keeps the contract" in message
    other = acme.assign(customer="GLOBEX", late=1)
    message = asked(desk.write("g.csv", other), tenant="globex", asked=SHORT)
    assert "label: all 300 are the same (late)" in message


def test_an_erased_tenant_does_not_come_back_by_mistake(desk, acme, asked):
    from datetime import UTC, datetime

    from tenantry.erasure.tombstones import Tombstone, write_tombstone
    from tenantry.store.folder import FolderStore

    assert desk.onboard("acme", "--source", desk.write("o.csv", acme), "--yes").exit_code == 0
    stone = Tombstone(
        product="orders", tenant="globex", when=datetime.now(UTC), who="me", why="asked"
    )
    write_tombstone(FolderStore(desk.home / "store"), stone)
    assert "globex was erased; tenantry erase orders globex --lift" in asked("", tenant="globex")


def test_wrong_use_is_told_as_such(asked, acme):
    assert "Invalid value for '--above'" in asked("x.csv", "--above", "many")
    assert "No such option" in asked("x.csv", "--sauce", "y")
