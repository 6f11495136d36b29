"""Opens a file of weights with the safetensors package and says what is in it.

    python judges.py FILE      one line a tensor: name, dtype, shape, sum, sum weighted by place
"""

import sys

import numpy as np
from safetensors.numpy import load_file

for name, tensor in sorted(load_file(sys.argv[1]).items()):
    flat = tensor.reshape(-1).astype(np.float64)
    place = float((flat * np.arange(1, flat.size + 1)).sum())
    shape = "x".join(map(str, tensor.shape))
    print(name, tensor.dtype, shape, repr(float(flat.sum())), repr(place))
