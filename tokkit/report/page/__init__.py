"""Result folders as one page that needs nothing else: ``tokkit report``."""

from tokkit.report.page.folders import Folder, read_folder
from tokkit.report.page.page import CutText, render_page, write_page

__all__ = ["CutText", "Folder", "read_folder", "render_page", "write_page"]
