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
    with matplotlib.style.context(STYLE):
        # Not one of pyplot's figures: no display is looked for, and nothing stays open.
        figure = Figure(figsize=(width, height))
        FigureCanvasAgg(figure)
        yield figure.add_subplot()
        for path, metadata in ((svg, {"Date": None}), (png, {})):
            with written_whole(path) as temporary:
                figure.savefig(temporary, metadata=metadata)
