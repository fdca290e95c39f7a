#include "trimatte/parallel.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support.hpp"
#include "trimatte/errors.hpp"

using namespace trimatte;

TEST_CASE("there is always a thread") { CHECK(max_threads() >= 1); }

TEST_CASE("parallel_for runs every chunk once") {
    Monitor monitor;
    for (const int threads : {1, 2, 7}) {
        for (const std::int64_t count : {0, 1, 3, 1000}) {
            std::vector<std::atomic<int>> runs(static_cast<std::size_t>(count));
            parallel_for(count, threads, monitor, [&](std::int64_t i) { ++runs[static_cast<std::size_t>(i)]; });
            for (const std::atomic<int>& n : runs) {
                CHECK(n == 1);
            }
        }
    }
}

TEST_CASE("a parallel_for inside a chunk runs on the chunk's thread") {
    Monitor monitor;
    std::vector<int> runs(40 * 30);
    std::atomic<int> strangers{0};
    parallel_for(40, 4, monitor, [&](std::int64_t i) {
        const std::thread::id here = std::this_thread::get_id();
        parallel_for(30, 4, monitor, [&](std::int64_t k) {
            ++runs[static_cast<std::size_t>(30 * i + k)];
            strangers += std::this_thread::get_id() == here ? 0 : 1;
        });
    });
    CHECK(runs == std::vector<int>(40 * 30, 1));
    CHECK(strangers == 0);
}

TEST_CASE("several threads may call parallel_for at once") {
    std::vector<std::int64_t> sums(4);
    std::vector<std::thread> callers;
    for (std::int64_t& sum : sums) {
        callers.emplace_back([&sum] {
            Monitor monitor;
            for (int repeat = 0; repeat < 50; ++repeat) {
                std::atomic<std::int64_t> all{0};
                parallel_for(100, 3, monitor, [&](std::int64_t i) { all += i; });
                sum += all;
            }
        });
    }
    for (std::thread& caller : callers) {
        caller.join();
    }
    CHECK(sums == std::vector<std::int64_t>(4, 50 * 4950));
}

TEST_CASE("parallel_ranges covers everything once, cut at the same places") {
    Monitor monitor;
    const std::int64_t size = 30001;
    std::vector<int> first_cut;
    for (const int threads : {1, 2, 7}) {
        std::vector<int> runs(size), cut(size);
        parallel_ranges(size, threads, monitor, [&](std::int64_t begin, std::int64_t end) {
            cut[static_cast<std::size_t>(begin)] = 1;
            for (std::int64_t i = begin; i < end; ++i) {
                ++runs[static_cast<std::size_t>(i)];
            }
        });
        CHECK(runs == std::vector<int>(size, 1));
        first_cut = threads == 1 ? cut : first_cut;
        CHECK(cut == first_cut);
    }
}

TEST_CASE("the first exception comes through and stops the rest") {
    Monitor monitor;
    for (const int threads : {1, 2, 7}) {
        std::atomic<int> runs{0};
        CHECK_THROWS_WITH_AS(parallel_for(100000, threads, monitor,
                                          [&](std::int64_t i) {
                                              ++runs;
                                              if (i == 5) {
                                                  throw std::runtime_error("chunk 5");
                                              }
                                          }),
                             "chunk 5", std::runtime_error);
        CHECK(runs >= 1);
        if (threads == 1) {
            CHECK(runs == 6);
        }
    }
}

TEST_CASE("a stop reaches the caller from inside the loop") {
    for (const int threads : {1, 2, 7}) {
        test::StopsIn monitor("loop");
        monitor.phase("loop");
        monitor.set_fraction(0.5);
        std::atomic<double> sink{0};
        // The loop would take minutes if nobody stopped it.
        CHECK_THROWS_AS(parallel_for(std::int64_t{1} << 31, threads, monitor,
                                     [&](std::int64_t i) { sink = std::sqrt(static_cast<double>(i)); }),
                        Cancelled);
    }
}

TEST_CASE("sums have the same bits for any number of threads") {
    Monitor monitor;
    test::Random random(3);
    std::vector<double> v(100003);
    double plain = 0;
    for (double& x : v) {
        x = random() * std::exp(20 * random());
        plain += x;
    }
    const auto sum = [&](int threads) {
        return parallel_sum(static_cast<std::int64_t>(v.size()), threads, monitor,
                            [&](std::int64_t begin, std::int64_t end) {
                                double s = 0;
                                for (std::int64_t i = begin; i < end; ++i) {
                                    s += v[static_cast<std::size_t>(i)];
                                }
                                return s;
                            });
    };
    const double one = sum(1);
    CHECK(one == doctest::Approx(plain).epsilon(1e-12));
    CHECK(sum(2) == one);
    CHECK(sum(7) == one);
    CHECK(parallel_sum(0, 2, monitor, [](std::int64_t, std::int64_t) { return 1.0; }) == 0);
}
