"""What is refused in words, by small grammars: minors and ages, the undressed and what is seen through, wherever words reach an engine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import cache

from helpers.propriety import words as w
from helpers.propriety.fold import plain, readings, spaced, unmarked

MOST_CHARACTERS = 2000
"""The longest text that is judged."""
_REMEDY = {
    "minor": "only adults are drawn. Write for example 'a young woman' or 'a 25-year-old man'.",
    "undress": "figures are always dressed, in clothes one does not see through. Name garments, for example 'a crop top and mini "
    "skirt'; for the colour nude name what has it, as in 'nude heels'.",
}
_ADULT = 18


class PromptRefused(ValueError):
    """The words ask for something that is not drawn: only adults, always dressed."""


def judge(text: str, name: str = "") -> None:
    """Raise ``PromptRefused``, saying which words and what to write instead, where ``text`` asks for a minor or the undressed.

    name: the parameter that the message begins with, where it is not the prompt itself
    It is read as whoever meets it would: without accents, look-alikes and signs for letters, in English, German, French, Spanish,
    Italian, Portuguese, and where they speak of this in a dozen other languages. What is denied counts too ("not nude"): networks
    draw what is named. Raises ``ValueError`` for more than ``MOST_CHARACTERS``.
    """
    lead = f"{name}: " if name else ""
    require_length(text, name)
    for found, kind in _faults(plain(text)):
        said = found if found in spaced(plain(text)) or found in text.casefold() else f"{found}' (as the text reads) '"
        raise PromptRefused(f"{lead}'{said.removesuffix(chr(39)).rstrip() if said.endswith(chr(39)) else said}': {_REMEDY[kind]}")


def judge_negative(text: str, name: str = "negative_prompt") -> None:
    """Raise ``PromptRefused`` where ``text``, which says what is kept out, would take clothes or years away; else as :func:`judge`."""
    require_length(text, name)
    low = plain(text)
    for reading in readings(unmarked(low)):
        tokens = reading.split(" ")
        found = next(_phrases(tokens, {word: "protected" for word in _table(w.PROTECTED)}), None)
        found = found or next(((word, "") for word in w.PROTECTED_ANYWHERE if word in low), None)
        if found:
            raise PromptRefused(f"{name}: '{found[0]}': figures are always adult and dressed. Take it out.")


def require_length(text: str, name: str = "") -> None:
    """Raise ``ValueError`` where ``text`` is longer than anybody's wishes for a picture."""
    if len(text) > MOST_CHARACTERS:
        raise ValueError(
            f"{name or 'the prompt'} has {len(text):,} characters; at most {MOST_CHARACTERS:,} are read. Keep who it is and what is worn."
        )


def _faults(text: str) -> Iterator[tuple[str, str]]:
    """What is refused in ``text``, as found, and its kind."""
    marked, bare = text, unmarked(text)
    for table, kind in ((w.MINORS_ANYWHERE, "minor"), (w.UNDRESSED_ANYWHERE, "undress")):
        yield from ((word, kind) for word in table if not word.isascii() and (word in text or unmarked(word) in bare))
    yield from ((found[0], kind) for pattern, kind in _anywhere() for found in pattern.finditer(text))
    yield from _phrases(spaced(marked).split(" "), _meaning_by_marks())
    for reading in readings(bare):
        tokens = reading.split(" ")
        yield from _phrases(tokens, _meanings())
        for grammar, kind in _GRAMMARS:
            yield from ((found, kind) for found in grammar(tokens, reading))


# ------------------------------------------------------------------------------------------------------------- phrases


def _table(words: frozenset[str]) -> frozenset[str]:
    """The entries that mean the same without their accents, without them."""
    return frozenset(spaced(unmarked(plain(word))) for word in words if not word.startswith("="))


@cache
def _meanings() -> dict[str, str]:
    """Phrase -> its kind; empty for one that holds such words and is harmless. The longest phrase counts."""
    table = dict.fromkeys(_table(w.MINORS), "minor") | dict.fromkeys(_table(w.UNDRESSED), "undress")
    table |= dict.fromkeys(_table(w.NOT_MINORS) | _table(w.NOT_UNDRESSED), "")
    return {phrase: kind for phrase, kind in table.items() if phrase}


@cache
def _meaning_by_marks() -> dict[str, str]:
    return {word[1:]: "minor" for word in w.MINORS if word.startswith("=")} | dict.fromkeys(map(spaced, w.NOT_MINORS), "")


