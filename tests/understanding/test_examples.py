"""The labelled lines stay understood, at least as well as written here."""

from __future__ import annotations

import pytest

from intents.cli import load_places
from intents.understand import Understanding
from tests.understanding.evaluate import DEV, HERE, SITES, Scores, load, score


@pytest.fixture(scope="module")
def understanding() -> Understanding:
    return Understanding(load_places(SITES))


def test_every_example_is_read_as_labelled(understanding: Understanding) -> None:
    scores = score(load(HERE / "examples.jsonl"), understanding)
    assert scores.errors == []


@pytest.fixture(scope="module")
def dev(understanding: Understanding) -> Scores:
    return score(load(DEV), understanding)


def test_the_development_set_reaches_its_targets(dev: Scores) -> None:
    assert dev.pairs.total() >= 1000
    assert dev.intent >= 0.98
    assert dev.slots >= 0.95
    assert dev.sites >= 0.98
    assert dev.starts >= 0.98


def test_small_talk_is_left_alone(dev: Scores) -> None:
    assert dev.small_talk_acted <= 0.01
