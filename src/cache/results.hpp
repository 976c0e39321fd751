// Answers that are kept: the rows of a query as they went to a client, good for one snapshot of the lake or for ever,
// given again to whoever asks the same.
//
// One for all sessions, any thread; nothing blocks but wait(). A key holds whatever the answer depends on beside the
// snapshot: the text, the parameters, the formats, the settings, the role. An answer is kept from the second time on
// that its key is seen, so that what is asked once costs no memory. While one session computes an answer (a
// Computation), others that ask the same for the same snapshot may wait for it. Bounded in bytes: what has not been
// asked for longest goes first, an answer of an older snapshot as soon as it is met. Whoever reads an answer holds it
// by himself, so it may outlive its place here.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "access/needs.hpp"
#include "pgwire/backend.hpp"

namespace boathouse::cache {

struct KeptAnswer {
    std::vector<pgwire::ColumnDescription> columns;
    std::string rows;  // DataRow messages
    std::string tag;   // "SELECT 3"
    // The snapshot that it is of; nullopt: it is the same for every one.
    std::optional<long long> snapshot;
    access::Needs needs = {};  // in privileges, of whoever is to have it
};

class Results {
  public:
    struct Limits {
        std::size_t bytes_max = 0;         // of all answers, with their keys
        std::size_t answer_bytes_max = 0;  // of one
    };
    // What is remembered of keys that have no answer.
    static constexpr std::size_t kSightsMax = 8192;

    explicit Results(Limits limits) : limits_(limits) {}

    struct Look {
        std::shared_ptr<const KeptAnswer> answer;  // one that is the same for every snapshot
        bool is_worth_keeping = false;             // asked before, and not known to differ each time
    };
    Look look(const std::string& key);
    // The answer that there is, of whatever snapshot; null: none. It counts for nothing.
    std::shared_ptr<const KeptAnswer> peek(const std::string& key) const;
    // What peek() gave is given to somebody.
    void count_hit(const std::string& key);

    struct Flight;
    // Somebody computes the answer of a key; the others wait until it is destroyed or let_go() is called.
    class Computation {
      public:
        Computation(Results& results, std::string key, std::shared_ptr<Flight> flight)
            : results_(results), key_(std::move(key)), flight_(std::move(flight)) {}
        ~Computation() { let_go(); }
        Computation(const Computation&) = delete;
        Computation& operator=(const Computation&) = delete;

        long long snapshot() const;  // that it was begun for
        std::size_t bytes_max() const { return results_.limits_.answer_bytes_max; }
        // It will take long, or fail: those who wait go on by themselves.
        void let_go();
        // Its answer cannot be kept, now or later.
        void give_up();
        void keep(KeptAnswer answer);

      private:
        Results& results_;
        const std::string key_;
        std::shared_ptr<Flight> flight_;  // null: let go
    };

    struct Turn {
        std::shared_ptr<const KeptAnswer> answer;  // of this snapshot; or
        std::shared_ptr<Flight> flight;            // somebody computes it; or
        std::unique_ptr<Computation> computation;  // the caller is to
    };
    Turn join(const std::string& key, long long snapshot);
    // Until the flight is over, or `is_interrupted` says so, which is asked every few milliseconds.
    void wait(const Flight& flight, const std::function<bool()>& is_interrupted);

    struct Counts {
        std::uint64_t hits = 0;
        std::uint64_t misses = 0;   // of what is worth keeping
        std::uint64_t evicted = 0;  // for want of room
        std::uint64_t stale = 0;    // of an older snapshot
        std::size_t answers = 0;
        std::size_t bytes = 0;
        std::size_t bytes_max = 0;
    };
    Counts counts() const;

  private:
    struct Entry {
        std::string key;
        std::shared_ptr<const KeptAnswer> answer;
        std::size_t bytes = 0;
    };
    using Entries = std::list<Entry>;  // the one asked for last in front

    std::shared_ptr<const KeptAnswer> hit_locked(Entries::iterator entry);
    void erase_locked(Entries::iterator entry);
    bool see_locked(const std::string& key);
    void insert(const std::string& key, KeptAnswer answer);

    const Limits limits_;
    mutable std::mutex mutex_;  // guards what follows
    std::condition_variable landed_;
    Entries entries_;
    std::unordered_map<std::string_view, Entries::iterator> by_key_;  // the keys are the entries'
    std::unordered_map<std::string, std::shared_ptr<Flight>> flights_;
    // By hash of a key that has been seen: whether an answer may be kept. Forgotten in the order of arrival.
    std::unordered_map<std::size_t, bool> sights_;
    std::deque<std::size_t> sights_in_order_;
    Counts counts_;
};

}  // namespace boathouse::cache