@cache
def _longest() -> int:
    return max(phrase.count(" ") + 1 for phrase in _meanings())


def _phrases(tokens: Sequence[str], table: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The phrases of ``table`` in ``tokens`` that have a kind, the longest at each place; single words in the plural too."""
    i = 0
    while i < len(tokens):
        for length in range(min(_longest(), len(tokens) - i), 0, -1):
            phrase = " ".join(tokens[i : i + length])
            one = phrase[:-1] if length == 1 and len(phrase) > 3 and phrase.endswith("s") else phrase
            kind = table.get(phrase, table.get(one))
            if kind is not None:
                if kind:
                    yield phrase, kind
                break
        i += length


# ---------------------------------------------------------------------------------------------------------------- ages

_NUMBERS = {
    number: value
    for names in (
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen",
        "ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn",
        "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept",
        "uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete",
        "un due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici diciassette",
        "um dois três quatro cinco seis sete oito nove dez onze doze treze quatorze quinze dezesseis dezessete",
        "один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать тринадцать четырнадцать пятнадцать "
        "шестнадцать семнадцать",
        "i ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii",
    )
    for value, number in enumerate(unmarked(names).split(), 1)
}
_ENGLISH = unmarked("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen").split()
_TEN = r"(?:thirty|twenty|forty|fifty|sixty|seventy|eighty|ninety|hundred|und|\d|et|y|e|-) "
_WORD = "(?:" + "|".join(sorted((n.replace("-", " ") for n in _NUMBERS), key=len, reverse=True)) + ")"
_SMALL = rf"(?<!\d )(?<!and )(?<!thirty )(?<!twenty )(?<!forty )(?<!fifty )(?<!sixty )(?<!seventy )(?<!eighty )(?<!ninety )" \
         rf"(?:1[0-7]|0?[1-9]|{_WORD})(?:\.\d+| 1 ?/ ?2| and a half)?"  # fmt: skip
_DIGITS = rf"(?<!\d )(?:1[0-7]|0?[1-9]|(?:{'|'.join(sorted(_ENGLISH, key=len, reverse=True))})|dix sept)(?:\.\d+)?" \
          .replace("(?<!\\d )", r"(?<!\d )(?<!thirty )(?<!twenty )(?<!forty )(?<!fifty )(?<!sixty )(?<!seventy )(?<!eighty )(?<!ninety )")  # fmt: skip
_PEOPLE = "(?:" + "|".join(sorted(_table(w.OF_AGE_PERSON), key=len, reverse=True)) + ")"
_ANYBODY = f"(?:{_PEOPLE}|model|person|figure|somebody|someone|she|he|modelo|modell|modele|modella|persona|personne|pessoa)"
_AFTER = r"(?= (?:,|in|wearing|with|and|who|years?|yrs?|wears|dressed|posing|standing|mit|en|con|com|avec|im|vestida|summers|springs|winters|tall" \
         r"|old|today|now|anos|ans|anni|jahre)(?: |$)|$)"  # fmt: skip
_SPAN = r"(?:(?:years?|yrs?|yr|y|yo|yos|anos|ans|annees|anni|jahre|jahren|jahrige?[nrs]?|лет|год|года|летнии|летняя|летнюю|jaar|ar|let|lat|yas)" \
        r"|(?:months?|weeks?|days?) old)"  # fmt: skip
_NO_AGE = r"(?! (?:warranty|guarantee|ago|later|of (?:experience|style|fashion|design|wear|use|history|work)|experience|in|anniversary" \
          r"|collection|plan|edition))"  # fmt: skip
_JOINED = "(?:" + "|".join({n.rstrip("aeiyь") for n in _NUMBERS if len(n) > 3}) + r")(?:jahrig\w*|[иь]?летн\w+|i?enn[ei]|eanera|eanero)"


@cache
def _ages() -> tuple[re.Pattern[str], ...]:
    return tuple(
        re.compile(pattern)
        for pattern in (
            rf"\b{_SMALL} {_SPAN}(?: old| of age| young| alt)?\b{_NO_AGE}",
            rf"\b(?:aged?|ages|alter|age of|age is|im alter von|idade|eta|edad|agee?|with age|turning|turned|of age) (?:, |of |von |de |di |is |about |only |just |around )?"
            rf"{_SMALL}\b(?! (?:cm|mm|inch|inches|percent|and over))",
            rf"\b(?:she|he|who|they|i|woman|man|girl|model|person|lady|elle|ella|el|sie|er|lei|lui|ela|ele) (?:is|s|was|are|am|turns|turned|just turned|looks|looks like|looking"
            rf"|seems|tiene|a|ist|ha|tem|acts) (?:only |just |about |around |almost |nearly |like |barely |still |all of |erst |nur |solo |apenas )?"
            rf"{_DIGITS}{_AFTER}",
            rf"\b{_PEOPLE} {_DIGITS}{_AFTER}",
            rf"\b{_ANYBODY} , {_DIGITS}(?= ,|$)",
            rf"^(?:a )?{_DIGITS}$",
            rf"^{_DIGITS} , .*{_ANYBODY}\b",
            rf"\b{_ANYBODY}\b (?:[a-z]+ ){{0,6}}(?:[a-z]+ , )(?<!size , )(?<!no , )(?<!nr , )(?<!number , )(?<!\d , ){_DIGITS}(?: ,|$)",
            rf"\b{_PEOPLE} of (?:only |just |about |barely )?{_DIGITS}{_AFTER}",
            rf"\ba {_DIGITS} (?:blonde |brunette |dark |fair )?{_PEOPLE}(?<!young)\b",
            rf"\b{_SMALL} (?:ish|something)\b",
            rf"\b(?:late|mid|early|her|his|their|pre) (?:late |mid |early )?teens?\b",
            rf"\b(?:under|below|younger than|less than|not yet|not even|barely|almost|nearly|not quite|pre|<) (?:the age of )?(?:18|eighteen|{_DIGITS})"
            rf"(?= (?:,|in|wearing|with|years?|yrs?|yo|old)(?: |$)|$)",
            r"\b(?:u|under|minus) 1[0-8]s?(?= (?:,|in|woman|man|model|years?)(?: |$)|$)",
            r"\b(?:\d{1,2} (?:st|nd|rd|th)|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth) graders?\b",
            r"\b(?:\d{1,2} th|seventh|eighth|ninth|tenth|sixth|fifth) grade\b",
            r"\b(?:grade|year) \d{1,2} (?:student|pupil|kid|girl|boy)s?\b",
            rf"\b{_JOINED}\b",
        )
    )


@cache
def _anywhere() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Grammars of languages that are written without spaces."""
    digit = "一二三四五六七八九"
    return (
        (re.compile(rf"(?<![\d.十{digit}])(?:1[0-7]|[1-9]|十[{digit[:7]}]?|[{digit}])\s*(?:岁|歲|歳|才|살|세)"), "minor"),
        (re.compile(r"裸(?!色|妆|妝|粉|靴|足|肩|背|系|感|眼|脚|高跟|鞋|衬衫|風|风)"), "undress"),
        (re.compile(r"ヌード(?!カラー|色|ベージュ|系|ピンク|リップ|パンプス|トーン|ネイル|ヒール)"), "undress"),
        (re.compile(r"(?:没|沒|不|未)(?:有)?穿(?:着)?(?:任何)?(?:衣|上衣|裤|裙)"), "undress"),
        (re.compile(r"\b(?:\w+nackt\w*|nackt(?!(?:e[mnrs]?)?\b|schneck|muster|ansatz)\w+)"), "undress"),
    )


def _young(tokens: Sequence[str], text: str) -> Iterator[str]:
    yield from (found[0].strip(" ,") for pattern in _ages() for found in pattern.finditer(text))
    for year in re.finditer(r"\b(?:born|birth|nee?|geboren|nacida|nacido|nata|nato|nascida|nascido|b ,|dob|birthday|birthdate|jahrgang|class)"
                            r" (?:in |on |year |of |en |em |nel |im |, |\w+ ){0,3}(20\d\d)\b(?! (?:style|fashion))", text):  # fmt: skip
        if date.today().year - int(year[1]) <= _ADULT:  # who turns eighteen this year may not be yet
            yield year[0]


# ------------------------------------------------------------------------------------------------------------- undress

_WORN = _table(w.WHOLE | w.UPPER | w.LOWER | w.OUTER)
_COVER = _table(w.WHOLE | w.UPPER | w.LOWER | w.UNDER | w.CLOTHES) - _table(w._list("denim, knit, flannel, mini, midi, maxi, cords, breton, suit, costume"
    ", uniform, ensemble, hoodie, sweater, jumper, pullover, smoking, overall, short, polo, half, vestes, robe, tank, mono, fato")) | {"robe"}  # fmt: skip
_THING = _table(w.WHOLE | w.UPPER | w.LOWER | w.UNDER | w.OUTER | w.PART | w.ACCESSORY | w.STUFF)
_PARTLY = _table(w.PART | w.ACCESSORY) | _table(w._list("raincoat over, umbrella, fabric overlay, cape, poncho, plastic, vinyl, tape, cardigan"))
_PEOPLE_SET, _COLOUR_SET = _table(w.PERSON), _table(w.COLOURS)
_SEE = ("sheer", "transparent", "translucent", "seethrough", "durchsichtig", "durchsichtige", "durchsichtiges", "durchsichtigen",
        "durchsichtiger", "transparente", "transparentes", "trasparente", "trasparenti", "transparents", "прозрачная", "прозрачное",
        "прозрачном", "прозрачнои", "прозрачныи", "transparenter", "transparenten", "transparentem")  # fmt: skip
_STOP = frozenset("in on with at by posing standing lying sitting wearing from under for as who of like , walking reclining bathing en con "
                  "avec mit com sur im am auf et und".split())  # fmt: skip


def _is(token: str, words: frozenset[str]) -> bool:
    return token in words or (token.endswith("s") and token[:-1] in words) or token.removesuffix("es") in words


def _is_thing(token: str) -> bool:
    return _is(token, _THING) or token.endswith(("dress", "shirt", "coat", "suit", "skirt", "sleeved", "coloured", "colored", "jacket",
                                                 "farben", "farbene", "farbenen", "farbenes", "farbener", "toned", "heeled", "wear",
                                                 "kleid", "schuhe", "rock", "bluse"))  # fmt: skip


def _nude(tokens: Sequence[str], text: str) -> Iterator[str]:
    """ "nude" and "naked" that are no colour of a thing named beside them."""
    for i, token in enumerate(tokens):
        if token in ("naked", "stark") and token == "naked":
            if not _harmless_naked(tokens, i):
                yield " ".join(tokens[max(0, i - 1) : i + 2]) if i and tokens[i - 1] in ("stark", "half", "buck", "butt") else token
        elif token in ("nude", "nudefarben", "nud") and not _colour(tokens, i):
            before = tokens[i - 1] if i else ""
            yield f"{before} nude" if before in ("the", "a", "in") else token


def _harmless_naked(tokens: Sequence[str], i: int) -> bool:
    after = " ".join(tokens[i : i + 3])
    if after.startswith(("naked and famous", "naked famous", "naked eye", "naked palette")):
        return True
    follows = tokens[i + 1 : i + 2]
    return bool(follows) and (_is(follows[0], _table(w.FINE_BODY)) or follows[0] in ("sandal", "sandals", "heels", "shoe", "shoes", "sandalen"))


def _colour(tokens: Sequence[str], i: int) -> bool:
    """Whether "nude" at ``i`` is a colour: of a thing that follows it, or that it follows."""
    steps = 0
    for j in range(i + 1, min(i + 7, len(tokens))):
        token = tokens[j]
        if token == "," and j + 1 < len(tokens) and tokens[j + 1] in _COLOUR_SET:
            continue
        if token in _STOP:
            break
        if token in _PEOPLE_SET and not (token in ("body", "skinned") and tokens[j + 1 : j + 2] in (["suit"], ["stocking"])):
            return False
        if _is_thing(token):
            return not (tokens[j + 1 : j + 2] and tokens[j + 1] in ("wearing", "less"))
        if token in ("and", "or", "y", "e", "und", "et", "ou", "o") or token in _COLOUR_SET:
            continue
        steps += 1
        if steps > 3:
            break
    if i and tokens[i - 1] in ("the", "a", "posing", "pose", "all", "fully", "completely", "totally", "partially", "half", "semi", "is", "poses"):
        return False
    back = [token for token in tokens[max(0, i - 5) : i]]
    while back and back[-1] in ("in", "and", "or", "y", "e", "en", "de", "color", "colour", "shade", "of", "soft", "pale", "light", "dark",
                                "tono", "ton", "cor", "couleur", "coloris", "in", "colore", "tom", "warm", "cool", "rosy", "dusty",
                                "farbe", "colored", "coloured") or (back and back[-1] in _COLOUR_SET):  # fmt: skip
        if back[-1] in ("colour", "color", "shade", "cor", "couleur", "colore", "tono", "coloris", "farbe", "tom", "coloured", "colored"):
            return True
        if back[-1] in _COLOUR_SET and tokens[i - 1] in ("and", "or", "y", "e", "et", "und"):
            return True
        back.pop()
    return bool(back) and (_is_thing(back[-1]) or _is(back[-1], _table(w.FINE_BODY))) and back[-1] not in _PEOPLE_SET


def _seen_through(tokens: Sequence[str], text: str) -> Iterator[str]:
    """Cloth that shows what is under it, unless a part of a garment, an accessory, or worn over something else."""
    for i, token in enumerate(tokens):
        after = i + 1
        if token == "see" and tokens[after : after + 1] in (["through"], ["thru"]):
            token, after = "see-through", i + 2
        elif token not in _SEE:
            continue
        rest = list(tokens[after : after + 9])
        noun = next((n for n in rest[:4] if _is_thing(n) or n in _PEOPLE_SET), "")
        end = rest.index(noun) + 1 if noun else 0
        parts = _is(noun, _PARTLY) or noun.endswith("sleeved") or any(_is(n, _table(w.PART)) for n in rest[:3])
        lined = any(word in rest[end : end + 4] for word in ("over", "lined", "layered", "atop", "sur", "uber", "sobre", "sopra"))
        worn_under = re.search(r"\b(?:over|with|and) (?:\w+ ){0,4}(?:slip|camisole|cami|tank|top|tee|dress|lining|shirt|turtleneck|bodysuit|jumpsuit)"
                               r"(?: \w+)? (?:under|underneath|beneath|below|inside)", text)  # fmt: skip
        nearest_before = i and any(word in tokens[max(0, i - 3) : i] for word in ("non", "not", "opaque"))
        if not ((noun and (parts or (lined and noun not in _PEOPLE_SET))) or worn_under or (nearest_before and not noun)):
            yield " ".join([token, *rest[:end]]) if noun else token


_GAP = r"(?:[^\W\d]\w* ){0,4}?"


@cache
def _taken_off() -> re.Pattern[str]:
    intimate = r"(?:breasts?|bosom|bust|boobs?|tits?|nipples?|bottom|bum|butt|buttocks|ass|genitals|crotch|privates?|naked|nude|bare body|bare skin" \
               r"|groin|body|everything|it all|herself|himself|underwear|bra|panties|senos|seins|bruste|seno|seios)"  # fmt: skip
    cover = "(?:" + "|".join(sorted(_COVER | {"everything", "it all", "all", "it"} - {"wear", "dressing", "habits"}, key=len, reverse=True)) + ")s?"
    own = r"(?:all |of |her |his |their |the |my |own |every |a |some |summer |last |white |red |black )*"
    return re.compile(
        rf"\b(?:(?:tak|slipp|peel|pull|stripp|ripp|tear|toss|throw|kick|shrugg)ing (?:off {own}{cover}|{own}{cover} off)"
        rf"|(?:takes|took|take|pulls|slips|peels) (?:off {own}{cover}|{own}{cover} off)"
        rf"|(?:slipp|stepp|gett|climb|wriggl)ing out of {own}{cover}"
        rf"|(?:remov|shedd|dropp|unbutton|unzipp|los|discard|doff|lift|rais|open|undo)ing {own}{cover}(?! ?(?:button|pocket|hem|line|collar))"
        rf"|(?:removed|removes|shed|sheds|dropped|drops|lost|discarded|doffed|doffs) {own}{cover}"
        rf"|with {own}{cover} (?:off|removed|gone|open|undone|down|pulled (?:up|down)|unbuttoned)(?! (?:the )?(?:shoulders?|white|black|at|over))"
        rf"|(?:show|expos|bar|flash|reveal|display|flaunt)(?:s|ing|es)? (?:off )?(?:all |her |his |their |the |of |it |bare |naked |some |full )*{intimate}"
        rf"(?! (?:shape|type|line|con|print|chain|suit|jewellery|jewelry|paint|pocket|hem|length|stitch))"
        rf"|unbuttoned to (?:show|reveal|expose|the (?:navel|waist|bottom))|open to (?:show|reveal|expose) (?:her|his) (?:breasts?|chest|body|bosom))\b"
    )


@cache
def _unbuttoned() -> re.Pattern[str]:
    outer = "(?:" + "|".join(sorted(_table(w.OUTER), key=len, reverse=True)) + ")s?"
    return re.compile(
        rf"\bunbuttoned (?!(?:\w+ ){{0,2}}{outer}|collar|cuffs?|(?:\w+ ){{0,5}}over |at the (?:neck|collar|top|cuffs?))|\bunbuttoned$"
        r"|\buncovered (?!hair|head|arms?|shoulders?|face|ankles?|legs?|buttons?|knees?)|\buncovered$"
        r"|\bnothing but (?!(?:the )?(?:best|class|style|black|white|elegant))"
        r"|\bbarely there (?!heels?|sandals?|shoes?|make ?up|makeup|straps?|stilettos?|jewell?e?ry)|\bbarely there$"
        r"|\bexposed (?=body|chest|crotch|butt|behind|backside|front$|$|skin$|,)|\b(?:woman|man|lady) exposed\b(?! (?:zip|seam|to))"
    )


@cache
def _denied() -> re.Pattern[str]:
    """Clothes denied: a word that denies, and what covers within a few words after it."""
    denial = (
        r"(?:no|without|sans|sin|ohne|senza|sem|minus|zero|lacking|lacks|devoid of|free of|free from|bereft of|absence of|lack of|"
        r"without wearing|not wearing|not wear|isn t wearing|isnt wearing|aren t wearing|doesn t wear|does not wear|never wears|not have|"
        r"not in|wearing no|wears no|w o|без|zonder|bez|utan|uden|uten|fara|χωρις|nie ma|not got|neither|nor|refusing|forgot|forgotten|"
        r"no lleva|no viste|no usa|ne porte (?:pas|aucun|aucune|ni)|porte (?:aucun|aucune)|tragt kein|tragt keine|tragt keinen|keine?n?|"
        r"non indossa|nao veste|nao usa|aucun|aucune|ningun|ninguna|nessun|nessuna|nenhum|nenhuma|out of)"
    )
    cover = "(?:" + "|".join(sorted(_COVER, key=len, reverse=True)) + ")"
    between = (
        r"(?:(?:any|a|an|her|his|their|the|of|wearing|other|single|some|proper|visible|actual|kind|type|sort|on|real|piece|item|article|stitch|"
        r"pieces|items|one|una?|de|ses|sa|son|le|la|les|du|des|su|sus|ihre?n?|seine?n?|i|il|suo|suoi|sua|suas|seu|seus|as|os|ni|d|aucune?|"
        r"red|white|black|blue|green|silk|cotton|linen|crop|tank|mini|pas|short|long|tight|alguna?|qualsiasi|jegliche|irgendwelche|nada) ){0,4}"
    )
    part = "|".join(sorted(_table(w.PART), key=len, reverse=True))
    return re.compile(rf"\b{denial} {between}{cover}(?:s|es)?\b(?! (?:{part}|worn before|over it|up|shoes?|left behind|code|to)\b)(?! (?:coat|hat|heavy))")


_VERB = (
    r"(?:wearing|wears|wore|clad in|clad|clothed in|clothed|dressed in|dressed|covered|covered by|covered in|covered with|draped in|draped|wrapped in|"
    r"adorned in|adorned with|in|has on|sporting|donning|llevando|lleva|lleva puesto|viste|vistiendo|vestida|vestido|cubierta|porte|portant|"
    r"vetue?|habillee?|tragt|tragend|bekleidet|gekleidet|bedeckt|indossa|indossando|vestita|vestito|coperta|veste|vestindo|usa|usando|trajando|"
    r"woman with|man with|lady with|model with|frau mit|mann mit|femme avec|mujer con|donna con|mulher com)"
)
_ONLY = (
    r"(?:only|just|nothing but|nothing except|nothing other than|nothing save|nothing more than|no more than|not much more than|little more than|"
    r"merely|solely|simply|exclusively|naught but|only by|only in|only with|by nothing but|in nothing but|with nothing but|nothing apart from|"
    r"solo|solamente|unicamente|nada mas que|nada salvo|nada excepto|nada|solo con|solo de|seulement|uniquement|juste|que|rien que|rien d autre que|"
    r"seulement d|nur|nur mit|nur in|bloss|lediglich|nichts als|nichts ausser|ausschliesslich|soltanto|nient altro che|niente|nulla|solo da|solo di|"
    r"apenas|somente|so|nada alem de|apenas com|apenas um|nichts|rien|mit nichts als)"
)


@cache
def _only() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{_VERB}(?: mit| in| con| de| by| with| d| da| di| com)?) {_ONLY}(?: |$)(?P<what>[^,]*)")


