"""What is refused in words, whoever draws them: minors and the undressed.

``signs``    what stands for letters, as data
``fold``     the plain forms that a text can be read in
``words``    the words that are judged, as data
``ages``     numbers that are somebody's age
``undress``  what a word of undress modifies, and clothes that are denied
``grammar``  both put to a text, and what is said of it
"""

from helpers.propriety.grammar import MOST_CHARACTERS, PromptRefused, judge, judge_negative

__all__ = ["MOST_CHARACTERS", "PromptRefused", "judge", "judge_negative"]
