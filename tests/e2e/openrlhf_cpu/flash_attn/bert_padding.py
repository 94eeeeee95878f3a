import torch
from einops import rearrange  # noqa: F401 - OpenRLHF imports it from here


def index_first_axis(x, indices):
    return x[indices]


def unpad_input(states, mask, unused_mask=None):
    lengths = mask.sum(-1, dtype=torch.int32)
    indices = torch.nonzero(mask.flatten(), as_tuple=False).flatten()
    ends = torch.nn.functional.pad(torch.cumsum(lengths, 0, dtype=torch.int32), (1, 0))
    return states.reshape(-1, *states.shape[2:])[indices], indices, ends, int(lengths.max()), lengths


def pad_input(states, indices, batch, length):
    out = torch.zeros(batch * length, *states.shape[1:], dtype=states.dtype)
    return out.index_copy(0, indices, states).view(batch, length, *states.shape[1:])
