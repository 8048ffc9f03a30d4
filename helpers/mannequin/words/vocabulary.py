"""The words of the prompt, as data. ``prompt`` gives them their grammar; nothing here decides anything.

Every table maps a word or phrase (lower case, hyphens written as spaces) to what it stands for in ``outfit``. What garments and cloth
are called stands in their records, ``garments`` and ``fabrics``.
Colours are ``#rrggbb`` sRGB; names follow CSS where CSS has the name, else the usual fashion swatch.
"""

from __future__ import annotations

from helpers.mannequin import fabrics, garments

COLOURS = {
    # neutrals
    "white": "#f4f4f2", "off white": "#efeae0", "ivory": "#f3ecd9", "cream": "#f1e6cf", "ecru": "#e4d9c0",
    "eggshell": "#ece5d3", "oatmeal": "#d8ccb6", "sand": "#d3bf9c", "beige": "#d6c5a8", "stone": "#bdb3a2",
    "taupe": "#8f8173", "greige": "#b5aa9a", "mushroom": "#a99a8b", "khaki": "#b09b6b", "camel": "#b98b55",
    "tan": "#c39a6b", "cognac": "#96522a", "caramel": "#b4733c", "brown": "#6b4630", "chestnut": "#6e3b28",
    "chocolate": "#47291d", "espresso": "#33221b", "coffee": "#5a4132", "mocha": "#7d5f4c",
    "silver": "#c3c6c9", "light grey": "#c8c9ca", "grey": "#8b8d90", "heather grey": "#a7a9ac", "ash": "#b2b3ae",
    "dark grey": "#4b4d50", "charcoal": "#36393d", "graphite": "#43474b", "slate": "#58646f", "anthracite": "#2d3033",
    "black": "#17171a", "jet black": "#0d0d0f", "off black": "#232325",
    # blues
    "navy": "#1e2a4a", "navy blue": "#1e2a4b", "midnight blue": "#141d38", "dark blue": "#20335e", "royal blue": "#2b4fb0",
    "cobalt": "#1f4ea8", "blue": "#2f62b5", "denim blue": "#466a94", "indigo": "#2d3c68", "steel blue": "#4682b4",
    "cornflower": "#6a8fd8", "light blue": "#a9c8e6", "sky blue": "#8fc1e8", "baby blue": "#b9d7ee", "powder blue": "#b4cfe0",
    "ice blue": "#d5e6ef", "azure": "#3f93d2", "petrol": "#16505e", "teal": "#1b6f73", "turquoise": "#38b7b1",
    "aqua": "#5fcfd0", "cyan": "#2fb8cf", "chambray": "#7f9cbd", "periwinkle": "#8f97d8", "electric blue": "#2460e8",
    # greens
    "green": "#2f7d46", "dark green": "#1f4a33", "forest green": "#234b34", "bottle green": "#123c2d", "emerald": "#0f7a58",
    "sage": "#a3b18a", "olive": "#6b6b3a", "moss": "#65703f", "army green": "#4f5636", "mint": "#b5e0c8",
    "light green": "#a8d5a2", "lime": "#a5cf3b", "pistachio": "#bdd09a", "jade": "#2f9a78", "sea green": "#3c9a7c",
    "eucalyptus": "#7f9f8f", "hunter green": "#2a5138", "seafoam": "#a6d8c6", "chartreuse": "#bdd02f",
    # yellows, oranges
    "yellow": "#efc93d", "light yellow": "#f5e7a0", "butter": "#f4e3a1", "lemon": "#f2e15c", "mustard": "#c8962e",
    "gold": "#c9a14a", "ochre": "#bf8433", "saffron": "#e5a32c", "amber": "#d98a1f", "apricot": "#f2b98c",
    "peach": "#f4c3a4", "orange": "#dd7327", "burnt orange": "#b5521f", "rust": "#a5472a", "terracotta": "#bd6245",
    "copper": "#a9653f", "tangerine": "#ec8a33", "coral": "#ee7a66", "salmon": "#ec9583", "cinnamon": "#9a5434",
    # reds, pinks, purples
    "red": "#c0242f", "dark red": "#861a25", "scarlet": "#cc2a24", "crimson": "#a81c33", "cherry": "#9f1830",
    "brick": "#97402f", "brick red": "#98402f", "burgundy": "#611a2b", "wine": "#692036", "maroon": "#5e1a22",
    "oxblood": "#4e161c", "raspberry": "#ab2a55", "pink": "#e79bb0", "light pink": "#f3c9d1", "baby pink": "#f4cfd6",
    "blush": "#e9c4bb", "dusty pink": "#cf9d9b", "rose": "#d27d8c", "dusty rose": "#bd8387", "hot pink": "#e0418c",
    "fuchsia": "#c92d85", "magenta": "#b82878", "mauve": "#a98299", "lilac": "#c4abd7", "lavender": "#c5bce4",
    "violet": "#6c4ca0", "purple": "#653a80", "plum": "#5d2f50", "aubergine": "#3c2138", "eggplant": "#3d2138",
    "orchid": "#c376c0", "berry": "#7a2148", "mulberry": "#74304f",
}  # fmt: skip
"""Colour names of cloth and backdrops. A tone before a name ("pale olive") is computed; ``#rrggbb`` always works."""

