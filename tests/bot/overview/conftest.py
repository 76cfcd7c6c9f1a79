"""The server of the questions' tests."""

from tests.bot.ask.conftest import nest, scene, world_file

__all__ = ["nest", "scene", "world_file"]
