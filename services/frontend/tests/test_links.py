"""Links in thoughts: the address that a person reads becomes a link that leads there."""

import re
from html import unescape
from ipaddress import IPv6Address
from urllib.parse import urlsplit

import idna
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from frontend.pages.cards import rich_text
from frontend.pages.links import find_links

ANCHOR = re.compile(r'<a href="([^"]*)" rel="nofollow noopener noreferrer">([^<]*)</a>')


def links_in(text: str) -> dict[str, str]:
    """The text and the target of each link."""
    return {unescape(shown): unescape(href) for href, shown in ANCHOR.findall(rich_text(text))}


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org",
        "HTTP://EXAMPLE.ORG",
        "http://localhost:8000/",
        "http://192.168.1.1:80/abc",
        "http://[::1]:8000/x",
        "https://example.org./a",
        "https://a_b.example.org/",
        "http://a---b.com/",
        "http://xn--df-oiy.ws/123",
        "http://xn--4gbrim.xn----ymcbaaajlc6dj7bxne2c.xn--wgbh1c/",
        "http://example.com?foo=bar",
        "http://example.com#foo=bar",
        "https://example.org/?a=1&b=2",
        "https://en.wikipedia.org/wiki/Rust_(programming_language)",
        "http://example.com/foo-(with-nested-(parens))",
        "http://foo.com/blah_blah_[other]",
        "http://foo.com/blah_blah_{I'm_king}",
        "http://foo.com/blah_blah_'singlequoted'",
        "http://www.kmart.com/bestway-10'-x-30inch/p-004W007538417001P",
        "http://www.bloomberg.com/news/what-s-troubling-germany-inc-",
        "https://github.com/a/b/compare/360b13a...f580766",
        "http://172.26.142.48/viewerjs/#../0529/slides.pdf",
        "https://www.google.ru/maps/@59.9393895,30.3165389,15z?hl=ru",
        "http://business.timesonline.co.uk/article/0,,9065-2473189,00.html",
        "https://google.com/mail/u/0/#label/!!!Today/15c9b8193da01e65",
        "http://example.com/123;123",
        "https://www.wolframalpha.com/input/?i=x^2+(y-(x^2)^(1/3))^2=1",
        "https://web.archive.org/web/2020/https://example.com/",
    ],
)
@pytest.mark.parametrize("around", ["{}", "({}).", "看{}。好", "“{}”", "See {}, or not", "<{}>"])
def test_address_is_a_link(address: str, around: str) -> None:
    """An address becomes a link to itself, whatever surrounds it."""
    assert links_in(around.format(address)) == {address: address}


@pytest.mark.parametrize(
    ("address", "href"),
    [
        ("https://münchen.de/straße", "https://xn--mnchen-3ya.de/stra%C3%9Fe"),
        ("https://faß.de", "https://xn--fa-hia.de"),
        ("https://пример.рф/?а=б", "https://xn--e1afmkfd.xn--p1ai/?%D0%B0=%D0%B1"),
        (
            "https://www.google.comé.evil.example/",
            "https://www.google.xn--com-dma.evil.example/",
        ),
        ("http://✪df.ws/123", "http://xn--df-oiy.ws/123"),
        ("http://x🍄.ga/", "http://xn--x-jq2s.ga/"),
        ("https://ＧＯＯＧＬＥ.com/", "https://google.com/"),
        (
            "https://ja.wikipedia.org/wiki/東京",
            "https://ja.wikipedia.org/wiki/%E6%9D%B1%E4%BA%AC",
        ),
        ("https://fr.wikipedia.org/wiki/Café", "https://fr.wikipedia.org/wiki/Caf%C3%A9"),
        ("https://ko.wikipedia.org/wiki/서울", "https://ko.wikipedia.org/wiki/%EC%84%9C%EC%9A%B8"),
        ("https://t恤.com/?q=水&x=1", "https://xn--t-1c4b.com/?q=%E6%B0%B4&x=1"),
        (
            "https://zh.wikipedia.org/wiki/约翰·列侬",
            "https://zh.wikipedia.org/wiki/%E7%BA%A6%E7%BF%B0%C2%B7%E5%88%97%E4%BE%AC",
        ),
        ('http://foo.com/a_"quoted"', "http://foo.com/a_%22quoted%22"),
    ],
)
def test_address_in_any_script_is_a_link(address: str, href: str) -> None:
    """A link leads to the host in punycode and to the path in percent-encoding."""
    assert links_in(f"（{address}）") == {address: href}


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("(see http://example.com/foo())", "http://example.com/foo()"),
        ("(see http://example.com/foo().)", "http://example.com/foo()"),
        ("http://example.com/(foo) (bar)", "http://example.com/(foo)"),
        ("[http://example.com/foo_bar.jpg)]", "http://example.com/foo_bar.jpg"),
        ("[https](https://www.ibm.com)[mailto](mailto:a@ibm.com)", "https://www.ibm.com"),
        ("(https://example.com/a)很好", "https://example.com/a"),
        ("https://foo.com's", "https://foo.com"),
        ("https://foo.com’s", "https://foo.com"),
        ("https://foo.com/bar's.", "https://foo.com/bar"),
        ("'https://example.com/a'", "https://example.com/a"),
        ('<a href="https://example.com">x</a>', "https://example.com"),
        ("http://localhost:8000?", "http://localhost:8000"),
        ("http://example.com/123!!!", "http://example.com/123"),
        ("http://example.com/foo_bar...", "http://example.com/foo_bar"),
        ("http://google.com/?q=commonmark&hl;", "http://google.com/?q=commonmark"),
        ("**Autolink and http://inlines**", "http://inlines"),
        ("~~http://google.com~~", "http://google.com"),
        ("| http://pokemon.com |", "http://pokemon.com"),
        ("test.example@http://vk.com", "http://vk.com"),
        ("｜http://google.com｜bar", "http://google.com"),
        ("http://https://example.com", "https://example.com"),
        ("https://example.com。", "https://example.com"),
        ("https://example.com，请看a.b", "https://example.com"),
        ("看https://example.com很好", "https://example.com"),
        ("https://example.com에서", "https://example.com"),
        ("https://example.com:8080很好", "https://example.com:8080"),
        ("https://example.com😀", "https://example.com"),
    ],
)
def test_link_ends_where_the_sentence_goes_on(text: str, address: str) -> None:
    """A link does not change the text around it, in any script."""
    assert links_in(text) == {address: address}


