"""Pictures of pictures: contact sheets and maps, with names in every script on them."""

from index.drawing.atlas import atlas, wanted
from index.drawing.atlas_page import CODE, STYLES, atlas_data, atlas_page
from index.drawing.contact_sheet import Section, overview_sheet
from index.drawing.parts import opened

__all__ = [
    "CODE",
    "STYLES",
    "Section",
    "atlas",
    "atlas_data",
    "atlas_page",
    "opened",
    "overview_sheet",
    "wanted",
]
