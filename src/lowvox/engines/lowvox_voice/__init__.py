"""lowvox-voice: an English voice, trained for lowvox; its weights lie in `weights/`."""
