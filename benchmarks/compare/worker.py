"""One library in one process: `python worker.py LIBRARY` reads commands as JSON lines and answers each with one.

Started by peers.py, with the interpreter of the library's environment. Needs NumPy, SciPy and the library only.
"""

import contextlib
import importlib.metadata
import json
import math
import os
import sys
import time
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
import memory

# The task "network": the same shape, batches and passes over the known pixels for all.
HIDDEN = (150, 150)
RADIUS, BATCH, EPOCHS = 2, 256, 1

# PyMatting's functions estimate_alpha_* and estimate_foreground_* by the names that trimatte has for the methods.
ALPHAS = {
    "closed-form": "cf",
    "learning-based": "lbdm",
    "knn": "knn",
    "large-kernel": "lkm",
    "random-walk": "rw",
    "shared-sampling": "sm",
}
BEST_PAIR = "closed-form+composite-network"
FOREGROUNDS = {"multi-level": "ml", "closed-form": "cf"}


def csr_matrix(arrays):
    import scipy.sparse

    return scipy.sparse.csr_matrix((arrays["data"], arrays["indices"], arrays["indptr"]))


def pymatting_tasks():
    import pymatting

    def sparse(arrays, preconditioner=pymatting.jacobi, rtol=1e-7):
        """PyMatting's own solver; `rtol` is its default."""
        A, iterations = csr_matrix(arrays), []
        x = pymatting.cg(
            A,
            arrays["rhs"],
            M=preconditioner(A),
            rtol=rtol,
            callback=lambda *state: iterations.append(len(iterations)),
        )
        return x, {"iterations": len(iterations)}

    def vcycle(arrays, **options):
        return sparse(arrays, lambda A: pymatting.vcycle(A, tuple(arrays["shape"])), **options)

    def ichol(arrays, **options):
        return sparse(arrays, pymatting.ichol, **options)

    kinds = {"jacobi": sparse, "vcycle": vcycle, "ichol": ichol}
    return {
        **{
            f"sparse-{kind}-{rtol:g}": lambda a, task=task, rtol=rtol: task(a, rtol=rtol)
            for kind, task in kinds.items()
            for rtol in (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-13)
        },
        "laplacian": lambda a: pymatting.cf_laplacian(a["image"]),
        "foreground": lambda a: pymatting.estimate_foreground_ml(a["image"], a["alpha"]),
        "foreground-closed-form": lambda a: pymatting.estimate_foreground_cf(a["image"], a["alpha"]),
        "alpha": lambda a: pymatting.estimate_alpha_cf(a["image"], a["trimap"]),
        **{
            f"alpha {method}": lambda a, name=name: getattr(pymatting, f"estimate_alpha_{name}")(
                a["image"], a["trimap"]
            )
            for method, name in ALPHAS.items()
        },
        **{
            f"foreground {method}": lambda a, name=name: getattr(pymatting, f"estimate_foreground_{name}")(
                a["image"], a["alpha"]
            )
            for method, name in FOREGROUNDS.items()
        },
    }


def trimatte_tasks():
    import method_names

    import trimatte

    def alpha(arrays, **options):
        found, info = trimatte.solve_alpha(
            arrays["image"], arrays["trimap"], **{"method": "closed-form", **options}
        )
        return found, info.as_dict()

    def colours(arrays, method):
        return method_names.foreground(arrays["image"], arrays["alpha"], method)

    def network(arrays):
        known = (arrays["trimap"] <= 0.1) | (arrays["trimap"] >= 0.9)
        steps = math.ceil(np.count_nonzero(known) / BATCH)
        prior = trimatte.priors.PatchNetwork(
            radius=RADIUS,
            hidden=HIDDEN,
            batch=BATCH,
            steps=EPOCHS * steps,
            validation=0,
            balanced=False,
        )
        model = prior.fit(arrays["image"].astype(np.float32), arrays["trimap"])
        return np.array(model.training_loss)

    def sparse(arrays):
        x = np.zeros(arrays["rhs"].size)
        info = trimatte._core.solve_sparse(
            arrays["data"],
            arrays["indices"],
            arrays["indptr"].astype(np.int64),
            arrays["rhs"],
            np.ones((1, x.size), np.float32),
            x,
            tolerance=1e-3,
            max_iterations=1000,
            threads=int(os.environ["OMP_NUM_THREADS"]),
            monitor=(monitor := trimatte._core.Monitor(None)),
        )
        return x, {**info, "phases": monitor.seconds}

    return {
        "sparse": sparse,
        "network": network,
        "laplacian": lambda a: trimatte.closed_form_laplacian(a["image"]),
        "foreground": lambda a: trimatte.estimate_foreground(a["image"], a["alpha"]).foreground,
        "foreground-closed-form": lambda a: colours(a, "closed-form"),
        "foreground-blur-fusion": lambda a: colours(a, "blur-fusion"),
        "alpha": alpha,
        "alpha-direct": lambda a: alpha(a, solver="cholesky"),
        "alpha-tight": lambda a: alpha(a, solver="multigrid", tolerance=1e-6),
        **{
            f"alpha {name}": lambda a, name=name: alpha(a, **method_names.parsed(name))
            for name in (*trimatte.methods.names(), BEST_PAIR, *method_names.RADII)
        },
        **{f"foreground {name}": lambda a, name=name: colours(a, name) for name in method_names.foregrounds()},
    }


