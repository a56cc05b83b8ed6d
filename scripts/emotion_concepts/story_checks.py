"""Checks of stories: what would let a reader find the concept by a word, or spoil the comparison.

`story_faults` looks at one story; `sift` at a whole set: its duplicates, names and topics too.
"""

import csv
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from datasketch import MinHash, MinHashLSH
from simplemma import in_target_language, lemmatize

from emotion_concepts.config_texts import Checks
from emotion_concepts.errors import DataError
from emotion_concepts.text_sets import Text

NEVER = ("felt", "feel", "feels", "feeling", "feelings", "emotion", "emotions", "emotional", "mood", "moods")
ENDS = (
    ".",
    "!",
    "?",
    "…",
    '."',
    '!"',
    '?"',
    ".”",
    "!”",
    "?”",
    "…”",
    ".'",
    "!'",
    "?'",
    ".’",
    "!’",
    "?’",
    "…’",
)
# What a writer says to the one who asked, and how it dresses a text up.
REMARK = re.compile(
    r"\b(as an ai|language model|i can(?:no|')t (?:write|help|fulfil|assist)|i'm unable|i am unable)\b"
    r"|^(sure|certainly|of course|absolutely|okay)\b[^.!?]{0,40}[!:,]"
    r"|^here(?:'s| is) (?:a|the|your)\b",
    re.IGNORECASE,
)
HEADING = re.compile(
    r"^\s*(#|\*\*|title\s*:|story\s*\d*\s*:|subject\s*:|chapter\b|\d+\s*[.):])", re.IGNORECASE | re.MULTILINE
)
QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|(?<!\w)'[^']*'(?!\w)|(?<!\w)‘[^’]*’(?!\w)")
FIRST_PERSON = re.compile(r"\b(I|me|my|mine|myself)\b")
SHINGLE = 5  # words
PERMUTATIONS = 128
# Written with a capital, but no first names.
CAPITALISED = frozenset({
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "January", "February", "March",
    "April", "May", "June", "July", "August", "September", "October", "November", "December", "Christmas", "Easter",
    "God", "Mr", "Mrs", "Ms", "Dr", "Mum", "Dad", "Mother", "Father", "Grandma", "Grandpa", "Aunt", "Uncle",
    "English", "French", "German", "Italian", "Spanish",
})  # fmt: skip
# Fewer stories than this say nothing about how often a writer takes the same first name.
NAMES_FROM = 20


@dataclass(frozen=True)
class Vocabulary:
    """Words that give a concept away.

    forms : concept to the word itself, its inflections and derivations; synonyms : concept to direct
    synonyms; idioms : phrases in which such a word means something else.
    """

    forms: Mapping[str, tuple[str, ...]]
    synonyms: Mapping[str, tuple[str, ...]]
    idioms: tuple[str, ...]

    def named(self, text: str, concepts: Iterable[str]) -> dict[str, list[str]]:
        """The concepts that a text names, and by which words: from the table, or by lemma for one not in it."""
        plain = self._without_idioms(text)
        found: dict[str, list[str]] = defaultdict(list)
        for word in self._form.findall(plain):
            for concept in self._concepts_of[word]:
                found[concept].append(word)
        words = None
        for concept in concepts:
            if concept not in self.forms:
                words = words or [(word, lemmatize(word, "en")) for word in dict.fromkeys(_words(plain))]
                lemma = lemmatize(concept, "en")
                found[concept] += [word for word, own in words if word == concept or own == lemma]
        return {concept: found[concept] for concept in concepts if found.get(concept)}

    def synonyms_of(self, concept: str, text: str) -> list[str]:
        """The direct synonyms of the concept that a text uses."""
        words = self.synonyms.get(concept, ())
        return _any_of(words).findall(self._without_idioms(text)) if words else []

    def _without_idioms(self, text: str) -> str:
        plain = text.lower().replace("’", "'")
        return _any_of(self.idioms).sub(" ", plain) if self.idioms else plain

    @cached_property
    def _concepts_of(self) -> dict[str, list[str]]:
        concepts: dict[str, list[str]] = defaultdict(list)
        for concept, forms in self.forms.items():
            for form in {concept, *forms}:
                concepts[form].append(concept)
        return concepts

    @cached_property
    def _form(self) -> re.Pattern:
        return _any_of(tuple(self._concepts_of))


