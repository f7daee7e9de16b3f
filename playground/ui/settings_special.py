"""The two fields of the settings form that hold a choice and a text at once: the draft, the chat template."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QFileDialog, QLineEdit, QPushButton

from playground.chat.options import MTP
from playground.errors import UsageError
from playground.ui.settings_fields import Field, beside, stacked, text_box

_DRAFTS = ("None", "MTP, the model's own layers", "A smaller model")
_TEMPLATES = ("The model's own", "None: plain prompt of a base model", "This one")
_LAST = 2


class DraftField(Field):
    """What proposes tokens ahead: nothing, the model's own layers, or a smaller model's file."""

    def __init__(self) -> None:
        self._box = QComboBox()
        self._box.addItems(list(_DRAFTS))
        self._path = QLineEdit()
        self._path.setAccessibleName("File of the draft model")
        self._path.setPlaceholderText("Path of a .gguf with the same vocabulary")
        self._find = QPushButton("Find…")
        self._find.setAccessibleName("Find the file of the draft model")
        self._find.clicked.connect(self._choose)
        self._file = beside(self._path, self._find)
        super().__init__(stacked(self._box, self._file), self._box)
        self._box.currentIndexChanged.connect(lambda index: self._file.setVisible(index == _LAST))

    def show(self, value: str) -> None:
        """Show a value of LoadOptions.draft."""
        self._box.setCurrentIndex(0 if not value else 1 if value == MTP else _LAST)
        self._path.setText("" if value in ("", MTP) else value)
        self._file.setVisible(self._box.currentIndex() == _LAST)

    def read(self) -> str:
        """Return the value. Raises UsageError when the file is not named."""
        if self._box.currentIndex() < _LAST:
            return ("", MTP)[self._box.currentIndex()]
        if not self._path.text().strip():
            raise UsageError("name the file of the smaller model")
        return self._path.text().strip()

    def _choose(self) -> None:
        dialog = QFileDialog(self.widget.window(), "Draft model", "", "GGUF models (*.gguf)")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._path.setText)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


class TemplateField(Field):
    """The chat template: the file's own, none, or Jinja source."""

    def __init__(self) -> None:
        self._box = QComboBox()
        self._box.addItems(list(_TEMPLATES))
        self._source = text_box("Jinja source", 6, code=True)
        self._source.setAccessibleName("Source of the chat template")
        super().__init__(stacked(self._box, self._source), self._box)
        self._box.currentIndexChanged.connect(lambda index: self._source.setVisible(index == _LAST))

    def show(self, value: str | None) -> None:
        """Show a value of LoadOptions.template."""
        self._box.setCurrentIndex(0 if value is None else _LAST if value.strip() else 1)
        self._source.setPlainText(value or "")
        self._source.setVisible(self._box.currentIndex() == _LAST)

    def read(self) -> str | None:
        """Return the value. Raises UsageError when the source is empty."""
        if self._box.currentIndex() < _LAST:
            return (None, "")[self._box.currentIndex()]
        if not self._source.toPlainText().strip():
            raise UsageError("write its source, or choose another")
        return self._source.toPlainText()
