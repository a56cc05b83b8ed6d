"""A Llama made by hand: named coordinates of the residual stream, words, attention heads, hidden units.

Every token has the large constant `CONSTANT` in one coordinate. It makes up nearly all of a token's norm,
so RMSNorm, whose weights undo the scale, is the identity to about |rest|^2 / (2 CONSTANT^2): below 1% here.
What is built on top can then be said in closed form.

Rotary positions turn pairs of a head's coordinates at frequencies from 1 down. With a base of 1e12 most
pairs hardly turn within 1,000 tokens: those match content; the fastest ones tell positions.

Shape letters: D width, H head width, M coordinates that a head moves, K directions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

CONSTANT = 64.0
HEAD_WIDTH = 32
CODE_WIDTH = 96
ROPE_BASE = 1e12
FREQUENCIES = ROPE_BASE ** (-np.arange(HEAD_WIDTH // 2) / (HEAD_WIDTH // 2))
# Pairs that turn, and coordinates of those that do not turn in 1,000 tokens.
POSITIONAL = range(6)
FLAT = [i for pair in range(6, HEAD_WIDTH // 2) for i in (pair, pair + HEAD_WIDTH // 2)]
SPECIAL = ("<s>", "</s>", "<unk>")


@dataclass
class HandMadeLlama:
    """A model under construction.

    n_layers, width, n_heads : its shape; seed : of the random codes that tell words apart.
    """

    n_layers: int
    width: int = 256
    n_heads: int = 2
    seed: int = 0
    words: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self):
        self._taken = 0
        self._rng = np.random.default_rng(self.seed)
        self._units: list[list[tuple]] = [[] for _ in range(self.n_layers)]
        self._heads: list[list[tuple]] = [[] for _ in range(self.n_layers)]
        self._reads: dict[str, np.ndarray] = {}
        (self.constant,) = self.space(1)
        (self.bos,) = self.space(1)
        self._code = self.space(CODE_WIDTH)
        self.words["<s>"] = CONSTANT * self.constant + self.bos
        for name in SPECIAL[1:]:
            self.word(name)

    def space(self, size: int) -> np.ndarray:
        """Coordinates of their own, as unit vectors: [size, D]."""
        assert self._taken + size <= self.width, f"a width of {self.width} is too small"
        self._taken += size
        return np.eye(self.width)[self._taken - size : self._taken]

    def word(self, name: str, *, carries: np.ndarray | float = 0.0, coded: bool = True) -> None:
        """A new token. Its code, a random unit vector, is what `on_word` knows it by."""
        assert name not in self.words, f"{name!r} is a word already"
        signs = self._rng.choice([-1, 1], CODE_WIDTH) / np.sqrt(CODE_WIDTH)
        self.words[name] = CONSTANT * self.constant + carries + (signs @ self._code if coded else 0)

    def on_word(self, layer: int, name: str, writes: np.ndarray) -> None:
        """At this word, the block's MLP adds `writes` to the stream."""
        code = (self.words[name] @ self._code.T) @ self._code
        # Two random codes have a product of .1, the nearest of a thousand below .6; the gate opens at .75.
        self._units[layer].append((200 * (code - 0.75 * self._one), self._one, writes / 50))

    def product(self, layer: int, flag: np.ndarray | None, reads: np.ndarray, writes: np.ndarray) -> None:
        """The MLP adds `writes` times (reads . x), at tokens whose flag is 1, or (None) at all."""
        gate = 60 * (flag - 0.5 * self._one) if flag is not None else 30 * self._one
        self._units[layer].append((gate, reads, writes / 30))

    def always(self, layer: int, writes: np.ndarray) -> None:
        """The MLP adds `writes` at every token."""
        self.product(layer, None, self._one, writes)

    def ramp(self, layer: int, from_value: float, reads: np.ndarray, writes: np.ndarray) -> None:
        """The MLP adds `writes` times (reads . x + from_value) where that is above 0, and nothing below."""
        gate = 1e4 * (reads + from_value * self._one)
        self._units[layer].append((gate, self._one, writes / 1e4))

    def head(
        self, layer: int, query_HD: np.ndarray, key_HD: np.ndarray, from_MD: np.ndarray, to_MD: np.ndarray
    ) -> None:
        """A head that moves the coordinates `from_MD` of attended tokens into `to_MD`.

        `query_HD` and `key_HD` give scores without the usual division by the root of the head's width.
        """
        assert len(from_MD) <= HEAD_WIDTH
        value_HD, out_HD = np.zeros((2, HEAD_WIDTH, self.width))
        value_HD[: len(from_MD)], out_HD[: len(to_MD)] = from_MD, to_MD
        self._heads[layer].append((query_HD * np.sqrt(HEAD_WIDTH), key_HD, value_HD, out_HD))

    def mean_of_all_before(self, layer: int, from_MD: np.ndarray, to_MD: np.ndarray) -> None:
        """Every token gets the mean over itself and all tokens before it, the BOS included."""
        nothing = np.zeros((HEAD_WIDTH, self.width))
        self.head(layer, nothing, nothing, from_MD, to_MD)

    def previous_token(self, layer: int, from_MD: np.ndarray, to_MD: np.ndarray) -> None:
        """Every token gets what the token before it has."""
        query, key = np.zeros((2, HEAD_WIDTH, self.width))
        for pair in POSITIONAL:
            # Largest where the key stands one place earlier: cos((distance - 1) frequency).
            query[pair] = 120 * self._one
            key[pair] = np.cos(FREQUENCIES[pair]) * self._one
            key[pair + HEAD_WIDTH // 2] = np.sin(FREQUENCIES[pair]) * self._one
        self.head(layer, query, key, from_MD, to_MD)

    def latest_flagged(self, layer: int, flag: np.ndarray, from_MD: np.ndarray, to_MD: np.ndarray) -> None:
        """Every token gets what the latest flagged token has, up to 45 tokens after it."""
        query, key = np.zeros((2, HEAD_WIDTH, self.width))
        query[2], key[2] = 4000 * self._one, flag
        self.head(layer, query, key, from_MD, to_MD)

    def matching(
        self, layer: int, asks_KD: np.ndarray, offers_KD: np.ndarray, from_MD: np.ndarray, to_MD: np.ndarray
    ) -> None:
        """A token that asks for k gets the mean over the tokens that offer k; all others what the BOS has."""
        query, key = np.zeros((2, HEAD_WIDTH, self.width))
        for dim, ask, offer in zip(FLAT, asks_KD, offers_KD, strict=False):
            query[dim], key[dim] = 80 * ask, offer
        sink = FLAT[len(asks_KD)]
        query[sink], key[sink] = 40 * self._one, self.bos
        self.head(layer, query, key, from_MD, to_MD)

    def reads(self, name: str, direction: np.ndarray | float = 0.0, bias: float = 0.0) -> None:
        """The word's logit is direction . x + bias."""
        self._reads[name] = direction + bias * self._one

    @property
    def _one(self) -> np.ndarray:
        """What reads 1 off every token."""
        return self.constant / CONSTANT

    def tokenizer(self) -> PreTrainedTokenizerFast:
        """One token a word."""
        return word_tokenizer(list(self.words))

    def model(self) -> LlamaForCausalLM:
        """The weights put together."""
        hidden = max(1, *(len(units) for units in self._units))
        config = llama_config(len(self.words), self.width, hidden, self.n_layers, self.n_heads)
        model = LlamaForCausalLM(config)
        state = {name: torch.zeros_like(tensor) for name, tensor in model.state_dict().items()}

        def put(name: str, rows: Sequence[np.ndarray], at: int = 0) -> None:
            state[name][at : at + len(rows)] = torch.from_numpy(np.asarray(rows)).float()

        put("model.embed_tokens.weight", list(self.words.values()))
        unread = np.zeros(self.width)
        put("lm_head.weight", [self._reads.get(name, unread) for name in self.words])
        for name in state:
            if "norm" in name:
                state[name].fill_(CONSTANT / self.width**0.5)
        for layer in range(self.n_layers):
            block = f"model.layers.{layer}."
            for place, (query, key, value, out) in enumerate(self._heads[layer]):
                at = place * HEAD_WIDTH
                for part, rows in (("q", query), ("k", key), ("v", value)):
                    put(f"{block}self_attn.{part}_proj.weight", rows, at)
                state[f"{block}self_attn.o_proj.weight"][:, at : at + HEAD_WIDTH] = torch.from_numpy(out.T)
            if self._units[layer]:
                gates, ups, downs = (np.array(part) for part in zip(*self._units[layer], strict=True))
                put(f"{block}mlp.gate_proj.weight", gates)
                put(f"{block}mlp.up_proj.weight", ups)
                state[f"{block}mlp.down_proj.weight"][:, : len(downs)] = torch.from_numpy(downs.T)
        model.load_state_dict(state)
        return model.eval().requires_grad_(False)

    def save(self, folder: Path) -> Path:
        """Save as any other checkpoint."""
        self.model().save_pretrained(folder)
        self.tokenizer().save_pretrained(folder)
        return folder


def llama_config(vocabulary: int, width: int, hidden: int, n_layers: int, n_heads: int) -> LlamaConfig:
    """The shape that planted and null models share."""
    return LlamaConfig(
        vocab_size=vocabulary, hidden_size=width, intermediate_size=hidden, num_hidden_layers=n_layers,
        num_attention_heads=n_heads, num_key_value_heads=n_heads, head_dim=HEAD_WIDTH, max_position_embeddings=1024,
        rope_parameters={"rope_type": "default", "rope_theta": ROPE_BASE}, bos_token_id=0, eos_token_id=1,
        tie_word_embeddings=False, initializer_range=0.05,
    )  # fmt: skip


def word_tokenizer(words: Sequence[str]) -> PreTrainedTokenizerFast:
    """One token a word or punctuation mark, a BOS in front; the first three are `SPECIAL`."""
    assert tuple(words[:3]) == SPECIAL
    ids = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
