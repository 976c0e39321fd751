// A question that many ask and one thread answers: readiness, metrics.
//
// ask() gives the newest answer if it is young enough; else all who wait share the next one, whose asking starts after
// they came, so an answer is never older than the caller allowed. An asking that hangs (a server that is stopped, a
// network that swallows packets) costs its one thread and nobody else: the others are told after their own time limit.
// ask() may be called from any thread; the question runs on the thread that the object owns, joined by its destructor.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/clock.hpp"

namespace boathouse::http {

template <class Answer>
class SharedAnswer {
  public:
    SharedAnswer(std::function<Answer()> question, const Clock& clock)
        : question_(std::move(question)), clock_(clock), thread_([this] { run(); }) {}

    ~SharedAnswer() {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_all();
        thread_.join();
    }

    SharedAnswer(const SharedAnswer&) = delete;
    SharedAnswer& operator=(const SharedAnswer&) = delete;

    // Null when no answer came within `patience`. A shared_ptr, as many callers read the one answer.
    std::shared_ptr<const Answer> ask(std::chrono::milliseconds age_max, std::chrono::milliseconds patience) {
        std::unique_lock lock(mutex_);
        if (answer_ && clock_.steady_now() - answered_at_ <= age_max) return answer_;
        const long long wanted = started_ + 1;  // the first asking that starts from now on
        if (requested_ < wanted) requested_ = wanted;
        wake_.notify_all();
        const bool in_time = wake_.wait_for(lock, patience, [&] { return finished_ >= wanted || stopping_; });
        return in_time && finished_ >= wanted ? answer_ : nullptr;
    }

  private:
    void run() {
        std::unique_lock lock(mutex_);
        while (true) {
            wake_.wait(lock, [this] { return stopping_ || requested_ > finished_; });
            if (stopping_) return;
            started_++;
            lock.unlock();
            auto answer = std::make_shared<const Answer>(question_());
            lock.lock();
            answer_ = std::move(answer);
            answered_at_ = clock_.steady_now();
            finished_ = started_;
            wake_.notify_all();
        }
    }

    std::function<Answer()> question_;
    const Clock& clock_;

    std::mutex mutex_;  // guards all below but the thread
    std::condition_variable wake_;
    bool stopping_ = false;
    long long requested_ = 0;  // number of the latest asking that somebody waits for
    long long started_ = 0;
    long long finished_ = 0;
    std::shared_ptr<const Answer> answer_;
    std::chrono::steady_clock::time_point answered_at_;

    std::thread thread_;  // last: starts when all else is there
};

}  // namespace boathouse::http
