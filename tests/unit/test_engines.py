import pytest

from helpers import engines


def test_every_stage_has_an_embedded_engine_that_auto_finds() -> None:
    for stage in engines.STAGES:
        assert engines.find(stage).embedded
        assert engines.find(stage).name in engines.names(stage)


def test_unknown_names_list_what_there_is() -> None:
    with pytest.raises(ValueError, match="superpixel"):
        engines.find("segment", "magic")
    with pytest.raises(ValueError, match="generate, segment, try_on"):
        engines.names("fly")


@pytest.mark.parametrize("record", engines.ENGINES, ids=lambda r: r.name)
def test_every_record_loads_and_frees_its_engine(record: engines.Engine) -> None:
    with engines.load(record.stage, record.name) as engine:
        assert engine is engines.load(record.stage, record.name)
