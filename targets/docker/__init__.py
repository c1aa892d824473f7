"""Docker: `containers` and `delivery` say as plain data what an engine is asked for, `register` asks it."""