COLOUR_SYNONYMS = {
    "gray": "grey", "light gray": "light grey", "dark gray": "dark grey", "heather gray": "heather grey",
    "offwhite": "off white", "snow": "white", "bone": "ivory", "nautical blue": "navy", "marine": "navy",
    "bordeaux": "burgundy", "claret": "wine", "midnight": "midnight blue", "royal": "royal blue", "sky": "sky blue",
    "cobalt blue": "cobalt", "steel": "steel blue", "teal green": "teal", "forest": "forest green", "hunter": "hunter green",
    "bottle": "bottle green", "emerald green": "emerald", "sage green": "sage", "olive green": "olive", "moss green": "moss",
    "khaki green": "army green", "mint green": "mint", "lime green": "lime", "racing green": "bottle green",
    "mustard yellow": "mustard", "golden": "gold", "lemon yellow": "lemon", "butter yellow": "butter",
    "rust red": "rust", "rusty": "rust", "terra cotta": "terracotta", "burnt sienna": "terracotta", "sienna": "terracotta",
    "ruby": "crimson", "wine red": "wine", "rose pink": "rose", "dusky pink": "dusty pink", "old rose": "dusty rose",
    "pastel pink": "light pink", "pastel blue": "baby blue", "pastel green": "mint", "pastel yellow": "light yellow",
    "fuschia": "fuchsia", "violet blue": "periwinkle", "purplish": "purple", "ocean blue": "petrol", "dark brown": "chocolate",
    "light brown": "tan", "petrol blue": "petrol", "cornflower blue": "cornflower", "ultramarine": "cobalt", "khaki brown": "khaki",
    "burgandy": "burgundy", "ocher": "ochre", "cerulean": "azure", "aquamarine": "aqua", "indigo blue": "indigo",
    "greyish": "grey", "bluish": "blue", "jet": "jet black", "biscuit": "beige", "wheat": "sand", "nude": "beige",
}  # fmt: skip

TONES = {
    "light": ("#ffffff", 0.45), "lighter": ("#ffffff", 0.45), "pale": ("#ffffff", 0.55), "pastel": ("#ffffff", 0.55),
    "soft": ("#ffffff", 0.3), "dark": ("#000000", 0.5), "darker": ("#000000", 0.5), "deep": ("#000000", 0.35),
    "rich": ("#000000", 0.2), "dusty": ("#9a9490", 0.45), "muted": ("#8d8d8d", 0.4), "faded": ("#c4c4c0", 0.45),
    "washed": ("#c4c4c0", 0.4), "bright": ("", 0.4), "vivid": ("", 0.5), "neon": ("", 0.9),
}  # fmt: skip
"""Tone -> (colour it is mixed with, share); an empty colour means more chroma."""

HAIR_COLOURS = {
    "black": "#15110f", "dark brown": "#2c1c14", "brown": "#4a2f20", "light brown": "#6f4c33", "chestnut": "#5a3121",
    "auburn": "#5f2c1d", "red": "#793620", "ginger": "#8f4c27", "strawberry blonde": "#c08a5a", "dark blonde": "#8d6c44",
    "blonde": "#c4a06a", "light blonde": "#d8bd8c", "platinum": "#e3d8bf", "grey": "#8d8c8a", "silver": "#b9b9b8",
    "white": "#dedcd6",
}  # fmt: skip
HAIR_COLOUR_SYNONYMS = {
    "blond": "blonde", "fair": "blonde", "golden": "blonde", "platinum blonde": "platinum", "dirty blonde": "dark blonde",
    "ash blonde": "dark blonde", "honey blonde": "dark blonde", "dark": "dark brown", "brunette": "brown", "gray": "grey",
    "copper": "ginger", "pale blonde": "light blonde", "jet black": "black", "light": "light brown", "deep brown": "dark brown",
    "chocolate": "dark brown", "espresso": "dark brown", "caramel": "light brown", "light blond": "light blonde",
    "dark blond": "dark blonde", "salt and pepper": "grey", "greying": "grey", "graying": "grey", "off black": "black",
}  # fmt: skip

