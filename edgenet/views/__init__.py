"""What a report looks like: figures as text, charts, and one file a form (HTML, Markdown, CSV)."""
