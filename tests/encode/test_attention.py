import math

import pytest
import torch

from twelvelead.encode.attention import attend_axial, attend_masked, cross_pattern


def by_hand(q, k, v, n_leads):
    """One token at a time: its own lead, then the other leads at its own time."""
    n = q.shape[0] // n_leads
    out = []
    for i, query in enumerate(q):
        same_lead = [i // n * n + t for t in range(n)]
        same_time = [lead * n + i % n for lead in range(n_leads) if lead != i // n]
        seen = same_lead + same_time
        weights = [math.e ** (float(query @ k[j]) / math.sqrt(len(query))) for j in seen]
        out.append(sum(w * v[j] for w, j in zip(weights, seen, strict=True)) / sum(weights))
    return torch.stack(out)


def test_pattern_of_the_paper_has_57_of_400_keys():
    pattern = cross_pattern(8, 50)
    assert pattern.shape == (400, 400)
    assert (pattern.sum(1) == 57).all()
    assert torch.equal(pattern, pattern.T)
    assert pattern[3 * 50 + 7, 3 * 50 + 49]  # same lead
    assert pattern[3 * 50 + 7, 5 * 50 + 7]  # same time
    assert not pattern[3 * 50 + 7, 5 * 50 + 8]


@pytest.mark.parametrize("attend", [attend_axial, attend_masked])
@pytest.mark.parametrize(("n_leads", "n_times"), [(8, 5), (2, 3), (1, 4), (3, 1)])
def test_both_forms_equal_the_sum_by_hand(attend, n_leads, n_times):
    generator = torch.Generator().manual_seed(n_leads)
    q, k, v = (2 * torch.randn(2, 3, n_leads * n_times, 4, generator=generator, dtype=torch.float64) for _ in "qkv")
    got = attend(q, k, v, n_leads=n_leads)
    for row in range(2):
        for head in range(3):
            want = by_hand(q[row, head], k[row, head], v[row, head], n_leads)
            assert torch.allclose(got[row, head], want, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n_leads", [1, 4])
def test_gradients_of_the_two_forms_agree(n_leads):
    generator = torch.Generator().manual_seed(0)
    tensors = [torch.randn(2, 2, 12, 4, generator=generator, dtype=torch.float64) for _ in "qkvo"]
    gradients = []
    for attend in (attend_axial, attend_masked):
        qkv = [t.clone().requires_grad_() for t in tensors[:3]]
        gradients.append(torch.autograd.grad((attend(*qkv, n_leads=n_leads) * tensors[3]).sum(), qkv))
    for axial, masked in zip(*gradients, strict=True):
        assert torch.allclose(axial, masked, rtol=0, atol=1e-12)


def test_scores_that_would_overflow_stay_finite():
    q = torch.full((1, 1, 6, 4), 40.0)
    out = attend_axial(q, q, q, n_leads=2)
    assert torch.allclose(out, q)  # scores of 3200 in float32: equal ones, so the mean of equal values
