"""A progress bar on the terminal, for work on files that may take long."""
import sys
import time

SHOWN_AFTER = 0.5           # seconds: what is quicker needs no bar
REDRAWN_AFTER = 0.1


class Bar:
    """`bar(text, done, total)` as often as one likes; nothing is shown where standard error is no terminal. A context manager."""

    def __init__(self):
        self.visible = sys.stderr.isatty()
        self.progress = None
        self.task = None
        self.next = time.monotonic() + SHOWN_AFTER

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.progress is not None:
            self.progress.stop()

    def __call__(self, text: str, done: int, total: int) -> None:
        if not self.visible or time.monotonic() < self.next:
            return
        self.next = time.monotonic() + REDRAWN_AFTER
        if self.progress is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

            self.progress = Progress(TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(),
                                     TimeRemainingColumn(), console=Console(stderr=True), transient=True)
            self.task = self.progress.add_task(text)
            self.progress.start()
        self.progress.update(self.task, description=text, completed=done, total=max(total, 1))
