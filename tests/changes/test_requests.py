"""Digests of requests are stored: an upgrade must not take a repetition for another change."""

from __future__ import annotations

import pytest

from vivienne.changes.requests import ChangeRequest, SwitchRequest, Update

UPDATE = Update({"settings": {"state_threshold_bang": 80}}, partial=True)


@pytest.mark.parametrize(
    ("request_", "digest"),
    [
        (
            ChangeRequest(UPDATE, channel="rest", asset="btc", expected_version=3, request_id="r", reason="why"),
            "7889921f74b19ba04ef3ef56bd79ed411221ffc592be436bb54a55af4a4e657b",
        ),
        (
            SwitchRequest("pause", channel="rest", asset="btc", request_id="r"),
            "2773e1277070c5830386e7b24f9528aa1436394af21f0814fe526d8f0d01292a",
        ),
        (
            SwitchRequest("resume", channel="rest", request_id="r"),
            "1f9836c9cf265b5503edf49dc7af5501798d95746841949dab477d4ca74e92a1",
        ),
    ],
)
def test_digests_of_stored_requests_stay_as_they_are(request_: ChangeRequest | SwitchRequest, digest: str) -> None:
    assert request_.digest() == digest
