// What was answered to requests that carry an Idempotency-Key, so that a repeated one gets the same answer and writes
// nothing: for a day, through restarts and crashes.
//
// A key is claimed before its rows are written; while one request has it, a second one is told to come back. The note
// of a claim goes into the same commit as the rows (Gatherer::join), as the snapshot's commit_extra_info; only then is
// the answer recorded in the box's own database, where it is found by key. A crash in between loses nothing: open()
// reads the day's notes from the lake's snapshots and records what is missing, and so does the first claim after a
// record could not be written or a commit's fate is unknown. Only requests that were answered with success are kept.
//
// One RequestKeys a box, any thread; every function blocks on the catalog. Bounded: one answer a key, and what is older
// than a day is deleted. Two boxes on one catalog do not see each other's claims.
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

    // The key is the holder's while it lives.
    class Claim {
      public:
        Claim(RequestKeys& keys, RequestKey key) : keys_(keys), key_(std::move(key)) {}
        ~Claim();
        Claim(const Claim&) = delete;
        Claim& operator=(const Claim&) = delete;

        // What is to be committed with the rows. `answer` lacks the snapshot's number.
        std::string note(const boost::json::object& answer) const;
        // Once they are. `answer` is whole. A failure is logged here, and mended by a later claim.
        void record(const boost::json::object& answer);
        // Nobody knows whether they are: a later claim has to look.
        void doubt();

      private:
        RequestKeys& keys_;
        const RequestKey key_;
    };
    struct Answered {
        std::string answer;  // JSON
    };
    enum class Refused { in_flight, other_body };
    using Verdict = std::variant<std::unique_ptr<Claim>, Answered, Refused>;
    Result<Verdict> claim(const RequestKey& key);

  private:
    explicit RequestKeys(Endpoints endpoints) : endpoints_(std::move(endpoints)) {}

    Result<catalog::Rows> ask(const std::string& sql, const std::vector<std::optional<std::string>>& parameters = {});
    Status recover();
    Status keep(const RequestKey& key, const std::string& answer);
    Result<std::optional<Verdict>> look(const RequestKey& key);

    const Endpoints endpoints_;
    std::mutex mutex_;
    std::optional<catalog::Connection> connection_;  // under mutex_
    bool in_doubt_ = true;                           // under mutex_: something may be committed that is not recorded
    std::uint64_t kept_ = 0;                         // under mutex_: since old ones were deleted
    std::mutex claims_mutex_;
    std::set<std::string> claimed_;  // under claims_mutex_
};

}  // namespace boathouse::ingest
