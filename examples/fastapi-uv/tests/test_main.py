from fastapi.testclient import TestClient

from wordcount.main import app

client = TestClient(app)


def test_health():
    response = client.get("/health")
    assert (response.status_code, response.text) == (200, "ok\n")


def test_words_are_counted_whatever_their_case():
    response = client.get("/api/count", params={"text": "To be or not to be"})
    assert response.json() == {"total": 6, "words": {"to": 2, "be": 2, "or": 1, "not": 1}}


def test_a_long_text_comes_in_the_body():
    response = client.post("/api/count", json={"text": "don't\n" * 1000})
    assert response.json() == {"total": 1000, "words": {"don't": 1000}}


def test_a_text_is_needed():
    assert client.get("/api/count").status_code == 422
