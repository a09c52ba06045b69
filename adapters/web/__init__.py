"""The web: health, figures, the read API, and a console in which everybody can be played."""
