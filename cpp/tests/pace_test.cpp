#include "base/pace.hpp"

#include <doctest/doctest.h>

using namespace trimatte;

namespace {

// A machine on which time passes only as the test says.
struct Machine {
    static inline double processor = 0;  // processor time of the caller in seconds
    double now = 0;
    Pace pace{[] { return processor; }};

    // Lets time pass. The arguments are the share of a core that the caller gets, and the share of
    // the time of each job for which it waits for helpers at the end. A helper does as many chunks
    // as the caller. Returns the part of the time that was spent without helpers.
    double run(double seconds, double share_alone, double share_with_helper, double waiting) {
        double alone_for = 0;
        for (const double end = now + seconds; now < end;) {
            const double length = 0.0005;
            const bool alone = pace.alone(now);
            now += length;
            processor += length * (alone ? share_alone : share_with_helper * (1 - waiting));
            pace.finished({now, alone ? 0 : length * waiting, 10, alone ? 0 : 10, 1});
            alone_for += alone ? length : 0;
        }
        return alone_for / seconds;
    }
};

}  // namespace

TEST_CASE("a calm machine is never without helpers") {
    Machine machine;
    CHECK(machine.run(10, 1, 1, 0.1) == 0);
    CHECK(machine.pace.calm());
    // The caller waits long for its helpers, which are still worth it.
    CHECK(machine.run(10, 1, 1, 0.45) == 0);
}

TEST_CASE("where two threads get no more time than one, the caller works alone") {
    Machine machine;
    CHECK(machine.run(1, 0.5, 0.25, 0.2) > 0.6);
    CHECK_FALSE(machine.pace.calm());
    CHECK(machine.run(10, 0.5, 0.25, 0.2) > 0.95);
}

TEST_CASE("where two threads get twice the time of one, the helpers stay") {
    Machine machine;
    CHECK(machine.run(1, 0.2, 0.2, 0.2) < 0.4);
    CHECK(machine.run(10, 0.2, 0.2, 0.2) < 0.05);
}

TEST_CASE("the helpers come back when the machine is calm again") {
    Machine machine;
    machine.run(10, 0.5, 0.25, 0.2);
    machine.run(0.4, 1, 1, 0.1);
    CHECK(machine.run(10, 1, 1, 0.1) == 0);
    CHECK(machine.pace.calm());
}

TEST_CASE("pauses between jobs count for neither way") {
    Machine machine;
    for (int i = 0; i < 1000; ++i) {
        CHECK(machine.run(0.004, 1, 1, 0.1) == 0);
        machine.now += 0.1;
    }
}

TEST_CASE("calls of a few milliseconds are judged together") {
    Machine machine;
    double alone = 0;
    for (int i = 0; i < 1000; ++i) {
        alone += machine.run(0.004, 0.5, 0.25, 0.2);
        machine.now += 0.1;
    }
    CHECK(alone > 800);
}

TEST_CASE("helpers that left the caller no chunk count for what it waited") {
    Machine machine;
    for (int i = 0; i < 1000; ++i) {
        CHECK_FALSE(machine.pace.alone(machine.now));
        machine.now += 0.001;
        Machine::processor += 0.0001;
        machine.pace.finished({machine.now, 0.0009, 0, 10, 1});
    }
    CHECK(machine.pace.calm());
}
