// What was answered to requests that carry an Idempotency-Key, so that a repeated one gets the same answer and writes
// nothing: for a day, through restarts and crashes.
//
// A key is claimed before its rows are written; while one request has it, a second one, at whichever box on the
// catalog, is told to come back. The note of a claim goes into the same commit as the rows (Gatherer::join), as the
// snapshot's commit_extra_info; only then is the answer recorded in the box's own database, where it is found by key.
// Only requests that were answered with success are kept.
//
// A claim is a row of the box's database and an advisory lock on its key. Whoever finds the row of a key that nobody
// has locked knows that its holder has died, or has not learned a commit's fate: the day's notes in the lake's
// snapshots then say whether the rows are there. Rows of claims and answers are not waited for at the disk; what a
// crash of PostgreSQL may have taken is read from the notes whenever a connection is new, and open() begins with that.
//
// One RequestKeys a box, any thread; every function blocks on the catalog, and so does the end of a claim. Bounded: one
// answer a key, and what is older than a day is deleted. What is left: a box that loses this one connection in the
// middle of a request has lost the lock, and for that moment another box may write the same rows.
#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <variant>

#include "base/error.hpp"
#include "catalog/connection.hpp"

namespace boathouse::ingest {

// Whose key it is and what for, as digests: any text of any length.
struct RequestKey {
    std::string key;   // of the user, the target and what the client calls it
    std::string body;  // of what was sent
};

// A digest for RequestKey: SHA-256 of the parts, in hexadecimal digits.
std::string digest_of(std::initializer_list<std::string_view> parts);

class RequestKeys {
  public:
    struct Endpoints {
        catalog::Endpoint box;   // the box's own database
        catalog::Endpoint lake;  // the lake's
    };
    static Result<std::unique_ptr<RequestKeys>> open(Endpoints endpoints);

    // The key is the holder's while it lives. Used by one thread at a time.
    class Claim {
      public:
        Claim(RequestKeys& keys, RequestKey key) : keys_(keys), key_(std::move(key)) {}
        ~Claim();
        Claim(const Claim&) = delete;
        Claim& operator=(const Claim&) = delete;

        // What is to be committed with the rows. `answer` lacks the snapshot's number.
        std::string note(const boost::json::object& answer) const;
        // Whether the rows may be written, now or later: then the next claim of the key looks for them. A claim begins
        // without, and is to be in doubt from before its rows join a commit until their fate is known.
        void set_in_doubt(bool in_doubt) { in_doubt_ = in_doubt; }
        // Once they are. `answer` is whole. A failure is logged here, and mended by a later claim.
        void record(const boost::json::object& answer);

      private:
        RequestKeys& keys_;
        const RequestKey key_;
        bool in_doubt_ = false;
        std::uint64_t locked_on_ = 0;  // the connection, by number; 0: it has no lock, and no row

        friend class RequestKeys;
    };
    struct Answered {
        std::string answer;  // JSON
    };
    enum class Refused { in_flight, other_body };
    using Verdict = std::variant<std::unique_ptr<Claim>, Answered, Refused>;
    Result<Verdict> claim(const RequestKey& key);

  private:
    explicit RequestKeys(Endpoints endpoints) : endpoints_(std::move(endpoints)) {}

    // What the catalog has of a key that was to be locked.
    struct Found {
        bool is_locked = false;   // by this box, now
        bool is_orphan = false;   // its row was there before: somebody's whose fate is unknown
        catalog::Rows answers{};  // body and answer, one row or none
    };
    Status connect();
    Result<std::vector<catalog::Rows>> run(const std::vector<catalog::Step>& steps);
    Status recover(const std::string& key);
    Status keep(const RequestKey& key, const std::string& answer);
    Result<Found> lock_key(const std::string& key);
    // Nothing: the key is the claim's to use.
    Result<std::optional<Verdict>> look(Claim& claim);
    void release(const Claim& claim);

    const Endpoints endpoints_;
    std::mutex mutex_;
    std::optional<catalog::Connection> connection_;  // under mutex_; holds the locks
    std::uint64_t connections_ = 0;                  // under mutex_: that there have been
    std::uint64_t recovered_ = 0;                    // under mutex_: the last of them since which all notes were read
    std::uint64_t kept_ = 0;                         // under mutex_: since old ones were deleted
    std::mutex claims_mutex_;
    std::set<std::string> claimed_;  // under claims_mutex_: by this box
};

}  // namespace boathouse::ingest
