"""What stands for letters, and the words that are looked for behind such signs, as data for ``fold``."""

from __future__ import annotations

LEET = {"0": "o", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g", "@": "a", "$": "s", "+": "t",
        "€": "e", "£": "l", "¢": "c", "¡": "i"}  # fmt: skip
"""Digits and signs within a word, and the letter that each stands for; 1, ! and | are an i or an l."""
FAUX = dict(zip("ηδεκβτωλπσςθμγпктнмвдгяцшийэєњзð", "ndekbtwlnosouynktnmbdrruwuueenzd", strict=True))
"""Letters of other alphabets that are set for Latin ones in headlines, beyond those that Unicode counts as look-alikes."""
STRONG = frozenset(
    """
    nude, nudes, naked, nudity, topless, undressed, shirtless, braless, bottomless, lingerie, nsfw, porn, porno, hentai, erotic, genitals,
    nipples, nipple, vagina, penis, boobs, unclothed, sexual, teen, teens, teenager, teenage, preteen, underage, child, children,
    schoolgirl, schoolboy, toddler, loli, lolita, girl, girls, infant, minor, kids, desnuda, desnudo, nackt, nuda, nudo, menina, fillette,
    bambina, nekkid, nekid, neked, nakd, nvde,
""".replace(",", " ").split()
)
"""Words that are looked for behind stars, in pieces, drawn out and backwards."""
NATURAL = {("por", "no"), ("pen", "is"), ("min", "or"), ("top", "less"), ("te", "en"), ("te", "ens"), ("a", "nude"), ("lo", "li"),
           ("bottom", "less"), ("in", "fant"), ("un", "dressed"), ("mi", "nor"), ("shirt", "less")}  # fmt: skip
"""Neighbours that are a word of ``STRONG`` together only by chance."""
NATURAL_BACKWARDS = ("dekan", "neet", "neets", "adun", "odun", "aduna")
"""Words of their own that are one of ``STRONG`` backwards."""
