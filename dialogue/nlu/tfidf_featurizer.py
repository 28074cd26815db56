"""Sentence features weighted by tf-idf: a word that half the messages contain says little.

Rasa's `CountVectorsFeaturizer` hands the classifier raw counts. This component hands it the same
n-grams weighted by scikit-learn's `TfidfVectorizer`. It makes sentence features of the text only,
which is all an intent classifier reads, so it costs less per message as well.

Two options for words help with what customers write and training data cannot hold, such as the
names of products and streets: `min_count` replaces every rarer word by one mark for "some unknown
word", so that the classifier learns what an unknown word means, and `mark_edges` adds marks for the
start and the end, so that "yes" alone differs from "yes 2 ...".
"""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.sparse_featurizer.sparse_featurizer import SparseFeaturizer
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import coo_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from dialogue.nlu.order_parser import TEXT_OF_ANY_MENU

logger = logging.getLogger(__name__)

ANALYZERS = ("word", "char", "char_wb")
# The n-grams in the order of their columns, and what each weighs. A whole vectorizer, written by skops as
# Rasa's classifier is, takes seconds to load: there each of its 70,000 n-grams is an object.
TERMS_FILE, WEIGHTS_FILE = "terms.json", "weights.npy"
NUMBER = re.compile(r"[0-9]+")
SPACE_IN_NUMBER = re.compile(r"(?<=[0-9])[ -](?=[0-9]{3,})")  # of a telephone number
WORD = r"(?u)\b\w+\b"  # one-letter words count: "u", "k"
UNKNOWN, START, END = "__unknown__", "__start__", "__end__"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class TfidfFeaturizer(SparseFeaturizer, GraphComponent):  # type: ignore[misc]  # Rasa is untyped
    """Turns the text of a message into one row of tf-idf weights."""

    @staticmethod
    def required_packages() -> list[str]:
        """What has to be installed."""
        return ["sklearn"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The n-grams (analyzer, min_ngram, max_ngram), their weighting, the marks for words."""
        return {
            **SparseFeaturizer.get_default_config(),
            "analyzer": "word",
            "min_ngram": 1,
            "max_ngram": 2,
            "sublinear_tf": True,
            "min_count": 1,  # words in fewer training messages than this are unknown words
            "mark_edges": False,
        }

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Refuse what scikit-learn would only refuse while training."""
        if config["analyzer"] not in ANALYZERS:
            raise InvalidConfigException(f"analyzer must be one of {', '.join(ANALYZERS)}")
        if not 1 <= config["min_ngram"] <= config["max_ngram"]:
            raise InvalidConfigException("1 <= min_ngram <= max_ngram does not hold")
        marks = config["min_count"] > 1 or config["mark_edges"]
        if marks and (config["analyzer"] != "word" or config["min_ngram"] > 1):
            raise InvalidConfigException("min_count and mark_edges need single words (min_ngram 1)")

    def __init__(
        self,
        config: dict[str, Any],
        name: str,
        model_storage: ModelStorage,
        resource: Resource,
        vectorizer: TfidfVectorizer | None = None,
    ) -> None:
        """Build an untrained featurizer, or one around a trained `vectorizer`."""
        super().__init__(name, config)
        self._model_storage = model_storage
        self._resource = resource
        self._vectorizer = vectorizer or _make_vectorizer(config)
        self._analyze = self._vectorizer.build_analyzer()
        self._weights: NDArray[np.float64] | None = None
        # The vocabulary of a trained vectorizer tells which words are known.
        self._known = set(getattr(self._vectorizer, "vocabulary_", ()))

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> TfidfFeaturizer:
        """Build an untrained featurizer (called by Rasa)."""
        return cls(config, execution_context.node_name, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> TfidfFeaturizer:
        """Load a trained featurizer; a model without its file is an error, not a silent blank."""
        with model_storage.read_from(resource) as directory:
            terms = json.loads((directory / TERMS_FILE).read_text(encoding="utf-8"))
            weights = np.load(directory / WEIGHTS_FILE, allow_pickle=False)
        vectorizer = _make_vectorizer(config)
        vectorizer.vocabulary_ = {term: column for column, term in enumerate(terms)}
        vectorizer.idf_ = weights
        return cls(config, execution_context.node_name, model_storage, resource, vectorizer)

    def train(self, training_data: TrainingData) -> Resource:
        """Learn the vocabulary and the weights from the text of the training examples."""
        found = [self._text(message) for message in training_data.training_examples]
        texts = [text for text in found if text is not None]
        messages_with = Counter(word for text in texts for word in set(self._words(text)))
        self._known = {w for w, n in messages_with.items() if n >= self._config["min_count"]}
        self._vectorizer.fit([self._mark(text) for text in texts])
        self._weights = None
        logger.info("%d n-grams were learnt.", len(self._vectorizer.vocabulary_))
        self.persist()
        return self._resource

    def persist(self) -> None:
        """Write the vectorizer to the model."""
        with self._model_storage.write_to(self._resource) as directory:
            terms = [str(term) for term in self._vectorizer.get_feature_names_out()]
            (directory / TERMS_FILE).write_text(json.dumps(terms, ensure_ascii=False), encoding="utf-8")
            np.save(directory / WEIGHTS_FILE, self._vectorizer.idf_, allow_pickle=False)

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Add the features to the training examples."""
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the features to each message that has text."""
        for message in messages:
            if (text := self._text(message)) is not None:
                self.add_features_to_message(None, self._weighted(self._mark(text)), TEXT, message)
        return messages

    def _weighted(self, text: str) -> coo_matrix:
        """What `TfidfVectorizer.transform` gives for one text; it is made for many, and sums the weights up
        anew each time, to see that there are any: that took four to seven times as long."""
        if self._weights is None:
            self._weights = self._vectorizer.idf_
        columns = map(self._vectorizer.vocabulary_.get, self._analyze(text))
        counts = Counter(column for column in columns if column is not None)
        found = np.fromiter(counts, np.intp, len(counts))
        values = np.fromiter(counts.values(), np.float64, len(counts))
        if self._config["sublinear_tf"]:
            values = np.log(values) + 1
        values *= self._weights[found]
        if len(values):
            values /= np.sqrt(values @ values)
        where = (np.zeros_like(found), found)
        return coo_matrix((values, where), shape=(1, len(self._vectorizer.vocabulary_)))

    @staticmethod
    def _text(message: Message) -> str | None:
        """The text that the order parser left, or else the message's own; a number counts by its length."""
        text = message.get(TEXT_OF_ANY_MENU, message.get(TEXT))
        if text is None:
            return None
        joined = SPACE_IN_NUMBER.sub("", text.lower().replace("’", "'"))
        return NUMBER.sub(lambda number: _size(number.group(0)), joined)

    @staticmethod
    def _words(text: str) -> list[str]:
        """The words as the vectorizer would find them."""
        return re.findall(WORD, text)

    def _mark(self, text: str) -> str:
        """Replace the unknown words and mark the edges, as configured."""
        if self._config["min_count"] > 1:
            text = " ".join(w if w in self._known else UNKNOWN for w in self._words(text))
        return f"{START} {text} {END}" if self._config["mark_edges"] else text


def _make_vectorizer(config: dict[str, Any]) -> TfidfVectorizer:
    return TfidfVectorizer(
        analyzer=config["analyzer"],
        ngram_range=(config["min_ngram"], config["max_ngram"]),
        token_pattern=WORD if config["analyzer"] == "word" else None,
        sublinear_tf=config["sublinear_tf"],
    )


def _size(digits: str) -> str:
    """A stand-in for a number: how many of something, a price or a house, or a telephone."""
    return "0" if len(digits) < 3 else "000" if len(digits) < 6 else "000000"
