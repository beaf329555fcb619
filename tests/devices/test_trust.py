"""Trust over a real ssh server: the part is sent when it is first needed, and what is current stays."""

from __future__ import annotations

import pytest

import edgenet
from edgenet.devices.archive import part_archives
from edgenet.devices.connect import connect
from edgenet.devices.replies import BoardError
from tests.signatures import keys


def test_a_board_with_trust_keeps_what_it_has(board, net, tmp_path):
    keys.keygen("-l", "-f", keys.write(tmp_path)["alice.pub"])
    part = board.edgenet_home / "blobs" / part_archives()["trust/signed"].digest
    with connect("board") as agent:
        net("old").deploy(agent)
        assert not agent.begin()
        agent.end()
    assert not part.exists()
    found = edgenet.trust(tmp_path / "alice.pub", "board", "alice@team")
    assert "old" in found.refused
    assert "is not signed, and this board trusts alice@team" in found.refused
    assert part.exists()
    part.unlink()  # a damaged card
    with connect("board") as agent:
        with pytest.raises(
            BoardError, match="new .* is not signed, and this board trusts alice@team"
        ) as caught:
            net("new").deploy(agent)
        assert caught.value.kind == "untrusted"
        assert agent.begin()
        agent.end()
        found = agent.deployments()
        assert found.current == net("old").digest
        assert [item.name for item in found.deployments] == ["old"]
        with pytest.raises(BoardError, match="is not signed"):
            agent.upkeep.switch(net("old").digest)
        agent.trust.off()
        assert net("new").deploy(agent)
