#include "base/pace.hpp"

#include <algorithm>

namespace trimatte {
namespace {

// All times are in seconds. The rate is measured over windows of this length, which hold several
// time slices of every other busy process.
constexpr double window_length = 0.05;
// The interval at which the processor time is read, which may take a microsecond.
constexpr double sample_every = 0.001;
// A pause between two jobs that is longer than this is not counted.
constexpr double longest_pause = 0.002;
// The time in windows for which the better way (with helpers or alone) is kept before the other one
// is tried again. Each trial doubles it, up to the longest stay. A caller that works alone and has
// a core for itself again, as its rate shows, waits only for the first stay.
constexpr double first_stay = 0.2;
constexpr double longest_stay = 1.6;
// A caller whose rate with helpers is at least this tries nothing else: without helpers the rate
// cannot exceed 1.
constexpr double good_rate = 0.95;
// Helpers must raise the rate by this factor. A window is short, so that two ways that are equally
// good differ by chance, and waiting for helpers makes the worst calls worse.
constexpr double worth = 1.15;

}  // namespace

bool Pace::alone(double now) {
    if (last_ < 0 || now - last_ > longest_pause) {
        since_sample_ = {};
        sampled_at_ = now;
        sampled_processor_ = processor_seconds_();
    }
    began_ = now;
    return alone_;
}

void Pace::finished(const Job& job) {
    last_ = job.ended;
    const double all = job.ended - began_;
    // The chunks of the helpers would have taken the caller as long, each, as its own chunks did.
    // If it did none, the time that it waited stands for them.
    if (job.helped > 0) {
        const double most = all * static_cast<double>(job.helpers);
        const double share = static_cast<double>(job.helped) / static_cast<double>(std::max<std::int64_t>(job.own, 1));
        since_sample_.helped += std::min(most, job.own > 0 ? (all - job.waited) * share : job.waited);
    }
    since_sample_.waited += job.waited;
    if (job.ended - sampled_at_ < sample_every) {
        return;
    }
    const double processor = processor_seconds_();
    window_.wall += job.ended - sampled_at_;
    window_.processor += processor - sampled_processor_;
    window_.helped += since_sample_.helped;
    window_.waited += since_sample_.waited;
    since_sample_ = {};
    sampled_at_ = job.ended;
    sampled_processor_ = processor;
    if (window_.wall >= window_length) {
        // `helped` is elapsed time; the factor processor / working turns it into processor time.
        const double working = std::max(window_.wall - window_.waited, window_.processor);
        const double rate = window_.processor * (1 + window_.helped / working) / window_.wall;
        window_ = {};
        judge(rate);
    }
}

void Pace::judge(double rate) {
    calm_ = !alone_ && rate >= good_rate;
    stay_left_ -= window_length;
    if (calm_) {
        trying_ = false;
        stay_ = 0;
        stay_left_ = 0;
    } else if (trying_) {
        trying_ = false;
        stay_ = std::min(std::max(first_stay, 2 * stay_), longest_stay);
        stay_left_ = stay_;
        const double alone = alone_ ? rate : rate_before_, helped = alone_ ? rate_before_ : rate;
        alone_ = helped < worth * alone;
    } else if (stay_left_ <= 0 || (alone_ && rate >= good_rate && stay_left_ <= stay_ - first_stay)) {
        trying_ = true;
        rate_before_ = rate;
        alone_ = !alone_;
    }
}

}  // namespace trimatte
