"""How good a link is, from arrivals alone."""

from sensorrep.model import Foot
from sensorrep.views.link_quality import LinkMeter
from tests.views.live_events import at_ns, packets


def fed(meter: LinkMeter, from_s: float, to_s: float, rate_hz: float = 25.0) -> LinkMeter:
    for packet in packets(Foot.LEFT, from_s, to_s, rate_hz):
        meter.take(packet.received_ns)
    return meter


def test_a_steady_link_is_good_from_its_first_packets() -> None:
    meter = fed(LinkMeter(), 0.0, 0.5)
    assert meter.quality(at_ns(0.5)).word == "good"
    assert fed(meter, 0.5, 60.0).quality(at_ns(60.0)).bars == 4


def test_a_link_that_brings_less_than_usual_is_weak() -> None:
    meter = fed(fed(LinkMeter(), 0.0, 30.0), 30.0, 40.0, rate_hz=17.0)
    found = meter.quality(at_ns(40.0))
    assert found.word == "weak"
    assert found.bars == 2


def test_bursts_are_no_weakness() -> None:
    meter = LinkMeter()
    for second in range(30):
        for i in range(4):
            for _ in range(6):
                meter.take(at_ns(second + 0.25 * i))
    assert meter.quality(at_ns(29.8)).word == "good"


def test_what_comes_at_once_after_a_stall_sets_no_standard() -> None:
    meter = fed(LinkMeter(), 0.0, 20.0)
    for _ in range(75):
        meter.take(at_ns(23.0))
    assert fed(meter, 23.0, 30.0).quality(at_ns(30.0)).bars == 4


def test_silence_shows_after_a_second_and_ends_with_the_next_packets() -> None:
    meter = fed(LinkMeter(), 0.0, 10.0)
    assert meter.quality(at_ns(10.9)).word == "good"
    silent = meter.quality(at_ns(12.5))
    assert (silent.word, silent.bars) == ("silent", 0)
    assert 2.4 < silent.silent_s < 2.7
    assert fed(meter, 12.5, 15.6).quality(at_ns(15.6)).word == "good"


def test_lost_until_the_link_stands_again_whatever_still_comes_of_the_old_one() -> None:
    meter = fed(LinkMeter(), 0.0, 10.0)
    meter.lost = True
    assert fed(meter, 10.0, 11.0).quality(at_ns(11.0)).word == "lost"
    meter.begin()
    assert fed(meter, 20.0, 21.0).quality(at_ns(21.0)).word == "good"


def test_what_comes_while_a_sensor_starts_anew_is_no_measure_of_its_link() -> None:
    meter = fed(LinkMeter(), 0.0, 20.0)
    meter.lost = True
    fed(meter, 25.0, 26.5, rate_hz=3.0)
    meter.begin()
    assert fed(meter, 26.5, 30.0).quality(at_ns(30.0)).bars == 4


def test_connected_before_the_session_begins() -> None:
    meter = LinkMeter()
    meter.begin()
    assert meter.quality(0).word == "connected"
    assert fed(meter, 0.0, 0.5).quality(at_ns(0.5)).word == "good"


def test_never_heard_of() -> None:
    assert LinkMeter().quality(0).word == "looking"
