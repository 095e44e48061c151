"""One line of the table: a figure, what it is compared with, and whether it is good enough."""

from dataclasses import dataclass, field
from enum import StrEnum

from .measure import Comparison, Distribution


class Unit(StrEnum):
    """Unit of a figure."""

    MILLISECONDS = "ms"
    SECONDS = "s"
    PER_SECOND = "/s"
    PERCENT = "%"
    MEBIBYTES = "MiB"
    THREADS = "threads"


class Aspect(StrEnum):
    """Aspect of a figure that a target limits."""

    RATIO = "x"
    """The figure's median as a multiple of the baseline's."""
    P99_RATIO = "x p99"
    """The figure's 99th percentile as a multiple of the baseline's."""
    MEDIAN = "median"
    """The median itself."""
    P99 = "p99"
    """The 99th percentile itself."""


@dataclass(frozen=True)
class Target:
    """Target of a figure.

    :param aspect: what of the figure must be so
    :param bound: its maximum, in the unit of the figure
    :param is_floor: whether the bound is a minimum instead
    """

    aspect: Aspect
    bound: float
    is_floor: bool = False

    def is_reached(self, value: float) -> bool:
        """Whether a value satisfies the target."""
        return value >= self.bound if self.is_floor else value <= self.bound


def at_most(bound: float, aspect: Aspect = Aspect.RATIO) -> Target:
    """Return the target of not exceeding a bound."""
    return Target(aspect, bound)


def at_least(bound: float, aspect: Aspect = Aspect.RATIO) -> Target:
    """Return the target of not falling below a bound."""
    return Target(aspect, bound, is_floor=True)


@dataclass(frozen=True)
class Row:
    """A figure that was measured.

    :param name: what it is the figure of
    :param unit: what it is measured in
    :param measured: its samples
    :param baseline: samples of what it is compared with, where there is such a thing
    :param baseline_name: what that is
    :param ratio: how many times the baseline it is, typically
    :param targets: what is to be reached; nothing if the figure is only stated
    :param note: what one must know to read it, such as sizes and counts
    """

    name: str
    unit: Unit
    measured: Distribution
    baseline: Distribution | None = None
    baseline_name: str = ""
    ratio: float | None = None
    targets: tuple[Target, ...] = field(default=())
    note: str = ""

    @classmethod
    def of(
        cls,
        name: str,
        unit: Unit,
        comparison: Comparison,
        baseline_name: str,
        targets: tuple[Target, ...],
        note: str = "",
    ) -> "Row":
        """Return the row with a comparison."""
        return cls(
            name,
            unit,
            comparison.measured,
            comparison.baseline,
            baseline_name,
            comparison.ratio,
            targets,
            note,
        )

    def value(self, aspect: Aspect) -> float:
        """Return the value that a target is about.

        :raises ValueError: if it takes a baseline, and there is none
        """
        if aspect is Aspect.MEDIAN:
            return self.measured.median
        if aspect is Aspect.P99:
            return self.measured.p99
        if self.baseline is None or self.ratio is None:
            raise ValueError(f"{self.name} has no baseline")
        return self.ratio if aspect is Aspect.RATIO else self.measured.p99 / self.baseline.p99

    @property
    def missed(self) -> tuple[Target, ...]:
        """The targets that were not reached."""
        return tuple(target for target in self.targets if not target.is_reached(self.value(target.aspect)))
