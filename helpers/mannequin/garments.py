"""The wardrobe as data: all that is known about a kind of garment stands in one record here, and nowhere else.

``outfit`` reads its category from it, ``words`` what it is called and how likely its cuts are, ``cloth`` how it is cut. A new kind is a
record in the table (its fields: ``kinds.Kind``); only where its cut is new too, a function in ``cloth`` takes the name in ``Kind.cut``.
"""

from __future__ import annotations

from math import inf

from helpers.mannequin.kinds import Chance, Kind, Lapels, Open, Opening, Reading, Shares, Shoe, Skirt, Style


def _as(names: str, **said: str) -> dict[str, dict[str, str]]:
    return dict.fromkeys(names.split(", "), said)


def _only(names: str) -> dict[str, float]:
    """Names of which the first is the usual one."""
    return dict.fromkeys(names.split(), 0.0)


_NECKS = _only("crew v scoop square boat turtle")
_TOP_LENGTHS = _only("regular cropped long")
_TOP_WORDS = {"short": "cropped", "long": "long", "cropped": "cropped", "regular": "regular", "full": "regular"}
_LEG_LENGTHS: Shares = {"full": Chance(5, cold=1), "ankle": Chance(2, cold=0), "cropped": 0}
_LEG_WORDS = {"long": "full", "midi": "cropped", "short": "cropped", "regular": "full"}
_SKIRT_WORDS = {"short": "mini", "long": "ankle", "full": "ankle"}
_DRESS_WORDS = {**_SKIRT_WORDS, "cropped": "mini"}

_TOP_COLOURS = (
    "white", "off white", "cream", "light blue", "navy", "black", "heather grey", "sage", "dusty pink", "burgundy", "rust",
    "mustard", "olive", "teal", "camel", "lilac", "forest green", "coral", "chambray", "ivory", "charcoal", "terracotta",
    "powder blue",
)  # fmt: skip
_LOWER_COLOURS = (
    "navy", "charcoal", "black", "beige", "camel", "khaki", "olive", "white", "stone", "brown", "sage", "dark grey",
    "denim blue", "rust", "burgundy", "dark green", "cream",
)  # fmt: skip
_DRESS_COLOURS = (
    "navy", "black", "emerald", "burgundy", "terracotta", "sage", "dusty pink", "white", "light blue", "rust", "teal", "red",
    "mustard", "lilac", "cream", "forest green",
)  # fmt: skip
_COAT_COLOURS = ("navy", "black", "charcoal", "camel", "camel", "grey", "beige", "olive", "burgundy", "dark green", "cream")
_SHOE_COLOURS = ("white", "black", "brown", "tan", "cognac", "off white", "navy", "grey", "chocolate", "beige")
_DARK_LEATHER = ("black", "black", "brown", "chocolate", "cognac", "tan")
_TOP_PATTERNS = {"solid": 7, "stripes": 2, "checks": 1, "floral": 0.7, "dots": 0.4}
_KNIT_PATTERNS = {"solid": 6, "stripes": 1}
_FEW_PATTERNS = {"solid": 3, "floral": 2, "dots": 1}
_WAIST = 1.045  # template metres, of most skirts

SHOES = {shoe.name: shoe for shoe in (
    Shoe("sneakers", ("sneakers", "trainers", "runners", "tennis shoes", "running shoes", "kicks", "plimsolls", "high tops",
                      "canvas shoes", "converse"),
         often=4, formal=-1, colours=("white", "white", "off white", "black", "navy", "grey"),
         weaves=("leather", "leather", "cotton"), sole=("#f0efeb", "#f0efeb")),
    Shoe("flats", ("flats", "ballet flats", "ballerinas", "ballet pumps", "pumps", "slippers", "espadrilles", "sandals",
                   "strappy sandals", "heels", "strappy heels", "high heels", "mary janes", "flat shoes"),
         often=Chance(1.5, cold=0, man=0), formal=1, wearer="woman", warmth=1,
         approximated=dict.fromkeys(("sandals", "strappy sandals", "heels", "strappy heels", "high heels", "pumps", "espadrilles"),
                                    "flats")),
    Shoe("loafers", ("loafers", "moccasins", "brogues", "oxfords", "derbies", "dress shoes", "lace ups", "penny loafers",
                     "leather shoes", "boat shoes"),
         often=1, formal=1, colours=_DARK_LEATHER,
         approximated=dict.fromkeys(("brogues", "oxfords", "derbies", "lace ups"), "loafers")),
    Shoe("boots", ("boots", "ankle boots", "chelsea boots", "booties", "desert boots", "combat boots"),
         often=Chance(0.7, cold=2, warm=0), warmth=-1, colours=_DARK_LEATHER),
)}  # fmt: skip
"""Every style of shoes by name."""

