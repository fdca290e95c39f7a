// Whether a calling thread's helpers are worth having at present.
#pragma once

#include <cstdint>

namespace trimatte {

// Compares the work that gets done per second with helpers and without. On a machine whose cores others use, too, the
// system may give two threads no more time than one, and then their waiting for each other is a loss. The rate is in
// seconds of work per second: the caller's processor time, and what the helpers did, in the caller's time for the same
// number of chunks. Without helpers it cannot exceed 1, so a caller whose rate with them is about 1 or more stays with
// them and tries nothing else: a machine that is not busy loses nothing.
class Pace {
public:
    struct Job {
        double ended;          // seconds
        double waited;         // seconds at its end, for helpers
        std::int64_t own;      // chunks that the caller did
        std::int64_t helped;   // chunks that the helpers did
        std::int64_t helpers;  // at most
    };

    using Clock = double (*)();

    // processor_seconds: the calling thread's processor time.
    explicit Pace(Clock processor_seconds) : processor_seconds_(processor_seconds) {}

    // Before a job that may have helpers: whether it runs without. now: in seconds.
    bool alone(double now);

    // After it.
    void finished(const Job& job);

    // Whether the last window had helpers and a good rate.
    bool calm() const { return calm_; }

private:
    struct Spent {
        double wall = 0, processor = 0, helped = 0, waited = 0;
    };

    void judge(double rate);

    Clock processor_seconds_;
    bool alone_ = false;
    bool calm_ = false;
    bool trying_ = false;     // the other way, for one window
    double rate_before_ = 0;  // of the way that was left for the trial
    double stay_ = 0;         // seconds of work in the way that has been found better, and what is left of them
    double stay_left_ = 0;
    double began_ = 0;  // the present job
    double last_ = -1;  // end of the job before
    double sampled_at_ = 0;
    double sampled_processor_ = 0;
    Spent window_;
    Spent since_sample_;
};

}  // namespace trimatte
