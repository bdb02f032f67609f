"""Reads a page as a browser would, for tests of what it says and that its tags close."""

from html.parser import HTMLParser

EMPTY = {"area", "br", "input", "link", "meta"}


class Outline(HTMLParser):
    """Reads a page: its elements, their attributes, its text; knows when tags do not close."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.open, self.text, self.faults = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append((tag, self.getpos()))

    def handle_data(self, data):
        if self.open[-1:] not in (["script"], ["style"]):
            self.text.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())
