"""One figure from start to file: the project's style, SVG and PNG, the same bytes for the same data."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from emotion_concepts.files import written_whole

STYLE = Path(__file__).with_name("style.mplstyle")


@contextmanager
def saved_figure(svg: Path, png: Path, *, width: float, height: float) -> Iterator[Axes]:
    """Give axes to draw on (sizes in inches), then write the figure as SVG and PNG."""
    with saved_panels(svg, png, width=width, height=height, count=1) as panels:
        yield panels[0]


@contextmanager
def saved_panels(svg: Path, png: Path, *, width: float, height: float, count: int) -> Iterator[list[Axes]]:
    """The same with several axes side by side."""
    with matplotlib.style.context(STYLE):
        # Not one of pyplot's figures: no display is looked for, and nothing stays open.
        figure = Figure(figsize=(width, height))
        FigureCanvasAgg(figure)
        yield list(figure.subplots(1, count, squeeze=False)[0])
        for path, metadata in ((svg, {"Date": None}), (png, {})):
            with written_whole(path) as temporary:
                figure.savefig(temporary, metadata=metadata)


def not_applicable(axes: Axes, why: str = "") -> None:
    """Say in a figure's place that there is nothing to draw, and why if that is known."""
    axes.text(0.5, 0.5, f"not applicable{why}", ha="center", transform=axes.transAxes)
    axes.set_axis_off()
