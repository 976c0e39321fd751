// The box's own commit of plain appends: rows inlined in the catalog, without the official extension.
//
// The extension takes eleven round trips for a commit. An appender knows the lake as its own last commit left it, and
// writes the next snapshot in one, which fails if anybody else has committed meanwhile: then it reads the lake anew,
// with others' commits held off for the moment, and writes again. It does what it is sure of: tables without
// partitions, sort order or nested columns, whose types and inlined table are as it expects them, up to kRowsMax rows
// of each table. Everything else is not_covered, nothing is written, and the caller has the extension do it. Owned by
// the LakeWriter; one thread, the committer, during its turn (commit_turns.hpp).
//
// Private to src/engine/.
#pragma once

#include <duckdb.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "catalog/snapshot_append.hpp"
#include "engine/inlined_column.hpp"
#include "engine/lake_writer.hpp"
#include "engine/table_shapes.hpp"

namespace boathouse::engine {

// The rows of one table, and where their verdicts go.
struct TableRows {
    std::shared_ptr<const TableShape> shape;
    std::vector<const NewRows*> rows;
    std::vector<std::size_t> places;
};

class SnapshotAppender {
  public:
    // The table's shape as the lake has it now, null if there is none.
    using ReadShape = std::function<std::shared_ptr<const TableShape>(const TableShape&)>;
    SnapshotAppender(catalog::Endpoint endpoint, ReadShape read_shape);
    ~SnapshotAppender();

    // Rows of one table beyond these make a data file.
    static constexpr std::size_t kRowsMax = 10'000;

    enum class Fate {
        committed,
        stale,        // see `stale` of the answer
        conflict,     // others came first, twice
        unknown,      // the connection broke while the commit was under way
        not_covered,  // nothing is written
        moved,        // nothing is written, since it is not as `since` says
    };
    struct Answer {
        Fate fate = Fate::not_covered;
        std::vector<const TableRows*> stale{};
        std::string error{};            // of a conflict or an unknown commit
        long long snapshot = 0;         // that was committed
        std::uint64_t transaction = 0;  // PostgreSQL's
    };
    // `since`: as LakeWriter::Extras has it.
    Answer append(const std::vector<TableRows>& tables, const std::string& note, const std::string& since);

    // Schema versions of tables that are not covered are looked at again once the lake has another.
    void learn_version(long long schema_version) { newest_version_ = schema_version; }

  private:
    // What is known of a table that rows were made for.
    struct Known {
        std::shared_ptr<const TableShape> shape;
        long long schema_version = -1;  // of the lake, for which all but the statistics holds
        bool is_covered = false;
        catalog::TableFacts facts{};
        std::vector<InlinedType> types{};  // one a column
        long long epoch = -1;              // in which `statistics` were read
        catalog::TableStatistics statistics{};
    };
    using Key = std::pair<std::string, std::string>;

    static Key key_of(const TableShape& shape) { return {shape.schema, shape.table}; }
    bool cannot_cover(const std::vector<TableRows>& tables);
    bool allows_inlining(const Known& known) const;
    bool has_connection();
    // Whether all that is needed is known, as of state_.
    bool is_ready(const std::vector<TableRows>& tables);
    Answer append_again(const std::vector<TableRows>& tables, const std::string& note, bool alone);
    Answer append_at_newest(const std::vector<TableRows>& tables, const std::string& note, bool alone);
    // In a transaction. An answer if there is nothing to be written.
    std::optional<Answer> prepare(const std::vector<TableRows>& tables);
    std::optional<Answer> look_at(const TableRows& rows);
    bool learn(Known& known);
    std::vector<catalog::TableAppend> encode(const std::vector<TableRows>& tables);
    catalog::TableAppend encode(const Known& known, const TableRows& rows);
    void settle(const std::vector<TableRows>& tables, const std::vector<catalog::TableAppend>& written);
    Answer failure(const Error& error);

    const catalog::Endpoint endpoint_;
    const ReadShape read_shape_;
    std::optional<catalog::SnapshotAppend> catalog_;
    catalog::LakeState state_;  // as this appender has seen it last
    long long epoch_ = 0;       // counts others' commits that were noticed
    long long newest_version_ = -1;
    std::map<Key, Known> known_;
};

}  // namespace boathouse::engine
