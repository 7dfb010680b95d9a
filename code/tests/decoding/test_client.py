"""A decoder that dies, hangs or asks for too much is an error of one file."""

import os
import signal
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sounds import tone, write_good

from shellac import audio
from shellac.decoding import client
from shellac.errors import AudioError


@pytest.fixture(autouse=True)
def _fresh_pool():
    client._POOL.stop()
    yield
    client._POOL.stop()


def test_what_is_read_is_what_libsndfile_reads_in_this_process(tmp_path):
    path = write_good(tmp_path / "ünï -x.flac", seconds=2.0)
    with client.IsolatedFile(path, ("title",)) as file:
        parts = [file.read(count, "float32") for count in (1, 1000, 30_000, 5_000)]
        assert (file.samplerate, file.channels, file.frames) == (16000, 2, 32000)
        assert file.tags == {}
    assert [len(part) for part in parts] == [1, 1000, 30_000, 999]
    expected, _ = soundfile.read(path, dtype="float32", always_2d=True)
    assert np.array_equal(np.concatenate(parts), expected)


def test_blocks_beyond_one_answer_are_joined(tmp_path, monkeypatch):
    monkeypatch.setattr(client, "BLOCK_BYTES", 1000)
    path = write_good(tmp_path / "a.wav")
    with client.IsolatedFile(path) as file:
        whole = file.read(20_000, "int32")
    assert np.array_equal(whole, soundfile.read(path, dtype="int32")[0])


def test_a_crash_is_an_error_of_that_file_and_the_next_is_read(tmp_path):
    path = write_good(tmp_path / "a.wav")
    with audio.Reader(path) as reader:
        reader.read(0, 100)
        os.kill(reader.decoder_pid, signal.SIGSEGV)
        with pytest.raises(AudioError, match=r"a\.wav.*crashed.*SIGSEGV") as told:
            reader.read(100, 200)
    assert "\n" not in str(told.value)
    assert audio.inspect(path).samples == 16000


def test_a_crash_while_waiting_for_work_is_nobodys_error(tmp_path):
    path = write_good(tmp_path / "a.wav")
    with audio.Reader(path) as reader:
        pid = reader.decoder_pid
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert audio.inspect(path).samples == 16000


def test_a_decoder_that_hangs_is_ended(tmp_path, monkeypatch):
    path = write_good(tmp_path / "a.wav")
    with audio.Reader(path) as reader:
        os.kill(reader.decoder_pid, signal.SIGSTOP)
        monkeypatch.setattr(client, "ANSWER_SECONDS", 0.05)
        with pytest.raises(AudioError, match="no answer for 0.05 s"):
            reader.read(0, 100)
    monkeypatch.undo()
    assert audio.inspect(path).samples == 16000


def test_more_frames_than_the_limit_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(client, "MAX_FRAMES", 10_000)
    with pytest.raises(AudioError, match="more than 10000 samples"):
        audio.inspect(write_good(tmp_path / "a.wav"))


@pytest.mark.skipif(sys.platform != "linux", reason="reads the limits of a process from /proc")
def test_memory_is_bounded_and_no_file_can_be_written(tmp_path):
    with audio.Reader(write_good(tmp_path / "a.wav")) as reader:
        limits = Path(f"/proc/{reader.decoder_pid}/limits").read_text().splitlines()
    soft = {line[:26].strip(): line[26:].split()[0] for line in limits}
    assert int(soft["Max address space"]) <= client.MEMORY_BYTES
    assert soft["Max file size"] == "0"
    assert soft["Max core file size"] == "0"


def test_one_process_serves_file_after_file_and_each_open_file_has_its_own(tmp_path):
    first, second = (write_good(tmp_path / name) for name in ("a.wav", "b.wav"))
    with audio.Reader(first) as one, audio.Reader(second) as two:
        assert one.decoder_pid != two.decoder_pid
        known = {one.decoder_pid, two.decoder_pid}
    with audio.Reader(first) as again:
        assert again.decoder_pid in known


def test_threads_do_not_hear_each_other(tmp_path):
    waves = [tone(1.0, 16000, seed=number) for number in range(6)]
    for number, waveform in enumerate(waves):
        audio.write(tmp_path / f"{number}.wav", waveform, 16000, subtype="FLOAT")
    heard = {}

    def read(number):
        heard[number] = audio.read(tmp_path / f"{number}.wav")[0]

    threads = [threading.Thread(target=read, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(heard[number], waves[number]) for number in range(6))


def test_a_forked_child_uses_processes_of_its_own(tmp_path):
    path = write_good(tmp_path / "a.wav")
    with audio.Reader(path) as reader:
        used = reader.decoder_pid
    with client._POOL._lock:  # as another thread may at that moment
        child = os.fork()
    if child == 0:
        signal.alarm(60)  # a child that waits for ever is a failure
        with audio.Reader(path) as reader:
            os._exit(0 if reader.decoder_pid != used else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_content_does_not_depend_on_the_container(tmp_path):
    waveform = np.round(tone(1.0, 16000, 2) * 2**15) / 2**15  # as 16 bits have it
    for name in ("a.wav", "b.flac", "c.aiff"):
        audio.write(tmp_path / name, waveform, 16000, subtype="PCM_16")
    audio.write(tmp_path / "d.wav", waveform, 8000, subtype="PCM_16")
    content = [
        audio.inspect(tmp_path / name, content=True).content
        for name in ("a.wav", "b.flac", "c.aiff", "d.wav")
    ]
    assert content[0] == content[1] == content[2] != content[3]
    assert audio.inspect(tmp_path / "a.wav").content == ""
