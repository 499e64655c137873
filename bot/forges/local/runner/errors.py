"""What is wrong with a pipeline file, where, and what to do about it."""

from __future__ import annotations


class PipelineError(Exception):
    """A pipeline that will not run. Nothing of it has run when this is raised.

    `line` and `column` count from 1; both are 0 when the fault has no place in the file (a variable of the
    forge). `file` is the included file in which it stands, empty for the one that includes.
    """

    def __init__(
        self, message: str, *, line: int = 0, column: int = 0, suggestion: str = "", file: str = ""
    ) -> None:
        super().__init__(message)
        self.file = file
        self.message = message
        self.line = line
        self.column = column
        self.suggestion = suggestion

    def __str__(self) -> str:
        place = f"line {self.line}, column {self.column}: " if self.line else ""
        advice = f" ({self.suggestion})" if self.suggestion else ""
        return f"{place}{self.message}{advice}"
