"""Streams of columns -> mergeable sums -> unbiased cumulants with error bars. Knows no physics."""

from netsim.estimators.jackknife import jackknife, t_to_normal
from netsim.estimators.kstatistics import joint_cumulant
from netsim.estimators.plan import Plan, plan
from netsim.estimators.reliability import ABSENT_LIMIT, SHARE_LIMIT, TAIL_LIMIT
from netsim.estimators.results import TargetResult, covariance, result
from netsim.estimators.sums import BLOCKS, MomentSums, State
from netsim.estimators.targets import Target
from netsim.estimators.unit import unit_sums

__all__ = [
    "ABSENT_LIMIT", "BLOCKS", "SHARE_LIMIT", "TAIL_LIMIT", "MomentSums", "Plan", "State", "Target",
    "TargetResult", "covariance", "jackknife", "joint_cumulant", "plan", "result", "t_to_normal",
    "unit_sums",
]  # fmt: skip
