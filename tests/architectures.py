"""Tiny randomly initialised models of many families, four blocks of width 32 each."""

import torch
from transformers import CONFIG_MAPPING, AutoModelForCausalLM, PreTrainedModel

SHAPE = {
    "vocab_size": 600, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 1024, "bos_token_id": 0, "eos_token_id": 1,
    "pad_token_id": None, "initializer_range": 0.3,
}  # fmt: skip
# Shorter than the test's texts, so that a mistake with it shows.
WINDOW = {"sliding_window": 24, "head_dim": 8}
EXPERTS = {"num_experts_per_tok": 2}
# Family: what its configuration needs beside `SHAPE`, and the way in which a batch may be read.
FAMILIES = {
    "llama": ({}, "packed"),
    "mistral": ({"sliding_window": 24}, "packed"),
    "qwen2": ({}, "packed"),
    "qwen3": ({"head_dim": 8}, "packed"),
    "gemma2": (WINDOW, "padded"),  # soft caps: attention of its own
    "gemma3_text": (WINDOW, "packed"),
    "gemma4_text": (
        WINDOW | {"vocab_size_per_layer_input": 600, "hidden_size_per_layer_input": 8, "global_head_dim": 8,
                  "num_kv_shared_layers": 0,
                  "layer_types": ["sliding_attention", "full_attention"] * 2},
        "packed",
    ),
    "phi3": ({}, "packed"),
    "gpt2": ({"n_embd": 32, "n_layer": 4, "n_head": 4, "n_positions": 1024}, "packed"),  # absolute positions
    "gpt_neox": ({}, "packed"),
    "olmo2": ({}, "packed"),
    "opt": ({"ffn_dim": 64, "word_embed_proj_dim": 32}, "packed"),
    "falcon": ({"new_decoder_architecture": True, "num_kv_heads": 2}, "padded"),
    "falcon with ALiBi": ({"alibi": True, "new_decoder_architecture": False}, "padded"),
    "bloom": ({"n_layer": 4, "n_head": 4}, "padded"),  # ALiBi
    "granite": ({}, "packed"),
    "mixtral": (EXPERTS | {"num_local_experts": 4}, "packed"),
    "qwen3_moe": (EXPERTS | {"num_experts": 4, "moe_intermediate_size": 32, "head_dim": 8}, "packed"),
    "gpt_oss": (
        EXPERTS | WINDOW | {"num_local_experts": 4, "layer_types": ["sliding_attention", "full_attention"] * 2},
        "padded",
    ),  # learned sinks
    "apertus": ({}, "packed"),
    "smollm3": ({}, "packed"),
    "lfm2": ({}, "packed"),  # short convolutions
    "mamba": ({"state_size": 8}, "padded"),
    "recurrent_gemma": ({"lru_width": 32}, "padded"),
    "jamba": ({"num_experts": 2, "attn_layer_period": 2, "attn_layer_offset": 1, "mamba_d_state": 8}, "padded"),
    "gemma3": ({}, "packed"),  # sees too: its text part
}  # fmt: skip


def make_model(family: str) -> PreTrainedModel:
    """The family's causal LM from a tiny configuration, random but always the same, in eval mode."""
    kind = CONFIG_MAPPING[family.partition(" ")[0]]
    shape = SHAPE | FAMILIES[family][0]
    if family == "gemma3":
        vision = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2,
                  "image_size": 16, "patch_size": 4}  # fmt: skip
        config = kind(text_config=SHAPE | WINDOW, vision_config=vision, mm_tokens_per_image=4)
    else:
        config = kind(**shape)
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(config).eval().requires_grad_(False)
