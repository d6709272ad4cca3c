"""What the keys do, and how to search."""

from rich.text import Text

_KEYS = """\
Everywhere
  /             search; Enter keeps the search, Escape drops it
  n  N          next, previous failure; beside another run: what it lost or gained
  w             only failures, and back
  s             another order of the list
  d             put another run beside, or take it away
  Tab           the other pane
  f             the picture alone; there  ← →  other turns,  a  all frames of the sample
  p             pictures by the terminal's graphics, or in blocks
  r             what was asked and replied, as it is on record
  y             copy the command that opens this episode
  ?             this page
  q  Ctrl-C     leave

In the list
  ↑ ↓  j k  PgUp PgDn  Home End  g G      move
  Enter  →                                look at the turns

In an episode
  ↑ ↓  j k  Home End                      another turn
  PgUp PgDn  Space                        scroll
  Enter                                   fold the turn;  z  all of them
  [  ]                                    another episode
  Escape  ←                               back to the list
"""
_SEARCH = """\
Every word must hold:
  wrong  correct  error                   how the episode ended
  rod  vsod  mvp-n  …                     its scenario
  guessed-first  stopped-early  …         its failure group, as `why` names it
  turns>5  asked=0  cost>0.01             also fewest, repeat, input, output, seconds
  gained  lost  parted  same              beside another run: what became of the sample
  ask_clarification  rod:3  Cat           whatever the list shows of it, in any case
  "red block"                             anywhere in its record; looked for on Enter
  -word                                   not that
  rod|coco                                one of them

In the list  ask left  is a call of ask_clarification,  say left  a text without a call;
what asks for nothing that helps is a  ?
In the strip of frames  •  was shown before,  [5]  is shown now,  ★  shows enough.
"""


def help_text() -> Text:
    """Two pages in one."""
    return Text.assemble(_KEYS, "\n", ("Search\n", "bold"), _SEARCH)
