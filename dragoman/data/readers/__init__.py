"""One reader for each kind of file that localisation teams keep: TMX, XLIFF, PO, JSON and ARB, SRT, SBV, VTT.

    bytes -> text (texts.py) -> what stands where (units, entries, values, cues) -> `corpora`: segments to train on
                                                                                 -> `documents`: places to fill in

A reader finds texts with their places in the file. So a file that `dragoman translate` filled is read back as training
rows by the same rules: the same units, states and languages.
"""
