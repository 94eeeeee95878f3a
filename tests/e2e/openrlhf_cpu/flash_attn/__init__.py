"""Stand-in for flash-attn, whose wheel needs a CUDA compiler: the few functions that OpenRLHF imports, in torch."""

__version__ = "2.8.3"
