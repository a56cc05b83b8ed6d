"""Which concepts are used where the settings leave it open."""

# Twelve that lie apart in valence and arousal.
USUAL_CONCEPTS = (
    "happy", "loving", "calm", "proud", "hopeful", "enthusiastic",
    "sad", "afraid", "angry", "desperate", "guilty", "nervous",
)  # fmt: skip
