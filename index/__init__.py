"""Search of pictures and texts by what is in them: a gallery, and a command line on folders."""

from index.derivations import Derivation
from index.gallery import Gallery
from index.interface import PictureEmbedder, Searcher
from index.reembedding import Reembedding
from index.search.sizes import Sizes
from index.store.interface import Bookkeeping, BookkeepingReader, Links
from index.types.errors import (
    EmptyQuery,
    GalleryClosed,
    GalleryError,
    LinkGone,
    ModelChanged,
    ModelError,
    ModelMismatch,
    ModelNotFound,
    ModelTooLarge,
    ModelUnreachable,
    ModelUnusable,
    NotAPicture,
    PictureBroken,
    PictureError,
    PictureTooHeavy,
    PictureTooLarge,
    PictureTooSlow,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreTooNew,
    StoreUnreachable,
)
from index.types.filter import Filter, Sort
from index.types.query import Query, QueryEmbedding

# Until bot/ takes the typed one: `from index.types.searches import Asked, SavedSearch, ShownBy`.
from index.types.query import UntypedSavedSearch as SavedSearch
from index.types.records import (
    Answer,
    Belonging,
    Counts,
    Cursor,
    EmbeddedPicture,
    Group,
    Hit,
    Job,
    Link,
    ModelInfo,
    Position,
    Precision,
    vectors_file,
)
from index.types.searches import Asked, ShownBy

__all__ = [
    "Answer",
    "Asked",
    "Belonging",
    "Bookkeeping",
    "BookkeepingReader",
    "Counts",
    "Cursor",
    "Derivation",
    "EmbeddedPicture",
    "EmptyQuery",
    "Filter",
    "Gallery",
    "GalleryClosed",
    "GalleryError",
    "Group",
    "Hit",
    "Job",
    "Link",
    "LinkGone",
    "Links",
    "ModelChanged",
    "ModelError",
    "ModelInfo",
    "ModelMismatch",
    "ModelNotFound",
    "ModelTooLarge",
    "ModelUnreachable",
    "ModelUnusable",
    "NotAPicture",
    "PictureBroken",
    "PictureEmbedder",
    "PictureError",
    "PictureTooHeavy",
    "PictureTooLarge",
    "PictureTooSlow",
    "Position",
    "Precision",
    "Query",
    "QueryEmbedding",
    "Reembedding",
    "SavedSearch",
    "Searcher",
    "ShownBy",
    "Sizes",
    "Sort",
    "StoreCorrupt",
    "StoreError",
    "StoreFull",
    "StoreLocked",
    "StoreTooNew",
    "StoreUnreachable",
    "vectors_file",
]
