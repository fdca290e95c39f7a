// Decides whether the helpers of a calling thread are worth having at present.
#pragma once

#include <cstdint>

namespace trimatte {

// Compares the work that is done per second with helpers and without. On a machine whose cores
// other processes use, too, the system may give two threads no more time than one; then their
// waiting for each other is a loss.
//
// The rate is in seconds of work per second of elapsed time. The work is the processor time of the
// caller plus the time that the caller would have needed for the chunks that the helpers did.
// Without helpers the rate cannot exceed 1. A caller whose rate with helpers is about 1 or more
// therefore stays with them and tries nothing else, and a quiet machine loses nothing. Any other
// caller tries the other way (with helpers or alone) now and then, for a window of 50 ms.
class Pace {
public:
    struct Job {
        double ended;          // time at the end, in seconds
        double waited;         // seconds for which the caller waited for helpers at the end
        std::int64_t own;      // chunks that the caller did
        std::int64_t helped;   // chunks that the helpers did
        std::int64_t helpers;  // most helpers that could take part
    };

    using Clock = double (*)();

    // processor_seconds: returns the processor time of the calling thread.
    explicit Pace(Clock processor_seconds) : processor_seconds_(processor_seconds) {}

    // Must be called before a job that may have helpers. Returns whether the job should run without
    // them. now: in seconds.
    bool alone(double now);

    // Takes the measurements of the job that has ended.
    void finished(const Job& job);

    // Whether the last window was one with helpers and a good rate.
    bool calm() const { return calm_; }

private:
    struct Spent {
        double wall = 0, processor = 0, helped = 0, waited = 0;
    };

    // Takes the rate of the window that has ended and decides how the next one runs.
    void judge(double rate);

    Clock processor_seconds_;
    bool alone_ = false;
    bool calm_ = false;
    bool trying_ = false;     // whether this window tries the other way (alone or with helpers)
    double rate_before_ = 0;  // rate of the way that was left for the trial
    double stay_ = 0;         // seconds of work for which the better way is kept
    double stay_left_ = 0;
    double began_ = 0;  // start of the present job
    double last_ = -1;  // end of the job before; -1 if there was none
    double sampled_at_ = 0;
    double sampled_processor_ = 0;
    Spent window_;
    Spent since_sample_;
};

}  // namespace trimatte
