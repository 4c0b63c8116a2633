"""Conversations with known answers, the same in every run: who said what, among many who said something like it.

Every person tells a fact of every topic in one of its wordings, with a value of their own; small talk stands between.
A question is about one person and one topic, so exactly one memory answers it, and everybody else's fact of that topic
and everything else that this person said distract from it.
"""

import random
from dataclasses import dataclass
from pathlib import Path


def _words(text: str) -> list[str]:
    return text.split()


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


NAMES = _words("""
Maya Oliver Priya Hannah Diego Svetlana Kofi Ingrid Tomasz Yuki Amara Bjorn Chiara Dmitri Elif Farid Greta
Hiroshi Ines Jamal Katya Lorenzo Mei Niklas Olga Pedro Quentin Rosa Samir Tanja Umar Vera Wendell Ximena Yusuf
Zoe Anton Beatriz Cedric Dalia Emeka Fiona Gustav Helga Ivan Jasmin Kaito Leila Marek Nadia Oscar Petra Rashid
Sofia Tariq Ulrike Viktor Wanda Xavier Yasmin Zlatan Agnes Bruno Celeste Darius Esther Felipe Gloria Hassan
Irina Jonas Kiran Lucia Mateo Noor Orla Pavel Rania Stefan Theresa Uma Vikram Willow Yelena Zainab Arthur
Bianca Connor Daphne Enzo
""")
CITIES = _words("Lisbon Oslo Nairobi Kyoto Bogota Tallinn Dakar Sydney Prague Hanoi Quito Ankara Turin Bergen Malmo")
FOODS = _words("peanuts shellfish strawberries mushrooms celery almonds mustard sesame kiwi soybeans lupin eggs")
COLOURS = _words("turquoise maroon amber violet charcoal ivory crimson teal beige indigo")
SPORTS = _words("fencing rowing badminton climbing judo curling archery sailing squash bouldering")
PETS = _lines("""
a parrot
a tabby cat
a greyhound
two rabbits
a tortoise
a canary
a beagle
an iguana
a hamster
""")
TITLES = _lines("""
the glass harbour
a winter ledger
salt and cinder
the quiet engine
nine lanterns
the cartographer
""")
GIFTS = _lines("""
a telescope
a fountain pen
a chess set
a teapot
hiking boots
a ukulele
a sketchbook
a record player
""")

Topic = tuple[list[str], list[str]]


def _topic(block: str) -> Topic:
    """Wordings of a fact, and behind question marks those of questions about it."""
    lines = _lines(block)
    said = [line for line in lines if not line.startswith("? ")]
    return said, [line.removeprefix("? ") for line in lines if line.startswith("? ")]


_TOPICS = Path(__file__).with_name("topics.txt").read_text()
TOPICS = [_topic(block) for block in _TOPICS.strip().split("\n\n")]
CHAT = (
    "how are you today", "that sounds lovely", "I will think about it", "see you tomorrow then", "did you sleep well",
    "the weather is awful again", "let us talk about it later", "thank you so much", "no idea, sorry", "what a week",
)  # fmt: skip
_DAYS = [f"{day} {month}" for month in ("March", "June", "October", "December") for day in range(1, 29)]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a kind, and the number of the memory that answers it."""

    kind: str
    text: str
    answer: int


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was said, each with who said it, and questions about it."""

    said: list[tuple[str, str]]
    questions: list[Asked]


def conversation(*, people: int = len(NAMES), questions: int = 600, seed: int = 11) -> Conversation:
    """A fact of each topic from each of so many people (24 facts a person), some small talk, and questions."""
    chance = random.Random(seed)
    facts = [(who, topic) for who in NAMES[:people] for topic in range(len(TOPICS))]
    chance.shuffle(facts)
    said: list[tuple[str, str]] = []
    where: dict[tuple[str, int], int] = {}
    for who, topic in facts:
        if chance.random() < 0.15:
            said.append((chance.choice(NAMES[:people]), chance.choice(CHAT)))
        where[who, topic] = len(said)
        said.append((who, _filled(chance.choice(TOPICS[topic][0]), chance)))
    asked = [_asked(chance, facts, where, said, number) for number in range(questions)]
    return Conversation(said, asked)


def _asked(
    chance: random.Random,
    facts: list[tuple[str, int]],
    where: dict[tuple[str, int], int],
    said: list[tuple[str, str]],
    number: int,
) -> Asked:
    who, topic = chance.choice(facts)
    answer = where[who, topic]
    wordings = TOPICS[topic][1]
    kind = ("plain", "short", "typo", "inflected", "value")[number % 5]
    if kind == "plain":
        text = wordings[0].format(who=who)
    elif kind == "short":
        text = wordings[1].format(who=who)
    elif kind == "typo":
        text = " ".join(_misspelt(word, chance) for word in chance.choice(wordings).format(who=who).split())
    elif kind == "inflected":
        text = " ".join(_inflected(word, chance) for word in chance.choice(wordings).format(who=who).split())
    else:
        words = said[answer][1].split()
        text = f"{who} {' '.join(chance.sample(words, min(3, len(words))))}"
    return Asked(kind, text, answer)


def _filled(wording: str, chance: random.Random) -> str:
    return wording.format(
        city=chance.choice(CITIES),
        day=chance.choice(_DAYS),
        food=chance.choice(FOODS),
        pet=chance.choice(PETS),
        title=chance.choice(TITLES),
        sport=chance.choice(SPORTS),
        colour=chance.choice(COLOURS),
        gift=chance.choice(GIFTS),
        number=chance.randrange(1000, 99999),
        small=chance.randrange(2, 60),
    )


def _misspelt(word: str, chance: random.Random) -> str:
    """Now and then two letters change places, or one is missing."""
    if len(word) < 4 or chance.random() > 0.4:
        return word
    at = chance.randrange(1, len(word) - 2)
    if chance.random() < 0.5:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + word[at + 1 :]


def _inflected(word: str, chance: random.Random) -> str:
    """Another form of the word, as people use it."""
    if len(word) < 4 or chance.random() > 0.5:
        return word
    return chance.choice((f"{word}s", f"{word}ing", word.upper(), word[:-1]))
