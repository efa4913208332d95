"""lowvox-te: punctuation and capitals, trained for lowvox; its weights lie in `weights/`."""
