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

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (type(self), self.code, self.text, self.values)


def _again(kind: type[Refused], code: str, text: str, values: dict[str, object]) -> Refused:
    """A refusal from another process."""
    return kind(code, text, **values)
