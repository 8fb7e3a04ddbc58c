"""Where traces are sent; what they hold is tested with the whole system."""

import pytest

from mythoughts_chassis.settings import SettingsError
from mythoughts_chassis.tracing import Tracing


@pytest.mark.parametrize("endpoint", ["collector:4318", "grpc://collector:4317", "4318"])
def test_endpoint_must_be_an_http_address(endpoint: str) -> None:
    """Another endpoint is refused at the start, by the name of the setting."""
    with pytest.raises(SettingsError, match="OTEL_EXPORTER_OTLP_ENDPOINT: must start with http"):
        Tracing(endpoint=endpoint, service="example", version="1")
