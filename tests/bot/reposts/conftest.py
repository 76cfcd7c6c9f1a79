"""The server of the questions, whose members may see different things."""

from tests.bot.ask.conftest import nest, scene, world_file

__all__ = ["nest", "scene", "world_file"]
