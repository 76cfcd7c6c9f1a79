"""How a question is asked and answered: mentions, the line, results, their layout, buttons."""
