"""Questions and their answers: mentions, pictures to ask with, results, layout, buttons."""
