"""The window. The only room besides ``app`` that imports PySide6 and qasync."""