@cache
def _alone() -> re.Pattern[str]:
    things = "(?:" + "|".join(sorted(_table(w.ACCESSORY), key=len, reverse=True)) + ")s?"
    return re.compile(
        rf"\b{things} (?:only|alone|and nothing (?:else|more)|and that s (?:it|all)|and no more|nothing else)(?= (?:,|and|standing|posing)|$)"
        rf"|(?:^|, )(?:with )?(?:only|just|solely) {_GAP}{things}(?= ,|$)"
        rf"|\b(?:wearing|wears|dressed in|clad in|clothed in) (?:\w+ ){{0,2}}(?:smile|grin|sunlight|moonlight|foam|bubbles|paint|mud|tattoos|ink|"
        rf"sonrisa|sourire|lacheln|sorriso|towel|bedsheet|sheet|whipped cream|air|perfume|chanel no ?, 5|shadows|her hair|his hair|her own hair|"
        rf"goosebumps|confidence)(?= (?:,|and nothing|only|alone)|$)"
        rf"|\b(?:woman|man|lady|model|she|he|frau|mann|femme|mujer|donna|mulher) in (?:only |just )?(?:a |an |her |his )?(?:smile|towel|bedsheet|sheet|apron)(?= ,|$| only| alone)"
    )


_ABSTRACT = frozenset("black white red blue green pink grey gray beige navy cream brown denim linen cotton silk wool leather sustainable organic natural "
                      "recycled neutral neutrals colours colors colour color fabrics fabric shades tones two one three best finest schwarz weiss rot blau grun "
                      "negro blanco rojo azul noir blanc rouge bleu nero bianco rosso blu preto branco vermelho once brand brands materials "
                      "vintage designer pastels pastel monochrome style knitwear everything".split())  # fmt: skip


