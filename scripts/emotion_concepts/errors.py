"""Mistakes that the user can mend: one clear line, no traceback."""


class UserError(Exception):
    """A mistake in what the user gave: the message says where, what, and what would be right."""


class ConfigError(UserError):
    """A setting that is unknown, of the wrong type, or impossible together with others."""


class DataError(UserError):
    """A text, model or file that cannot be used as it is."""


class NonFiniteError(UserError):
    """Infinity or NaN in activations that count; names the text and the layer."""


class UnsupportedModelError(DataError):
    """A model whose structure is not known here; the message names its class."""