EYE_COLOURS = {
    "brown": "#5a3a22", "dark brown": "#38220f", "hazel": "#7a5c2e", "green": "#5c7a4a", "blue": "#5b7fa6", "grey": "#7c8890",
    "amber": "#8d6425", "black": "#241711", "light blue": "#86a9c6", "blue grey": "#6a8094",
}  # fmt: skip
EYE_COLOUR_SYNONYMS = {"gray": "grey", "dark": "dark brown", "light": "light blue", "deep brown": "dark brown"}

SKINS = {
    "very fair": "#f0d5c4", "fair": "#e8c6ae", "light": "#ddb597", "medium": "#c99b7a", "olive": "#b98d65", "tan": "#ae7c56",
    "light brown": "#9c6c49", "brown": "#7f5235", "dark brown": "#5f3b27", "dark": "#4b2e20", "very dark": "#35211a",
}  # fmt: skip
SKIN_SYNONYMS = {
    "pale": "very fair", "porcelain": "very fair", "ivory": "very fair", "white": "fair", "beige": "light", "peach": "light",
    "tanned": "tan", "bronze": "tan", "bronzed": "tan", "golden": "medium", "honey": "medium", "caramel": "light brown",
    "black": "dark", "ebony": "very dark", "deep": "very dark", "chocolate": "dark brown", "mocha": "brown", "warm": "medium",
    "deep brown": "dark brown", "medium brown": "brown", "espresso": "very dark", "sun kissed": "tan", "mid": "medium",
}  # fmt: skip

PATTERNS = {word: pattern.name for pattern in fabrics.PATTERNS.values() for word in pattern.words} | dict.fromkeys(
    fabrics.STRIPED, "striped"
)
WEAVES = {word: weave.name for weave in fabrics.WEAVES.values() for word in (*weave.words, *weave.approximated)}

LENGTHS = {
    "cropped": "cropped", "crop": "cropped", "waist length": "cropped", "mini": "mini", "micro": "mini", "thigh length": "mini",
    "above the knee": "mini", "knee length": "knee", "knee": "knee", "below the knee": "midi", "to the knee": "knee",
    "midi": "midi", "midi length": "midi", "tea length": "midi", "calf length": "midi", "mid length": "midi",
    "mid calf": "midi", "ankle length": "ankle", "ankle": "ankle", "maxi": "ankle", "floor length": "ankle",
    "full length": "full", "regular length": "regular", "hip length": "regular", "mini length": "mini",
    "short length": "short", "longline": "long", "tunic length": "long", "long length": "long", "cropped length": "cropped",
}  # fmt: skip

SLEEVES = {
    "sleeveless": "none", "no sleeves": "none", "without sleeves": "none", "strappy": "strap", "spaghetti strap": "strap",
    "spaghetti straps": "strap", "straps": "strap", "strap": "strap", "thin straps": "strap", "wide straps": "strap",
    "cap sleeve": "cap", "cap sleeves": "cap", "capped sleeves": "cap", "cap sleeved": "cap", "short sleeve": "short",
    "short sleeves": "short", "short sleeved": "short", "half sleeves": "elbow", "half sleeve": "elbow",
    "half sleeved": "elbow", "elbow sleeves": "elbow", "elbow sleeve": "elbow", "elbow length sleeves": "elbow",
    "elbow length": "elbow", "three quarter sleeves": "elbow", "3 4 sleeves": "elbow", "three quarter sleeve": "elbow",
    "long sleeve": "long", "long sleeves": "long", "long sleeved": "long", "full sleeves": "long", "sleeves": "long",
    "sleeved": "long",
}  # fmt: skip

NECKLINES = {
    "crew": "crew", "round": "crew", "crewneck": "crew", "jewel": "crew", "v": "v", "plunging": "v", "vee": "v", "deep v": "v",
    "scoop": "scoop", "scooped": "scoop", "u": "scoop", "low": "scoop", "square": "square", "boat": "boat", "bateau": "boat",
    "sabrina": "boat", "turtle": "turtle", "polo": "turtle", "roll": "turtle", "mock": "turtle", "high": "turtle",
    "funnel": "turtle",
}  # fmt: skip
"""First words of a neckline; "neck", "necked" or "neckline" follows ("v-neck", "a square neckline")."""
NECKLINE_NOUNS = {
    "crewneck": "crew", "collar": "collar", "collared": "collar", "shirt collar": "collar", "button down collar": "collar",
    "polo collar": "collar", "a collar": "collar",
}  # fmt: skip

