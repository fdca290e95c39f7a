#include "base/crew.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <thread>

using namespace trimatte;

namespace {

// A crew whose threads have ended when it is destroyed.
struct Helped {
    std::shared_ptr<Crew> crew = std::make_shared<Crew>();

    explicit Helped(int helpers) { Crew::grow(crew, helpers); }
    ~Helped() {
        crew->dismiss();
        const std::weak_ptr<Crew> last = crew;
        crew.reset();
        while (!last.expired()) {
            std::this_thread::yield();
        }
    }
};

}  // namespace

TEST_CASE("helpers take part in a job, and never more of them than the job allows") {
    Helped helped(5);
    for (const int helpers : {1, 2, 5}) {
        std::atomic<int> begun{0};
        helped.crew->run(
            [&] {
                ++begun;
                // The loop ends only if this number of helpers takes part.
                while (begun <= helpers) {
                    std::this_thread::yield();
                }
            },
            helpers);
        CHECK(begun == helpers + 1);
    }
}

TEST_CASE("a job is over when all who began on it have returned") {
    Helped helped(3);
    std::atomic<int> begun{0}, returned{0};
    for (int repeat = 0; repeat < 2000; ++repeat) {
        // Such a job is long enough for the leader to sleep.
        const bool is_long = repeat % 100 == 0;
        helped.crew->run(
            [&] {
                const int place = begun++;
                for (int i = 0; i < (is_long ? 20000 * place : place); ++i) {
                    std::atomic_signal_fence(std::memory_order_seq_cst);
                }
                ++returned;
            },
            3);
        REQUIRE(begun == returned);
    }
    CHECK(begun >= 2000);
}

TEST_CASE("a crew without helpers runs its jobs all the same") {
    Helped helped(0);
    int runs = 0;
    helped.crew->run([&] { ++runs; }, 3);
    CHECK(runs == 1);
}

TEST_CASE("a crew grows and never shrinks") {
    Helped helped(1);
    Crew::grow(helped.crew, 3);
    Crew::grow(helped.crew, 2);
    std::atomic<int> begun{0};
    helped.crew->run(
        [&] {
            ++begun;
            while (begun <= 3) {
                std::this_thread::yield();
            }
        },
        3);
    CHECK(begun == 4);
}
