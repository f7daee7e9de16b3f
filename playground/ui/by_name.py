"""Sets properties of widgets by the names of their values, as a form made with Qt Designer does.

For what is shown first: the Python enums of the namespace ``Qt`` are made all at once when the first of them is
touched, and that takes as long as building the whole page. A name that Qt does not know is an error at once.
"""

from __future__ import annotations

from PySide6.QtCore import QObject


def set_by_name(target: QObject, **values: str) -> None:
    """Set properties, such as ``focusPolicy="NoFocus"``. Raises ValueError for an unknown property or value."""
    for name, value in values.items():
        if not target.setProperty(name, value):
            raise ValueError(f"{type(target).__name__} takes no {name}={value}")