def plain_script_tasks():
    import plain_script

    return {
        "laplacian": lambda a: plain_script.laplacian(a["image"]),
        "alpha": lambda a: plain_script.estimate_alpha(a["image"], a["trimap"], method="closed-form"),
    }


def scikit_learn_tasks():
    from sklearn.neural_network import MLPRegressor

    def examples(arrays):
        """Patches of the known pixels and their alpha, made once."""
        if "X" not in arrays:
            padded = np.pad(
                arrays["image"].astype(np.float32), ((RADIUS, RADIUS), (RADIUS, RADIUS), (0, 0)), "edge"
            )
            side = 2 * RADIUS + 1
            windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(0, 1))
            known = (arrays["trimap"] <= 0.1) | (arrays["trimap"] >= 0.9)
            X = windows[known].transpose(0, 2, 3, 1).reshape(np.count_nonzero(known), -1)
            arrays["X"] = (X - X.mean(axis=0)) / X.std(axis=0)
            arrays["Y"] = (arrays["trimap"][known] >= 0.9).astype(np.float32)
        return arrays["X"], arrays["Y"]

    def network(arrays):
        X, Y = examples(arrays)
        model = MLPRegressor(
            hidden_layer_sizes=HIDDEN,
            solver="adam",
            batch_size=BATCH,
            max_iter=EPOCHS,
            tol=0,
            n_iter_no_change=EPOCHS + 1,
            random_state=0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it has not converged, which nobody asked for
            model.fit(X, Y)
        return np.array(model.loss_curve_)

    return {"network": network}


# What makes the tasks, and the packages whose versions matter.
LIBRARIES = {
    "pymatting": (pymatting_tasks, ("pymatting", "numba", "numpy", "scipy")),
    "trimatte": (trimatte_tasks, ("trimatte", "numpy", "scipy")),
    "plain-script": (plain_script_tasks, ("numpy", "scipy")),
    "scikit-learn": (scikit_learn_tasks, ("scikit-learn", "numpy")),
}


def run(task, arrays, with_memory):
    """The result, and the answer that describes it."""
    before = memory.start_peak() if with_memory else 0
    start = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr):  # a library may print; standard output is for answers
        result = task(arrays)
    answer = {"seconds": time.perf_counter() - start}
    if with_memory:
        answer["peak_bytes"] = max(0, memory.peak() - before)
    if isinstance(result, tuple):
        result, answer["info"] = result
    return result, answer


def main():
    with contextlib.suppress(OSError):  # if memory runs out, this process is the one to go
        Path("/proc/self/oom_score_adj").write_text("1000")
    make_tasks, packages = LIBRARIES[sys.argv[1]]
    tasks = make_tasks()
    answer = {
        "tasks": list(tasks),
        "versions": {package: importlib.metadata.version(package) for package in packages},
    }
    arrays, result = {}, None
    while True:
        print(json.dumps(answer), flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        command = json.loads(line)
        answer = {}
        try:
            if "load" in command:
                arrays, result = {}, None
                with np.load(command["load"]) as stored:
                    arrays = {name: stored[name] for name in command["names"]}
            elif "run" in command:
                result = None
                result, answer = run(tasks[command["run"]], arrays, command["memory"])
            elif "save" in command:
                np.save(command["save"], result)
        except Exception as error:  # a peer may fail; that is a result
            answer = {"error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    main()
