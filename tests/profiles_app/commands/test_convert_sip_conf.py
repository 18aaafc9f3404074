"""convert_sip_conf. No test here asks for the database, so that touching it would fail them."""

from tests.commands import run


def test_a_file_is_written_anew_and_what_is_left_to_do_is_told(tmp_path):
    old = tmp_path / "sip.conf"
    old.write_text("[general]\ncontext=default\n[301]\ntype=friend\ncisco_usecallmanager=yes ; ours\n")
    ran = run("convert_sip_conf", old)
    assert ran.status == 0
    assert ran.out == "[general]\n;context=default\n[301]\ntype=peer\ncisco=yes ; ours\n"
    assert "line 2, section [general]: context may not stand in [general]" in ran.err
    assert run("convert_sip_conf", old, "--json").row["text"] == ran.out


def test_what_cannot_be_read_is_told(tmp_path):
    assert "cannot be read" in run("convert_sip_conf", tmp_path / "none").err
    bad = tmp_path / "bad"
    bad.write_bytes(b"[301]\ncallerid=\xff\n")
    ran = run("convert_sip_conf", bad)
    assert (ran.status, ran.err) == (1, f"{bad}, line 2: this is not UTF-8.\n")
