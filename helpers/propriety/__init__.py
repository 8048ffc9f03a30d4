"""What is refused in words, whoever draws them: minors and the undressed.

``fold``     the plain forms that a text can be read in
``words``    the words that are judged, as data
``grammar``  ages and undress by small grammars, and what is said of them
"""

from helpers.propriety.grammar import MOST_CHARACTERS, PromptRefused, judge, judge_negative, require_length

__all__ = ["MOST_CHARACTERS", "PromptRefused", "judge", "judge_negative", "require_length"]