def read_vocabulary(words: Path, idioms: Path) -> Vocabulary:
    """Read the table (CSV: emotion, forms, synonyms; words parted by `; `) and the idioms, one a line."""
    forms, synonyms = {}, {}
    with open(words, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            forms[row["emotion"]] = tuple(row["forms"].split("; "))
            synonyms[row["emotion"]] = tuple(row["synonyms"].split("; "))
    lines = Path(idioms).read_text(encoding="utf-8").split("\n")
    return Vocabulary(forms, synonyms, tuple(line for line in lines if line))


def story_faults(story: Text, others: Iterable[str], vocabulary: Vocabulary, checks: Checks) -> list[str]:
    """All that is wrong with one story, as `reason` or `reason: the words`; empty if nothing is.

    Parameters
    ----------
    story : Text
        With its emotion; `person` is checked if it is given.
    others : iterable of str
        The other concepts of the set, which it must not name either.
    """
    text, faults = story.text, []

    def say(reason: str, words: Sequence[str] = ()) -> None:
        faults.append(f"{reason}: {', '.join(dict.fromkeys(words))}" if words else reason)

    named = vocabulary.named(text, {story.emotion, *others})
    own = named.pop(story.emotion, [])
    if own:
        say("names the concept", own)
    synonyms = vocabulary.synonyms_of(story.emotion, text)
    if synonyms:
        say("uses a synonym", synonyms)
    # A word may belong to several concepts; it is told of once.
    elsewhere = {word for words in named.values() for word in words} - {*own, *synonyms}
    if elsewhere:
        say("names another concept", sorted(elsewhere))
    if spoken := _any_of(NEVER).findall(text.lower()):
        say("speaks of feelings", spoken)
    n_words = len(text.split())
    if n_words < checks.min_words:
        say("too short")
    elif n_words > checks.max_words:
        say("too long")
    if n_words and in_target_language(text, lang=checks.language) < checks.min_known_words:
        say("another language")
    if REMARK.search(text):
        say("refusal or remark")
    if HEADING.search(text):
        say("heading")
    if not text.rstrip().endswith(ENDS):
        say("cut off")
    if story.person and story.person != narrated_person(text):
        say("other person")
    return faults


def narrated_person(text: str) -> str:
    """ "first" if the narration, speech left out, says I; else "third"."""
    return "first" if len(FIRST_PERSON.findall(QUOTED.sub(" ", text.replace("I’", "I'")))) >= 2 else "third"


@dataclass(frozen=True)
class Sifted:
    """A checked set.

    kept : stories in their order; dropped : (story, faults) of the others; notes : faults that drop
    nothing, counted; warnings : what is wrong with the set as a whole, one line each.
    """

    kept: list[Text]
    dropped: list[tuple[Text, list[str]]]
    notes: dict[str, int]
    warnings: list[str]


def sift(stories: Sequence[Text], vocabulary: Vocabulary, checks: Checks) -> Sifted:
    """Check every story, then the set: duplicates go (the first stays), the rest is warned of."""
    concepts = sorted({story.emotion for story in stories})
    faults = {s.id: story_faults(s, concepts, vocabulary, checks) for s in stories}
    for name, twin, reason in duplicates(stories, checks.near_duplicate):
        faults[name].append(f"{reason}: {twin}")
    kept, dropped, notes = [], [], Counter()
    for story in stories:
        found = faults[story.id]
        reasons = {reason_of(fault) for fault in found}
        if reasons & set(checks.drop):
            dropped.append((story, found))
        else:
            kept.append(story)
            notes.update(reasons)
    return Sifted(kept, dropped, dict(notes), [*_name_warnings(kept, checks), *_topic_warnings(kept)])


def reason_of(fault: str) -> str:
    """A fault without the words that it names."""
    return fault.partition(": ")[0]


def duplicates(stories: Sequence[Text], threshold: float) -> list[tuple[str, str, str]]:
    """Stories that say what an earlier one says: (id, id of the earlier, exact or near duplicate).

    Near: Jaccard similarity of the sets of five words in a row above `threshold`; candidates by
    MinHash, then counted exactly.
    """
    # Half the threshold, so that hardly a twin is missed: counting sorts out what is proposed for nothing.
    index = MinHashLSH(threshold=threshold / 2, num_perm=PERMUTATIONS)
    first_with: dict[str, str] = {}
    shingles: dict[str, set[str]] = {}
    found = []
    for story in stories:
        words = _words(story.text.lower())
        plain = " ".join(words)
        if plain in first_with:
            found.append((story.id, first_with[plain], "exact duplicate"))
            continue
        first_with[plain] = story.id
        own = {" ".join(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1))}
        sketch = MinHash(num_perm=PERMUTATIONS)
        sketch.update_batch([shingle.encode() for shingle in sorted(own)])
        likeness = {
            twin: len(own & shingles[twin]) / len(own | shingles[twin]) for twin in index.query(sketch)
        }
        twins = [twin for twin, share in sorted(likeness.items()) if share > threshold]
        if twins:
            found.append((story.id, twins[0], "near duplicate"))
        else:
            shingles[story.id] = own
            index.insert(story.id, sketch)
    return found


