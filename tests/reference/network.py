"""A small network and ADAM in plain NumPy (Kingma & Ba, ICLR 2015, Algorithm 1), in float64."""

import numpy as np


class Network:
    def __init__(self, layers):
        self.parameters = [np.array(p, np.float64) for W, b in layers for p in (W, b)]
        self.m = [np.zeros_like(p) for p in self.parameters]
        self.v = [np.zeros_like(p) for p in self.parameters]
        self.t = 0

    def outputs(self, x):
        """The input and what each layer makes of it."""
        outputs = [np.asarray(x, np.float64)]
        depth = len(self.parameters) // 2
        for i in range(depth):
            y = outputs[-1] @ self.parameters[2 * i] + self.parameters[2 * i + 1]
            outputs.append(np.maximum(y, 0) if i < depth - 1 else y)
        return outputs

    def loss(self, x, target):
        return float(((self.outputs(x)[-1][:, 0] - target) ** 2).mean())

    def gradients(self, x, target):
        outputs = self.outputs(x)
        delta = 2 * (outputs[-1] - np.asarray(target, np.float64)[:, np.newaxis]) / len(target)
        gradients = []
        for i in reversed(range(len(self.parameters) // 2)):
            gradients = [outputs[i].T @ delta, delta.sum(axis=0), *gradients]
            delta = (delta @ self.parameters[2 * i].T) * (outputs[i] > 0)
        return gradients

    def step(self, x, target, rate, keep=(0.9, 0.999), epsilon=1e-8):
        self.t += 1
        for p, g, m, v in zip(self.parameters, self.gradients(x, target), self.m, self.v, strict=True):
            m += (1 - keep[0]) * (g - m)
            v += (1 - keep[1]) * (g * g - v)
            m_hat, v_hat = m / (1 - keep[0] ** self.t), v / (1 - keep[1] ** self.t)
            p -= rate * m_hat / (np.sqrt(v_hat) + epsilon)
