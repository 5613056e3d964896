"""Documents of the model tasks as text and as Markdown."""
