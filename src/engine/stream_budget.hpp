// How far DuckDB may read ahead of the clients that take results: bytes that all streams of the engine share.
//
// With DuckDB's own 1 MB a stream, the thread that encodes rows also scans them, while DuckDB's threads wait for it to
// come to their part: a row group of a Parquet file is many times as large. A few streams at a time are given room for
// whole row groups, many streams little each, so that slow readers cost bounded memory. One budget per Database, which
// outlives its shares; any thread. Nothing fails.
#pragma once

#include <cstddef>
#include <mutex>

namespace boathouse::engine {

class StreamBudget {
  public:
    static constexpr std::size_t kShareBytesMin = 1'000'000;
    static constexpr std::size_t kShareBytesMax = 64'000'000;

    explicit StreamBudget(std::size_t bytes) : free_bytes_(bytes) {}

    // Given back when it is destroyed.
    class Share {
      public:
        Share() = default;
        Share(Share&& other) noexcept;
        Share& operator=(Share&& other) noexcept;
        ~Share();
        std::size_t bytes() const { return bytes_; }

      private:
        friend class StreamBudget;
        Share(StreamBudget& budget, std::size_t bytes) : budget_(&budget), bytes_(bytes) {}
        StreamBudget* budget_ = nullptr;
        std::size_t bytes_ = 0;
    };

    // Half of what is free, between the bounds: the least is given even if nothing is.
    Share take();

  private:
    std::mutex mutex_;
    std::size_t free_bytes_;     // under mutex_
    std::size_t overdrawn_ = 0;  // under mutex_: bytes given beyond the budget
};

}  // namespace boathouse::engine
