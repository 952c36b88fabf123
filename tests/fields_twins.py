"""Networks, inner products and slow twins for the tests of the hierarchy of fields."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np

from netsim.networks.fields import bias_mask, features
from netsim.networks.network import network
from netsim.quantities import Slot

ORACLES = json.loads((Path(__file__).parent / "oracles" / "hanin.json").read_text())["entries"]
A, B, C = (Slot(name) for name in "abc")
AU, AV, AUV, BU = Slot("a", ("u",)), Slot("a", ("v",)), Slot("a", ("u", "v")), Slot("b", ("u",))
GRAM = np.array([[1.0, 0.3], [0.3, 0.8]])
PAIRS = {"00": (0, 0), "01": (0, 1), "11": (1, 1)}


def net(name="tanh", widths=(5, 9, 4), C_W=1.4, C_b=0.1):
    return network(name, widths=list(widths), weight_variance=C_W, bias_variance=C_b)


def gram_of(fields, seed):
    """Inner products of random inputs and directions; 0 for second derivatives."""
    x = np.random.default_rng(seed).standard_normal((len(fields), len(fields) + 3))
    x[[len(slot.directions) == 2 for slot in fields]] = 0.0
    return x @ x.T / (len(fields) + 3)


class Sine:
    """Two inputs, sin, two layers: means and covariances of S at every n by one-neuron integrals.

    sin y_a sin y_b is a sum of cos(t y), and for jointly Gaussian y given S the mean of cos(t y) is
    exp(-t S t/2); S_1 is a mean over n neurons, so its exponential moments are n-th powers.
    """

    def __init__(self, n, C_W, C_b, gram):
        self.n, self.C_W, self.C_b = n, C_W, C_b
        x = 0.05 * np.arange(-170, 171)
        w = 0.05 * np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
        y = np.linalg.cholesky(C_b + C_W * gram) @ np.stack(
            [v.ravel() for v in np.meshgrid(x, x, indexing="ij")]
        )
        self.h, self.w = np.sin(y), np.outer(w, w).ravel()

    def exponential(self, *ts):
        """E exp(-sum_k t_k S_1 t_k / 2)."""
        form = sum((np.array(t) @ self.h) ** 2 for t in ts)
        bias = sum(sum(t) ** 2 for t in ts)
        one = self.w @ np.exp(-self.C_W / (2 * self.n) * form)
        return math.exp(-self.C_b / 2 * bias) * one**self.n

    def product(self, *legs):
        """[(coefficient, t)]: prod sin(y_leg) as a sum of cosines, or of nothing if odd."""
        found = []
        for signs in itertools.product((1, -1), repeat=len(legs)):
            t = np.zeros(2)
            for leg, sign in zip(legs, signs, strict=True):
                t[leg] += sign
            found.append((math.prod(signs) * ((1 / 2j) ** len(legs)).real, tuple(t)))
        return found

    def mean(self, *legs):
        """E <prod sin>_{S_1}."""
        return sum(c * self.exponential(t) for c, t in self.product(*legs))

    def mean_of_two(self, p, q):
        """E <sin sin>_{S_1} <sin sin>_{S_1}."""
        terms = itertools.product(self.product(*p), self.product(*q))
        return sum(c * d * self.exponential(s, t) for (c, s), (d, t) in terms)

    def covariance(self, p, q):
        both = self.mean_of_two(p, q)
        within = (self.mean(*p, *q) - both) / self.n
        return self.C_W**2 * (within + both - self.mean(*p) * self.mean(*q))


class Dense:
    """All expectations from one product grid over the Cholesky variables, with weights u = K^-1 y."""

    def __init__(self, sigma, fields, K, points=(0.14, 10.0)):
        step, reach = points
        x = step * np.arange(-round(reach / step), round(reach / step) + 1)
        w = step * np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
        F = len(fields)
        g = np.stack([v.ravel() for v in np.meshgrid(*[x] * F, indexing="ij")])
        self.weight = np.prod(np.meshgrid(*[w] * F, indexing="ij"), axis=0).ravel()
        y = np.linalg.cholesky(K) @ g
        self.h = np.stack(features(fields, list(y), sigma.numpy))
        self.inverse = np.linalg.inv(K)
        self.u = self.inverse @ y
        self.he = {(0,) * F: np.ones(y.shape[1])}

    def hermite(self, gamma):
        if gamma not in self.he:
            i = next(k for k, times in enumerate(gamma) if times)
            less = tuple(times - (k == i) for k, times in enumerate(gamma))
            total = self.u[i] * self.hermite(less)
            for j, times in enumerate(less):
                if times:
                    lower = tuple(t - (k == j) for k, t in enumerate(less))
                    total = total - self.inverse[i, j] * times * self.hermite(lower)
            self.he[gamma] = total
        return self.he[gamma]

    def derivative(self, legs, pairs):
        """d/dK_p d/dK_q ... <prod h>, p, q, .. independent entries."""
        gamma = [0] * len(self.h)
        scale = 1.0
        for a, b in pairs:
            gamma[a] += 1
            gamma[b] += 1
            scale *= 0.5 if a == b else 1.0
        f = np.prod(self.h[list(legs)], axis=0)
        return scale * np.sum(self.weight * f * self.hermite(tuple(gamma)))

    def tensor(self, legs, pairs, rank):
        """All derivatives of that rank."""
        P = len(pairs)
        out = np.zeros((P,) * rank)
        for index in itertools.combinations_with_replacement(range(P), rank):
            value = self.derivative(legs, [pairs[i] for i in index])
            for same in set(itertools.permutations(index)):
                out[same] = value
        return out


def dense_second_order(ensemble, gram, fields):
    """K, D1, D2, V1, V2, T by the law of total cumulance, term by term, at the network's widths."""
    F = len(fields)
    pairs = list(itertools.combinations_with_replacement(range(F), 2))
    P, mask = len(pairs), np.array(bias_mask(fields))
    K = ensemble.bias_variance[0] * mask + ensemble.weight_variance[0] * np.asarray(gram)
    D1, D2 = np.zeros(P), np.zeros(P)
    V1, V2, T = np.zeros((P, P)), np.zeros((P, P)), np.zeros((P, P, P))
    for l, n in enumerate(ensemble.widths, 1):
        C, C_b = ensemble.weight_variance[l], ensemble.bias_variance[l]
        E = Dense(ensemble.activation, fields, K)
        m = [np.array([C * E.tensor(p, pairs, r) for p in pairs]) for r in range(5)]
        J, H, H3, H4 = m[1:]
        two = [
            np.array([[C * C * E.tensor(p + q, pairs, r) for q in pairs] for p in pairs])
            for r in range(3)
        ]
        G = (two[0] - np.einsum("p,q->pq", m[0], m[0])) / n
        G1 = two[1] - np.einsum("pi,q->pqi", J, m[0]) - np.einsum("p,qi->pqi", m[0], J)
        G2 = two[2] - np.einsum("pij,q->pqij", H, m[0]) - np.einsum("p,qij->pqij", m[0], H)
        G2 = (G2 - np.einsum("pi,qj->pqij", J, J) - np.einsum("pj,qi->pqij", J, J)) / n
        G1 = G1 / n
        three = np.array(
            [[[C**3 * E.derivative(p + q + r, []) for r in pairs] for q in pairs] for p in pairs]
        )
        c3 = three - sum(
            np.einsum(f"{x},{y}->pqr", two[0], m[0])
            for x, y in (("pq", "r"), ("pr", "q"), ("qr", "p"))
        )
        c3 = (c3 + 2 * np.einsum("p,q,r->pqr", *[m[0]] * 3)) / n**2
        DD = V2 + np.outer(D1, D1)
        third = T + sum(
            np.einsum(f"{x},{y}->ijk", V1, D1) for x, y in (("ij", "k"), ("ik", "j"), ("jk", "i"))
        )
        VV = sum(
            np.einsum(f"{x},{y}->ijkl", V1, V1)
            for x, y in (("ij", "kl"), ("ik", "jl"), ("il", "jk"))
        )
        cross = T + np.einsum("ij,k->ijk", V1, D1) + np.einsum("ik,j->ijk", V1, D1)
        VV2 = np.einsum("ik,jl->ijkl", V1, V1) + np.einsum("il,jk->ijkl", V1, V1)
        half = 0.5 * np.einsum("pi,qjk,ijk->pq", J, H, cross)
        half = half + np.einsum("pi,qjkl,ijkl->pq", J, H3, VV) / 6
        new_V2 = (
            np.einsum("pqi,i->pq", G1, D1)
            + 0.5 * np.einsum("pqij,ij->pq", G2, V1)
            + J @ V2 @ J.T
            + half
            + half.T
            + 0.25 * np.einsum("pij,qkl,ijkl->pq", H, H, VV2)
        )
        mixed = np.einsum("pqi,ij,rj->pqr", G1, V1, J)
        curved = 0.5 * np.einsum("pij,qk,rl,ijkl->pqr", H, J, J, VV2)
        new_T = c3 + np.einsum("pi,qj,rk,ijk->pqr", J, J, J, T)
        new_T += mixed + mixed.transpose(0, 2, 1) + mixed.transpose(2, 1, 0)
        new_T += curved + curved.transpose(1, 0, 2) + curved.transpose(1, 2, 0)
        D2 = J @ D2 + 0.5 * np.einsum("pij,ij->p", H, DD)
        D2 += np.einsum("pijk,ijk->p", H3, third) / 6 + np.einsum("pijkl,ijkl->p", H4, VV) / 24
        D1 = J @ D1 + 0.5 * np.einsum("pij,ij->p", H, V1)
        V1, V2, T = G + J @ V1 @ J.T, new_V2, new_T
        K = np.zeros((F, F))
        for value, (a, b) in zip(m[0], pairs, strict=True):
            K[a, b] = K[b, a] = value + C_b * mask[a, b]
    return pairs, K, D1, D2, V1, V2, T
