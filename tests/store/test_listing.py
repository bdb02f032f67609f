"""What is read of a listing, and what is none."""

from datetime import UTC, datetime
from xml.etree.ElementTree import ParseError

import pytest

from tenantry.store.contract import ObjectInfo
from tenantry.store.s3_listing import Page, list_page
from tenantry.store.s3_transport import Answer, NoAnswerError

SPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
OBJECT = (
    "<Contents><Key>top/{key}</Key><LastModified>2026-11-27T03:03:28.407Z</LastModified>"
    "<ETag>&#34;t4g&#34;</ETag><Size>2</Size></Contents>"
)
MORE = "<IsTruncated>true</IsTruncated>"
TOKEN = "<NextContinuationToken>a+/=</NextContinuationToken>"


def listing(*parts, space=SPACE):
    return f"<ListBucketResult{space}>{''.join(parts)}</ListBucketResult>"


class Asked:
    """Answers every question with one text."""

    def __init__(self, text):
        self.text, self.queries = text, []

    def ask(self, query):
        self.queries.append(query)
        return Answer(200, {}, self.text.encode())


def read(text):
    return list_page(Asked(text), "top/", "a")


@pytest.mark.parametrize("space", [SPACE, ""], ids=["with a namespace", "without"])
def test_a_page_is_read(space):
    folder = "<CommonPrefixes><Prefix>top/a/</Prefix></CommonPrefixes>"
    text = listing("<Name>b</Name>", OBJECT.format(key="a+b"), folder, space=space)
    modified = datetime(2026, 11, 27, 3, 3, 28, 407000, tzinfo=UTC)
    assert read(text) == Page([ObjectInfo("a+b", 2, "t4g", modified)], ["a/"], "")


def test_names_are_decoded_where_the_server_says_so():
    text = listing("<EncodingType>url</EncodingType>", OBJECT.format(key="a%2Fb+c%3D"))
    assert [found.key for found in read(text).objects] == ["a/b c="]


def test_an_empty_listing_has_nothing():
    assert read(listing("<IsTruncated>false</IsTruncated>", TOKEN)) == Page([], [], "")


def test_the_next_page_is_asked_for_by_its_token():
    asked = Asked(listing(MORE, TOKEN))
    token = list_page(asked, "top/", "a", delimiter="/").token
    list_page(asked, "top/", "a", delimiter="/", token=token)
    common = {"list-type": "2", "prefix": "top/a", "delimiter": "/"}
    common |= {"encoding-type": "url", "max-keys": "1000"}
    assert asked.queries == [common, common | {"continuation-token": "a+/="}]


@pytest.mark.parametrize(
    "text",
    [
        "<html/>",
        listing(MORE),
        listing("<Contents/>"),
        listing(OBJECT.format(key="a").replace("<Size>2", "<Size>x")),
        listing(OBJECT.format(key="a").replace("2026-", "late-")),
        listing(OBJECT.format(key="a").replace("2026-11-27", "9999-12-31").replace("Z", "-23:59")),
        listing("<CommonPrefixes/>"),
        '<?xml version="1.0" encoding="none"?>' + listing(),
    ],
)
def test_what_is_no_listing_is_not_believed(text):
    with pytest.raises(NoAnswerError, match="no listing"):
        read(text)


def test_a_cut_listing_is_not_believed():
    with pytest.raises(ParseError):
        read(listing(OBJECT.format(key="a"))[:-30])
