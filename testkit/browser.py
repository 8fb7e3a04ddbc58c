"""A headless browser: cookies, forms, links, and redirects if requested."""

import gzip
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import NamedTuple
from urllib.parse import urlencode

from testkit.http_client import Answer, HttpClient


class Form(NamedTuple):
    """A form of a page: its method, its action, and its fields as filled in."""

    method: str
    action: str
    fields: dict[str, str]


class Page:
    """A response, and the actions that are possible with it."""

    def __init__(self, answer: Answer) -> None:
        self.status = answer.status
        self.headers = answer.headers
        is_compressed = answer.headers["Content-Encoding"] == "gzip"
        self.text = (gzip.decompress(answer.body) if is_compressed else answer.body).decode()
        reader = _Reader()
        reader.feed(self.text)
        self.forms = reader.forms
        self.links = reader.links
        # The text that a reader sees, without markup.
        self.words = " ".join("".join(reader.words).split())

    def form(self, action: str) -> Form:
        """Return the form with this `action`."""
        return next(form for form in self.forms if form.action == action)

    def link(self, words: str) -> str:
        """Return the target of the link with these words in its text."""
        return next(target for text, target in self.links.items() if words in text)


class Browser:
    """Keeps cookies between its requests to one site."""

    def __init__(self, base_url: str, language: str = "en") -> None:
        self.cookies: dict[str, str] = {}
        self.language = language
        self.base_url = base_url
        self._http = HttpClient(base_url)

    def get(self, path: str, *, follow: bool = True, method: str = "GET", **headers: str) -> Page:
        """Return the page at `path`, by default after redirects."""
        return self._request(method, path, None, headers, follow)

    def send(self, form: Form, *, follow: bool = True, **changed: str) -> Page:
        """Send a form with some of its fields changed."""
        return self.post(form.action, {**form.fields, **changed}, follow=follow)

    def post(
        self, path: str, fields: dict[str, str], *, follow: bool = True, **headers: str
    ) -> Page:
        """Send fields as a form would, with line breaks as CR LF."""
        as_sent = {name: value.replace("\n", "\r\n") for name, value in fields.items()}
        return self._request("POST", path, urlencode(as_sent), headers, follow)

    def log_in(self, username: str = "bruce") -> Page:
        """Log in with the name as the password."""
        return self.send(self.get("/login/").form("/login/"), username=username, password=username)

    def _request(
        self, method: str, path: str, body: str | None, headers: dict[str, str], follow: bool
    ) -> Page:
        answer = self._http.request(method, path, body=body, headers=self._headers(body, headers))
        self._keep_cookies(answer.headers.get_all("Set-Cookie", []))
        page = Page(answer)
        if follow and page.status == 302:
            return self._request("GET", page.headers["Location"], None, {}, follow)
        return page

    def _headers(self, body: str | None, extra: dict[str, str]) -> dict[str, str]:
        headers = {"Accept-Language": self.language}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return headers | {name.replace("_", "-"): value for name, value in extra.items()}

    def _keep_cookies(self, lines: list[str]) -> None:
        for line in lines:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value


class _Reader(HTMLParser):
    """Collects forms, links and words."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.words: list[str] = []
        self._textarea: str | None = None
        self._link: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(values.get("method", "get"), values["action"], {}))
        elif tag == "input" and self.forms:
            self.forms[-1].fields[values["name"]] = values.get("value", "")
        elif tag == "textarea":
            self._textarea = values["name"]
            self.forms[-1].fields[self._textarea] = ""
        elif tag == "a":
            self._link = values["href"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._textarea:
            # HTML drops the line break after the opening tag.
            text = self.forms[-1].fields[self._textarea]
            self.forms[-1].fields[self._textarea] = text.removeprefix("\n")
            self._textarea = None
        elif tag == "a":
            self._link = None

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.forms[-1].fields[self._textarea] += data
            return
        self.words.append(data)
        if self._link is not None:
            self.links[data.strip()] = self._link
