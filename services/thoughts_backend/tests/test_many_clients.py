"""Many clients at once."""

from concurrent.futures import ThreadPoolExecutor

from testkit.answers import texts, walk
from testkit.http_client import HttpClient
from testkit.token_maker import TokenMaker

CLIENTS = 20
# Fewer than a user may share in a minute.
THOUGHTS_EACH = 50


def test_what_many_share_at_once_is_all_there(http: HttpClient, token_maker: TokenMaker) -> None:
    """When twenty clients share fifty thoughts each, every thought is listed once."""
    tokens = [token_maker.token(f"user {n}", user_id=n) for n in range(1, CLIENTS + 1)]

    def share_all(client: int) -> list[int]:
        answers = [
            http.post("/api/me/thoughts/", token=tokens[client], json={"text": f"{client} {n}"})
            for n in range(THOUGHTS_EACH)
        ]
        return [answer.json()["id"] for answer in answers]

    with ThreadPoolExecutor(CLIENTS) as threads:
        shared = [number for ids in threads.map(share_all, range(CLIENTS)) for number in ids]

    listed = [number for page in walk(http, "/api/thoughts/?limit=100", "next") for number in page]
    assert len(listed) == CLIENTS * THOUGHTS_EACH
    assert listed == sorted(shared, reverse=True)


def test_each_of_many_finds_their_own(http: HttpClient, token_maker: TokenMaker) -> None:
    """Clients that share and list at once never see another's thought as their own."""

    def share_and_list(client: int) -> list[str]:
        token = token_maker.token(f"user {client}", user_id=client)
        http.post("/api/me/thoughts/", token=token, json={"text": f"of {client}"})
        return texts(http.get("/api/me/thoughts/", token=token))

    with ThreadPoolExecutor(CLIENTS) as threads:
        lists = list(threads.map(share_and_list, range(1, CLIENTS + 1)))

    assert lists == [[f"of {client}"] for client in range(1, CLIENTS + 1)]
