"""Scratch checkpoints: one owner at a time, in a folder that is its own."""

import threading

from shellac.training import checkpoints


def test_who_waited_owns_a_folder_that_nobody_clears_away(tmp_path, capsys):
    found = {}

    def second():
        with checkpoints.opened(tmp_path, "net", "key") as scratch:
            scratch.save({"step": 2})
            found["step"] = scratch.load()["step"]
            found["locked"] = (scratch.folder / "lock").exists()

    with checkpoints.opened(tmp_path, "net", "key") as scratch:
        thread = threading.Thread(target=second)
        thread.start()
        while "waiting" not in capsys.readouterr().err:
            thread.join(0.01)
            assert thread.is_alive()
        scratch.save({"step": 1})
    thread.join()
    assert found == {"step": 2, "locked": True}
    assert list(tmp_path.iterdir()) == []
