"""The Lua libraries that scripts and functions find."""
