"""Vectors against closed forms."""

import numpy as np
import pytest

from emotion_concepts import load_vectors
from emotion_concepts.errors import DataError
from emotion_concepts.files import sha256_of
from emotion_concepts.vectors import (
    centred,
    concept_means,
    leading_components,
    random_directions,
    save_vectors,
    without_components,
)


def test_vectors_are_concept_means_minus_their_mean():
    activations = np.array([[1.0, 0], [3, 0], [0, 6]])
    means = concept_means(activations, ["a", "a", "b"], ["a", "b"])
    np.testing.assert_allclose(means, [[2, 0], [0, 6]])
    # Every concept weighs the same, however many stories it has.
    np.testing.assert_allclose(centred(means), [[1, -3], [-1, 3]])


def test_components_explain_just_enough_of_a_known_spectrum():
    rng = np.random.default_rng(0)
    left, _ = np.linalg.qr(rng.standard_normal((200, 5)) - rng.standard_normal((200, 5)).mean(0))
    left -= left.mean(0)
    left, _ = np.linalg.qr(left)
    right, _ = np.linalg.qr(rng.standard_normal((8, 5)))
    # Shares of variance: .4, .3, .2, .08, .02.
    values = left * np.sqrt([40, 30, 20, 8, 2]) @ right.T + 7
    for variance, count in ((0, 0), (0.3, 1), (0.5, 2), (0.69, 2), (0.75, 3), (0.95, 4)):
        components = leading_components(np.cov(values.T), variance)
        assert len(components) == count
        np.testing.assert_allclose(np.abs(components @ right[:, :count]), np.eye(count), atol=1e-8)


def test_denoised_vectors_have_no_part_in_the_components():
    rng = np.random.default_rng(1)
    components = np.linalg.qr(rng.standard_normal((6, 2)))[0].T
    vectors = rng.standard_normal((3, 6))
    cleaned = without_components(vectors, components)
    np.testing.assert_allclose(cleaned @ components.T, 0, atol=1e-12)
    np.testing.assert_allclose(vectors - cleaned, vectors @ components.T @ components, atol=1e-12)


def test_random_directions_are_unit_and_repeatable():
    drawn = random_directions(4, 50, seed=2)
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), 1)
    np.testing.assert_array_equal(drawn, random_directions(4, 50, seed=2))


def test_saved_vectors_are_read_back(tmp_path, tiny_vectors):
    path = tmp_path / "vectors.safetensors"
    save_vectors(path, tiny_vectors)
    known = load_vectors(path)
    np.testing.assert_array_equal(known.raw_LCD, tiny_vectors.raw_LCD)
    np.testing.assert_array_equal(known.denoised_LCD, tiny_vectors.denoised_LCD)
    for name in ("concepts", "layers", "model", "revision", "residual_norm"):
        assert getattr(known, name) == getattr(tiny_vectors, name)


def test_saved_bytes_depend_on_the_vectors_alone(tmp_path, tiny_vectors):
    """safetensors orders its metadata by chance: equal vectors had different bytes, so a killed run could not
    be told from a damaged one. Twenty tries, as two may agree by luck."""
    digests = set()
    for _ in range(20):
        save_vectors(tmp_path / "v.safetensors", tiny_vectors)
        digests.add(sha256_of(tmp_path / "v.safetensors"))
    assert len(digests) == 1


def test_unit_is_the_denoised_vector_at_length_one(tiny_vectors):
    unit = tiny_vectors.unit("calm", 2)
    np.testing.assert_allclose(np.linalg.norm(unit), 1, rtol=1e-6)
    np.testing.assert_allclose(
        unit @ tiny_vectors.denoised_LCD[2, 1], np.linalg.norm(tiny_vectors.denoised_LCD[2, 1]), rtol=1e-6
    )


def test_unknown_names_are_answered_with_the_known(tiny_vectors, tmp_path):
    with pytest.raises(DataError, match="no vector for 'joyous'; known: afraid, calm, sad"):
        tiny_vectors.unit("joyous", 0)
    with pytest.raises(DataError, match="no vectors at layer 9; known: 0 to 3"):
        tiny_vectors.unit("sad", 9)
    with pytest.raises(DataError, match="no such file"):
        load_vectors(tmp_path / "none.safetensors")


@pytest.mark.parametrize("held", [0.2, 0.5, 0.9])
def test_components_of_a_wide_covariance_are_those_of_the_whole_decomposition(held):
    """Found a few at a time, as in a wide model: the same span as all of them give."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((300, 300)))[0]
    spectrum = 1 / np.arange(1, 301) ** 1.2
    covariance = (basis * spectrum) @ basis.T
    found = leading_components(covariance, held)
    wanted = int(np.searchsorted(np.cumsum(spectrum) / spectrum.sum(), held) + 1)
    assert len(found) == wanted
    np.testing.assert_allclose(found @ found.T, np.eye(wanted), atol=1e-10)
    expected = basis[:, :wanted]
    np.testing.assert_allclose(np.linalg.svd(found @ expected)[1], 1, atol=1e-8)