FITS = {
    "slim": "slim", "slim fit": "slim", "skinny": "slim", "tight": "slim", "fitted": "slim", "tailored": "slim",
    "body hugging": "slim", "bodycon": "slim", "figure hugging": "slim", "close fitting": "slim", "tapered": "slim",
    "regular fit": "regular", "regular": "regular", "classic": "regular", "straight leg": "regular", "straight cut": "regular",
    "loose": "loose", "loose fitting": "loose", "loose fit": "loose", "relaxed": "loose", "relaxed fit": "loose",
    "baggy": "loose", "wide leg": "loose", "wide": "loose", "flowing": "loose", "flowy": "loose", "roomy": "loose",
    "oversized": "oversized", "oversize": "oversized", "boxy": "oversized", "boyfriend": "oversized", "slouchy": "oversized",
    "oversized fit": "oversized",
}  # fmt: skip

GARMENTS = {
    **{name: (name, {}) for name in garments.OPEN},
    **{word: (kind.name, said) for kind in garments.KINDS.values() for word, said in kind.words.items()},
    **{
        word: (kind.name, {"style": style})
        for kind in garments.KINDS.values()
        for style in kind.styles
        for word in garments.SHOES[style].words
    },
}
"""Garment words -> (kind, what the word already says). ``top`` and ``skirt`` leave the kind to the length, sleeve and seed."""

APPROXIMATED = {
    **{word: what for kind in garments.KINDS.values() for word, what in kind.approximated.items()},
    **{word: what for shoe in garments.SHOES.values() for word, what in shoe.approximated.items()},
    **{word: weave.name for weave in fabrics.WEAVES.values() for word in weave.approximated},
}
"""Words drawn as the nearest thing there is; the outfit's notes say so."""

BUILDS = {
    "slim": "slim", "slender": "slim", "thin": "slim", "lean": "slim", "skinny": "slim", "petite": "slim", "slight": "slim",
    "willowy": "slim", "average": "average", "medium": "average", "athletic": "athletic", "muscular": "athletic",
    "fit": "athletic", "sporty": "athletic", "toned": "athletic", "strong": "athletic", "curvy": "curvy", "curvaceous": "curvy",
    "full figured": "curvy", "hourglass": "curvy", "voluptuous": "curvy", "heavy": "heavy", "plus size": "heavy",
    "plus sized": "heavy", "large": "heavy", "big": "heavy", "stout": "heavy", "overweight": "heavy", "heavyset": "heavy",
    "chubby": "heavy", "stocky": "heavy", "broad": "athletic", "broad shouldered": "athletic",
}  # fmt: skip
HEIGHTS = {"tall": 0.10, "very tall": 0.16, "short": -0.09, "very short": -0.13, "petite": -0.10, "medium height": 0.0}
"""Metres against the presentation's mean."""
AGES = {
    "young": (20, 28), "youthful": (20, 28), "middle aged": (44, 56), "mature": (45, 60), "old": (68, 80), "older": (60, 72),
    "elderly": (72, 84), "senior": (66, 80), "aged": (68, 80), "grandmother": (66, 78), "grandfather": (66, 78),
    "adult": (22, 45), "grown": (24, 40), "grown up": (24, 40), "student": (19, 25), "retired": (66, 76),
}  # fmt: skip
DECADES = {
    "twenties": 20, "thirties": 30, "forties": 40, "fifties": 50, "sixties": 60, "seventies": 70, "eighties": 80,
}  # fmt: skip
NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11,
    "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18,
    "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip

PEOPLE = {
    **dict.fromkeys(("woman", "women", "lady", "female", "gal", "businesswoman", "mother", "she", "feminine", "mum", "mom",
                     "womanly", "wife", "actress"), "woman"),
    **dict.fromkeys(("man", "men", "guy", "gentleman", "male", "bloke", "businessman", "father", "he", "masculine", "dad",
                     "chap", "manly", "husband", "actor"), "man"),
    **dict.fromkeys(("person", "people", "someone", "somebody", "model", "figure", "human", "mannequin", "individual"), ""),
    "grandmother": "woman", "grandfather": "man",
}  # fmt: skip
POSSESSIVES = {"her": "woman", "his": "man"}

