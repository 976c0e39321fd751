// Writes the rows of many statements to the lake in one commit: the engine's side of group commit.
//
// A LakeWriter has a connection of its own and is used by one thread, the committer. One write() is one transaction and
// one snapshot, whatever number of tables it touches; it takes its turn among the box's commits (commit_turns.hpp). The
// transaction looks at each table as it is now: if rows were made for another shape of it, nothing is written, and they
// are said to be stale. Plain appends are committed by the box itself (snapshot_appender.hpp), the rest by the official
// extension, which repeats a commit that collides with another client's; what either gives up on comes back as a
// conflict.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/lake.hpp"
#include "engine/new_rows.hpp"
#include "engine/query_error.hpp"

namespace boathouse::engine {

class LakeWriter {
  public:
    static Outcome<std::unique_ptr<LakeWriter>> open(Lake& lake, const catalog::Endpoint& catalog);
    ~LakeWriter();

    enum class Verdict {
        committed,  // durable, and visible to whoever asks from now on
        stale,      // not written: some tables have changed since rows were made for them
        conflict,   // not written: other clients of the catalog came first each time
        failed,     // not written, and `error` says why; it may have been another's fault
        unknown,    // the catalog went away during COMMIT: written or not, nobody can say
        moved,      // not written: it cannot be said that nothing was committed since Extras::since
    };
    struct Written {
        Verdict verdict = Verdict::committed;
        std::vector<bool> stale;  // if so, which of the rows
        QueryError error;         // otherwise, why they are not committed
        long long snapshot = 0;   // that was committed, if it was asked for; 0: it cannot be told
        bool by_extension = false;
        std::uint64_t transaction = 0;  // PostgreSQL's, that was committed; 0: it cannot be told
    };
    struct Extras {
        std::string note{};  // becomes the snapshot's commit_extra_info; empty: none
        bool wants_snapshot = false;
        // PostgreSQL's (catalog/pg_snapshot.hpp), that the transaction is to see, and nothing else, else nothing is
        // written; empty: whatever it sees.
        std::string since{};
    };
    // Rows of one table go in the order given.
    Written write(const std::vector<const NewRows*>& rows, const Extras& extras);

  private:
    struct Impl;
    explicit LakeWriter(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace boathouse::engine