def first_names(text: str) -> set[str]:
    """Words that are written with a capital where no sentence begins: names, mostly."""
    found = re.findall(r"(?<=[a-zé,;] )[A-ZÀ-Ý][a-zà-ÿ]+\b", unicodedata.normalize("NFC", text))
    return {word for word in found if word not in CAPITALISED}


def _name_warnings(stories: Sequence[Text], checks: Checks) -> list[str]:
    if len(stories) < NAMES_FROM:
        return []
    counts = Counter(name for story in stories for name in first_names(story.text))
    limit = checks.max_name_share * len(stories)
    return [
        f"the name {name} is in {count} of {len(stories)} stories"
        for name, count in counts.most_common()
        if count > limit
    ]


def _topic_warnings(stories: Sequence[Text]) -> list[str]:
    topics = {story.topic for story in stories}
    of: dict[str, Counter] = defaultdict(Counter)
    for story in stories:
        of[story.emotion][story.topic] += 1
    return [
        f"{concept}: no story on {', '.join(sorted(topics - set(counts)))}"
        for concept, counts in sorted(of.items())
        if topics - set(counts)
    ]


def check_losses(before: Sequence[Text], sifted: Sifted, checks: Checks, name: str, side_file: Path) -> None:
    """Stop where a concept lost more than the allowed share.

    Raises
    ------
    DataError
        Names the set, the concepts, what they lost and why, and what can be done.
    """
    total = Counter(story.emotion for story in before)
    lost: dict[str, list[str]] = defaultdict(list)
    for story, faults in sifted.dropped:
        lost[story.emotion] += {reason_of(fault) for fault in faults} & set(checks.drop)
    n_lost = Counter(story.emotion for story, _ in sifted.dropped)
    worst = [c for c in sorted(n_lost) if n_lost[c] > checks.max_lost_share * total[c]]
    if worst:
        said = "; ".join(
            f"{c} lost {n_lost[c]} of {total[c]} ("
            + ", ".join(f"{reason} {n}" for reason, n in Counter(lost[c]).most_common())
            + ")"
            for c in worst[:5]
        )
        more = f" and {len(worst) - 5} more concepts" if len(worst) > 5 else ""
        raise DataError(
            f"story set {name!r}: {said}{more}. The texts and reasons are in {side_file}: "
            f"mend the stories, take a reason out of checks.drop, or raise checks.max_lost_share"
        )


def summary_of(before: Sequence[Text], sifted: Sifted) -> dict:
    """Counts for the report: stories read and kept, drops by reason, and by concept and reason."""
    by_reason: Counter[str] = Counter()
    by_concept: dict[str, Counter] = defaultdict(Counter)
    for story, faults in sifted.dropped:
        for reason in {reason_of(fault) for fault in faults}:
            by_reason[reason] += 1
            by_concept[story.emotion][reason] += 1
    words = [len(story.text.split()) for story in sifted.kept]
    return {
        "read": len(before),
        "kept": len(sifted.kept),
        "dropped": len(sifted.dropped),
        "dropped_by_reason": dict(by_reason),
        "dropped_by_concept": {concept: dict(counts) for concept, counts in by_concept.items()},
        "kept_all_the_same": sifted.notes,
        "warnings": sifted.warnings,
        "words": {"min": min(words), "mean": sum(words) / len(words), "max": max(words)} if words else None,
        "persons": dict(Counter(narrated_person(story.text) for story in sifted.kept)),
    }


@cache
def _any_of(phrases: tuple[str, ...]) -> re.Pattern:
    """A pattern for any of some words or phrases, whole; the longest first."""
    ordered = sorted({phrase.lower() for phrase in phrases}, key=lambda phrase: (-len(phrase), phrase))
    return re.compile(r"(?<![\w'-])(?:" + "|".join(map(re.escape, ordered)) + r")(?![\w-])")


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text)
