"""The sentences of this platform, from ``words.toml``."""

from adapters.common.words import Sentences

words = Sentences(__file__)
