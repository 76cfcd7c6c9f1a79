"""The slash commands and context menus: one file each, which registers its command."""