def test_full_width_punctuation_ends_a_path() -> None:
    """In Chinese a sentence continues after its own punctuation."""
    addresses = links_in("https://example.com/水，好、https://example.com/a；完")

    assert list(addresses) == ["https://example.com/水", "https://example.com/a"]


@pytest.mark.parametrize(
    "text",
    [
        "a <b> & 'c' \"d\"",
        "javascript://alert(1)",
        "ftp://example.org",
        "httpſ://example.org",
        "xhttp://example.org",
        "_http://example.org",
        "https://",
        "https://(",
        "https://..",
        "https://#",
        "https://?a",
        "http:///etc",
        "http://.example.com",
        "http://-example.com",
        "http://example.com_",
        "http://a..example",
        "http://google.com:500000",
        "http://1.2.3.400",
        "http://1.2.3.4.5",
        "http://999",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://[::g]/",
        "http://[fe80::1%25eth0]/",
        "https://xn--a.com/",
        "https://水",
        f"https://{'a' * 64}",
        f"https://{'a' * 64}.example",
        f"https://{'ü' * 64}.example",
        "https://1.مثال",
    ],
)
def test_what_is_no_web_address_is_text(text: str) -> None:
    """Only the address of a possible host becomes a link."""
    assert rich_text(text).striptags() == " ".join(text.split())
    assert "<a" not in rich_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://google.com@evil.example/",
        "https://user:pass@evil.example/",
        "https://google.com:80@evil.example/",
        "https://google.com\\@evil.example/",
        "https://google.com%2eevil.example/",
        "https://google.com。evil.example/",
        "https://google.com．evil.example/",
        "https://google.com,evil.example/",
        "https://google.com'evil/path",
        "https://l’equipe.fr/",
        "https://google.com:80evil.example/",
        "https://google.com⁄path.evil.example/",
        "https://google.com∕path.evil.example/",
        "https://google.com\u200b.evil.example/",
        "https://google.com\u3164.evil.example/",
        "https://goo\u00adgle.com/",
        "https://google.com/\u202egpj.exe",
        "https://google.com/a\ufeffb",
        "\u202ehttps://google.com/moc.live",
        "看https://example.com/a很好",
        "https://example.com/?q=a很好",
        "https://example.com很好/a",
    ],
)
def test_where_it_is_not_sure_there_is_no_link(text: str) -> None:
    """An ambiguous or partly invisible address is not linked."""
    assert links_in(text) == {}


def test_joiners_that_a_script_needs_can_be_in_a_path() -> None:
    """A joiner between letters of Malayalam or Persian belongs to the address."""
    address = "https://fa.wikipedia.org/wiki/می\u200cخواهم"

    assert list(links_in(address)) == [address]


def test_markup_around_and_in_links_is_escaped() -> None:
    """Text before, within and after a link is escaped."""
    html = rich_text('<i>https://example.org/"onclick="x</i>')

    assert html == (
        '&lt;i&gt;<a href="https://example.org/" rel="nofollow noopener noreferrer">'
        "https://example.org/</a>&#34;onclick=&#34;x&lt;/i&gt;"
    )


PIECES = [
    *(
        "https://",
        "http://",
        "example.com",
        "é",
        "水",
        "ß",
        "很好",
        "www.",
        "xn--",
        "1.2.3.4",
        "::1",
    ),
    *"/?#@:.,;!'\"()[]{}<>&%\\|^`~*_-+= \n。，．（）“”’…·😀\u200b\u200d\u202e\u00ad\u3164aZ0",
]


@settings(derandomize=True, database=None, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join).map("https://".__add__))
@example("https://google.com@evil.example/")
def test_link_leads_to_the_host_that_is_read(text: str) -> None:
    """All typed text is shown, and each link leads to the host in its own text."""
    html = rich_text(text)

    assert unescape(re.sub(r"</?a\b[^>]*>", "", html)) == text
    for link in find_links(text):
        shown, target = urlsplit(text[link.start : link.end]), urlsplit(link.href)
        assert link.href.isascii()
        assert target.hostname
        assert "@" not in target.netloc
        assert _as_read(target.hostname) == _as_read(shown.hostname or "")
        assert (target.scheme, target.port) == (shown.scheme, shown.port)


def _as_read(host: str) -> str:
    """The canonical spelling of a host, by UTS #46; an IPv6 address in its short form."""
    if ":" in host:
        return str(IPv6Address(host))
    labels = idna.uts46_remap(host, std3_rules=False).split(".")
    return ".".join(
        label[4:].encode("ascii").decode("punycode") if label.startswith("xn--") else label
        for label in labels
    )
