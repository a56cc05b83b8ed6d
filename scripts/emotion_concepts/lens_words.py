"""Which tokens stand for a concept: those of its own word, its inflections and direct synonyms."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from transformers import PreTrainedTokenizerBase

from emotion_concepts.story_checks import Vocabulary

# A word's first piece stands for the word if it has so many letters, at least half of the word's, and
# begins (or is) a listed word of no more concepts than this.
MIN_LETTERS = 3
MAX_SHARED = 3


def concept_words(concepts: Iterable[str], vocabulary: Vocabulary) -> dict[str, list[str]]:
    """Each concept's own word, its inflections and direct synonyms; phrases left out, for their first
    word is not the concept's. A concept that is not in the table has its own word alone."""
    listed = {
        concept: [concept, *vocabulary.forms.get(concept, ()), *vocabulary.synonyms.get(concept, ())]
        for concept in concepts
    }
    return {
        concept: [word for word in dict.fromkeys(words) if word and " " not in word]
        for concept, words in listed.items()
    }


def word_tokens(
    tokenizer: PreTrainedTokenizerBase, words: Mapping[str, Sequence[str]]
) -> dict[str, set[int]]:
    """The tokens by which a concept's words are known.

    Each word is spelt with and without a leading space, with a small and a capital first letter. A
    spelling that is one token counts. Of one in several pieces the first counts if it begins after a
    space (else it may be the middle of any word), has at least `MIN_LETTERS` letters and half of the
    word's, and is among the first tokens of at most `MAX_SHARED` concepts' words: " dis" would stand
    for half of the list.
    """
    whole: dict[str, set[int]] = {concept: set() for concept in words}
    begun: dict[str, set[int]] = {concept: set() for concept in words}
    spelt = [
        (concept, word, lead + form)
        for concept, listed in words.items()
        for word in listed
        for form in (word, word[:1].upper() + word[1:])
        for lead in ("", " ")
    ]
    if not spelt:
        return whole
    tokenised = tokenizer([text for _, _, text in spelt], add_special_tokens=False)["input_ids"]
    text_of = {token: tokenizer.decode([token]) for token in {token for ids in tokenised for token in ids}}
    for (concept, word, text), ids in zip(spelt, tokenised, strict=True):
        # Some tokenizers make a piece of the leading space itself.
        pieces = [token for i, token in enumerate(ids) if any(text_of[t].strip() for t in ids[: i + 1])]
        # A token for all that the tokenizer does not know stands for no concept.
        if not pieces or pieces[0] == tokenizer.unk_token_id:
            continue
        letters = sum(map(str.isalpha, text_of[pieces[0]]))
        if len(pieces) == 1:
            whole[concept].add(pieces[0])
        elif text.startswith(" ") and letters >= MIN_LETTERS and 2 * letters >= len(word):
            begun[concept].add(pieces[0])
    shared = Counter(token for concept in words for token in whole[concept] | begun[concept])
    return {
        concept: whole[concept] | {token for token in begun[concept] if shared[token] <= MAX_SHARED}
        for concept in words
    }
