"""Ages below eighteen, in digits and words: said with a unit, of somebody, beside somebody, by a school or a year of birth.

A number is an age only where its neighbours make it one; sizes, decades, lengths and counts are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cache

from helpers.propriety import words as w
from helpers.propriety.fold import unmarked

_ADULT = 18
_NUMBERS = tuple(
    tuple(unmarked(names).split())
    for names in (
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen",
        "ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn",
        "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize",
        "uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete",
        "un due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici diciassette",
        "um dois três quatro cinco seis sete oito nove dez onze doze treze quatorze quinze dezesseis dezessete",
        "один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать тринадцать четырнадцать пятнадцать "
        "шестнадцать семнадцать",
        "i ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii",
    )
)
"""One to seventeen: English, German, French, Spanish, Italian, Portuguese, Russian, Roman."""
_WORDS = frozenset(name for names in _NUMBERS for name in names) | {"dix sept", "catorze", "dezasseis", "dezassete"}
_STEMS = frozenset(
    name.rstrip("aeiyь") for names in _NUMBERS[:-1] for name in names if len(name) > 3
)  # sedic-enne, fünfzehn-jährig
_TENS = unmarked(
    "twenty,thirty,forty,fifty,sixty,seventy,eighty,ninety,hundred,hundred and,vingt,vingt et,trente,trente et,quarante,quarante et,"
    "cinquante,cinquante et,soixante,soixante et,treinta y,cuarenta y,cincuenta y,sesenta y,setenta y,ochenta y,veinte y,vinte e,"
    "trinta e,quarenta e,cinquenta e,sessenta e,setenta e,oitenta e,двадцать,тридцать,сорок,пятьдесят,шестьдесят,семьдесят"
).split(",")
_NO_MORE = rf"{''.join(f'(?<!{ten} )' for ten in _TENS)}"  # not the end of a larger number
_PART = r"(?:\.\d+| 1/2| and a half)?"
_ANY = rf"{_NO_MORE}(?:1[0-7]|0?[1-9]|{w.any_of(_WORDS)}){_PART}"
"""A number below eighteen, in any of the languages: where a unit or a verb beside it says that it is an age."""
_PLAIN = rf"{_NO_MORE}(?:1[0-7]|0?[1-9]|{w.any_of(frozenset(_NUMBERS[0]))}){_PART}"
"""The same in digits and English alone, whose words mean nothing else."""
_SOMEBODY = w.any_of(w.unmarked(w.OF_AGE_PERSON))
_ANYBODY = w.any_of(w.unmarked(w.OF_AGE_PERSON) | w.unmarked(w.NUMBERED_PERSON))
_YEARS = rf"(?:{w.any_of(w.unmarked(w.YEARS))}|(?:months?|weeks?|days?) old)"
_NO_AGE = rf"(?! {w.any_of(w.NO_AGE)}\b)"
_GOES_ON = rf"(?= (?:,|{w.any_of(w.unmarked(w.GOES_ON))})(?: |$)|$)"
_ABOUT = r"(?:(?:only|just|about|around|almost|nearly|barely|still|like|all of|erst|nur|solo|apenas) )?"
_BORN = rf"{w.any_of(w.unmarked(w.BORN))} (?:(?:,|in|on|year|of|en|em|nel|im|\w+) ){{0,3}}(20\d\d)\b(?! (?:style|fashion))"


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    patterns = (
        rf"{_ANY} {_YEARS}(?: old| of age| young| alt)?\b{_NO_AGE}",  # 15 years
        rf"{w.any_of(w.unmarked(w.AGED))} (?:(?:,|of|von|de|di|is|about|only|just|around) )?{_ANY}\b(?! (?:cm|mm|inch|inches)\b)",
        rf"{w.any_of(w.unmarked(w.SUBJECTS))} {w.any_of(w.unmarked(w.IS))} {_ABOUT}{_PLAIN}{_GOES_ON}",  # she is 15
        rf"(?:looks?|looking) (?:like )?{_ABOUT}{_PLAIN}{_GOES_ON}",
        rf"(?:(?:1[0-7]|[1-9]) (?:st|nd|rd|th)|{w.any_of(w.YOUNG_ORDINALS)}) birthday\b",
        rf"(?<!, )(?:f|m|female|male) /? ?{_PLAIN}(?= ,|$)",
        rf"{_SOMEBODY} {_PLAIN}{_GOES_ON}",  # a woman 15 in a dress
        rf"{_ANYBODY} , {_PLAIN}(?= ,|$)",  # a model, 15
        rf"{_ANYBODY} (?:[a-z]+ ){{0,6}}[a-z]+ , (?<!size , )(?<!no , )(?<!nr , )(?<!number , ){_PLAIN}(?= ,|$)",  # a woman in a dress, 15
        rf"{_SOMEBODY} (?:of {_ABOUT}{_PLAIN}|(?:de|di|von) {_ABOUT}{_ANY}){_GOES_ON}",  # a woman of 15, una mujer de quince
        rf"{_PLAIN} going on\b",
        rf"a {_PLAIN} (?:(?:blonde|brunette|dark|fair) )?{_SOMEBODY}(?<!young)\b",  # a 15 woman
        rf"{_ANY} (?:ish|something)\b",
        r"(?:late|mid|early|her|his|their|pre) (?:late |mid |early )?teens?\b",
        rf"(?:{w.any_of(w.BELOW)}|<) (?:the age of )?(?:18|eighteen|{_PLAIN}){_GOES_ON}",
        r"(?:u|minus) 1[0-8]s?(?= (?:,|in|woman|man|model|years?)(?: |$)|$)",
        rf"(?:\d{{1,2}} (?:st|nd|rd|th)|{w.any_of(w.ORDINALS)}) grade(?:r|rs|s)?\b",
        r"(?:grade|year) \d{1,2} (?:student|pupil|kid|girl|boy)s?\b",
        rf"(?:{'|'.join(sorted(_STEMS, key=len, reverse=True))})(?:jahrig\w*|[иь]?летн\w+|i?enn[ei]|eaner[ao])\b",  # sedicenne
    )
    whole = (rf"^(?:a )?{_PLAIN}$", rf"(?:^|, ){_PLAIN} [fm](?= ,|$)", rf"^{_PLAIN} , .*\b{_ANYBODY}\b")  # "15, brunette"
    return tuple(re.compile(pattern) for pattern in (*(rf"\b{pattern}" for pattern in patterns), *whole))


def find(text: str) -> Iterator[str]:
    """Where ``text``, words with one space between, speaks of somebody below eighteen."""
    yield from (found[0] for pattern in _patterns() for found in pattern.finditer(text))
    for found in _born().finditer(text):
        if date.today().year - int(found[1]) <= _ADULT:  # who turns eighteen this year may not be yet
            yield found[0]


def unspaced(text: str) -> Iterator[str]:
    """The same in languages that are written without spaces."""
    yield from (found[0] for found in _UNSPACED.finditer(text))


_UNSPACED = re.compile(
    r"(?<![\d.十一二三四五六七八九])(?:1[0-7]|[1-9]|十[一二三四五六七]?|[一二三四五六七八九])\s*[岁歲歳才살세]"
)


@cache
def _born() -> re.Pattern[str]:
    return re.compile(rf"\b{_BORN}")
