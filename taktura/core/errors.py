"""A refusal of the rules, with its code."""


class Refused(Exception):
    """Something that the rules do not allow: a stable `code` and an English sentence that says what to do.

    `text` may hold named places (`%(name)s`) that `values` fill, so that a door can translate it.
    """

    def __init__(self, code: str, text: str, **values: object) -> None:
        super().__init__(text % values if values else text)
        self.code = code
        self.text = text
        self.values = values
