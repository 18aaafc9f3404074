"""Benchmarks and scale: pages say what was measured, and models are right where a formula is known."""

import ast

import pytest

from tests.bench import page, results
from tests.bench.__main__ import BENCHES, _carry_out
from tests.bench.figures import Figure, peers
from tests.bench.results import Run
from tests.scale import figures as scale_figures
from tests.scale import page as scale_page
from tests.scale.queueing import Station, solve
from tests.scale.storm import DHCP, FILES, START, simulated


def test_the_page_is_what_the_results_say():
    assert page.rendered(results.read()) == page.PAGE.read_text(), "python -m tests.bench --page"


def test_the_page_of_scale_is_what_its_figures_say():
    assert scale_page.rendered(scale_figures.kept()) == scale_page.PAGE.read_text(), "python -m tests.scale --page"


def test_each_benchmark_is_in_the_table():
    def measures(name: str) -> bool:
        tree = ast.parse((page.HERE / f"{name}.py").read_text())
        return any(isinstance(node, ast.FunctionDef) and node.name == "measure" for node in tree.body)

    assert sorted(BENCHES) == sorted(path.stem for path in page.HERE.glob("*.py") if measures(path.stem))


def test_one_benchmark_runs_and_only_its_rows_change(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_PHONES", "3")
    stored, run = tmp_path / "benchmarks.json", Run(date="today", load=[0.1, 0.2], cores=2)
    results.store("boot", Run(load=[0.0, 0.0], figures=[Figure("nginx", [1.0], "requests/s")]), stored)

    assert _carry_out("render", 120, run) == ""
    results.store("render", run, stored)

    found = results.read(stored)
    assert found["boot"].figures == [Figure("nginx", [1.0], "requests/s")]
    assert found["render"].unusual == {"BENCH_PHONES": "3 (usually 10000)"}
    assert "files of as many phones" in page.rendered(found)


def test_a_benchmark_that_takes_too_long_is_ended(monkeypatch):
    monkeypatch.setenv("BENCH_PHONES", "100000000")

    assert _carry_out("render", 3, Run()) == "not done after 3 s"


PEER = Figure("nginx", [1000.0, 2000.0, 1000.0], "requests/s", processor=[0.1])


@pytest.mark.parametrize(
    ("figure", "ratios", "reached"),
    [
        (Figure("ours", [500.0, 1000.0, 400.0], "requests/s", "nginx", goal_ratio=0.5), [0.5, 0.5, 0.4], True),
        (Figure("ours", [400.0, 800.0, 400.0], "requests/s", "nginx", goal_ratio=0.5), [0.4, 0.4, 0.4], False),
        (Figure("ours", [500.0, 1000.0, 400.0], "requests/s", "nginx", goal=600), [0.5, 0.5, 0.4], False),
    ],
)
def test_a_rate_is_better_the_higher_it_is(figure, ratios, reached):
    assert figure.ratios(PEER) == pytest.approx(ratios)
    assert figure.reached(PEER) is reached


def test_a_time_is_better_the_lower_it_is():
    figure = Figure("ours", [2.0], "ms", "bare", goal=5)

    assert figure.ratios(Figure("bare", [1.0], "ms")) == [0.5]
    assert figure.reached(None) is True


def test_a_peer_that_is_not_there_is_named():
    figure = Figure("ours", [5.0], "requests/s", "nginx", goal_ratio=0.5)
    cells = page.cells(figure, peers([Figure("nginx", said="not measured: not installed"), figure]))

    assert cells["of the peer"] == "nginx: not measured"
    assert cells["goal"] == "≥ 0.5 of nginx"


def test_a_busy_machine_is_said():
    assert "**busy**" in page.rendered({"boot": Run(load=[4.0, 5.0], cores=2, others=0.6, figures=[PEER])})
    assert "quiet: load" in page.rendered({"boot": Run(load=[0.0, 1.0], cores=2, figures=[PEER])})


@pytest.mark.parametrize(
    ("servers", "jobs", "wait", "rate"),
    [
        (1, 1, 3.0, 200),  # alone: one for each 3 + 2 ms
        (2, 2, 0.0, 1000),  # nobody waits
        (1, 50, 10.0, 500),  # full: one for each 2 ms
        (4, 100, 10.0, 2000),
        (1, 2, 2.0, 400),  # the machine repair model: 1 - p0 = 4/5 of the time
    ],
)
def test_the_queueing_network_is_right_where_a_formula_is_known(servers, jobs, wait, rate):
    solved = solve([Station("processor", 2.0, servers)], jobs, wait)

    assert solved.rate == pytest.approx(rate, rel=0.01)
    assert solved.busy["processor"] == pytest.approx(rate * 2.0 / 1000 / servers, rel=0.01)


def test_all_phones_get_their_files_after_a_power_cut():
    calm, slow = simulated(200), simulated(200, dhcp=5)

    assert len(calm.done) == 200
    assert calm.done[0] > START - 15
    assert calm.asked == 200 * FILES
    assert not calm.dhcp_again
    assert slow.dhcp_again > 0
    # The last one has its address when DHCP has answered all.
    assert slow.done[-1] > START + 200 / 5 > START + 200 / DHCP
