"""Ways to the rewards from outside a training run: check a data set, score a file, serve over HTTP, other trainers."""
