"""What every part of the settings is made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


class Section(BaseModel):
    """A part of the settings: extra keys are forbidden, values do not change after the check."""

    model_config = ConfigDict(extra="forbid", frozen=True)
