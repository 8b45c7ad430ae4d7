"""What can be booked on contracts: their phases, versions and lines, loaded once for one or for many."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Prefetch

from taktura.catalog.models import TariffLine
from taktura.catalog.queries import lines_of, tariff_line_terms
from taktura.contracts.models import ContractLine, ContractPhase, PhaseVersion
from taktura.core.errors import Refused


@dataclass(frozen=True, slots=True)
class Bookable:
    """By contract: its phases in order, each with its versions and their lines, and the lines that it has."""

    phases: dict[int, list[ContractPhase]]
    lines: dict[int, list[ContractLine]]

    def phase_on(self, contract: int, day: date) -> ContractPhase:
        """The phase in which a day lies; before the first, the first."""
        running = [p for p in self.phases[contract] if p.start <= day]
        return running[-1] if running else self.phases[contract][0]

    def after(self, contract: int, day: date) -> list[ContractPhase]:
        """The phases that begin after a day, in order."""
        return [p for p in self.phases[contract] if p.start > day]

    def offer_on(self, phase: ContractPhase, day: date) -> list[TariffLine]:
        """The lines of the version that holds for a phase on a day, in their order."""
        held = [v for v in phase.versions.all() if v.effective_from <= day]
        return sorted(lines_of(held[-1].version), key=lambda x: x.position) if held else []

    def line_of_tariff(self, phase: ContractPhase, article: str, day: date) -> TariffLine:
        """The line for an article in that version; raises `Refused` (`not_found`)."""
        found = next((x for x in self.offer_on(phase, day) if x.article.key == article), None)
        if found is None:
            raise Refused("not_found", "The tariff has no line for the article “%(article)s”.", article=article)
        return found

    def taken(self, contract: int, article: str, start: date, end: date | None = None) -> list[ContractLine]:
        """The lines of an article that run within `[start, end)`; without an end, on or after `start`."""
        return [
            x
            for x in self.lines[contract]
            if x.article.key == article and (x.end is None or x.end > start) and (end is None or x.start < end)
        ]


def bookable(contracts: Iterable[int]) -> Bookable:
    """What can be booked on some contracts; five queries, however many they are."""
    ids = list(contracts)
    offer = Prefetch("version__lines", TariffLine.objects.select_related("article", "version"))
    rows = PhaseVersion.objects.select_related("version").order_by("effective_from", "id").prefetch_related(offer)
    phases: dict[int, list[ContractPhase]] = defaultdict(list)
    for phase in (
        ContractPhase.objects.filter(contract__in=ids).order_by("start").prefetch_related(Prefetch("versions", rows))
    ):
        phases[phase.contract_id].append(phase)
    lines: dict[int, list[ContractLine]] = defaultdict(list)
    for line in ContractLine.objects.filter(contract__in=ids).select_related("article").order_by("id"):
        lines[line.contract_id].append(line)
    versions = (v.version for some in phases.values() for p in some for v in p.versions.all())
    tariff_line_terms(line.pk for version in versions for line in lines_of(version))
    return Bookable(phases, lines)
