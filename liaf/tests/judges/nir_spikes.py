"""Runs and writes NIR files with packages that are not ours.

    nir_spikes.py run snntorch|norse FILE DT < X.json    # X [T, ...]; prints the output [T, ...]
    nir_spikes.py write snntorch|norse FILE              # a network of theirs; prints {"x", "y"}

Requirements: tests/judges/requirements-nir.txt.
"""

import contextlib
import json
import sys

import nir
import numpy as np
import torch


def modules_in_order(graph):
    """Names of a chain's nodes from input to output."""
    follows = dict(graph.edges)
    assert len(follows) == len(graph.edges), "no chain"
    name = next(n for n, node in graph.nodes.items() if isinstance(node, nir.Input))
    while name in follows:
        name = follows[name]
        yield name


def run_snntorch(graph, x, dt):
    import snntorch.import_nir as importer

    assert dt == 1e-4, "snnTorch's time step is fixed"
    with contextlib.redirect_stdout(sys.stderr):
        net = importer.import_from_nir(graph)
    for module in net.modules():
        if hasattr(module, "reset_mem"):
            module.reset_mem()
    out, state = [], None
    for frame in x:
        y, state = net(frame, state)
        out.append(y)
    return torch.stack(out)


def run_norse(graph, x, dt):
    import norse.torch.utils.import_nir as importer

    layers = [importer._import_norse_module(graph.nodes[n], dt=dt) for n in modules_in_order(graph)
              if not isinstance(graph.nodes[n], nir.Output)]
    states, out = [None] * len(layers), []
    for frame in x:
        y = frame
        for i, layer in enumerate(layers):
            y = layer(y, states[i]) if has_state(layer) else layer(y)
            if isinstance(y, tuple):
                y, states[i] = y
        out.append(y)
    return torch.stack(out)


def has_state(layer):
    return not isinstance(layer, (torch.nn.Linear, torch.nn.Conv2d, torch.nn.Flatten))


RUN = {"snntorch": run_snntorch, "norse": run_norse}


def write(package, path):
    torch.manual_seed(5)
    x = (torch.rand(20, 6) < 0.5).float()
    if package == "snntorch":
        import snntorch as snn
        from snntorch.export_nir import export_to_nir

        net = torch.nn.Sequential(
            torch.nn.Linear(6, 10),
            snn.Leaky(beta=torch.full((10,), 0.7), threshold=torch.full((10,), 0.4),
                      reset_mechanism="zero", reset_delay=False, init_hidden=True),
            torch.nn.Linear(10, 4, bias=False),
            snn.Leaky(beta=torch.full((4,), 0.4), threshold=torch.full((4,), 0.1),
                      reset_mechanism="zero", reset_delay=False, init_hidden=True),
        )
        with contextlib.redirect_stdout(sys.stderr):
            graph = export_to_nir(net, torch.rand(6))
        y = []
        with torch.no_grad():
            for frame in x:
                for layer in net:
                    frame = layer(frame)
                y.append(frame)
        y = torch.stack(y)
    else:
        def ones(n, value):
            return np.full(n, value, np.float32)

        w = torch.randn(10, 6).numpy()
        graph = nir.NIRGraph(
            nodes={
                "input": nir.Input(np.array([6])),
                "a": nir.Affine(w, np.zeros(10, np.float32)),
                "b": nir.LIF(ones(10, 4e-3), ones(10, 1), ones(10, 0.05), ones(10, 0.2), ones(10, 0)),
                "c": nir.Linear(torch.randn(10, 10).numpy()),
                "d": nir.IF(ones(10, 1), ones(10, 0.9), ones(10, 0)),
                "output": nir.Output(np.array([10])),
            },
            edges=[("input", "a"), ("a", "b"), ("b", "c"), ("c", "d"), ("d", "output")],
        )
        # NIR's first step leaks towards v_leak; without it, both begin alike.
        graph.nodes["b"].v_leak[:] = 0
        with torch.no_grad():
            y = run_norse(graph, x, 1e-3)
    nir.write(path, graph)
    return {"x": x.tolist(), "y": y.tolist()}


def main():
    mode, package, path = sys.argv[1:4]
    if mode == "run":
        x = torch.tensor(json.load(sys.stdin), dtype=torch.float32)
        with torch.no_grad():
            y = RUN[package](nir.read(path), x, float(sys.argv[4]))
        print(json.dumps(y.tolist()))
    else:
        print(json.dumps(write(package, path)))


if __name__ == "__main__":
    main()
