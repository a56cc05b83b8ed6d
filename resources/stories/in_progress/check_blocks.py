"""usage: python3 check.py FILE.txt [--all]   blocks: '@@ concept' line, then the story as one paragraph."""

import collections
import pathlib
import re
import sys

BASE = pathlib.Path("/tmp/corpus")
W = {}
for l in open(BASE / "words.txt"):
    c, r = l.strip().split(": ", 1)
    f, s = r.split(" | ")
    W[c] = (f.split(", "), s.split(", "))
IDI = [l.strip() for l in open(BASE / "idioms.txt") if l.strip()]
NEVER = [
    "felt",
    "feel",
    "feels",
    "feeling",
    "feelings",
    "emotion",
    "emotions",
    "emotional",
    "mood",
    "moods",
    "moody",
]
STOCK = [
    "tear",
    "tears",
    "tearful",
    "wept",
    "weep",
    "weeping",
    "sob",
    "sobs",
    "sobbed",
    "sobbing",
    "cried",
    "crying",
    "yawn",
    "yawns",
    "yawned",
    "yawning",
    "smirk",
    "smirked",
    "smirking",
    "goosebumps",
    "butterflies",
    "heartbeat",
    "pounding",
    "pounded",
    "hammering",
    "hammered",
]
rx = {}


def has(text, words):
    return [
        w
        for w in words
        if re.search(r"(?<![\w'-])" + re.escape(w).replace("\\ ", "[ ]") + r"(?![\w-])", text)
    ]


def tok(t):
    return re.findall(r"[a-z0-9']+", t.lower().replace("’", "'"))


def outside(t):
    t = t.replace("’", "'")
    return re.sub(r'“[^”]*”|"[^"]*"', " ", t)


def parse(p):
    out = []
    for b in re.split(r"^@@\s*", open(p, encoding="utf8").read(), flags=re.M)[1:]:
        h, _, t = b.partition("\n")
        out.append((h.strip().lower(), " ".join(t.split())))
    return out


def main(p, others=()):
    A = {}
    asn = pathlib.Path(p).with_suffix(".assign")
    if asn.exists():
        for l in open(asn):
            a = l.rstrip("\n").split("\t")
            A[a[0]] = a
    st = parse(p)
    n_bad = 0
    seen = collections.Counter(h for h, _ in st)
    for h, k in seen.items():
        if k > 1:
            print(f"TWICE {h}")
    six = collections.defaultdict(set)
    five = {}
    opens = collections.defaultdict(list)
    sents = collections.defaultdict(set)
    for h, t in st:
        P = []
        if h not in W:
            print("UNKNOWN concept", h)
            continue
        n = len(t.split())
        if not 122 <= n <= 163:
            P.append(f"{n} words (want 122-163)")
        low = t.lower().replace("’", "'")
        x = has(low, W[h][0] + W[h][1])
        if x:
            P.append(f"names own concept: {x}")
        m = low
        for i in IDI:
            m = re.sub(r"\b" + re.escape(i) + r"\b", " ", m)
        x = [(c, w) for c in W if c != h for w in has(m, W[c][0])]
        if x:
            P.append(f"uses concept words: {sorted(set(w for _, w in x))}")
        x = has(low, NEVER)
        if x:
            P.append(f"never: {x}")
        x = has(low, STOCK)
        if x:
            P.append(f"stock: {x}")
        o = outside(t)
        fp = len(re.findall(r"\b(I|me|my|mine|myself|I'm|I'd|I've)\b", o))
        if h in A:
            want = A[h][1]
            if want == "first" and fp < 3:
                P.append(f"first person wanted, narration has {fp} I/me/my")
            if want == "third" and fp > 0:
                P.append(
                    f'third person wanted, narration has I/me/my {fp}x (thoughts: use "he thought" form or quotes “ ”)'
                )
        if any(c in t for c in "*#_[]<>{}"):
            P.append("odd characters")
        if t[-1] not in ".!?”’\"'…":
            P.append("does not end a sentence")
        w = tok(t)
        for i in range(len(w) - 5):
            six[" ".join(w[i : i + 6])].add(h)
        five[h] = {tuple(w[i : i + 5]) for i in range(len(w) - 4)}
        opens[" ".join(w[:3])].append(h)
        for s in re.split(r"(?<=[.!?])\s+", t):
            if len(s.split()) > 3:
                sents[s.lower()].add(h)
        if P:
            n_bad += 1
            print(f"{h}: " + "; ".join(P))
    for g, hs in six.items():
        if len(hs) > 2:
            print(f'6-gram in {len(hs)} stories: "{g}"')
    for s, hs in sents.items():
        if len(hs) > 2:
            print(f"sentence in {len(hs)}: {s[:60]}")
    for g, hs in opens.items():
        if len(hs) > 1:
            print(f'same first three words "{g}": {hs}')
    hs = list(five)
    for i, a in enumerate(hs):
        for b in hs[:i]:
            j = len(five[a] & five[b]) / max(1, len(five[a] | five[b]))
            if j > 0.03:
                print(f"too alike {j:.3f}: {a} / {b}")
    missing = [c for c in A if c not in seen]
    print(f"{len(st)} stories, {n_bad} with problems" + (f", missing: {missing}" if missing else ""))


main(sys.argv[1])
