"""Our quantile of the beta distribution against SciPy's."""

import pytest
from scipy import special

from kerasfaces.metrics import clopper_pearson, incomplete_beta


@pytest.mark.parametrize("n", [1, 7, 100, 3000, 100_000])
@pytest.mark.parametrize("share", [0.025, 0.5, 0.975])
def test_quantiles_are_scipy_s(n, share):
    for count in {1, n // 3 + 1, n}:
        expected = special.betaincinv(count, n - count + 1, share)
        got = incomplete_beta.betaincinv(count, n - count + 1, share)
        assert got == pytest.approx(expected, rel=1e-8, abs=1e-12)


def test_the_ends():
    assert incomplete_beta.betainc(2, 3, 0) == 0
    assert incomplete_beta.betainc(2, 3, 1) == 1


def test_intervals_without_scipy_are_those_with_it(run_python):
    code = (
        "import sys; sys.modules['scipy'] = sys.modules['scipy.special'] = None\n"
        "from kerasfaces.metrics.intervals import clopper_pearson\n"
        "print(*clopper_pearson(3, 40), *clopper_pearson(0, 9), *clopper_pearson(9, 9))"
    )
    got = [float(word) for word in run_python(code).split()]
    cases = [(3, 40), (0, 9), (9, 9)]
    expected = [limit for case in cases for limit in clopper_pearson(*case)]
    assert got == pytest.approx(expected, rel=1e-8)
