"""The help screen: keys and search queries."""

from rich.text import Text

_KEYS = """\
Everywhere
  /             search; Enter keeps the search, Escape drops it
  n  N          next, previous failure; of two runs: next, previous change
  w             only failures, or all episodes
  s             sort the list by another number
  d             compare with another run, or stop comparing
  Tab           the other pane
  f             full-screen picture; there  ← →  other turns,  a  all frames of the sample
  p             pictures by the terminal's graphics, or in blocks
  r             request, reply and record of the turn
  y             copy the command that opens this episode
  ?             this page
  q  Ctrl-C     quit

In the list
  ↑ ↓  j k  PgUp PgDn  Home End  g G      move
  Enter  →                                open the episode

In an episode
  ↑ ↓  j k  Home End                      another turn
  PgUp PgDn  Space                        scroll
  Enter                                   fold or unfold the turn;  z  all turns
  [  ]                                    another episode
  Escape  ←                               back to the list
"""
_SEARCH = """\
An episode matches if every word holds:
  wrong  correct  error                   how the episode ended
  rod  vsod  mvp-n  …                     its scenario
  guessed-first  stopped-early  …         its failure group, as `why` names it
  turns>5  asked=0  cost>0.01             also fewest, repeat, input, output, seconds
  gained  lost  parted  same              two runs: how the outcome or the actions changed
  ask_clarification  rod:3  Cat           text that the list shows; upper and lower case are equal
  "red block"                             text anywhere in the record; press Enter to search
  -word                                   must not hold
  rod|coco                                either holds

In the list,  ask left  is a call of ask_clarification, and  say left  is a text without a call.
?  is a request for nothing that helps.
The column  trn  counts turns,  ask  accepted suggestions. Of two runs,  part  is the first turn
with different actions.
In the strip of frames,  •  was shown before,  [5]  is shown now, and  ★  is the reference frame.
"""


def help_text() -> Text:
    """Returns the text of the help screen."""
    return Text.assemble(_KEYS, "\n", ("Search\n", "bold"), _SEARCH)