_TABLE = (
    Kind(
        "t-shirt", "upper", "upper-clothes", "top",
        _as("t shirt, tshirt, tee, tee shirt") | _as("graphic tee, graphic t shirt", pattern="print"),
        Style(arm=1.15, rib=0.018, sleeve="short"),
        layer=2, tucked=0.2, often=4,
        lengths=_TOP_LENGTHS, said_lengths=_TOP_WORDS,
        sleeves=_only("short none cap elbow"),
        necklines={"crew": 5, "v": 2, "scoop": Chance(1, man=0.2), **_only("square boat turtle collar")}, printed="crew",
        fits={"slim": 1, "regular": 4, "loose": 1, "oversized": 0.6},
        weaves=(("jersey",), ("jersey",), ("jersey", "cotton")),
        colours=_TOP_COLOURS, patterns=_TOP_PATTERNS,
        readings=(Reading({"long-sleeve": 1}, {"sleeve": ("long",)}), Reading({"tank top": 1}, {"sleeve": ("strap",)})),
    ),
    Kind(
        "shirt", "upper", "upper-clothes", "top",
        _as("shirt, button down, button up, button down shirt, button up shirt, dress shirt")
        | _as("oxford shirt", weave="cotton") | _as("flannel shirt", weave="wool") | _as("blouse", weave="silk", wearer="woman")
        | _as("overshirt", fit="loose"),
        Style(trunk=1.1, arm=0.9, cuff=0.009, band=0.055, tail=0.04, cuffs=True, placket=inf, sleeve="long", neckline="collar"),
        approximated={"overshirt": "a shirt"},
        layer=4, tucked=0.45, formal=True, often=4,
        lengths=_TOP_LENGTHS, said_lengths=_TOP_WORDS,
        sleeves={"long": 4, "short": Chance(1, cold=0, warm=2), **_only("elbow none")}, necklines=_only("collar"),
        fits={"slim": 1, "regular": 3, "loose": 1},
        weaves=(("cotton", "wool"), ("cotton", "cotton", "silk"), ("linen", "cotton")),
        colours=_TOP_COLOURS, buttons="#f1efe8", stripes="vertical stripes",
        patterns={**_TOP_PATTERNS, "checks": 1.5, "tartan": 0.7, "gingham": 0.7},
        readings=(
            Reading({"long-sleeve": 1}, {"neckline": tuple(_NECKS), "sleeve": ("long",)}, noted=True),
            Reading({"t-shirt": 1}, {"neckline": tuple(_NECKS)}, noted=True),
        ),
    ),
    Kind(
        "sweater", "upper", "upper-clothes", "top",
        _as("sweater, jumper, pullover, knitwear, knit") | _as("sweatshirt", weave="jersey")
        | _as("turtleneck, polo neck, roll neck", neckline="turtle"),
        Style(trunk=1.4, arm=1.2, cuff=0.006, hem=0.008, band=0.055, rib=0.026, ribbed={"hem": 0.065, "cuff": 0.065}, sleeve="long"),
        layer=5, warmth=-1, often=3, beside={"shorts": 0.3},
        lengths=_TOP_LENGTHS, said_lengths=_TOP_WORDS,
        sleeves=_only("long none short elbow"),
        necklines={"crew": 5, "v": 2, "turtle": Chance(0.3, cold=2), "boat": Chance(0.5, man=0.1), **_only("scoop square")},
        printed="crew",
        fits={"regular": 3, "loose": 2, "oversized": 1},
        weaves=(("knit",),) * 3, colours=_TOP_COLOURS, patterns=_KNIT_PATTERNS,
    ),
    Kind(
        "long-sleeve", "upper", "upper-clothes", "top",
        _as("long sleeve, long sleeves top, longsleeve, long sleeve top, long sleeved top, long sleeve t shirt, henley, "
            "long sleeved t shirt, long sleeve tee, long sleeved tee") | _as("breton top", pattern="stripes"),
        Style(trunk=0.85, arm=0.6, taper=1.4, rib=0.016, cuff=0.004, band=0.025, ribbed={"cuff": 0.025}, sleeve="long"),
        approximated={"henley": "a long-sleeve"},
        layer=3, tucked=0.25, warmth=-1, often=2,
        lengths=_TOP_LENGTHS, said_lengths=_TOP_WORDS, sleeves=_only("long"),
        necklines={"crew": 4, "boat": Chance(1, man=0.2), "scoop": Chance(1, man=0.2), "v": 1,
                   "turtle": Chance(0, cold=1), **_only("square collar")},
        printed="crew",
        weaves=(("jersey", "jersey", "knit"), ("jersey",), ("jersey",)), colours=_TOP_COLOURS, patterns=_TOP_PATTERNS,
    ),
    Kind(
        "tank top", "upper", "upper-clothes", "top",
        _as("tank top, tank, vest top, singlet, sleeveless top") | _as("muscle shirt", sleeve="none"),
        Style(trunk=0.6, taper=1.8, rib=0.010, neckline="scoop"),
        layer=0, tucked=0.3, warmth=1, often=Chance(1.5, man=0),
        lengths=_TOP_LENGTHS, said_lengths=_TOP_WORDS,
        sleeves={"none": 3, "strap": 1}, necklines={"scoop": 4, "crew": 2, "square": 1, "v": 1, "boat": 0},
        weaves=(("jersey",), ("jersey", "silk"), ("jersey", "linen")), colours=_TOP_COLOURS, patterns=_KNIT_PATTERNS,
    ),
    Kind(
        "crop top", "upper", "upper-clothes", "top",
        _as("crop top, croptop, cropped top") | _as("bralette", sleeve="strap"),
        Style(trunk=0.6, arm=0.7, taper=2.5, rib=0.012, length="cropped", sleeve="short", neckline="scoop"),
        approximated={"bralette": "a crop top"},
        wearer="woman", layer=1, warmth=1, often=Chance(0.6, man=0),
        lengths=_only("cropped"), said_lengths=_TOP_WORDS,
        sleeves={"short": Chance(3, cold=1), "strap": Chance(1, cold=0, warm=2), "none": Chance(1, cold=0, warm=2),
                 "long": Chance(1, cold=2, warm=0), **_only("cap elbow")},
        necklines={"crew": 3, "scoop": 2, "square": 2, "v": 1, **_only("boat turtle")}, printed="crew",
        weaves=(("jersey", "knit"), ("jersey",), ("jersey", "cotton")), colours=_TOP_COLOURS, patterns=_TOP_PATTERNS,
    ),
    Kind(
        "jeans", "lower", "pants", "legs",
        _as("jeans, denims, denim") | _as("blue jeans", colour="#3a5683") | _as("mom jeans", fit="loose", length="ankle")
        | _as("boyfriend jeans", fit="oversized"),
        Style(leg=0.75, taper=1.2, pockets="scooped", length="full"),
        often=4, lengths=_LEG_LENGTHS, said_lengths=_LEG_WORDS, fits={"slim": 1.5, "regular": 4, "loose": 1},
        weaves=(("denim",),) * 3, colours=_LOWER_COLOURS,
    ),
    Kind(
        "trousers", "lower", "pants", "legs",
        _as("trousers, pants") | _as("slacks", weave="wool") | _as("chinos, cords", weave="cotton")
        | _as("khakis", weave="cotton", colour="#b09b6b") | _as("culottes", length="cropped", fit="loose")
        | _as("joggers, sweatpants", weave="jersey")
        | _as("capris", length="cropped")
        | _as("cigarette trousers", fit="slim", length="ankle"),
        Style(pockets="slanted", length="full"),
        often=4, lengths=_LEG_LENGTHS, said_lengths=_LEG_WORDS, fits={"slim": 0.8, "regular": 4, "loose": 1},
        weaves=(("wool", "cotton"), ("cotton", "wool"), ("linen", "cotton")), colours=_LOWER_COLOURS, stripes="vertical stripes",
    ),
    Kind(
        "shorts", "lower", "pants", "legs",
        _as("shorts") | _as("bermudas, bermuda shorts", length="knee") | _as("denim shorts, jean shorts", weave="denim"),
        Style(leg=1.3, pockets="slanted", length="short"),
        warmth=1, often=Chance(0.2, warm=1.5),
        lengths={"short": Chance(3, man=1), "knee": Chance(2, man=4)},
        said_lengths={"mini": "short", "long": "knee", "cropped": "short"},
        weaves=(("wool",), ("cotton", "denim"), ("cotton", "linen", "denim")), colours=_LOWER_COLOURS, stripes="vertical stripes",
    ),
    Kind(
        "mini skirt", "lower", "skirt", "skirt", _as("mini skirt, miniskirt, mini, skater skirt"),
        Style(skirt=Skirt(1.02, flare=0.10, gather=0.26, folds=11), length="mini"),
        wearer="woman", warmth=1, often=Chance(1.2, man=0), lengths=_only("mini"), said_lengths=_SKIRT_WORDS,
        weaves=(("wool", "denim", "leather"), ("cotton", "denim", "cotton"), ("cotton", "denim", "linen")), colours=_LOWER_COLOURS,
    ),
    Kind(
        "midi skirt", "lower", "skirt", "skirt",
        _as("midi skirt, midi, pleated skirt") | _as("slip skirt", weave="satin"),
        Style(skirt=Skirt(_WAIST, flare=0.06, gather=0.25, folds=15, from_waist=True), length="midi"),
        approximated={"pleated skirt": "a midi skirt"},
        wearer="woman", formal=True, often=Chance(1.6, man=0), lengths=_only("midi knee ankle"), said_lengths=_SKIRT_WORDS,
        weaves=(("wool", "satin", "knit"), ("satin", "cotton", "silk"), ("linen", "satin", "cotton")), colours=_LOWER_COLOURS,
    ),
    Kind(
        "a-line skirt", "lower", "skirt", "skirt",
        _as("a line skirt") | _as("maxi skirt", length="ankle") | _as("circle skirt", fit="loose"),
        Style(skirt=Skirt(_WAIST, flare=0.15, gather=0.32, folds=10), length="knee"),
        wearer="woman", often=Chance(1.4, man=0), lengths={"knee": 3, "mini": 1, "midi": 2, "ankle": 0.5}, said_lengths=_SKIRT_WORDS,
        weaves=(("wool", "cotton"), ("cotton", "satin"), ("cotton", "linen")), colours=_LOWER_COLOURS,
    ),
    Kind(
        "dress", "dress", "dress", "dress",
        _as("dress, frock") | _as("gown, maxi dress, maxi", length="ankle") | _as("sundress", sleeve="strap", weave="cotton")
        | _as("summer dress", sleeve="strap") | _as("slip dress", sleeve="strap", weave="satin")
        | _as("t shirt dress", sleeve="short", weave="jersey") | _as("midi dress", length="midi")
        | _as("mini dress, minidress, babydoll dress, baby doll dress", length="mini")
        | _as("sweater dress, jumper dress", weave="knit", sleeve="long")
        | _as("shift dress", length="knee", fit="regular") | _as("shirt dress, shirtdress", neckline="collar")
        | _as("cocktail dress", length="knee", weave="satin") | _as("little black dress, lbd", length="knee", colour="#17171a"),
        Style(trunk=0.4, arm=0.8, taper=8.0, hem=0.005, band=0.02, skirt=Skirt(1.065, flare=0.12, gather=0.30, folds=11),
              length="knee", neckline="scoop"),
        approximated={"gown": "an ankle-length dress"},
        wearer="woman", formal=True, often=Chance(0.2, man=0),
        lengths={"knee": 3, "mini": 2, "midi": 2, "ankle": 1}, said_lengths=_DRESS_WORDS,
        sleeves={"long": Chance(1, cold=4, warm=0), "elbow": Chance(1, warm=0.3), "short": Chance(3, cold=0, warm=2),
                 "cap": Chance(1, cold=0), "none": Chance(1, cold=0, warm=2), "strap": Chance(0.4, cold=0, warm=2)},
        high_sleeves={"long": Chance(1, cold=3, warm=0), "elbow": 1, "short": Chance(2, cold=0, warm=3)},
        necklines={"v": 3, "crew": 2, "scoop": 2, "square": 1.5, "boat": 1, **_only("turtle collar")}, printed="crew",
        weaves=(("knit", "wool"), ("cotton", "silk", "jersey", "satin"), ("cotton", "linen", "silk")),
        colours=_DRESS_COLOURS, patterns_named=_FEW_PATTERNS,
    ),
    Kind(
        "polo shirt", "upper", "upper-clothes", "top", _as("polo shirt, polo, polo tee, tennis shirt"),
        Style(arm=1.15, placket=0.15, ribbed={"cuff": 0.02}, sleeve="short", neckline="collar"),
        layer=3, tucked=0.3, lengths=_TOP_LENGTHS, said_lengths=_TOP_WORDS, sleeves=_only("short long"),
        necklines=_only("collar"), fits={"slim": 1, "regular": 3}, weaves=(("jersey",),) * 3, colours=_TOP_COLOURS,
        buttons="#f1efe8", patterns=_KNIT_PATTERNS,
    ),
    Kind(
        "camisole", "upper", "upper-clothes", "camisole", _as("camisole, cami, cami top"),
        Style(trunk=0.7, taper=1.2, sleeve="strap", neckline="v"),
        wearer="woman", layer=0, tucked=0.4, warmth=1, lengths=_TOP_LENGTHS, said_lengths=_TOP_WORDS,
        sleeves=_only("strap"), necklines={"v": 2, "scoop": 1, "square": 0},
        weaves=(("satin", "silk"), ("silk", "satin"), ("silk", "satin")), colours=_TOP_COLOURS,
    ),
    Kind(
        "hoodie", "upper", "upper-clothes", "top", _as("hoodie, hoody, hooded sweatshirt, hooded sweater, hooded top"),
        Style(trunk=1.6, arm=1.3, cuff=0.006, hem=0.008, band=0.06, ribbed={"hem": 0.07, "cuff": 0.065}, pockets="kangaroo",
              sleeve="long", neckline="hood"),
        layer=6, warmth=-1, lengths=_only("regular cropped"), said_lengths=_TOP_WORDS, sleeves=_only("long"),
        weaves=(("jersey",),) * 3, colours=_TOP_COLOURS,
    ),
    Kind(
        "cardigan", "upper", "coat", "open top", _as("cardigan, cardi"),
        Style(trunk=1.8, arm=1.2, cuff=0.008, band=0.055, rib=0.032, ribbed={"hem": 0.065, "cuff": 0.065}, buttons=6,
              opening=Opening((0.75, 0.95, 1.15, 1.28, 1.38), (0.105, 0.085, 0.068, 0.068, 0.082)), sleeve="long"),
        layer=7, over={"t-shirt": 4, "shirt": 2, "tank top": Chance(1, man=0)}, warmth=-1, lengths=_TOP_LENGTHS,
        said_lengths=_TOP_WORDS, sleeves=_only("long"), weaves=(("knit",),) * 3,
        colours=_TOP_COLOURS,
    ),
    Kind(
        "blazer", "upper", "coat", "open top", _as("blazer, suit jacket, sport coat, sports jacket, tailored jacket, jacket"),
        Style(trunk=1.8, arm=1.3, taper=1.6, lapels=Lapels(), buttons=2,
              opening=Opening((0.74, 0.80, 0.95, 1.08, 1.39), (0.115, 0.080, 0.060, 0.050, 0.080)), sleeve="long"),
        approximated={"jacket": "a blazer"},
        layer=8, over={"shirt": 5, "t-shirt": 3}, formal=True, lengths=_TOP_LENGTHS, said_lengths=_TOP_WORDS,
        sleeves=_only("long"), weaves=(("wool",), ("wool", "cotton"), ("linen", "cotton")),
        colours=_COAT_COLOURS, buttons="#2a2420", stripes="vertical stripes",
    ),
    Kind(
        "coat", "upper", "coat", "open top",
        _as("coat, overcoat, topcoat") | _as("trench coat, trench", weave="cotton", colour="#d6c5a8"),
        Style(trunk=2.4, arm=1.5, lapels=Lapels(0.095, 0.085, 0.065, 0.03, 0.74, 0.4), buttons=3,
              opening=Opening((0.74, 0.95, 1.10, 1.39), (0.085, 0.065, 0.055, 0.080)), length="knee", sleeve="long"),
        approximated=dict.fromkeys(("trench coat", "trench"), "a single-breasted coat"),
        layer=9, over={"sweater": 4, "shirt": 2, "long-sleeve": 2}, warmth=-1, lengths=_only("knee midi mini"),
        said_lengths={"short": "mini", "cropped": "mini", "regular": "knee", "long": "midi", "full": "midi", "ankle": "midi"},
        sleeves=_only("long"), weaves=(("wool",), ("wool", "cotton"), ("cotton", "linen")),
        colours=_COAT_COLOURS, buttons="#2a2420", stripes="vertical stripes",
    ),
    Kind(
        "leggings", "lower", "pants", "tights", _as("leggings, yoga pants"), Style(length="ankle"),
        wearer="woman", lengths=_only("ankle cropped knee"),
        said_lengths={"long": "ankle", "full": "ankle", "regular": "ankle", "midi": "cropped", "short": "knee"},
        fits=_only("slim"), weaves=(("jersey",),) * 3,
        colours=("black", "black", "black", "charcoal", "navy", "dark grey", "olive", "burgundy"),
    ),
    Kind(
        "wide-leg trousers", "lower", "pants", "legs",
        _as("wide leg trousers, wide leg pants, wide legged trousers, wide legged pants, flared trousers, flares")
        | _as("palazzos, palazzo pants, palazzo trousers", weave="silk"),
        Style(leg=1.6, flare=0.085, pockets="slanted", length="full"),
        approximated=dict.fromkeys(("flares", "flared trousers"), "wide-leg trousers"), wearer="woman",
        lengths=_LEG_LENGTHS, said_lengths=_LEG_WORDS, weaves=(("wool",), ("cotton", "wool"), ("linen", "cotton")),
        colours=_LOWER_COLOURS, stripes="vertical stripes",
    ),
    Kind(
        "pencil skirt", "lower", "skirt", "skirt", _as("pencil skirt, tube skirt"),
        Style(skirt=Skirt(_WAIST, flare=-0.045, gather=0.0, ease=0.006), length="knee"),
        wearer="woman", formal=True, lengths=_only("knee midi mini"), said_lengths=_SKIRT_WORDS, fits=_only("slim"),
        weaves=(("wool", "leather"), ("wool", "cotton"), ("cotton", "linen")), colours=_LOWER_COLOURS, stripes="vertical stripes",
    ),
    Kind(
        "jumpsuit", "dress", "jumpsuits", "jumpsuit",
        _as("jumpsuit, jump suit") | _as("boiler suit", sleeve="long", neckline="collar"),
        Style(trunk=0.55, arm=0.9, leg=1.4, taper=3.0, length="ankle", neckline="v"),
        approximated={"boiler suit": "a jumpsuit"},
        wearer="woman", lengths={"ankle": 3, "full": 1, "cropped": 1, "knee": 0}, said_lengths={**_LEG_WORDS, "short": "knee"},
        sleeves={"none": Chance(2, cold=0.5, warm=4), "short": Chance(2, cold=0.5), "long": Chance(1, cold=4, warm=0),
                 **_only("elbow cap")},
        necklines={"v": 3, "crew": 1, "scoop": 1, **_only("square collar")}, printed="crew",
        weaves=(("cotton", "wool"), ("cotton", "linen"), ("linen", "cotton")), colours=_DRESS_COLOURS,
    ),
    Kind("shoes", "shoes", "shoe", "shoes", _as("shoes, footwear"), styles=tuple(SHOES), colours=_SHOE_COLOURS),
)  # fmt: skip

