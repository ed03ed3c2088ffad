"""The libraries of scripts: each module's `install(lua)` puts its table among the globals of a LuaRuntime."""
