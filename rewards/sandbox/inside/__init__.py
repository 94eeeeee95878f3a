"""Code that runs inside the sandbox. It is shipped as text to the zygote and imports the standard library only."""
