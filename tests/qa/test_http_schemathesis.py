"""Whatever the description of the HTTP interface allows, and much that it does not, is met without a server error."""

import pytest

schemathesis = pytest.importorskip("schemathesis")

from hypothesis import HealthCheck, given, settings  # noqa: E402
from schemathesis.generation import GenerationMode  # noqa: E402

from qa.http_fastapi import make_api  # noqa: E402
from qa.metrics_prometheus import Metrics  # noqa: E402
from qa.service import Service  # noqa: E402
from tests.fakes_library import STORM, STRIKE, open_fake  # noqa: E402

N_ADDRESSES = 11  # methods counted apart
FEW = settings(max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    with open_fake(tmp_path_factory.mktemp("described") / "library", STORM, STRIKE) as byline:
        service = Service(byline)
        yield schemathesis.openapi.from_asgi("/openapi.json", make_api(service, Metrics(service)))
        service.pool.close()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
def test_no_request_is_a_server_error(described, mode):
    tried = []

    def attempt(case):
        response = case.call()
        tried.append(case.operation.label)
        assert response.status_code < 500, (case.as_curl_command(), response.text)
        if response.status_code >= 400:
            assert set(response.json()["error"]) == {"type", "message"}, response.text

    for operation in (found.ok() for found in described.get_all_operations()):
        if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query):
            continue
        FEW(given(case=operation.as_strategy(generation_mode=mode))(attempt))()
    assert mode is GenerationMode.NEGATIVE or len(set(tried)) == N_ADDRESSES
