// The helpers of one calling thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

namespace trimatte {

// Threads that help one leader. They are started once and sleep while there is nothing to do. The leader hands out one
// job after the other, and at the end of a job it waits only for those who have begun on it: on a busy machine a
// thread that has nothing to do may need 10 ms to find that out.
class Crew {
public:
    using Job = std::function<void()>;

    // Starts threads until there are so many; fewer if the system gives no more.
    static void grow(const std::shared_ptr<Crew>& crew, int helpers);

    // By the leader: it and at most so many helpers run the job at the same time, which must not throw. All have
    // returned from it when this returns. calm: nobody else seems to use the cores, so that the helpers may stay awake
    // for the next job.
    void run(const Job& job, int helpers, bool calm = false);

    // By the leader: the helpers end, each as soon as it notices.
    void dismiss();

private:
    void help();
    void await_helpers();

    std::atomic<const Job*> job_{nullptr};
    std::atomic<std::int64_t> jobs_{0};
    std::atomic<int> places_{0};    // for helpers that have not begun on the job
    std::atomic<int> active_{0};    // helpers that may have begun on it
    std::atomic<int> sleeping_{0};  // helpers
    std::atomic<bool> leader_sleeps_{false};
    std::atomic<bool> calm_{false};
    std::atomic<bool> over_{false};
    std::mutex mutex_;
    std::condition_variable wake_;  // a job has come, or the end
    std::condition_variable done_;  // no helper is active
    int size_ = 0;                  // read and written by the leader only
};

}  // namespace trimatte
