"""Physics engines: each compiles the neutral scene and steps it, arrays in, arrays out."""
