#include "trimatte/monitor.hpp"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

#include "support.hpp"
#include "trimatte/errors.hpp"

using namespace trimatte;

namespace {

class Recorder : public Monitor {
public:
    std::vector<std::pair<std::string, double>> reports;

protected:
    bool report(const std::string& phase, double fraction) override {
        reports.emplace_back(phase, fraction);
        return true;
    }
};

// Polls until the monitor has reported again, as a long loop would.
void poll_until_reported(Recorder& monitor) {
    const std::size_t before = monitor.reports.size();
    while (monitor.reports.size() == before) {
        monitor.poll();
    }
}

}  // namespace

TEST_CASE("every phase is reported at its start, and the last one at its end as well") {
    Recorder monitor;
    monitor.phase("one");
    monitor.set_fraction(0.5);
    monitor.phase("two");
    monitor.finish();
    REQUIRE(monitor.reports.size() == 3);
    CHECK(monitor.reports[0] == std::pair<std::string, double>("one", 0));
    CHECK(monitor.reports[1] == std::pair<std::string, double>("two", 0));
    CHECK(monitor.reports[2] == std::pair<std::string, double>("two", 1));
}

TEST_CASE("seconds has one entry for each phase, in order") {
    Monitor monitor;
    for (const char* phase : {"a", "b", "a"}) {
        monitor.phase(phase);
    }
    monitor.finish();
    monitor.finish();  // no phase is under way, so this has no effect
    REQUIRE(monitor.seconds().size() == 2);
    CHECK(monitor.seconds()[0].first == "a");
    CHECK(monitor.seconds()[1].first == "b");
    CHECK(monitor.seconds()[0].second >= 0);
}

TEST_CASE("poll reports the fraction from time to time") {
    Recorder monitor;
    monitor.phase("loop");
    monitor.poll();
    CHECK(monitor.reports.size() == 1);  // the start was reported too recently
    monitor.set_fraction(0.25);
    poll_until_reported(monitor);
    CHECK(monitor.reports.back() == std::pair<std::string, double>("loop", 0.25));
}

TEST_CASE("other threads never report, but they learn of the stop") {
    struct : Monitor {
        bool go_on = true;
        std::vector<std::thread::id> reporters;
        bool report(const std::string&, double) override {
            reporters.push_back(std::this_thread::get_id());
            return go_on;
        }
    } monitor;
    monitor.phase("loop");
    bool thrown_before = false, thrown_after = false;
    const auto poll = [&](bool& thrown) {
        try {
            monitor.poll();
        } catch (const Cancelled&) {
            thrown = true;
        }
    };
    std::thread([&] { poll(thrown_before); }).join();
    monitor.go_on = false;
    CHECK_THROWS_AS(while (true) { monitor.poll(); }, Cancelled);
    std::thread([&] { poll(thrown_after); }).join();
    CHECK_FALSE(thrown_before);
    CHECK(thrown_after);
    for (const std::thread::id id : monitor.reporters) {
        CHECK(id == std::this_thread::get_id());
    }
}

TEST_CASE("a stop at the start of a phase is thrown there") {
    test::StopsAtOnce monitor;
    CHECK_THROWS_AS(monitor.phase("first"), Cancelled);
    CHECK_THROWS_AS(monitor.poll(), Cancelled);
}
