"""Where dictated text goes on a desktop: into the focused window, or onto the clipboard. `outlet` picks one."""