HAIR_WORDS = {
    "long": "long", "long haired": "long", "wavy": "long", "flowing": "long", "waist length": "long", "straight": "long",
    "shoulder length": "bob", "chin length": "bob", "bob": "bob", "bobbed": "bob", "lob": "bob", "bob cut": "bob",
    "bun": "bun", "chignon": "bun", "updo": "bun", "topknot": "bun", "top knot": "bun", "pinned up": "bun", "tied up": "bun",
    "ponytail": "ponytail", "pony tail": "ponytail", "tied back": "ponytail", "pulled back": "ponytail", "short": "short",
    "short haired": "short", "pixie": "short", "pixie cut": "short", "cropped": "short", "crew cut": "buzz", "side parted": "short",
    "buzz": "buzz", "buzzed": "buzz", "buzz cut": "buzz", "buzzcut": "buzz", "shaved": "buzz", "very short": "buzz", "shaven": "buzz",
    "curly": "curly", "curls": "curly", "curly haired": "curly", "afro": "curly", "coily": "curly", "frizzy": "curly",
    "kinky": "curly", "bald": "bald", "bald headed": "bald", "clean shaven head": "bald",
}  # fmt: skip
HAIR_ALONE = (
    "long haired", "bob", "bob cut", "lob", "bun", "chignon", "updo", "topknot", "top knot", "ponytail", "pony tail",
    "short haired", "pixie cut", "crew cut", "buzz cut", "buzzcut", "curls", "curly", "curly haired", "afro", "bald",
    "bald headed", "wavy",
)  # fmt: skip
"""Hair words that need no "hair" beside them."""

TUCKS = {"tucked": True, "tucked in": True, "untucked": False, "not tucked": False, "worn loose": False, "hanging out": False}
"""Whether the top ends inside the waistband of what is worn below."""

POSES = {
    "standing": "standing", "stands": "standing", "standing straight": "standing", "upright": "standing", "front view": "standing",
    "arms at sides": "standing", "arms down": "standing", "relaxed": "relaxed", "casual pose": "relaxed", "at ease": "relaxed",
    "relaxed pose": "relaxed", "standing relaxed": "relaxed", "hand on hip": "hand on hip", "hands on hips": "hand on hip",
    "hand on the hip": "hand on hip", "akimbo": "hand on hip", "hand on her hip": "hand on hip", "hand on his hip": "hand on hip",
    "one hand on her hip": "hand on hip", "one hand on his hip": "hand on hip", "one hand on the hip": "hand on hip",
    "walking": "walking", "walks": "walking", "striding": "walking", "strolling": "walking", "runway": "walking",
    "catwalk": "walking", "contrapposto": "contrapposto", "weight on one leg": "contrapposto", "leaning": "contrapposto",
}  # fmt: skip
FRAMINGS = {
    "upper body": "upper", "half length": "upper", "half body": "upper", "waist up": "upper", "bust": "upper",
    "portrait": "upper", "close up": "upper", "torso shot": "upper", "head and shoulders": "upper", "upper half": "upper",
    "full body": "full", "full length": "full", "full figure": "full", "head to toe": "full", "whole body": "full",
    "full length picture": "full", "full length photo": "full", "upper body picture": "upper", "from head to toe": "full",
}  # fmt: skip
BACKDROPS = ("background", "backdrop", "wall", "studio background", "studio backdrop", "studio wall", "seamless")

FILLERS = (
    "the", "wears", "wear", "dressed", "wearing", "standing in", "picture", "photo", "photograph", "image", "shot",
    "fashion", "who", "is", "are", "that", "which", "has", "having", "pair", "pairs", "some", "colour", "color",
    "coloured", "colored", "colours", "colors", "fabric", "cloth", "material", "made", "from", "out", "plus", "outfit", "clothes",
    "clothing", "look", "style", "studio", "styled", "tall", "height", "build", "body", "built", "years", "year", "old", "age",
    "pose", "posing", "posed", "camera", "facing", "very", "only", "just", "casual", "hairstyle", "haircut", "cut", "fit",
    "length", "sleeve", "pattern", "patterned", "over", "one", "single", "set", "ensemble", "combined", "paired",
    "together", "also", "please", "draw", "generate", "make", "show", "me", "create", "there", "garment", "garments", "neck",
    "neckline", "necked", "tone", "toned", "skinned", "it", "it's", "its", "size", "sized", "early", "mid", "late", "at", "by",
    "for", "to", "as", "both", "quite", "rather", "summer", "winter", "spring", "autumn", "fall", "front", "medium", "nice",
    "beautiful", "elegant", "stylish", "smart", "simple", "chic", "modern", "trendy", "fashionable", "pretty", "handsome",
    "worn", "left", "loose", "her", "his", "their", "my", "she", "he", "they", "metres", "meters", "m", "cm",
    "wash", "mm", "every", "repeat", "bare", "something", "anything", "years of age", "arms", "with arms", "face", "eye", "print of",
)  # fmt: skip
"""Words of the grammar that carry no choice of their own."""