KINDS: dict[str, Kind] = {kind.name: kind for kind in _TABLE}
"""Every kind of garment by name."""

OPEN = {
    "top": Open("top", "upper", (
        Reading({"crop top": 1}, {"length": ("cropped",)}),
        Reading({"tank top": 1}, {"sleeve": ("none", "strap")}),
        Reading({"sweater": 1}, {"weave": ("knit", "wool")}),
        Reading({"long-sleeve": 1}, {"sleeve": ("long",)}),
        Reading({"long-sleeve": 1}, {"neckline": ("turtle",)}),
        Reading({"shirt": 1}, {"weave": ("linen", "silk", "satin", "denim")}),
        Reading({"t-shirt": 1}, {"sleeve": ("cap", "short", "elbow")}),
        Reading({"t-shirt": 3, "long-sleeve": Chance(2, man=0), "tank top": Chance(1, man=0)}),
    )),
    "skirt": Open("skirt", "lower", (
        Reading({"mini skirt": 1}, {"length": ("mini", "short")}),
        Reading({"a-line skirt": 1}, {"length": ("knee", "ankle", "long", "full")}),
        Reading({"midi skirt": 1, "a-line skirt": 1}, {"length": ("midi",)}),
        Reading({"mini skirt": 1, "midi skirt": 1, "a-line skirt": 1}),
    ), wearer="woman"),
}  # fmt: skip
"""Words for several kinds."""