def _is_dressed(clause: str) -> bool:
    """Whether ``clause`` names clothes that are enough by themselves, or no thing but its colour or cloth."""
    tokens = clause.split(" ")
    has = [any(_is(token, words) or token.endswith("dress") for token in tokens) for words in (_table(w.WHOLE),)]
    upper = any(_is(token, _table(w.UPPER | w.OUTER)) or token.endswith(("shirt", "coat")) for token in tokens)
    lower = any(_is(token, _table(w.LOWER)) or token.endswith("skirt") for token in tokens)
    bare = [token for token in tokens if token not in ("the", "a", "an", "and", "in", "of", "simple", "plain", "her", "his")]
    return has[0] or (upper and lower) or (bool(bare) and bare[0] in _ABSTRACT)


def _bare(tokens: Sequence[str], text: str) -> Iterator[str]:
    """Undress by what is denied, taken off, or the only thing worn."""
    for pattern in (_taken_off(), _unbuttoned(), _denied()):
        yield from (found[0].strip(" ,") for found in pattern.finditer(text))
    for found in _only().finditer(text):
        if not _is_dressed(found["what"]):
            if re.match(r"\bin (?:just|only|so|que|nada)\b", found[0]) and not _is_worn_thing(found["what"]):
                continue
            yield " ".join(found[0].split(" ")[:8]).strip(" ,")
    dressed = any(_is(token, _WORN) or token.endswith(("dress", "shirt", "skirt", "coat", "suit")) for token in tokens)
    if not dressed:
        yield from (found[0].strip(" ,") for found in _alone().finditer(text))


def _is_worn_thing(clause: str) -> bool:
    """Whether the first words of ``clause`` name something that is worn or held."""
    return any(_is(token, _WORN) or _is(token, _table(w.ACCESSORY)) for token in clause.split(" ")[:5])


_GRAMMARS: tuple[tuple[Callable[[Sequence[str], str], Iterator[str]], str], ...] = (
    (_young, "minor"), (_nude, "undress"), (_seen_through, "undress"), (_bare, "undress"),
)  # fmt: skip
