#include "engine/lake_writer.hpp"

#include <algorithm>

#include "engine/append_rows.hpp"
#include "engine/commit_turns.hpp"
#include "engine/database.hpp"
#include "engine/duckdb_error.hpp"
#include "engine/table_shapes.hpp"

namespace boathouse::engine {

namespace {

// A commit whose connection broke may have happened: whoever would try again could write twice.
bool is_lost(const QueryError& error) {
    for (const char* words : {"onnection", "shutting down", "SSL", "Broken pipe"}) {
        if (error.message.find(words) != std::string::npos) return true;
    }
    return false;
}

}  // namespace

struct LakeWriter::Impl {
    explicit Impl(Lake& opened) : lake(opened), connection(opened.database().instance()) {}

    // The rows of one table, and where their verdicts go.
    struct Group {
        std::shared_ptr<const TableShape> shape;
        std::vector<const NewRows*> rows;
        std::vector<std::size_t> places;
    };
    static std::vector<Group> group(const std::vector<const NewRows*>& rows);
    // In the transaction: marks what is stale; true if there is any.
    bool find_stale(const std::vector<Group>& groups, Written& written);
    void fail(Written& written, const std::exception& exception, bool committing);
    void leave_note(const std::string& note);
    long long committed_snapshot();

    Lake& lake;
    duckdb::Connection connection;
};

LakeWriter::LakeWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LakeWriter::~LakeWriter() = default;

Outcome<std::unique_ptr<LakeWriter>> LakeWriter::open(Lake& lake) {
    try {
        auto impl = std::make_unique<Impl>(lake);
        const auto used = impl->connection.Query("SET SESSION TimeZone = 'UTC'");
        if (used->HasError()) used->ThrowError();
        return std::unique_ptr<LakeWriter>(new LakeWriter(std::move(impl)));
    } catch (const std::exception& exception) {
        return to_query_error(duckdb::ErrorData(exception), lake.database().scrubber());
    }
}

std::vector<LakeWriter::Impl::Group> LakeWriter::Impl::group(const std::vector<const NewRows*>& rows) {
    std::vector<Group> groups;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto& shape = rows[i]->impl().shape;
        auto found = std::find_if(groups.begin(), groups.end(), [&](const Group& one) { return one.shape == shape; });
        if (found == groups.end()) found = groups.insert(groups.end(), Group{shape, {}, {}});
        found->rows.push_back(rows[i]);
        found->places.push_back(i);
    }
    return groups;
}

bool LakeWriter::Impl::find_stale(const std::vector<Group>& groups, Written& written) {
    bool found = false;
    for (const Group& one : groups) {
        std::shared_ptr<const TableShape> now;
        connection.context->RunFunctionInTransaction(
            [&] { now = read_shape(*connection.context, one.shape->schema, one.shape->table); });
        if (now && now->same_as(*one.shape)) continue;
        lake.shapes().forget(*one.shape);
        for (const std::size_t place : one.places) written.stale[place] = true;
        found = true;
    }
    return found;
}

void LakeWriter::Impl::fail(Written& written, const std::exception& exception, bool committing) {
    written.error = to_query_error(duckdb::ErrorData(exception), lake.database().scrubber());
    written.verdict = written.error.sqlstate == "40001" ? Verdict::conflict : Verdict::failed;
    if (committing && is_lost(written.error)) {
        written.verdict = Verdict::unknown;
        written.error.detail = written.error.message;
        written.error.sqlstate = "08007";
        written.error.message = "the catalog went away during the commit: the rows may have been written or not";
    }
    try {
        if (connection.HasActiveTransaction()) connection.Rollback();
    } catch (const std::exception&) {
        return;  // the transaction is over, which is all that was wanted
    }
}

void LakeWriter::Impl::leave_note(const std::string& note) {
    if (note.empty()) return;
    const auto left = connection.Query("CALL ducklake_set_commit_message('lake', NULL, NULL, extra_info => " +
                                       duckdb::KeywordHelper::WriteQuoted(note, '\'') + ")");
    if (left->HasError()) left->ThrowError();
}

// What goes wrong here changes nothing about the commit.
long long LakeWriter::Impl::committed_snapshot() {
    try {
        const auto found = connection.Query("SELECT id FROM ducklake_last_committed_snapshot('lake')");
        if (found->HasError() || found->RowCount() == 0 || found->GetValue(0, 0).IsNull()) return 0;
        return found->GetValue(0, 0).GetValue<std::int64_t>();
    } catch (const std::exception&) {
        return 0;
    }
}

LakeWriter::Written LakeWriter::write(const std::vector<const NewRows*>& rows, const Extras& extras) {
    Written written;
    written.stale.assign(rows.size(), false);
    const CommitTurns::Turn turn(impl_->lake.commit_turns());
    bool committing = false;
    try {
        impl_->connection.BeginTransaction();
        const auto groups = Impl::group(rows);
        if (impl_->find_stale(groups, written)) {
            written.verdict = Verdict::stale;
            impl_->connection.Rollback();
            return written;
        }
        for (const Impl::Group& one : groups) append_rows(impl_->connection, one.rows);
        impl_->leave_note(extras.note);
        committing = true;
        impl_->connection.Commit();
    } catch (const std::exception& exception) {
        impl_->fail(written, exception, committing);
        return written;
    }
    if (extras.wants_snapshot) written.snapshot = impl_->committed_snapshot();
    return written;
}

}  // namespace boathouse::engine
