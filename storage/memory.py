"""What is loaded once and stays: word lists, rules, the organisation."""

import gc


def keep_in_place() -> None:
    """Call when everything is loaded. The garbage collector then passes over what there is by now: walking through it
    takes 0.2 s in the middle of whatever is going on, and finds nothing.
    """
    gc.collect()
    gc.freeze()
