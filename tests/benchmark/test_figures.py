from benchmark.figures import draw_frames, draw_parts, draw_scaling
from tests import records


def test_the_scaling_curve_does_not_depend_on_the_order_of_its_points(tmp_path):
    record, turned = records.throughput(), records.throughput()
    turned["metrics"]["scaling"] = dict(reversed(turned["metrics"]["scaling"].items()))
    draw_scaling({"a": record}, tmp_path / "one.png")
    draw_scaling({"a": turned}, tmp_path / "two.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_records_with_other_image_sizes_share_a_figure(tmp_path):
    other = records.render()
    del other["metrics"]["frames_per_second_and_core"]["48x64"]
    draw_frames({"a": records.render(), "b": other}, tmp_path / "both.png")
    draw_frames({"a": records.render()}, tmp_path / "one.png")
    assert (tmp_path / "both.png").read_bytes() != (tmp_path / "one.png").read_bytes()


def test_a_slower_step_has_a_longer_bar(tmp_path):
    slower = records.render()
    slower["metrics"]["env_steps_per_second_120x160"]["depth"] = 300.0
    draw_parts({"a": records.render()}, tmp_path / "one.png")
    draw_parts({"a": slower}, tmp_path / "two.png")
    draw_parts({"a": records.render(), "b": slower}, tmp_path / "both.png")
    pictures = [(tmp_path / f"{name}.png").read_bytes() for name in ("one", "two", "both")]
    assert len(set(pictures)) == 3
