"""What the numbers mean that GRBL 1.1 answers with."""

ERRORS = {
    1: "a word without a letter",
    2: "a number is missing or malformed",
    3: "no such $ command",
    4: "a negative value where none may be",
    5: "homing is switched off ($22)",
    6: "the step pulse is too short",
    7: "its stored settings could not be read",
    8: "only possible while it is idle",
    9: "it is locked by an alarm",
    10: "soft limits need homing ($22)",
    11: "the line is too long",
    12: "the step rate is too high",
    13: "the safety door is open",
    14: "the stored line is too long",
    15: "the jog would leave the machine's travel",
    16: "a malformed jog",
    17: "laser mode needs a PWM output",
    20: "it does not know this command",
    21: "two commands of one kind in a line",
    22: "no feed rate is set",
    23: "a whole number is needed",
    24: "two commands that move the axes in a line",
    25: "a word is given twice",
    26: "no axis is given",
    27: "the line number is out of range",
    28: "a value is missing",
    29: "it does not have this coordinate system",
    30: "G53 needs G0 or G1",
    31: "an axis is given that nothing uses",
    32: "the arc has no axis in its plane",
    33: "the target cannot be reached",
    34: "the arc's radius does not fit",
    35: "the arc has no centre in its plane",
    36: "a word that nothing uses",
    37: "the tool length offset is for another axis",
    38: "the tool number is too large",
}
ALARMS = {
    1: "a limit switch was hit",
    2: "a move would leave the machine's travel (soft limits)",
    3: "it was reset while moving",
    4: "the probe was not as expected before probing",
    5: "the probe touched nothing",
    6: "homing was interrupted",
    7: "the safety door was opened while homing",
    8: "homing: the limit switch was not released",
    9: "homing: no limit switch was found",
    10: "homing: the second motor of an axis found no limit switch",
}


def meaning(codes: dict[int, str], code: int) -> str:
    """In words; the number's own name where this list is too old."""
    return codes.get(code, "a code of a newer GRBL")
